//! Where a walk through the config is.

use crate::yaml::pointer_step;
use std::fmt::{Display, Write as _};

/// A JSON pointer that grows on the way down and is the same again on the way up.
#[derive(Default)]
pub(super) struct Pointer(String);

impl Pointer {
    /// Visits what is one step further down.
    pub(super) fn below<R>(&mut self, step: impl Display, visit: impl FnOnce(&mut Self) -> R) -> R {
        let here = self.0.len();
        write!(self.0, "/{step}").expect("a string takes all text");
        if self.0[here + 1..].contains(['~', '/']) {
            let step = pointer_step(&self.0[here + 1..]);
            self.0.truncate(here + 1);
            self.0.push_str(&step);
        }
        let result = visit(self);
        self.0.truncate(here);
        result
    }

    /// Returns the pointer as text; empty for the whole config.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Pointer;

    #[test]
    fn is_the_same_again_on_the_way_up() {
        let mut pointer = Pointer::default();
        pointer.below("nodes", |pointer| {
            pointer.below(2, |pointer| assert_eq!(pointer.as_str(), "/nodes/2"));
            pointer.below("a/b~", |pointer| {
                assert_eq!(pointer.as_str(), "/nodes/a~1b~0");
            });
            assert_eq!(pointer.as_str(), "/nodes");
        });
        assert_eq!(pointer.as_str(), "");
    }
}

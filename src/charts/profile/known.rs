//! The values that a chart knows.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::yaml;

type Keys = BTreeMap<String, Known>;

/// The values that a chart knows at one place.
#[derive(Clone, Debug)]
pub struct Known(State);

#[derive(Clone, Debug)]
enum State {
    Any,
    Keys(Keys),
    /// As they were packed, and the keys once somebody asks: a chart has thousands, of which a release sets few.
    Packed(&'static [u8], OnceLock<Option<Keys>>),
}

impl Known {
    /// Whatever stands here is used: a scalar, a list, or a mapping that the chart takes whole.
    pub fn any() -> Self {
        Self(State::Any)
    }

    /// Only these keys are.
    pub fn only(keys: BTreeMap<String, Self>) -> Self {
        Self(State::Keys(keys))
    }

    /// The keys of a mapping that was packed, or any where it was none.
    pub(super) fn packed(bytes: &'static [u8]) -> Self {
        Self(State::Packed(bytes, OnceLock::new()))
    }

    /// Returns the keys that are used, with what is known below; `None` when any is.
    pub fn keys(&self) -> Option<&BTreeMap<String, Self>> {
        match &self.0 {
            State::Any => None,
            State::Keys(keys) => Some(keys),
            State::Packed(bytes, keys) => keys
                .get_or_init(|| {
                    let entries = yaml::unpack_entries(bytes)?.into_iter();
                    Some(
                        entries
                            .map(|(key, value)| (key.to_owned(), Self::packed(value)))
                            .collect(),
                    )
                })
                .as_ref(),
        }
    }
}

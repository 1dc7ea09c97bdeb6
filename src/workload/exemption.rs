//! What a project leaves out, and why.

use crate::source::Place;

/// An object that a hardening rule, a check or one of the audit leaves alone.
#[derive(Clone, Debug, Default)]
pub struct Exemption {
    /// The code of the rule or check.
    pub code: String,
    /// The object's namespace; `*` for every one.
    pub namespace: String,
    /// The object's name; `*` for every one.
    pub name: String,
    /// The output or the folder of outputs where it stands; `None` for everywhere.
    pub path: Option<String>,
    /// Why.
    pub reason: String,
    /// Where the project says so.
    pub place: Option<Place>,
}

impl Exemption {
    /// Returns whether it is about an object, whatever it is exempt from.
    pub fn covers(&self, namespace: &str, name: &str) -> bool {
        let matches = |pattern: &str, text: &str| pattern == "*" || pattern == text;
        matches(&self.namespace, namespace) && matches(&self.name, name)
    }

    /// Returns whether it is about what stands in an output.
    pub fn holds_in(&self, path: &str) -> bool {
        let Some(here) = &self.path else {
            return true;
        };
        let here = here.trim_start_matches("./").trim_end_matches('/');
        path.strip_prefix(here)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Names it as messages do.
    pub fn label(&self) -> String {
        let place = self
            .path
            .as_ref()
            .map_or_else(String::new, |path| format!(" in `{path}`"));
        format!(
            "`{}/{}`{place} from `{}`",
            self.namespace, self.name, self.code
        )
    }
}

//! What a project leaves out, and why.

use crate::source::Place;

/// An object that a hardening rule or a check of the audit leaves alone.
#[derive(Clone, Debug, Default)]
pub struct Exemption {
    /// The code of the rule or check.
    pub code: String,
    /// The object's namespace; `*` for every one.
    pub namespace: String,
    /// The object's name; `*` for every one.
    pub name: String,
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

    /// Names it as messages do.
    pub fn label(&self) -> String {
        format!("`{}/{}` from `{}`", self.namespace, self.name, self.code)
    }
}

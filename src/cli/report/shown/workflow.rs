//! Commands to the runner of a GitHub workflow, which become annotations on a pull request.
//!
//! Escaped as the runner undoes it: `%` and line breaks everywhere, `:` and `,` in properties as well.

use super::Shown;
use super::marks::marked;

/// A command of one line that says something about a place.
#[derive(Clone, Debug)]
pub struct WorkflowCommand {
    name: &'static str,
    properties: Vec<String>,
}

impl WorkflowCommand {
    /// Starts a command: `error`, `warning`, `notice`.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            properties: Vec::new(),
        }
    }

    /// Adds a property.
    pub fn property(&mut self, key: &'static str, value: &str) {
        let value = message(value).replace(':', "%3A").replace(',', "%2C");
        self.properties.push(format!("{key}={value}"));
    }

    /// Adds a property that is a number.
    pub fn number(&mut self, key: &'static str, value: usize) {
        self.properties.push(format!("{key}={value}"));
    }

    /// Ends the command with what it says, in lines.
    pub fn say<L: AsRef<str>>(self, lines: impl IntoIterator<Item = L>) -> Shown {
        let lines = lines.into_iter().map(|line| message(line.as_ref()));
        let lines: Vec<String> = lines.collect();
        let (name, properties) = (self.name, self.properties.join(","));
        Shown(format!("::{name} {properties}::{}\n", lines.join("%0A")))
    }
}

/// Writes a text as a line of what a command says.
pub(super) fn message(text: &str) -> String {
    marked(text).replace('%', "%25")
}

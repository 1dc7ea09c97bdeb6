//! Text that may go out: the one place where what files say is escaped, by one way for each medium.
//!
//! Names, paths, values and the messages of libraries are text of people's files. Only the modules here
//! turn them into [`Shown`], and the printer takes nothing else. A character that nobody sees or that steers
//! what shows it becomes a [mark](marks), the same in every medium. JSON alone keeps the text and writes such a
//! character as its own `\u` escape.

pub mod html;
pub mod json;
pub mod markdown;
pub mod marks;
pub mod mermaid;
pub mod terminal;
pub mod workflow;
pub mod xml;
pub mod yaml;

use std::fmt;

/// Text in which nothing of what files say steers the medium it was made for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    /// Takes a whole file that goes to stdout to be put into a file, such as a schema or a script, as it is.
    pub fn file(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromIterator<Self> for Shown {
    fn from_iter<I: IntoIterator<Item = Self>>(parts: I) -> Self {
        Self(parts.into_iter().map(|part| part.0).collect())
    }
}

/// Lists how the media write a text, so that one who looks for it finds it again.
pub fn spellings(text: &str) -> Vec<String> {
    vec![
        marks::marked(text).into_owned(),
        html::escaped(text),
        markdown::entities(text),
        json::escaped(text),
        workflow::message(text),
    ]
}

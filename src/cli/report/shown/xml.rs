//! XML 1.0, in which a text is data and never markup.

use super::Shown;
use super::html::escaped;

/// A document that is written element by element.
#[derive(Clone, Debug)]
pub struct XmlText {
    text: String,
    depth: usize,
}

impl XmlText {
    /// Starts a document.
    pub fn document() -> Self {
        Self {
            text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(),
            depth: 0,
        }
    }

    /// Opens an element.
    pub fn open(&mut self, name: &'static str, attributes: &[(&'static str, &str)]) {
        self.start(name, attributes);
        self.text.push_str(">\n");
        self.depth += 1;
    }

    /// Closes the element that was opened last.
    pub fn close(&mut self, name: &'static str) {
        self.depth = self.depth.saturating_sub(1);
        self.indent();
        self.text.extend(["</", name, ">\n"]);
    }

    /// Adds an element with nothing in it.
    pub fn empty(&mut self, name: &'static str, attributes: &[(&'static str, &str)]) {
        self.start(name, attributes);
        self.text.push_str("/>\n");
    }

    /// Adds an element with a text of several lines.
    pub fn with_text(
        &mut self,
        name: &'static str,
        attributes: &[(&'static str, &str)],
        text: &str,
    ) {
        self.start(name, attributes);
        let lines: Vec<String> = text.split('\n').map(escaped).collect();
        self.text
            .extend([">", &lines.join("\n"), "</", name, ">\n"]);
    }

    /// Returns the document.
    pub fn finish(self) -> Shown {
        Shown(self.text)
    }

    fn start(&mut self, name: &'static str, attributes: &[(&'static str, &str)]) {
        self.indent();
        self.text.extend(["<", name]);
        for (key, value) in attributes {
            self.text.extend([" ", key, "=\"", &escaped(value), "\""]);
        }
    }

    fn indent(&mut self) {
        self.text.push_str(&"  ".repeat(self.depth));
    }
}

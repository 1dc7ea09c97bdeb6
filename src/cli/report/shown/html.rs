//! HTML, by templates that escape all they are given.

use std::fmt;

use askama::Template;
use askama::filters::{Escaper, Safe};

use super::Shown;
use super::marks::marked;

/// How the templates of pages escape: marks for what nobody sees, and nothing that is markup.
///
/// `askama.toml` names it for all files that end in `.html`.
#[derive(Clone, Copy, Debug)]
pub struct MarkedHtml;

impl Escaper for MarkedHtml {
    fn write_escaped_str<W: fmt::Write>(&self, mut page: W, text: &str) -> fmt::Result {
        let text = marked(text);
        let mut rest = &*text;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            page.write_str(&rest[..at])?;
            page.write_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            })?;
            rest = &rest[at + 1..];
        }
        page.write_str(rest)
    }
}

/// Fills in a page.
///
/// # Panics
/// Never: writing to a `String` fails only where a template does, and those here cannot.
pub fn page(template: &impl Template) -> Shown {
    let page = template.render().expect("writing to a String cannot fail");
    Shown(page + "\n")
}

/// Writes a text as one that is no markup.
pub(super) fn escaped(text: &str) -> String {
    let mut shown = String::new();
    MarkedHtml
        .write_escaped_str(&mut shown, text)
        .expect("writing to a String cannot fail");
    shown
}

/// Writes a line of a file, its tabs as they are.
pub fn file_line(text: &str) -> Safe<String> {
    let parts: Vec<String> = text.split('\t').map(escaped).collect();
    Safe(parts.join("\t"))
}

/// Splits a sentence at its backticks: what stands between two of them is code.
pub fn parts(sentence: &str) -> impl Iterator<Item = (bool, &str)> {
    let parts = sentence.split('`').enumerate();
    parts.map(|(at, part)| (at % 2 == 1, part))
}

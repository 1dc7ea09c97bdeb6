//! The lines in which an entry of a YAML mapping is written.

use crate::yaml::{self, Entry, Node};

/// Reads a text of one YAML document that is a mapping.
pub(super) fn only_mapping(text: &str) -> Option<Node> {
    let documents = yaml::load(text).ok()?;
    let [document] = <[_; 1]>::try_from(documents).ok()?;
    document.root.entries().is_some().then_some(document.root)
}

/// The lines of one entry at the top of a document.
pub(super) struct EntryLines<'t> {
    /// All of them, those above the key included.
    pub(super) text: &'t str,
    /// The comments above the key.
    pub(super) comment: String,
    /// What follows the key.
    pub(super) value: &'t str,
    /// Where the next entry may start.
    pub(super) end: usize,
}

impl<'t> EntryLines<'t> {
    /// Takes the lines from the end of the entry before to the end of this one; `None` if the key does not start its line.
    pub(super) fn of(text: &'t str, start: usize, entry: &Entry) -> Option<Self> {
        let key = entry.key_span;
        let line = text[..key.start].rfind('\n').map_or(0, |at| at + 1);
        if line != key.start || line < start {
            return None;
        }
        let last = entry.value.span.end.max(key.end);
        // A block ends where its last line does.
        let rest = (!text[..last].ends_with('\n')).then(|| text[last..].find('\n'));
        let end = match rest {
            None => last,
            Some(rest) => rest.map_or(text.len(), |at| last + at + 1),
        };
        let comment: String = text[start..line]
            .split_inclusive('\n')
            .filter(|line| line.trim_end() != "---" && !line.trim().is_empty())
            .collect();
        Some(Self {
            text: &text[start..end],
            comment,
            value: text[key.end..end].trim_end_matches(['\n', '\r']),
            end,
        })
    }
}

//! Writing into JSON, which has to stay JSON: keys and texts in quotes, and new entries in lines of their own where the
//! others stand in lines.

use serde_json::Value;

use super::Addition;
use super::place::Splice;
use crate::{Content, Document, Entry, Node};

/// Returns whether a text is JSON.
pub(super) fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && serde_json::from_str::<Value>(text).is_ok()
}

/// Returns what stands between the keys and the values of a text, if that is JSON: nothing, or a blank.
pub(super) fn gap_of(document: &Document, text: &str) -> Option<&'static str> {
    if !is_json(text) {
        return None;
    }
    let first = first_entry(&document.root);
    let is_tight = first.is_some_and(|entry| {
        let between = &text[entry.key_span.end..entry.value.span.start];
        between.trim_end_matches(':').len() + 1 == between.len()
    });
    Some(if is_tight { "" } else { " " })
}

fn first_entry(node: &Node) -> Option<&Entry> {
    match (node.entries(), node.items()) {
        (Some(entries), _) => entries.first(),
        (_, Some(items)) => items.iter().find_map(first_entry),
        _ => None,
    }
}

/// Puts an addition behind the last element of a mapping or a list.
pub(super) fn splice(
    text: &str,
    node: &Node,
    addition: &Addition,
    gap: &'static str,
) -> Option<Splice> {
    match (addition, &node.content) {
        (Addition::Entries { entries, .. }, Content::Mapping { entries: old, .. }) => {
            let last = old.last();
            let last = last.map(|entry| (entry.key_span.start, entry.value.span.end));
            let layout = Layout::of(text, node, last, gap);
            let written = entries.iter().map(|(key, value)| {
                let key = Value::from(key.as_str());
                format!("{key}:{gap}{}", layout.write(value))
            });
            Some(layout.splice(node, last, &written.collect::<Vec<_>>()))
        }
        (Addition::Item(item), Content::Sequence { items, .. }) => {
            let last = items.last().map(|item| (item.span.start, item.span.end));
            let layout = Layout::of(text, node, last, gap);
            Some(layout.splice(node, last, &[layout.write(item)]))
        }
        _ => None,
    }
}

/// How a mapping or a list is laid out.
struct Layout<'t> {
    /// What stands before each element that has a line of its own; `None` where they follow one another in a line.
    margin: Option<&'t str>,
    /// What an inner element is indented by.
    step: &'t str,
    /// What stands between a key and its value, and between elements in a line.
    gap: &'static str,
    /// The line end.
    eol: &'static str,
}

impl<'t> Layout<'t> {
    /// Reads the layout off the last element, from its first byte to its end.
    fn of(text: &'t str, node: &Node, last: Option<(usize, usize)>, gap: &'static str) -> Self {
        let margin = last.and_then(|(start, _)| margin(text, start));
        let outer = margin.and_then(|_| margin_of_line(text, node.span.end - 1));
        let step = margin
            .zip(outer)
            .and_then(|(own, outer)| own.strip_prefix(outer));
        Self {
            margin,
            step: step.filter(|step| !step.is_empty()).unwrap_or("  "),
            gap,
            eol: if text.contains("\r\n") { "\r\n" } else { "\n" },
        }
    }

    fn write(&self, value: &Value) -> String {
        let Some(margin) = self.margin else {
            return in_line(value, self.gap);
        };
        // Two blanks a level; a break within a text is written as `\n`.
        let lines = format!("{value:#}");
        let lines = lines.lines().enumerate().map(|(number, line)| {
            let words = line.trim_start_matches(' ');
            let depth = (line.len() - words.len()) / 2;
            match number {
                0 => words.to_owned(),
                _ => format!("{}{margin}{}{words}", self.eol, self.step.repeat(depth)),
            }
        });
        lines.collect()
    }

    fn splice(&self, node: &Node, last: Option<(usize, usize)>, elements: &[String]) -> Splice {
        let Some((_, end)) = last else {
            return Splice {
                at: node.span.end - 1,
                text: elements.join(&format!(",{}", self.gap)),
            };
        };
        let lead = match self.margin {
            Some(margin) => format!(",{}{margin}", self.eol),
            None => format!(",{}", self.gap),
        };
        let elements = elements.iter().flat_map(|element| [lead.as_str(), element]);
        Splice {
            at: end,
            text: elements.collect(),
        }
    }
}

/// Returns the blanks before an offset, if nothing else stands before it in its line.
fn margin(text: &str, offset: usize) -> Option<&str> {
    let before = &text[..offset];
    let line = &before[before.rfind('\n')? + 1..];
    line.bytes()
        .all(|byte| matches!(byte, b' ' | b'\t'))
        .then_some(line)
}

/// Returns the blanks at the start of the line of an offset.
fn margin_of_line(text: &str, offset: usize) -> Option<&str> {
    let start = text[..offset].rfind('\n')? + 1;
    let line = &text[start..];
    let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
    Some(&line[..blanks])
}

/// Writes a value in one line.
fn in_line(value: &Value, gap: &str) -> String {
    let separator = format!(",{gap}");
    match value {
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| {
                format!("{}:{gap}{}", Value::from(key.as_str()), in_line(value, gap))
            });
            format!("{{{}}}", entries.collect::<Vec<_>>().join(&separator))
        }
        Value::Array(items) => {
            let items = items.iter().map(|item| in_line(item, gap));
            format!("[{}]", items.collect::<Vec<_>>().join(&separator))
        }
        value => value.to_string(),
    }
}

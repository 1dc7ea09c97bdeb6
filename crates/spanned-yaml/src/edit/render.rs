//! Writing values in the habits of the text around them.

use serde_json::{Map, Value};

use crate::{Content, Document, Node, emit};

/// How a document is laid out.
pub(super) struct Habits {
    /// Columns from a key to the keys below it.
    pub(super) step: usize,
    /// Columns from a key to the dashes of its list: 0 for lists that are not indented.
    pub(super) list: usize,
    /// The line end.
    pub(super) eol: &'static str,
    /// What stands between a key and its value where the text is JSON.
    pub(super) json_gap: Option<&'static str>,
}

impl Habits {
    /// Reads the habits off the first nested mapping and the first list of a document.
    pub(super) fn of(document: &Document, text: &str) -> Self {
        let mut seen = Seen {
            text,
            step: None,
            list: None,
        };
        seen.visit(&document.root);
        let step = seen.step.unwrap_or(2);
        Self {
            step,
            list: seen.list.unwrap_or(step),
            eol: if text.contains("\r\n") { "\r\n" } else { "\n" },
            json_gap: super::json::gap_of(document, text),
        }
    }
}

struct Seen<'t> {
    text: &'t str,
    step: Option<usize>,
    list: Option<usize>,
}

impl Seen<'_> {
    fn visit(&mut self, node: &Node) {
        if node.is_alias() {
            return;
        }
        match &node.content {
            Content::Mapping {
                entries,
                flow: false,
            } => {
                for entry in entries {
                    let key = column(self.text, entry.key_span.start);
                    let below = match &entry.value.content {
                        Content::Sequence { flow: false, .. } => {
                            dash_column(self.text, entry.value.span.start)
                        }
                        _ => Some(column(self.text, entry.value.span.start)),
                    };
                    match (&entry.value.content, below) {
                        (Content::Mapping { flow: false, .. }, Some(below)) if below > key => {
                            self.step.get_or_insert(below - key);
                        }
                        (Content::Sequence { flow: false, .. }, Some(below)) if below >= key => {
                            self.list.get_or_insert(below - key);
                        }
                        _ => {}
                    }
                    self.visit(&entry.value);
                }
            }
            Content::Sequence { items, .. } => items.iter().for_each(|item| self.visit(item)),
            _ => {}
        }
    }
}

/// Returns how many bytes stand before an offset in its line.
pub(super) fn column(text: &str, offset: usize) -> usize {
    offset - text[..offset].rfind('\n').map_or(0, |newline| newline + 1)
}

/// Returns the column of the dashes of a block list that is the value of a key.
///
/// The reader starts the span of a list that is not indented behind its first dash, so the dash is
/// looked for in the line: nothing else can stand before it there.
pub(super) fn dash_column(text: &str, start: usize) -> Option<usize> {
    let line = start - column(text, start);
    let indent = text[line..]
        .bytes()
        .take_while(|byte| *byte == b' ')
        .count();
    text[line + indent..].starts_with('-').then_some(indent)
}

/// Writes entries as block lines whose keys stand in a column.
pub(super) fn entries(map: &Map<String, Value>, column: usize, habits: &Habits) -> Vec<String> {
    let mut lines = Vec::new();
    for (key, value) in map {
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                lines.push(indented(&bare_key(key), column));
                lines.extend(entries(inner, column + habits.step, habits));
            }
            Value::Array(list) if !list.is_empty() => {
                lines.push(indented(&bare_key(key), column));
                lines.extend(items(list, column + habits.list, habits));
            }
            _ => lines.extend(scalar_lines(&single(key, value), column)),
        }
    }
    lines
}

/// Writes items as block lines whose dashes stand in a column.
pub(super) fn items(list: &[Value], column: usize, habits: &Habits) -> Vec<String> {
    let mut lines = Vec::new();
    for value in list {
        let mut nested = match value {
            Value::Object(inner) if !inner.is_empty() => entries(inner, column + 2, habits),
            Value::Array(inner) if !inner.is_empty() => items(inner, column + 2, habits),
            _ => {
                lines.extend(scalar_lines(&Value::Array(vec![value.clone()]), column));
                continue;
            }
        };
        if let Some(first) = nested.first_mut() {
            first.replace_range(column..column + 2, "- ");
        }
        lines.extend(nested);
    }
    lines
}

/// Writes entries for the inside of braces: `a: 1, b: [x]`.
pub(super) fn flow_entries(map: &Map<String, Value>) -> String {
    let entries: Vec<String> = map
        .iter()
        .map(|(key, value)| format!("{}: {}", flow_word(key), flow(value)))
        .collect();
    entries.join(", ")
}

/// Writes a value for the inside of brackets or braces.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::Object(map) => format!("{{{}}}", flow_entries(map)),
        Value::Array(list) => {
            format!("[{}]", list.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => flow_word(text),
        other => other.to_string(),
    }
}

/// Writes a string plainly where every reader takes it for that string even within braces.
fn flow_word(text: &str) -> String {
    let plain = emit(&Value::String(text.to_owned()));
    let simple = plain.trim_end() == text
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte));
    if simple {
        text.to_owned()
    } else {
        Value::String(text.to_owned()).to_string()
    }
}

fn single(key: &str, value: &Value) -> Value {
    let mut map = Map::new();
    map.insert(key.to_owned(), value.clone());
    Value::Object(map)
}

fn bare_key(key: &str) -> String {
    let line = emit(&single(key, &Value::Null));
    line.trim_end()
        .trim_end_matches("null")
        .trim_end()
        .to_owned()
}

fn scalar_lines(value: &Value, column: usize) -> Vec<String> {
    emit(value)
        .lines()
        .map(|line| indented(line, column))
        .collect()
}

fn indented(line: &str, column: usize) -> String {
    if line.is_empty() {
        String::new()
    } else {
        format!("{:column$}{line}", "")
    }
}

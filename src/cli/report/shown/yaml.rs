//! YAML, in which a text keeps its meaning: one that could steer what shows it is written in double quotes, with what
//! nobody sees as an escape.

use std::fmt::Write as _;

use kustomize::{Field, FieldValue, to_yaml};

use super::Shown;
use super::marks::{is_unseen, marked, without_orders};
use crate::source::Span;
use crate::yaml::{self, Node};

/// Starts a document with comments, a line each.
pub fn comments<T: AsRef<str>>(lines: impl IntoIterator<Item = T>) -> Shown {
    let mut text = String::new();
    for line in lines {
        text.extend(["# ", &marked(line.as_ref()), "\n"]);
    }
    Shown(text)
}

/// Returns the line between two documents.
pub fn separator() -> Shown {
    Shown("---\n".to_owned())
}

/// Writes an object as `kustomize build` does, byte for byte unless a text in it would steer what shows it.
pub fn object(field: &Field) -> Shown {
    let text = to_yaml(field);
    if text.lines().any(steers) {
        return Shown(quoted(field, &text));
    }
    Shown(text)
}

/// Writes an object with a comment behind each scalar.
pub fn annotated_object(field: &Field, comment: &dyn Fn(&Field) -> String) -> Shown {
    let text = object(field).0;
    let Ok(documents) = yaml::load(&text) else {
        return Shown(text);
    };
    let mut notes: Vec<(usize, String)> = Vec::new();
    if let Some(document) = documents.first() {
        annotate(&document.root, field, &text, comment, &mut notes);
    }
    notes.sort_by_key(|(at, _)| *at);
    let mut shown = String::with_capacity(text.len() * 2);
    let mut from = 0;
    for (at, note) in notes {
        shown.push_str(&text[from..at]);
        shown.extend([" # ", &marked(&note)]);
        from = at;
    }
    shown.push_str(&text[from..]);
    Shown(shown)
}

/// Collects where the lines of scalars end, and what is said behind them.
fn annotate(
    node: &Node,
    field: &Field,
    text: &str,
    comment: &dyn Fn(&Field) -> String,
    notes: &mut Vec<(usize, String)>,
) {
    match &field.value {
        FieldValue::Scalar(_) => notes.push((line_end(node.span, text), comment(field))),
        FieldValue::Sequence(items) => {
            for (item, node) in items.iter().zip(node.items().unwrap_or_default()) {
                annotate(node, item, text, comment, notes);
            }
        }
        FieldValue::Mapping(_) => {
            for entry in node.entries().unwrap_or_default() {
                if let Some(value) = field.get(&entry.key) {
                    annotate(&entry.value, value, text, comment, notes);
                }
            }
        }
    }
}

/// Returns where a comment behind a scalar may stand: of a block, behind its header.
fn line_end(span: Span, text: &str) -> usize {
    let before = text[..span.start].trim_end_matches(' ');
    if let Some(header) = before.strip_suffix('\n')
        && is_block_header(header)
    {
        return header.len();
    }
    text[span.end..]
        .find('\n')
        .map_or(text.len(), |at| span.end + at)
}

/// Returns whether a text ends in what starts a block: `|` or `>`, with signs behind it.
fn is_block_header(text: &str) -> bool {
    let line = text.rsplit('\n').next().unwrap_or(text);
    let word = line.rsplit(' ').next().unwrap_or(line);
    let signs = word.strip_prefix(['|', '>']);
    signs.is_some_and(|signs| {
        signs
            .chars()
            .all(|sign| matches!(sign, '-' | '+' | '0'..='9'))
    })
}

/// Returns whether a line would steer a terminal, or be a command or an order to what runs a job.
fn steers(line: &str) -> bool {
    let start = line.trim_start().trim_start_matches(['"', '\'']);
    let name = start
        .strip_prefix("::")
        .and_then(|rest| rest.chars().next());
    line.contains(|letter: char| letter != '\t' && is_unseen(letter))
        || name.is_some_and(|letter| letter.is_alphabetic() || letter == ':')
        || without_orders(line, "").len() != line.len()
}

/// Writes an object with such texts in double quotes.
fn quoted(field: &Field, text: &str) -> String {
    let mut mark = "KilnQuotedText".to_owned();
    while text.contains(&mark) {
        mark.push('X');
    }
    let mut replaced = Vec::new();
    let marked = replace(field, &mark, &mut replaced);
    let mut shown = to_yaml(&marked);
    // The last one first: the number of the first begins that of others.
    for (index, original) in replaced.iter().enumerate().rev() {
        shown = shown.replace(&format!("{mark}{index}"), &double_quoted(original));
    }
    shown
}

fn replace(field: &Field, mark: &str, replaced: &mut Vec<String>) -> Field {
    let mut field = field.clone();
    match &mut field.value {
        FieldValue::Scalar(scalar) => take_out(&mut scalar.text, mark, replaced),
        FieldValue::Sequence(items) => {
            for item in items {
                *item = replace(item, mark, replaced);
            }
        }
        FieldValue::Mapping(entries) => {
            for entry in entries {
                take_out(&mut entry.key, mark, replaced);
                entry.value = replace(&entry.value, mark, replaced);
            }
        }
    }
    field
}

/// Puts a mark in the place of a text that steers.
fn take_out(text: &mut String, mark: &str, replaced: &mut Vec<String>) {
    if text_steers(text) {
        let name = format!("{mark}{}", replaced.len());
        replaced.push(std::mem::replace(text, name));
    }
}

/// Returns whether a text steers in some way of breaking it into lines: the emitter breaks at spaces.
fn text_steers(text: &str) -> bool {
    text.split([' ', '\n']).any(steers) || text.lines().any(steers)
}

fn double_quoted(text: &str) -> String {
    let mut shown = "\"".to_owned();
    for letter in text.chars() {
        let number = u32::from(letter);
        let written = match letter {
            '"' => write!(shown, "\\\""),
            '\\' => write!(shown, "\\\\"),
            '\n' => write!(shown, "\\n"),
            '\t' => write!(shown, "\\t"),
            letter if !is_unseen(letter) => write!(shown, "{letter}"),
            _ if number <= 0xff => write!(shown, "\\x{number:02x}"),
            _ if number <= 0xffff => write!(shown, "\\u{number:04x}"),
            _ => write!(shown, "\\U{number:08x}"),
        };
        written.expect("writing to a String cannot fail");
    }
    shown.push('"');
    without_orders(&shown, "\\x23").into_owned()
}

#[cfg(test)]
mod tests {
    use kustomize::SourceFile;

    use super::*;

    fn field(text: &str) -> Field {
        let file = SourceFile::new("a.yaml", text.as_bytes().to_vec());
        let documents = file.documents().unwrap();
        Field::of_node(&documents[0].root, &file, 0)
    }

    #[test]
    fn what_steers_nobody_is_written_as_it_is() {
        let text = "a: größe – 日本\nc:\n- ::/0\nhosts: |\n  ::1 localhost\n  ## [x]\n";
        assert_eq!(object(&field(text)).as_str(), text);
    }

    #[test]
    fn a_text_that_steers_keeps_its_meaning_in_quotes() {
        let json = r###"{"a": "x\n::error::y\n", "b\u202e": "\u001b[31m\"\\", "c": ["##[error]x", "\u2066"], "d": "KilnQuotedText", "e": "::a", "f": "1"}"###;
        let field = field(json);
        let shown = object(&field);
        assert!(!shown.as_str().lines().any(steers), "{shown}");
        let documents = yaml::load(shown.as_str()).unwrap();
        let read = documents[0].root.to_value(yaml::Resolver::Kubernetes);
        assert_eq!(
            read,
            serde_json::from_str::<serde_json::Value>(json).unwrap()
        );
    }

    #[test]
    fn a_comment_stands_behind_each_scalar() {
        let text = "a: b\nc:\n- 1\n- d: |\n    x\n\n    y\n- []\n- \"\"\n";
        let shown = annotated_object(&field(text), &|field| {
            format!("{}", field.place().line_column().0)
        });
        let expected = "a: b # 1\nc:\n- 1 # 3\n- d: | # 5\n    x\n\n    y\n- []\n- \"\" # 9\n";
        assert_eq!(shown.as_str(), expected);
        assert_eq!(yaml::load(shown.as_str()).unwrap().len(), 1);
    }
}

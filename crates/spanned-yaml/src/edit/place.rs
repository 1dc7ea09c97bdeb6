//! Where an addition may be written.

use super::render::{self, Habits, column};
use super::{Addition, Target, is_unset, json};
use crate::Span;
use crate::{Content, Entry, Node, Style, load};

/// Bytes to put at an offset.
pub(super) struct Splice {
    pub(super) at: usize,
    pub(super) text: String,
}

/// Lists the ways to write an addition, the one that a person would choose first.
pub(super) fn candidates(text: &str, target: &Target<'_>, habits: &Habits) -> Vec<Splice> {
    let node = target.node;
    if let Some(gap) = habits.json_gap {
        return json::splice(text, node, &target.addition, gap)
            .into_iter()
            .collect();
    }
    match (&target.addition, &node.content) {
        (
            Addition::Entries { entries, .. },
            Content::Mapping {
                flow: true,
                entries: old,
            },
        ) => {
            let last = old.last().map(|entry| &entry.value);
            vec![flow_splice(node, last, &render::flow_entries(entries))]
        }
        (Addition::Item(item), Content::Sequence { flow: true, items }) => {
            vec![flow_splice(node, items.last(), &render::flow(item))]
        }
        (Addition::Entries { entries, before }, Content::Mapping { entries: old, .. }) => {
            let Some(first) = old.first() else {
                return Vec::new();
            };
            let indent = column(text, first.key_span.start);
            let lines = render::entries(entries, indent, habits);
            let above = before
                .and_then(|key| old.iter().find(|entry| entry.key == key))
                .and_then(|entry| line_above(text, entry, indent));
            above
                .into_iter()
                .chain(below(text, node, indent, false))
                .map(|at| line_splice(text, at, &lines, habits))
                .collect()
        }
        (Addition::Item(item), Content::Sequence { .. }) => {
            let dash = match target.key_span {
                Some(_) => render::dash_column(text, node.span.start),
                None => Some(column(text, node.span.start)),
            };
            let Some(indent) = dash else {
                return Vec::new();
            };
            let lines = render::items(std::slice::from_ref(item), indent, habits);
            below(text, node, indent, habits.list == 0)
                .map(|at| line_splice(text, at, &lines, habits))
                .collect()
        }
        (addition, Content::Scalar(_)) if is_unset(node) => {
            let Some(key_span) = target.key_span else {
                return Vec::new();
            };
            let indent = column(text, key_span.start);
            let lines = match addition {
                Addition::Entries { entries, .. } => {
                    render::entries(entries, indent + habits.step, habits)
                }
                Addition::Item(item) => {
                    render::items(std::slice::from_ref(item), indent + habits.list, habits)
                }
            };
            vec![line_splice(
                text,
                line_end(text, key_span.end),
                &lines,
                habits,
            )]
        }
        _ => Vec::new(),
    }
}

/// Puts words behind the last element of a flow collection, or between its empty brackets.
fn flow_splice(node: &Node, last: Option<&Node>, words: &str) -> Splice {
    match last {
        Some(last) => Splice {
            at: last.span.end,
            text: format!(", {words}"),
        },
        None => Splice {
            at: node.span.end - 1,
            text: words.to_owned(),
        },
    }
}

/// Puts whole lines at an offset that starts a line or ends the text.
fn line_splice(text: &str, at: usize, lines: &[String], habits: &Habits) -> Splice {
    let mut joined = lines.join(habits.eol);
    if at == text.len() && !text.is_empty() && !text.ends_with('\n') {
        // A block that ends the text has no line break at its end unless the text has one.
        if ends_in_break(&joined) {
            joined.push_str(habits.eol);
        }
        joined.insert_str(0, habits.eol);
    } else {
        joined.push_str(habits.eol);
    }
    Splice { at, text: joined }
}

/// Returns whether lines mean something else without a line break at their end.
fn ends_in_break(lines: &str) -> bool {
    let read = |text: &str| {
        let documents = load(text).ok()?;
        Some(documents.first()?.root.to_kubernetes())
    };
    read(lines) != read(&format!("{lines}\n"))
}

/// Returns the start of an entry's line, above the comment that stands on it; `None` when the key
/// shares its line with a dash.
fn line_above(text: &str, entry: &Entry, indent: usize) -> Option<usize> {
    let start = entry.key_span.start - indent;
    if !text[start..entry.key_span.start]
        .bytes()
        .all(|byte| byte == b' ')
    {
        return None;
    }
    let mut at = start;
    for line in text[..start].split_inclusive('\n').rev() {
        if Comment::of(line).is_none_or(|comment| comment.indent != indent) {
            break;
        }
        at -= line.len();
    }
    Some(at)
}

/// Lists the offsets below a block collection, nearest first.
///
/// Comments that are indented deeper belong to what is above, as do those in the same column that
/// follow without a blank line; in a list that is not indented the latter only if they are items
/// commented out, since any other one is about the next key.
fn below(text: &str, node: &Node, indent: usize, flush: bool) -> impl Iterator<Item = usize> {
    let (tight, loose) = ends(text, node);
    let mut at = line_end(text, tight);
    let mut cursor = at;
    let mut blank = false;
    for line in text[at..].split_inclusive('\n') {
        let Some(comment) = Comment::of(line) else {
            if line.trim().is_empty() {
                blank = true;
                cursor += line.len();
                continue;
            }
            break;
        };
        let belongs = comment.indent > indent
            || (comment.indent == indent && !blank && (!flush || comment.is_item));
        if !belongs {
            break;
        }
        cursor += line.len();
        at = cursor;
        blank = false;
    }
    [at, line_end(text, tight), line_end(text, loose)].into_iter()
}

/// A line that is a comment and nothing else.
struct Comment {
    indent: usize,
    is_item: bool,
}

impl Comment {
    fn of(line: &str) -> Option<Self> {
        let body = line.trim_start_matches(' ');
        let words = body.strip_prefix('#')?;
        Some(Self {
            indent: line.len() - body.len(),
            is_item: words.trim_start().starts_with("- "),
        })
    }
}

/// Returns where the last value of a node ends: without and with the blank lines that a block
/// scalar may count among its content.
fn ends(text: &str, node: &Node) -> (usize, usize) {
    match &node.content {
        Content::Mapping {
            entries,
            flow: false,
        } if !node.is_alias() => entries
            .last()
            .map_or((node.span.end, node.span.end), |entry| {
                let (tight, loose) = ends(text, &entry.value);
                (tight.max(entry.key_span.end), loose.max(entry.key_span.end))
            }),
        Content::Sequence { items, flow: false } if !node.is_alias() => items
            .last()
            .map_or((node.span.end, node.span.end), |item| ends(text, item)),
        Content::Scalar(scalar) if scalar.style == Style::Block && !node.is_alias() => {
            let Span { start, end } = node.span;
            let content = text[start..end].trim_end();
            let breaks =
                text[start..end].len() - text[start..end].trim_end_matches(['\n', '\r']).len();
            let last = if text[start..end].ends_with("\r\n") {
                2
            } else {
                1
            };
            (start + content.len(), end - last.min(breaks))
        }
        _ => (node.span.end, node.span.end),
    }
}

/// Returns the start of the line after the one that holds an offset, or the end of the text.
fn line_end(text: &str, offset: usize) -> usize {
    text[offset..]
        .find('\n')
        .map_or(text.len(), |newline| offset + newline + 1)
}

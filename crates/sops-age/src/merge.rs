//! A changed structure, written into the text of a sealed file.
//!
//! Entries of mappings in block YAML that say the same keep their lines, with the comments above them; all others come
//! from the text that is to be said, moved to the column of the file. Lists are taken as a whole. The result is a
//! proposal: whoever asks for it opens it and compares.

use spanned_yaml::{Content, Document, Entry, Node, Scalar, Span};

use crate::outline::column;
use crate::value::{Kind, Resolved, Value, resolve};

/// A document of a text.
#[derive(Clone, Copy)]
struct Side<'s> {
    text: &'s str,
    comments: &'s [Span],
}

/// Returns the text of a sealed document with the values of another one, and with its own metadata lines, `kept`;
/// `None` where either is not written in blocks.
pub(crate) fn merged(
    (text, document): (&str, &Document),
    (new_text, new): (&str, &Document),
    kept: &str,
) -> Option<String> {
    let mine = Side {
        text,
        comments: &document.comments,
    };
    let theirs = Side {
        text: new_text,
        comments: &new.comments,
    };
    let (metadata, own) = block(&document.root)?.split_last()?;
    let others = block(&new.root)?;
    if metadata.key != "sops" {
        return None;
    }
    let (first, other_first) = (own.first()?, others.first()?);
    let start = after_mark(text, document.span, first);
    let other_start = after_mark(new_text, new.span, other_first);
    let mut result = text[document.span.start..start].to_owned();
    mine.merge(own, start, theirs, (others, other_start), &mut result);
    let tail = Span::new(
        end_of(text, own.last()?),
        line_start(text, metadata.key_span.start),
    );
    let other_tail = Span::new(end_of(new_text, others.last()?), new.span.end);
    if mine.comments_in(tail) == theirs.comments_in(other_tail) {
        result.push_str(&text[tail.start..tail.end]);
    } else {
        result.push_str(&new_text[other_tail.start..other_tail.end]);
        end_line(&mut result);
    }
    result.push_str(kept);
    let after = line_end(text, content_end(text, &metadata.value));
    result.push_str(&text[after.min(document.span.end)..document.span.end]);
    Some(result)
}

impl Side<'_> {
    /// Writes the entries of another mapping, with the lines of this one for those that say the same.
    fn merge(
        self,
        own: &[Entry],
        start: usize,
        theirs: Side<'_>,
        (others, other_start): (&[Entry], usize),
        result: &mut String,
    ) {
        let own_column = own
            .first()
            .map_or(0, |entry| column(self.text, entry.key_span.start));
        let other_column = others
            .first()
            .map_or(0, |entry| column(theirs.text, entry.key_span.start));
        let mut from = other_start;
        for other in others {
            let new = Span::new(from, end_of(theirs.text, other));
            from = new.end;
            let Some(at) = own.iter().position(|entry| entry.key == other.key) else {
                theirs.copy(new, other_column, own_column, result);
                continue;
            };
            let begins = if at == 0 {
                start
            } else {
                end_of(self.text, &own[at - 1])
            };
            let old = Span::new(begins, end_of(self.text, &own[at]));
            let same = is_same(&own[at].value, &other.value);
            if same && self.comments_in(old) == theirs.comments_in(new) {
                result.push_str(&self.text[old.start..old.end]);
                end_line(result);
                continue;
            }
            let (Some(inner), Some(other_inner)) = (block(&own[at].value), block(&other.value))
            else {
                theirs.copy(new, other_column, own_column, result);
                continue;
            };
            let head = Span::new(old.start, line_end(self.text, own[at].key_span.end));
            let new_head = Span::new(new.start, line_end(theirs.text, other.key_span.end));
            if self.comments_in(head) == theirs.comments_in(new_head) {
                result.push_str(&self.text[head.start..head.end]);
            } else {
                theirs.copy(new_head, other_column, own_column, result);
            }
            self.merge(inner, head.end, theirs, (other_inner, new_head.end), result);
        }
    }

    /// Copies lines to another column.
    fn copy(self, lines: Span, from: usize, to: usize, result: &mut String) {
        for line in self.text[lines.start..lines.end].split_inclusive('\n') {
            let blanks = line.len() - line.trim_start_matches(' ').len();
            if line.trim().is_empty() {
                result.push_str(line.trim_start_matches(' '));
                continue;
            }
            result.push_str(&" ".repeat(to + blanks.saturating_sub(from)));
            result.push_str(&line[blanks..]);
        }
        end_line(result);
    }

    fn comments_in(self, span: Span) -> Vec<String> {
        let inside = |comment: &&Span| span.start <= comment.start && comment.end <= span.end;
        let inside = self.comments.iter().filter(inside);
        inside
            .map(|comment| self.text[comment.start..comment.end].trim_end().to_owned())
            .collect()
    }
}

/// The entries of a mapping in block YAML that has some.
fn block(node: &Node) -> Option<&[Entry]> {
    match &node.content {
        Content::Mapping {
            entries,
            flow: false,
        } if !entries.is_empty() && !node.is_alias() => Some(entries),
        _ => None,
    }
}

/// Returns whether two nodes say the same to SOPS.
fn is_same(one: &Node, other: &Node) -> bool {
    match (&one.content, &other.content) {
        (Content::Scalar(one), Content::Scalar(other)) => is_same_scalar(one, other),
        (Content::Mapping { entries: one, .. }, Content::Mapping { entries: other, .. }) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| one.key == other.key && is_same(&one.value, &other.value))
        }
        (Content::Sequence { items: one, .. }, Content::Sequence { items: other, .. }) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| is_same(one, other))
        }
        _ => false,
    }
}

fn is_same_scalar(one: &Scalar, other: &Scalar) -> bool {
    let number = |value: &Value| matches!(value.kind, Kind::Int | Kind::Float);
    match (resolve(one), resolve(other)) {
        (Resolved::Null, Resolved::Null) => true,
        (Resolved::Value(one), Resolved::Value(other)) => {
            one == other || number(&one) && number(&other) && one.text == other.text
        }
        _ => false,
    }
}

/// Where the content of a document starts: behind a line of dashes, or at its first line.
fn after_mark(text: &str, document: Span, first: &Entry) -> usize {
    let head = &text[document.start..first.key_span.start];
    let mark = head
        .find("---")
        .filter(|at| *at == 0 || head[..*at].ends_with('\n'));
    mark.map_or(document.start, |at| {
        line_end(text, document.start + at).min(first.key_span.start)
    })
}

/// Returns where the last line of an entry ends.
fn end_of(text: &str, entry: &Entry) -> usize {
    line_end(
        text,
        content_end(text, &entry.value).max(entry.key_span.end),
    )
}

/// Returns where the last sign of a value stands, blank lines behind it left out.
fn content_end(text: &str, node: &Node) -> usize {
    let last = match &node.content {
        Content::Mapping {
            entries,
            flow: false,
        } => entries
            .last()
            .map(|entry| content_end(text, &entry.value).max(entry.key_span.end)),
        Content::Sequence { items, flow: false } => {
            items.last().map(|item| content_end(text, item))
        }
        _ => None,
    };
    let end = last.unwrap_or(node.span.end);
    text[..end].trim_end().len().max(node.span.start.min(end))
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..]
        .find('\n')
        .map_or(text.len(), |newline| at + newline + 1)
}

fn end_line(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

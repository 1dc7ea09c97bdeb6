//! Keys that are no text, which kustomize cannot write as JSON.

use spanned_yaml::{Entry, Node, Span};

use super::field::{FieldScalar, ScalarKind};
use super::place::Place;
use super::problem::{Problem, ProblemKind};

/// Returns where the first key of a value is that is null, a boolean or a number with a fraction, and what it is.
///
/// kustomize takes a whole number or a date for a text.
pub(crate) fn refused_key(node: &Node, text: &[u8]) -> Option<(Span, &'static str)> {
    if node.is_alias() {
        return None;
    }
    let entries = node.entries().unwrap_or_default().iter();
    let in_entries = entries
        .clone()
        .find_map(|entry| kind_of_key(entry, text).map(|kind| (entry.key_span, kind)));
    let items = node.items().unwrap_or_default().iter();
    let mut below = entries.map(|entry| &entry.value).chain(items);
    in_entries.or_else(|| below.find_map(|child| refused_key(child, text)))
}

/// Says that a key is no text.
pub(crate) fn refused_key_problem(kind: &str, place: &Place) -> Problem {
    let message = format!("the key is {kind}, not a text");
    Problem::new(ProblemKind::Malformed, message, place).with_help("Put it in quotes")
}

fn kind_of_key(entry: &Entry, text: &[u8]) -> Option<&'static str> {
    let Entry { key, key_span, .. } = entry;
    // Nearly all keys are words, which need no further look.
    let may_be_other = match key.as_bytes().first()? {
        b't' | b'T' | b'f' | b'F' | b'n' | b'N' | b'~' => key.len() <= "false".len(),
        first => first.is_ascii_digit() || b"+-.".contains(first),
    };
    if !may_be_other {
        return None;
    }
    let is_plain = text.get(key_span.start..key_span.end) == Some(key.as_bytes());
    if !is_plain || has_tag(text.get(..key_span.start)?) {
        return None;
    }
    match FieldScalar::read(key, true).kind {
        ScalarKind::Null => Some("null"),
        ScalarKind::Boolean => Some("a boolean"),
        ScalarKind::Float => Some("a number with a fraction or an exponent"),
        ScalarKind::Integer | ScalarKind::Timestamp | ScalarKind::Text => None,
    }
}

/// Returns whether a tag such as `!!str` stands at the end of a text.
fn has_tag(before: &[u8]) -> bool {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let words = before.rsplit(|byte| is_space(byte) || matches!(byte, b'\n' | b'{' | b','));
    let last = words.into_iter().find(|word| !word.is_empty());
    before.last().is_some_and(is_space) && last.is_some_and(|word| word.starts_with(b"!"))
}

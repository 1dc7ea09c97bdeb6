//! Replacing pieces of a text.

use spanned_yaml::Span;

/// A piece and what comes in its place.
pub type Edit = (Span, String);

/// Applies edits that do not overlap; the bytes between them stay as they are.
pub(crate) fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|(span, _)| (span.start, span.end));
    let mut result = String::with_capacity(text.len() * 2);
    let mut at = 0;
    for (span, replacement) in edits {
        result.push_str(&text[at..span.start]);
        result.push_str(&replacement);
        at = span.end;
    }
    result.push_str(&text[at..]);
    result
}

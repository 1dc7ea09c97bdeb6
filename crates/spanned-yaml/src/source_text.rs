//! The text that the parser gets: the author's, changed where go-yaml reads what YAML 1.2 does not.

use std::borrow::Cow;

/// Ends a line for go-yaml as `\n` does.
const NEXT_LINE: &str = "\u{85}";

/// A text with the way back to the one it was made of.
pub(super) struct SourceText<'t> {
    /// What the parser gets.
    pub(super) text: Cow<'t, str>,
    /// Places in `text`, each with what to add to a place from there on to get the one in the author's text.
    shifts: Vec<(usize, isize)>,
}

impl<'t> SourceText<'t> {
    /// Takes the author's text: U+0085 becomes a line break, and a space goes before each of `colons`.
    pub(super) fn new(original: &'t str, colons: &[usize]) -> Self {
        let next_lines = original.match_indices(NEXT_LINE).map(|(at, _)| at);
        let mut edits: Vec<(usize, bool)> = next_lines.map(|at| (at, true)).collect();
        if edits.is_empty() && colons.is_empty() {
            return Self {
                text: Cow::Borrowed(original),
                shifts: Vec::new(),
            };
        }
        edits.extend(colons.iter().map(|at| (*at, false)));
        edits.sort_unstable();
        let mut text = String::with_capacity(original.len() + colons.len());
        let mut shifts = Vec::with_capacity(edits.len());
        let mut copied = 0;
        for (at, is_next_line) in edits {
            text.push_str(&original[copied..at]);
            if is_next_line {
                text.push('\n');
                copied = at + NEXT_LINE.len();
            } else {
                text.push(' ');
                copied = at;
            }
            shifts.push((text.len(), copied.wrapping_sub(text.len()).cast_signed()));
        }
        text.push_str(&original[copied..]);
        Self {
            text: Cow::Owned(text),
            shifts,
        }
    }

    /// Returns the place in the author's text.
    pub(super) fn original(&self, at: usize) -> usize {
        let behind = self.shifts.partition_point(|(from, _)| *from <= at);
        match behind.checked_sub(1) {
            Some(last) => at.wrapping_add_signed(self.shifts[last].1),
            None => at,
        }
    }
}

/// Lists the colons behind what looks like an alias: `*name:`.
///
/// The name of an alias ends at the colon for go-yaml, and goes on for YAML 1.2.
pub(super) fn alias_colons(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut colons = Vec::new();
    for (star, _) in text.match_indices('*') {
        let before = text[..star].chars().next_back();
        let free = before.is_none_or(|c| c.is_whitespace() || "[{,".contains(c));
        let length = bytes[star + 1..]
            .iter()
            .take_while(|byte| is_name_byte(**byte))
            .count();
        let colon = star + 1 + length;
        let ends = matches!(
            bytes.get(colon + 1),
            None | Some(b' ' | b'\t' | b'\n' | b'\r')
        );
        if free && length > 0 && bytes.get(colon) == Some(&b':') && ends {
            colons.push(colon);
        }
    }
    colons
}

/// Returns whether go-yaml takes a byte in the name of an anchor.
pub(super) fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_way_back_to_the_text_of_the_author() {
        let original = "a\u{85}*k: b\n*k: c\n";
        let colons = alias_colons(original);
        let source = SourceText::new(original, &colons);
        assert_eq!(source.text, "a\n*k : b\n*k : c\n");
        for (at, character) in source.text.char_indices() {
            if !matches!(character, ' ' | '\n') {
                assert!(original[source.original(at)..].starts_with(character));
            }
        }
        assert_eq!(source.original(source.text.len()), original.len());
    }

    #[test]
    fn sees_aliases_only_where_a_token_may_start() {
        assert_eq!(alias_colons("*a: x\n- *b-c: y\n{*d: z}"), [2, 12, 19]);
        assert!(alias_colons("a*b: x\n*: x\n*a:b\n*a.b: c\n").is_empty());
    }
}

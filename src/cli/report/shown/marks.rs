//! Marks for what nobody sees: `\n`, `\r`, `\t`, and `\u{202e}` with the number of any other character; and for
//! the second `#` of `##[`, by which a line gives an order to what runs a job.

use std::borrow::Cow;

/// The mark of a `#`.
pub(super) const HASH: &str = "\\u{23}";

/// Returns whether a character is not seen, or steers what shows it: line breaks and other control characters,
/// marks of direction, and characters without a width.
pub fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Writes a text as a part of one line, with a mark for each character that is not seen.
pub fn marked(text: &str) -> Cow<'_, str> {
    with_marks(text, is_unseen)
}

/// Writes a line of a file like [`marked`], but for tabs, which stay: they indent.
pub fn marked_line(text: &str) -> Cow<'_, str> {
    with_marks(text, |letter| letter != '\t' && is_unseen(letter))
}

fn with_marks(text: &str, is_hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_hidden) {
        return without_orders(text, HASH);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        if is_hidden(letter) {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    match without_orders(&shown, HASH) {
        Cow::Owned(shown) => Cow::Owned(shown),
        Cow::Borrowed(_) => Cow::Owned(shown),
    }
}

/// Writes the second `#` of each `##[` otherwise: GitHub's runner looks for it anywhere in what a job prints, and
/// others for `##name[`.
pub(super) fn without_orders<'t>(text: &'t str, hash: &str) -> Cow<'t, str> {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("##") {
        let (before, hashes) = rest.split_at(at + 1);
        shown.push_str(before);
        rest = hashes;
        if is_order(rest) {
            shown.push_str(hash);
            rest = &rest[1..];
        }
    }
    if shown.len() + rest.len() == text.len() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(shown + rest)
}

/// Returns whether a text begins with a `#`, perhaps a name, and a bracket.
fn is_order(text: &str) -> bool {
    let name = text[1..].trim_start_matches(|letter: char| letter.is_ascii_alphanumeric());
    name.starts_with('[')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_has_a_mark() {
        assert_eq!(
            marked("a\nb\r\tc\u{1b}[31m\u{9b}\u{202e}\u{200b}\u{2028}\u{feff}\u{e0041}"),
            r"a\nb\r\tc\u{1b}[31m\u{9b}\u{202e}\u{200b}\u{2028}\u{feff}\u{e0041}"
        );
        assert_eq!(marked_line("\tall:\u{b}"), "\tall:\\u{b}");
        assert_eq!(
            marked("####[x] ##vso[x ## #["),
            "###\\u{23}[x] #\\u{23}vso[x ## #["
        );
    }

    #[test]
    fn what_is_seen_stays() {
        let text = r"größe – 日本 ❤️ C:\new 'x' `y`";
        assert!(matches!(marked(text), Cow::Borrowed(same) if same == text));
    }
}

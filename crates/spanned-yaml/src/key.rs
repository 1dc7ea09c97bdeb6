//! Keys that may stand in a message.

/// The longest word that counts as a key.
const LONGEST_KEY: usize = 40;

/// Returns whether a word looks like a key, and not like a value that stands in the place of one: it is short, of
/// letters, digits and `_-./`, and no number.
pub fn is_plain_key(word: &str) -> bool {
    word.len() <= LONGEST_KEY && word.chars().all(is_of_key) && word.contains(char::is_alphabetic)
}

/// Returns a key for a message; `…` for what may be a value in the place of one.
pub fn shown_key(key: &str) -> &str {
    if is_plain_key(key) { key } else { "…" }
}

/// Returns whether a letter may be part of a key that is shown.
pub fn is_of_key(letter: char) -> bool {
    letter.is_alphanumeric() || "_-./".contains(letter)
}

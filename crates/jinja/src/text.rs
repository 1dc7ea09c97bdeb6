//! Texts as Python's `str` sees them.

/// White space as Python has it: Unicode's, and the four separators of ASCII.
pub(crate) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

/// A letter, digit or underscore, `\w` in Python's patterns.
pub(crate) fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn is_line_break(character: char) -> bool {
    matches!(
        character,
        '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

/// The lines of a text as `splitlines` gives them, with their line breaks if `keep_ends`.
pub(crate) fn split_lines(text: &str, keep_ends: bool) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(is_line_break) {
        let (line, tail) = rest.split_at(at);
        let width = if tail.starts_with("\r\n") {
            2
        } else {
            tail.chars().next().map_or(1, char::len_utf8)
        };
        let (with_end, after) = rest.split_at(at + width);
        lines.push(if keep_ends { with_end } else { line });
        rest = after;
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// The text with a large first letter and small ones after it.
pub(crate) fn capitalize(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => title_case(first) + &characters.as_str().to_lowercase(),
        None => String::new(),
    }
}

/// A letter as it stands at the start of a word.
pub(crate) fn title_case(letter: char) -> String {
    match letter {
        'ß' => "Ss".to_owned(),
        'ﬁ' => "Fi".to_owned(),
        'ﬂ' => "Fl".to_owned(),
        'ǆ' | 'ǅ' | 'Ǆ' => "ǅ".to_owned(),
        'ǉ' | 'ǈ' | 'Ǉ' => "ǈ".to_owned(),
        'ǌ' | 'ǋ' | 'Ǌ' => "ǋ".to_owned(),
        _ => letter.to_uppercase().collect(),
    }
}

/// Python's `title`: a large letter wherever a letter follows none.
pub(crate) fn title(text: &str) -> String {
    let mut titled = String::with_capacity(text.len());
    let mut after_letter = false;
    for character in text.chars() {
        if after_letter {
            titled.extend(character.to_lowercase());
        } else {
            titled.push_str(&title_case(character));
        }
        after_letter = is_cased(character);
    }
    titled
}

pub(crate) fn is_cased(character: char) -> bool {
    character.is_lowercase() || character.is_uppercase() || matches!(character, 'ǅ' | 'ǈ' | 'ǋ')
}

/// Whether there is a letter and all are large (or small).
pub(crate) fn is_all_case(text: &str, upper: bool) -> bool {
    let mut found = false;
    for character in text.chars() {
        let (wanted, other) = if upper {
            (character.is_uppercase(), character.is_lowercase())
        } else {
            (character.is_lowercase(), character.is_uppercase())
        };
        if other {
            return false;
        }
        found |= wanted;
    }
    found
}

/// The text with what has a meaning in HTML written as references.
pub(crate) fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\'' => escaped.push_str("&#39;"),
            '"' => escaped.push_str("&#34;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// Characters before an index as Python counts it, from the end if it is negative; bounded by the text.
pub(crate) fn bounded_index(index: i64, length: usize) -> usize {
    let length_signed = i64::try_from(length).unwrap_or(i64::MAX);
    let absolute = if index < 0 {
        index.saturating_add(length_signed)
    } else {
        index
    };
    usize::try_from(absolute.max(0))
        .unwrap_or(length)
        .min(length)
}

/// The byte at which the character of that number starts, or the end.
pub(crate) fn byte_of(text: &str, character: usize) -> usize {
    text.char_indices()
        .nth(character)
        .map_or(text.len(), |(at, _)| at)
}

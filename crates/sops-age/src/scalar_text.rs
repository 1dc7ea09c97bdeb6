//! Scalars written as YAML.

use std::fmt::Write as _;

use crate::value::reads_as_string;
use spanned_yaml::{Resolver, Scalar, Style};

/// Writes a string for a block context on one line: plain where every reader takes it for the same
/// string, in double quotes otherwise.
pub(crate) fn inline(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// Writes a string in double quotes, with everything escaped that is not plainly printable.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            _ if is_printable(char) => quoted.push(char),
            _ if u32::from(char) > 0xFFFF => push_hex(&mut quoted, 'U', 8, char),
            _ => push_hex(&mut quoted, 'u', 4, char),
        }
    }
    quoted.push('"');
    quoted
}

/// Writes a string of several lines as a literal block whose lines stand `indent` bytes from the
/// left; `None` when a block would not keep every byte of it.
pub(crate) fn block(text: &str, indent: usize) -> Option<String> {
    let body = text.trim_end_matches('\n');
    let fits = |line: &str| line.chars().all(is_printable) && !line.ends_with([' ', '\t']);
    if !body.contains('\n') && !text.ends_with('\n')
        || body.is_empty()
        || !body.split('\n').all(fits)
    {
        return None;
    }
    if body.starts_with([' ', '\t', '\n']) {
        return None;
    }
    let chomping = match text.len() - body.len() {
        0 => "-",
        1 => "",
        // `|+` would take in the blank lines that happen to follow in the file.
        _ => return None,
    };
    let margin = " ".repeat(indent);
    let mut block = format!("|{chomping}");
    for line in body.split('\n') {
        block.push('\n');
        if !line.is_empty() {
            block.push_str(&margin);
            block.push_str(line);
        }
    }
    Some(block)
}

fn push_hex(text: &mut String, letter: char, width: usize, char: char) {
    write!(text, "\\{letter}{:0width$X}", u32::from(char))
        .expect("writing to a string cannot fail");
}

fn is_printable(char: char) -> bool {
    match char {
        '\u{7F}'..='\u{9F}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}' => {
            false
        }
        _ => char >= ' ' || char == '\t',
    }
}

fn is_plain(text: &str) -> bool {
    let scalar = Scalar {
        text: text.to_owned(),
        style: Style::Plain,
        tagged_string: false,
    };
    let string = |resolver: Resolver| resolver.resolve(&scalar).is_string();
    !text.is_empty()
        && !text.starts_with(|first: char| "-?:,[]{}#&*!|>'\"%@`<= \t.".contains(first))
        && !text.ends_with([' ', '\t', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains(['\n', '\t'])
        && text.chars().all(is_printable)
        && string(Resolver::Kubernetes)
        && string(Resolver::Core)
        && reads_as_string(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_only_what_would_be_read_otherwise() {
        for plain in [
            "^(data|stringData)$",
            "_unencrypted",
            "abc def",
            "a:b",
            "x#y",
        ] {
            assert_eq!(inline(plain), plain);
        }
        for (text, expected) in [
            ("", "\"\""),
            ("yes", "\"yes\""),
            ("0644", "\"0644\""),
            ("2001-01-01", "\"2001-01-01\""),
            ("a: b", "\"a: b\""),
            ("a\u{7}\u{85}é", "\"a\\u0007\\u0085é\""),
        ] {
            assert_eq!(inline(text), expected);
        }
    }

    #[test]
    fn writes_blocks_that_read_back_as_the_same_text() {
        for text in ["a\nb", "a\nb\n", "a\n\n  b\n", "a\n"] {
            let yaml = format!("key: {}\n", block(text, 2).unwrap());
            let documents = spanned_yaml::load(&yaml).unwrap();
            assert_eq!(documents[0].root.find_text("key"), Some(text), "{yaml}");
        }
        for text in ["a", "", "\n", " a\nb", "a \nb", "a\r\nb", "a\n\n"] {
            assert_eq!(block(text, 2), None, "{text:?}");
        }
    }
}

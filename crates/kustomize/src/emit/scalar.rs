//! How a scalar is written.

use std::borrow::Cow;

use spanned_yaml::Resolver;

use super::is_break;
use super::number::shown_number;
use crate::field::{FieldScalar, ScalarKind};

/// The ways to write a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScalarLayout {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
}

/// A scalar as it leaves kustomize.
pub(super) struct EmittedScalar<'t> {
    pub(super) text: Cow<'t, str>,
    /// Whether it is a string: its layout must keep it from being read as something else.
    string: bool,
}

impl<'t> EmittedScalar<'t> {
    pub(super) fn of_field(scalar: &'t FieldScalar) -> Self {
        let text = match scalar.kind {
            ScalarKind::Text | ScalarKind::Timestamp => return Self::of_text(&scalar.text),
            ScalarKind::Null => Cow::Borrowed("null"),
            ScalarKind::Boolean if scalar.text.eq_ignore_ascii_case("true") => {
                Cow::Borrowed("true")
            }
            ScalarKind::Boolean => Cow::Borrowed("false"),
            ScalarKind::Integer | ScalarKind::Float => shown_number(&scalar.text),
        };
        Self {
            text,
            string: false,
        }
    }

    pub(super) fn of_text(text: &'t str) -> Self {
        Self {
            text: fold_next_lines(text),
            string: true,
        }
    }

    pub(super) fn is_multiline(&self) -> bool {
        self.text.contains(is_break)
    }

    /// Returns how it is written in block style.
    pub(super) fn layout(&self) -> ScalarLayout {
        if !self.string {
            return ScalarLayout::Plain;
        }
        let text = &*self.text;
        if text.is_empty() {
            return ScalarLayout::DoubleQuoted;
        }
        let shape = ScalarShape::of(text);
        if text.contains('\n') {
            return if shape.may_be_block() {
                ScalarLayout::Literal
            } else {
                ScalarLayout::DoubleQuoted
            };
        }
        if !Resolver::Kubernetes.is_string(text) || is_base_60(text) {
            return ScalarLayout::DoubleQuoted;
        }
        if shape.may_be_plain() {
            ScalarLayout::Plain
        } else if shape.may_be_single_quoted() {
            ScalarLayout::SingleQuoted
        } else {
            ScalarLayout::DoubleQuoted
        }
    }
}

/// What decides how a text may be written.
#[derive(Default)]
struct ScalarShape {
    /// A character that means something else in a plain scalar.
    indicators: bool,
    breaks: bool,
    /// A character that only an escape can write.
    special: bool,
    /// A space or break at the start or the end.
    edges: bool,
    space_at_end: bool,
    break_before_space: bool,
    space_before_break: bool,
}

impl ScalarShape {
    fn of(text: &str) -> Self {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/');
        if text.bytes().all(word) && !text.starts_with("...") {
            return Self::default();
        }
        let mut shape = Self {
            indicators: text.starts_with("---") || text.starts_with("..."),
            ..Self::default()
        };
        let mut before = None;
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let next = characters.peek().copied();
            let blank_next = next.is_none_or(|next| matches!(next, ' ' | '\t'));
            shape.indicators |= match character {
                ':' => blank_next,
                '#' => before.is_none_or(|before| is_break(before) || is_blank(before)),
                _ if before.is_some() => false,
                '?' | '-' => blank_next,
                ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
                | '@' | '`' => true,
                _ => false,
            };
            shape.special |= !is_printable(character);
            let at_edge = before.is_none() || next.is_none();
            if character == ' ' {
                shape.edges |= at_edge;
                shape.space_at_end |= next.is_none();
                shape.break_before_space |= before.is_some_and(is_break);
            } else if is_break(character) {
                shape.breaks = true;
                shape.edges |= at_edge;
                shape.space_before_break |= before == Some(' ');
            }
            before = Some(character);
        }
        shape
    }

    fn may_be_plain(&self) -> bool {
        self.may_be_single_quoted() && !self.edges && !self.breaks && !self.indicators
    }

    fn may_be_single_quoted(&self) -> bool {
        !self.break_before_space && !self.space_before_break && !self.special
    }

    fn may_be_block(&self) -> bool {
        !self.space_at_end && !self.space_before_break && !self.special
    }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\0')
}

/// Returns whether go-yaml v2 writes a character as it is; it escapes what is beyond 16 bits.
fn is_printable(character: char) -> bool {
    matches!(character, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && character != '\u{feff}'
}

/// Returns the escape of a character that needs one in double quotes.
pub(super) fn escape(character: char) -> Option<Cow<'static, str>> {
    let short = match character {
        '\0' => "\\0",
        '\u{7}' => "\\a",
        '\u{8}' => "\\b",
        '\t' => "\\t",
        '\n' => "\\n",
        '\u{b}' => "\\v",
        '\u{c}' => "\\f",
        '\r' => "\\r",
        '\u{1b}' => "\\e",
        '"' => "\\\"",
        '\\' => "\\\\",
        '\u{85}' => "\\N",
        '\u{2028}' => "\\L",
        '\u{2029}' => "\\P",
        _ if is_printable(character) => return None,
        _ => return Some(Cow::Owned(escape_code(character))),
    };
    Some(Cow::Borrowed(short))
}

/// Returns the escape of any character by its number.
pub(super) fn escape_code(character: char) -> String {
    let code = u32::from(character);
    match code {
        0xa0 => "\\_".to_owned(),
        0..=0xff => format!("\\x{code:02X}"),
        0x100..=0xffff => format!("\\u{code:04X}"),
        _ => format!("\\U{code:08X}"),
    }
}

/// Returns whether YAML 1.1 reads a text as a number in base 60, such as `22:30`.
///
/// Only digits and colons count: go-yaml does not read it so itself, but quotes it for those who do.
fn is_base_60(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return false;
    }
    let mut parts = text.split(':');
    let digits = |part: &str| {
        part.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
    };
    if !parts.next().is_some_and(digits) {
        return false;
    }
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return false;
    };
    let (last, fraction) = last.split_once('.').unwrap_or((last, ""));
    let sixtieth =
        |part: &str| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    parts.iter().all(|part| sixtieth(part)) && sixtieth(last) && digits(fraction)
}

/// Takes U+0085 for the line break that go-yaml v2 sees in it.
///
/// kustomize writes JSON first, in which the character stands as it is, and reads that as YAML: a break becomes a
/// space, and the spaces around it go.
fn fold_next_lines(text: &str) -> Cow<'_, str> {
    const NEXT_LINE: char = '\u{85}';
    if !text.contains(NEXT_LINE) {
        return Cow::Borrowed(text);
    }
    let mut folded = String::with_capacity(text.len());
    let mut lines = text.split(NEXT_LINE);
    folded.push_str(lines.next().unwrap_or_default());
    let mut breaks = 0;
    let mut lines = lines.peekable();
    while let Some(line) = lines.next() {
        if breaks == 0 {
            folded.truncate(folded.trim_end_matches(' ').len());
        }
        breaks += 1;
        let trimmed = line.trim_start_matches(' ');
        if trimmed.is_empty() && lines.peek().is_some() {
            continue;
        }
        match breaks {
            1 => folded.push(' '),
            _ => folded.extend(std::iter::repeat_n('\n', breaks - 1)),
        }
        breaks = 0;
        folded.push_str(trimmed);
    }
    Cow::Owned(folded)
}

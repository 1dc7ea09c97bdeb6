//! Filters for HTML and addresses.

use std::fmt::Write as _;

use crate::arguments::{CallArguments, flag, is_none};
use crate::error::{Failure, Outcome};
use crate::interpreter::Interpreter;
use crate::predicate::is_iterable;
use crate::text::{escape_html, is_space};
use crate::value::{
    Entity, Value, View, items, lock, markup, text, text_like, text_of, try_html, try_str,
    type_name, undefined_of, view,
};

pub(super) fn escape(
    _: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    arguments.expect_none("escape")?;
    try_html(value).map(markup)
}

pub(super) fn forceescape(
    _: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    arguments.expect_none("forceescape")?;
    try_str(value).map(|printed| markup(escape_html(&printed)))
}

pub(super) fn safe(
    _: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    arguments.expect_none("safe")?;
    try_str(value).map(markup)
}

pub(super) fn striptags(
    _: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    arguments.expect_none("striptags")?;
    let printed = try_str(value)?;
    let mut stripped = String::new();
    let mut rest = printed.as_str();
    while let Some(start) = rest.find('<') {
        let tail = rest.get(start..).unwrap_or_default();
        let end = if tail.starts_with("<!--") {
            tail.get(4..)
                .and_then(|inner| inner.find("-->"))
                .map(|end| end + 7)
        } else {
            tail.find('>').map(|end| end + 1)
        };
        let Some(end) = end else { break };
        stripped.push_str(rest.get(..start).unwrap_or_default());
        rest = tail.get(end..).unwrap_or_default();
    }
    stripped.push_str(rest);
    let words: Vec<&str> = stripped
        .split(is_space)
        .filter(|word| !word.is_empty())
        .collect();
    Ok(text(unescape_html(&words.join(" "))))
}

/// Resolves references to characters: by number, and by the names that HTML's syntax needs.
fn unescape_html(content: &str) -> String {
    let mut plain = String::new();
    let mut rest = content;
    while let Some(at) = rest.find('&') {
        plain.push_str(rest.get(..at).unwrap_or_default());
        let tail = rest.get(at + 1..).unwrap_or_default();
        let reference = tail
            .split_once(';')
            .and_then(|(name, after)| Some((character_of(name)?, after)));
        if let Some((character, after)) = reference {
            plain.push(character);
            rest = after;
        } else {
            plain.push('&');
            rest = tail;
        }
    }
    plain.push_str(rest);
    plain
}

/// Names of characters in HTML, those that texts have in practice.
const NAMES: [(&str, char); 16] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("copy", '©'),
    ("reg", '®'),
    ("raquo", '»'),
    ("laquo", '«'),
    ("hellip", '…'),
    ("mdash", '—'),
    ("ndash", '–'),
    ("euro", '€'),
    ("middot", '·'),
    ("times", '×'),
];

fn character_of(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    NAMES
        .iter()
        .find(|(other, _)| *other == name)
        .map(|(_, character)| *character)
}

/// The bytes of a text as they stand in an address, but for those that may stand there as they are.
fn quote_address(content: &str, in_query: bool) -> String {
    let mut quoted = String::new();
    for byte in content.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'~');
        match byte {
            _ if is_plain => quoted.push(char::from(byte)),
            b'/' if !in_query => quoted.push('/'),
            b' ' if in_query => quoted.push('+'),
            _ => {
                // Writing to a text does not fail.
                _ = write!(quoted, "%{byte:02X}");
            }
        }
    }
    quoted
}

pub(super) fn urlencode(
    _: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    arguments.expect_none("urlencode")?;
    let pairs = match view(value) {
        View::Text(content) => return Ok(text(quote_address(content, false))),
        View::Bytes(_) => {
            return Err(Failure::unsupported(
                "`urlencode` of bytes is not supported",
            ));
        }
        View::Entity(Entity::Dict(entries)) => lock(entries).pairs(),
        View::Entity(_) if is_iterable(value)? => {
            let mut pairs = Vec::new();
            for pair in items(value)? {
                match <[Value; 2]>::try_from(items(&pair)?) {
                    Ok([key, value]) => pairs.push((key, value)),
                    Err(_) => return Err(Failure::of_value("`urlencode` takes pairs")),
                }
            }
            pairs
        }
        _ => return Ok(text(quote_address(&try_str(value)?, false))),
    };
    let mut parts = Vec::new();
    for (key, value) in pairs {
        parts.push(format!(
            "{}={}",
            quote_address(&try_str(&key)?, true),
            quote_address(&try_str(&value)?, true)
        ));
    }
    Ok(text(parts.join("&")))
}

pub(super) fn xmlattr(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let [autospace] = arguments.bind("xmlattr", ["autospace"])?;
    let View::Entity(Entity::Dict(entries)) = view(value) else {
        if let Some(undefined) = undefined_of(value) {
            return Err(undefined.failure());
        }
        let message = format!("`xmlattr` takes a dict, not `{}`", type_name(value));
        return Err(Failure::raised("AttributeError", message));
    };
    let pairs = lock(entries).pairs();
    let mut attributes = Vec::new();
    for (key, value) in pairs {
        if is_none(&value) || undefined_of(&value).is_some() {
            continue;
        }
        let Some(name) = text_of(&key) else {
            return Err(Failure::of_type("the names of attributes are texts"));
        };
        let is_forbidden = |character: char| {
            matches!(
                character,
                ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c' | '/' | '>' | '='
            )
        };
        if name.contains(is_forbidden) {
            return Err(Failure::of_value(
                "the name of an attribute has a character that it cannot have",
            ));
        }
        attributes.push(format!("{}=\"{}\"", try_html(&key)?, try_html(&value)?));
    }
    let mut printed = attributes.join(" ");
    if flag(autospace, true)? && !printed.is_empty() {
        printed.insert(0, ' ');
    }
    Ok(text_like(interpreter.autoescape, printed))
}

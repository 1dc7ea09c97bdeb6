//! The scalars of YAML 1.1 as `PyYAML` resolves them: its patterns differ from those of the standard in details.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use regex::Regex;

use super::Tag;
use crate::data::number::IntegerReader;
use crate::data::{Data, Date, DateTime, TimeOfDay};

/// A float has a dot; an exponent needs its sign.
static FLOAT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let decimal = r"[-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?";
    let fraction = r"\.[0-9][0-9_]*([eE][-+][0-9]+)?";
    let base_60 = r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*";
    let special = r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)";
    Regex::new(&format!("^({decimal}|{fraction}|{base_60}|{special})$")).ok()
});

static INTEGER: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let digits = "0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|[1-9][0-9_]*(:[0-5]?[0-9])+";
    Regex::new(&format!("^[-+]?({digits})$")).ok()
});

static TIMESTAMP: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let date = "([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})";
    let clock = r"([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]*))?";
    let zone = r"(?:[ \t]*(Z|([-+])([0-9]{1,2})(?::([0-9]{2}))?))?";
    Regex::new(&format!(r"^{date}(?:(?:[Tt]|[ \t]+){clock}{zone})?$")).ok()
});

fn matches(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern
        .as_ref()
        .is_some_and(|pattern| pattern.is_match(text))
}

/// Returns the type of a plain scalar.
pub(super) fn implicit_tag(text: &str) -> Tag {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Tag::Null,
        "yes" | "Yes" | "YES" | "no" | "No" | "NO" | "true" | "True" | "TRUE" | "false"
        | "False" | "FALSE" | "on" | "On" | "ON" | "off" | "Off" | "OFF" => return Tag::Bool,
        "<<" => return Tag::Merge,
        "=" => return Tag::Value,
        _ => {}
    }
    if !text.starts_with(|first: char| first.is_ascii_digit() || "-+.".contains(first)) {
        Tag::Text
    } else if matches(&FLOAT, text) {
        Tag::Float
    } else if matches(&INTEGER, text) {
        Tag::Integer
    } else if is_timestamp(text) {
        Tag::Timestamp
    } else {
        Tag::Text
    }
}

/// Returns whether a plain scalar is a date or time: a date alone has two digits for month and day.
fn is_timestamp(text: &str) -> bool {
    matches(&TIMESTAMP, text) && (text.len() == 10 || text.len() > 13)
}

/// Makes the value of a scalar; an error is a message and a hint.
pub(super) fn construct_scalar(
    tag: &Tag,
    text: &str,
) -> Result<Data, (&'static str, &'static str)> {
    const QUOTE: &str = "put the value in quotes if it is a text";
    match tag {
        Tag::Null => Ok(Data::Null),
        Tag::Text => Ok(Data::Text(text.to_owned())),
        Tag::Bool => to_bool(text).ok_or(("this is no boolean", QUOTE)),
        Tag::Integer => to_integer(text).ok_or(("Python makes no integer of this", QUOTE)),
        Tag::Float => to_float(text).ok_or(("Python makes no float of this", QUOTE)),
        Tag::Timestamp => to_timestamp(text).ok_or(("Python has no such date or time", QUOTE)),
        Tag::Binary => to_bytes(text).ok_or(("this is no base64", "write the bytes in base64")),
        Tag::Merge => Err(("PyYAML takes `<<` as a key only", QUOTE)),
        Tag::Value => Err(("PyYAML takes `=` as a key only", QUOTE)),
        Tag::Sequence
        | Tag::Mapping
        | Tag::OrderedMap
        | Tag::Pairs
        | Tag::Set
        | Tag::Unknown(_) => Err(("the tag does not fit this value", "remove the tag")),
    }
}

fn to_bool(text: &str) -> Option<Data> {
    match text.to_lowercase().as_str() {
        "yes" | "true" | "on" => Some(Data::Bool(true)),
        "no" | "false" | "off" => Some(Data::Bool(false)),
        _ => None,
    }
}

/// Returns whether a number is negative, and the number without its sign.
fn split_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn to_integer(text: &str) -> Option<Data> {
    let plain = text.replace('_', "");
    let (negative, digits) = split_sign(&plain);
    let read = if let Some(digits) = digits.strip_prefix("0b") {
        IntegerReader::read(digits, 2)
    } else if let Some(digits) = digits.strip_prefix("0x") {
        IntegerReader::read(digits, 16)
    } else if digits.starts_with('0') {
        // A tag may ask for an integer where Python knows a prefix that YAML 1.1 does not.
        IntegerReader::read(digits.strip_prefix("0o").unwrap_or(digits), 8)
    } else if let Some((first, rest)) = digits.split_once(':') {
        let mut reader = IntegerReader::read(first, 10)?;
        for part in rest.split(':') {
            reader.push(60, part.parse().ok()?)?;
        }
        Some(reader)
    } else {
        IntegerReader::read(digits, 10)
    };
    Some(Data::Integer(read?.decimal(negative)))
}

fn to_float(text: &str) -> Option<Data> {
    let plain = text.replace('_', "").to_lowercase();
    let (negative, digits) = split_sign(&plain);
    let magnitude = match digits {
        ".inf" => f64::INFINITY,
        ".nan" => return Some(Data::Float(f64::NAN)),
        base_60 if base_60.contains(':') => {
            let mut sum = 0.0;
            let mut base = 1.0;
            for part in base_60.rsplit(':') {
                sum += part.parse::<f64>().ok()? * base;
                base *= 60.0;
            }
            sum
        }
        decimal if decimal.starts_with(['+', '-']) => return None,
        decimal => decimal.trim().parse().ok()?,
    };
    Some(Data::Float(if negative { -magnitude } else { magnitude }))
}

fn to_timestamp(text: &str) -> Option<Data> {
    let found = TIMESTAMP.as_ref()?.captures(text)?;
    let part = |index: usize| found.get(index).map(|part| part.as_str());
    let number = |index: usize| part(index)?.parse::<u8>().ok();
    let date = Date::new(part(1)?.parse().ok()?, number(2)?, number(3)?)?;
    let Some(hour) = number(4) else {
        return Some(Data::Date(date));
    };
    let fraction = part(7).unwrap_or_default();
    let fraction = &fraction[..fraction.len().min(6)];
    let microsecond = format!("{fraction:0<6}").parse().ok()?;
    let time = TimeOfDay::new(hour, number(5)?, number(6)?, microsecond)?;
    let offset = match (part(8), part(9)) {
        (None, _) => None,
        (Some(_), None) => Some(0),
        (Some(_), Some(sign)) => {
            let minutes = i32::from(number(10)?) * 60 + i32::from(number(11).unwrap_or_default());
            Some(if sign == "-" { -minutes } else { minutes })
        }
    };
    Some(Data::DateTime(DateTime::new(date, time, offset)?))
}

/// Decodes base64 as Python's `binascii` does: what is no character of it is left out.
fn to_bytes(text: &str) -> Option<Data> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(true);
    let engine = GeneralPurpose::new(&base64::alphabet::STANDARD, config);
    let kept: String = text
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "+/=".contains(*c))
        .collect();
    text.is_ascii()
        .then(|| engine.decode(kept).ok())
        .flatten()
        .map(Data::Bytes)
}

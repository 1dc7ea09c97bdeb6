//! Numbers as Python computes, reads and prints them.

use num_bigint::{BigInt, Sign};
use num_traits::{Num as _, ToPrimitive as _};

use crate::error::{Failure, Outcome};
use crate::text::is_space;
use crate::value::{Entity, Value, View, view};

/// A number, or a boolean as one.
#[derive(Debug, Clone)]
pub(crate) enum Number {
    Int(i64),
    Big(BigInt),
    Float(f64),
}

impl Number {
    pub(crate) fn to_big(&self) -> Option<BigInt> {
        match self {
            Self::Int(number) => Some(BigInt::from(*number)),
            Self::Big(number) => Some(number.clone()),
            Self::Float(_) => None,
        }
    }

    /// The nearest float; integers beyond all floats are an error.
    pub(crate) fn to_float(&self) -> Outcome<f64> {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "Python rounds here too")]
            Self::Int(number) => Ok(*number as f64),
            Self::Big(number) => number
                .to_f64()
                .filter(|float| float.is_finite())
                .ok_or_else(|| {
                    Failure::raised("OverflowError", "the integer is too large for a float")
                }),
            Self::Float(number) => Ok(*number),
        }
    }

    /// The integer as an index or a size, `None` for floats; what is beyond 64 bits counts as the largest.
    pub(crate) fn to_size(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Big(number) if number.sign() == Sign::Minus => Some(i64::MIN),
            Self::Big(_) => Some(i64::MAX),
            Self::Float(_) => None,
        }
    }
}

pub(crate) fn number_of(value: &Value) -> Option<Number> {
    match view(value) {
        View::Bool(truth) => Some(Number::Int(i64::from(truth))),
        View::Int(number) => Some(Number::Int(number)),
        View::Float(number) => Some(Number::Float(number)),
        View::Entity(Entity::BigInteger(number)) => Some(Number::Big(number.clone())),
        _ => None,
    }
}

/// The value of an integer of any size.
pub(crate) fn integer(number: BigInt) -> Value {
    match i64::try_from(&number) {
        Ok(number) => Value::from(number),
        Err(_) => Value::from_object(Entity::BigInteger(number)),
    }
}

/// Refuses an integer of more than 4300 decimal digits, which `CPython` does not print: it takes too long.
pub(crate) fn check_digits(number: &BigInt) -> Outcome<()> {
    if number.bits() > 14_285 {
        return Err(Failure::of_value(
            "the integer has more than 4300 digits, which are not printed",
        ));
    }
    Ok(())
}

/// Python's `repr` of a float: the shortest digits that read back as the same number.
pub(crate) fn print_float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = shortest(number);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..16).contains(&exponent) {
        let decimals = mantissa
            .split_once('.')
            .map_or(0, |(_, decimals)| decimals.len());
        let places = i32::try_from(decimals).unwrap_or_default() - exponent;
        let places = usize::try_from(places).unwrap_or_default();
        let plain = format!("{number:.places$}");
        return if plain.contains('.') {
            plain
        } else {
            plain + ".0"
        };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// The fewest digits that read back as the number, in scientific notation; of two that are as near, the even one.
fn shortest(number: f64) -> String {
    let shortest = format!("{number:e}");
    let mantissa = shortest.split('e').next().unwrap_or_default();
    let decimals = mantissa
        .split_once('.')
        .map_or(0, |(_, decimals)| decimals.len());
    let exact = format!("{number:.decimals$e}");
    if exact.parse() == Ok(number) {
        exact
    } else {
        shortest
    }
}

/// Reads an integer as Python's `int(text, base)` does: blanks around, a sign, underscores between digits.
pub(crate) fn parse_integer(text: &str, base: u32) -> Option<BigInt> {
    let trimmed = text.trim_matches(is_space);
    let (negative, unsigned) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let (base, digits) = split_prefix(unsigned, base)?;
    let mut plain = String::with_capacity(digits.len());
    let mut after_digit = base.1;
    for character in digits.chars() {
        if character == '_' {
            if !after_digit {
                return None;
            }
            after_digit = false;
        } else {
            plain.push(decimal_digit(character));
            after_digit = true;
        }
    }
    if !after_digit || plain.is_empty() || !plain.chars().all(|digit| digit.is_digit(base.0)) {
        return None;
    }
    if base.2
        && plain.len() > 1
        && plain.starts_with('0')
        && plain.bytes().any(|digit| digit != b'0')
    {
        return None;
    }
    let number = BigInt::from_str_radix(&plain, base.0).ok()?;
    Some(if negative { -number } else { number })
}

/// The base of digits, whether an underscore may come first, and whether zeros may not; and the digits.
fn split_prefix(text: &str, base: u32) -> Option<((u32, bool, bool), &str)> {
    for (prefix, value) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        let has_prefix = text
            .get(..2)
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        if has_prefix && (base == 0 || base == value) {
            return Some(((value, true, false), text.get(2..)?));
        }
    }
    match base {
        0 => Some(((10, false, true), text)),
        2..=36 => Some(((base, false, false), text)),
        _ => None,
    }
}

/// Python takes the decimal digits of all scripts; those that are common are here.
fn decimal_digit(character: char) -> char {
    const ZEROS: [u32; 5] = [0x0660, 0x06F0, 0x0966, 0x09E6, 0xFF10];
    let code = u32::from(character);
    ZEROS
        .iter()
        .find_map(|zero| code.checked_sub(*zero).filter(|digit| *digit < 10))
        .and_then(|digit| char::from_digit(digit, 10))
        .unwrap_or(character)
}

/// Reads a float as Python's `float(text)` does.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let trimmed = text.trim_matches(is_space);
    let bytes = trimmed.as_bytes();
    let is_digit = |index: Option<usize>| {
        index
            .and_then(|index| bytes.get(index))
            .is_some_and(u8::is_ascii_digit)
    };
    for (index, byte) in bytes.iter().enumerate() {
        if *byte == b'_' && !(is_digit(index.checked_sub(1)) && is_digit(index.checked_add(1))) {
            return None;
        }
    }
    let plain: String = trimmed
        .chars()
        .filter(|character| *character != '_')
        .map(decimal_digit)
        .collect();
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    let is_word = ["inf", "infinity", "nan"]
        .iter()
        .any(|word| unsigned.eq_ignore_ascii_case(word));
    if !is_word && !unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return None;
    }
    plain.parse().ok()
}

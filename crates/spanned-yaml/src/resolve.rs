//! The type of a plain scalar, by the rules of whoever will read it.

use std::borrow::Cow;

use serde_json::{Number, Value};

use super::timestamp::is_timestamp;
use super::{Scalar, Style};

/// Whose rules decide what a plain scalar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolver {
    /// The Kubernetes API server: sigs.k8s.io/yaml on go-yaml v2, YAML 1.1 with its `yes` and `0644`.
    Kubernetes,
    /// kustomize: go-yaml v3, for which `yes` and `y` are text, and `0644` is a number in base eight.
    Kustomize,
    /// The YAML 1.2 core schema, for Kiln's own config.
    Core,
}

impl Resolver {
    /// Returns the value of a scalar.
    ///
    /// Infinities and NaN have no JSON form and stay strings, as do dates.
    pub fn resolve(self, scalar: &Scalar) -> Value {
        if scalar.style != Style::Plain || scalar.tagged_string {
            return Value::String(scalar.text.clone());
        }
        self.value_of(&scalar.text)
    }

    /// Returns the value of a plain scalar's text.
    pub fn value_of(self, text: &str) -> Value {
        self.typed(text)
            .unwrap_or_else(|| Value::String(text.to_owned()))
    }

    /// Returns whether a plain scalar's text is a string: neither null, boolean, number, infinity, NaN nor date.
    pub fn is_string(self, text: &str) -> bool {
        let special = match self {
            Self::Kubernetes | Self::Kustomize => is_special_float(text) || is_timestamp(text),
            Self::Core => is_special_float(text),
        };
        !special && self.typed(text).is_none()
    }

    /// Returns the value of a text that is no string.
    fn typed(self, text: &str) -> Option<Value> {
        if matches!(text, "" | "~" | "null" | "Null" | "NULL") {
            return Some(Value::Null);
        }
        match self {
            Self::Kubernetes => boolean_1_1(text).or_else(|| go_number(text, &["0b"])),
            Self::Kustomize => boolean_1_2(text).or_else(|| go_number(text, &["0b", "0o"])),
            Self::Core => boolean_1_2(text).or_else(|| number_1_2(text)),
        }
    }
}

fn boolean_1_2(text: &str) -> Option<Value> {
    match text {
        "true" | "True" | "TRUE" => Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => Some(Value::Bool(false)),
        _ => None,
    }
}

fn boolean_1_1(text: &str) -> Option<Value> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Some(Value::Bool(true)),
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Some(Value::Bool(false)),
        _ => boolean_1_2(text),
    }
}

/// A number as go-yaml reads it: underscores anywhere, Go's prefixes of bases, then floats.
///
/// Behind the prefixes of `signed`, it also takes a sign.
fn go_number(text: &str, signed: &[&str]) -> Option<Value> {
    match text.as_bytes().first()? {
        b'.' => {
            let plain = text.replace('_', "");
            let bytes = text.as_bytes();
            let digit_at = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
            let mut underscores = text.match_indices('_');
            let between_digits = underscores.all(|(at, _)| digit_at(at - 1) && digit_at(at + 1));
            between_digits.then(|| float(&plain)).flatten()
        }
        b'0'..=b'9' | b'+' | b'-' => {
            let plain = if text.contains('_') {
                Cow::Owned(text.replace('_', ""))
            } else {
                Cow::Borrowed(text)
            };
            let behind_prefix = |prefix: &&str| {
                let radix = if *prefix == "0b" { 2 } else { 8 };
                integer("", plain.strip_prefix(prefix)?, radix)
            };
            go_integer(&plain)
                .or_else(|| float(&plain))
                .or_else(|| signed.iter().find_map(behind_prefix))
        }
        _ => None,
    }
}

/// An integer as Go's `strconv` reads it in base 0; only those without a sign may need 64 bits.
fn go_integer(text: &str) -> Option<Value> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("+", &text[1..]),
        _ => ("", text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &digits[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &digits[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    integer(sign, digits, radix)
}

fn is_special_float(text: &str) -> bool {
    matches!(text, ".nan" | ".NaN" | ".NAN")
        || matches!(
            text.strip_prefix(['+', '-']).unwrap_or(text),
            ".inf" | ".Inf" | ".INF"
        )
}

fn number_1_2(text: &str) -> Option<Value> {
    if let Some(digits) = text.strip_prefix("0x") {
        return integer("", digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return integer("", digits, 8);
    }
    let (sign, digits) = text.strip_prefix('-').map_or_else(
        || ("", text.strip_prefix('+').unwrap_or(text)),
        |rest| ("-", rest),
    );
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        integer(sign, digits, 10)
    } else {
        float(text)
    }
}

fn integer(sign: &str, digits: &str, radix: u32) -> Option<Value> {
    if sign.is_empty() {
        return i64::from_str_radix(digits, radix)
            .map(Value::from)
            .or_else(|_| u64::from_str_radix(digits, radix).map(Value::from))
            .ok();
    }
    let signed = format!("{sign}{digits}");
    i64::from_str_radix(&signed, radix).map(Value::from).ok()
}

/// A float as both versions write it; a whole one becomes an integer, as JSON knows no difference.
fn float(text: &str) -> Option<Value> {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = body.split_once(['e', 'E']).unwrap_or((body, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if (whole.is_empty() && fraction.is_empty())
        || !digits(whole)
        || !digits(fraction)
        || exponent_digits.is_empty()
        || !digits(exponent_digits)
    {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "only whole numbers within i64 are cast"
    )]
    if number.fract() == 0.0 && number.abs() < 9e15 {
        return Some(Value::from(number as i64));
    }
    Number::from_f64(number).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Scalar {
        Scalar {
            text: text.to_owned(),
            style: Style::Plain,
            tagged_string: false,
        }
    }

    /// Expected values: what sigs.k8s.io/yaml gives, measured in the project's crate survey.
    #[test]
    fn reads_scalars_as_the_api_server_does() {
        for (text, expected) in [
            ("on", Value::from(true)),
            ("No", Value::from(false)),
            ("y", Value::from(true)),
            ("0644", Value::from(420)),
            ("010", Value::from(8)),
            ("0o644", Value::from(420)),
            ("0x1F", Value::from(31)),
            ("0b11", Value::from(3)),
            ("1_000", Value::from(1000)),
            ("08", Value::from(8)),
            ("1e3", Value::from(1000)),
            ("+1", Value::from(1)),
            (".5", Value::from(0.5)),
            ("1.", Value::from(1)),
            ("12:30:45", Value::from("12:30:45")),
            ("2001-01-01", Value::from("2001-01-01")),
            ("tRue", Value::from("tRue")),
            ("~", Value::Null),
            ("", Value::Null),
            ("-", Value::from("-")),
            ("1.2.3", Value::from("1.2.3")),
        ] {
            assert_eq!(
                Resolver::Kubernetes.resolve(&plain(text)),
                expected,
                "{text}"
            );
        }
    }

    /// Measured with go-yaml v2 and v3; kustomize reads with the latter.
    #[test]
    fn reads_scalars_as_kustomize_does() {
        for (text, expected) in [
            ("yes", Value::from("yes")),
            ("y", Value::from("y")),
            ("On", Value::from("On")),
            ("True", Value::from(true)),
            ("0644", Value::from(420)),
            ("0o644", Value::from(420)),
            ("0o-7", Value::from(-7)),
            ("0b-1", Value::from(-1)),
            ("0X1f", Value::from(31)),
            ("0x", Value::from("0x")),
            ("0x1p-2", Value::from("0x1p-2")),
            ("08", Value::from(8)),
            ("1_0.5_0", Value::from(10.5)),
            ("1_", Value::from(1)),
            (".5_5", Value::from(0.55)),
            ("._5", Value::from("._5")),
            (
                "+18446744073709551615",
                Value::from(18_446_744_073_709_551_615_f64),
            ),
            ("1e999", Value::from("1e999")),
            (".inf", Value::from(".inf")),
            ("190:20:30", Value::from("190:20:30")),
            (
                "2001-12-14 21:59:43.1",
                Value::from("2001-12-14 21:59:43.1"),
            ),
            ("<<", Value::from("<<")),
        ] {
            let value = Resolver::Kustomize.resolve(&plain(text));
            assert_eq!(value, expected, "{text}");
        }
        assert!(Resolver::Kubernetes.is_string("0o-7"));
        assert!(!Resolver::Kustomize.is_string("0o-7"));
        assert!(!Resolver::Kubernetes.is_string("2001-1-1") && !Resolver::Core.is_string(".inf"));
        assert!(Resolver::Core.is_string("2001-1-1") && Resolver::Kustomize.is_string("yes"));
    }

    #[test]
    fn reads_config_scalars_by_the_core_schema() {
        for (text, expected) in [
            ("no", Value::from("no")),
            ("0755", Value::from(755)),
            ("0o755", Value::from(493)),
            ("1_000", Value::from("1_000")),
            ("-7", Value::from(-7)),
            ("true", Value::from(true)),
        ] {
            assert_eq!(Resolver::Core.resolve(&plain(text)), expected, "{text}");
        }
    }
}

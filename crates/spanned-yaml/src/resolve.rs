//! The type of a plain scalar, by the rules of whoever will read it.

use serde_json::{Number, Value};

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
        if matches!(text, "" | "~" | "null" | "Null" | "NULL") {
            return Value::Null;
        }
        let typed = match self {
            Self::Kubernetes => boolean_1_1(text).or_else(|| number_1_1(text)),
            Self::Kustomize => boolean_1_2(text).or_else(|| number_1_1(text)),
            Self::Core => boolean_1_2(text).or_else(|| number_1_2(text)),
        };
        typed.unwrap_or_else(|| Value::String(text.to_owned()))
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

/// Numbers as go-yaml v2 reads them: underscores anywhere, Go's base prefixes, then floats.
fn number_1_1(text: &str) -> Option<Value> {
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return None;
    }
    let plain = text.replace('_', "");
    go_integer(&plain).or_else(|| float(&plain))
}

fn go_integer(text: &str) -> Option<Value> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = if let Some(rest) = lower.strip_prefix("0x") {
        (16, rest)
    } else if let Some(rest) = lower.strip_prefix("0b") {
        (2, rest)
    } else if let Some(rest) = lower.strip_prefix("0o") {
        (8, rest)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    integer(sign, digits, radix)
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
    let signed = format!("{sign}{digits}");
    i64::from_str_radix(&signed, radix)
        .map(Value::from)
        .or_else(|_| u64::from_str_radix(&signed, radix).map(Value::from))
        .ok()
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

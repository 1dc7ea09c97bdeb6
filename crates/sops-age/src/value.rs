//! Scalars with the types that SOPS gives them, and the bytes it encrypts and hashes.
//!
//! SOPS reads YAML with go-yaml v3, so its resolution rules decide here and not those of
//! [`spanned_yaml::Resolver`]: `0644` is the integer 420, `yes` is a string, and a
//! date is a timestamp. Source: `resolve.go` of go-yaml v3, proved against `sops` 3.11.0.

use spanned_yaml::{Scalar, Style};

use super::timestamp;
use crate::secret::Secret;

/// The type that SOPS notes beside a ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Str,
    /// An integer of 64 bits with sign.
    Int,
    /// A floating-point number of 64 bits.
    Float,
    /// True or false.
    Bool,
    /// A point in time.
    Time,
    /// A comment, without its `#`.
    Comment,
}

impl Kind {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Str, "str"),
        (Self::Int, "int"),
        (Self::Float, "float"),
        (Self::Bool, "bool"),
        (Self::Time, "time"),
        (Self::Comment, "comment"),
    ];

    /// Returns the name as it stands in `type:…`.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("str", |(_, name)| name)
    }

    /// Finds the kind of a name; `bytes`, which only old files have, is read as a string.
    pub fn of(name: &str) -> Option<Self> {
        if name == "bytes" {
            return Some(Self::Str);
        }
        Self::ALL
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(kind, _)| *kind)
    }
}

/// A scalar or comment in the form that SOPS encrypts: its type, and its text in Go's spelling.
///
/// Has no `Debug`, since the text is what must not be seen.
#[derive(Clone, PartialEq, Eq)]
pub struct Value {
    /// The type that SOPS gives it.
    pub kind: Kind,
    /// What SOPS encrypts and hashes.
    pub text: Secret,
}

impl Value {
    /// Takes the text of a type, in Go's spelling.
    pub fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: Secret::new(text),
        }
    }

    /// Reads what a ciphertext held; `None` when the text is not one of its type.
    ///
    /// The type beside a ciphertext is not authenticated, so a text that claims to be a number may be
    /// anything, YAML that would add keys included. As in SOPS, whose `decrypt` parses it and hashes
    /// the number in its own spelling again.
    pub fn opened(kind: Kind, text: &str) -> Option<Self> {
        let text = match kind {
            Kind::Str | Kind::Comment => text.to_owned(),
            Kind::Int => text.parse::<i64>().ok()?.to_string(),
            Kind::Float => go_float(text.parse().ok()?),
            Kind::Bool => go_bool(text)?.to_owned(),
            Kind::Time => timestamp::read(text).filter(|time| time == text)?,
        };
        Some(Self::new(kind, text))
    }

    /// Returns whether SOPS leaves it alone wherever it stands.
    pub fn is_empty(&self) -> bool {
        self.text.expose().is_empty()
    }
}

/// What go-yaml v3 makes of a scalar.
pub(crate) enum Resolved {
    /// Nothing.
    Null,
    /// A scalar that is encrypted where it is covered.
    Value(Value),
    /// An integer beyond 64 bits with sign, which SOPS refuses to walk over.
    Unsigned,
}

/// Resolves a scalar as go-yaml v3 does.
pub(crate) fn resolve(scalar: &Scalar) -> Resolved {
    let text = scalar.text.as_str();
    if scalar.style != Style::Plain || scalar.tagged_string {
        return Resolved::Value(Value::new(Kind::Str, text));
    }
    if let Some(known) = word(text) {
        return known;
    }
    let string = || Resolved::Value(Value::new(Kind::Str, text));
    match text.as_bytes().first() {
        Some(b'.') => float(text).map_or_else(string, Resolved::Value),
        Some(b'+' | b'-' | b'0'..=b'9') => number_or_time(text).unwrap_or_else(string),
        _ => string(),
    }
}

/// Resolves a scalar of JSON as SOPS does since 3.13: a number is an integer where 64 bits hold it as one, and a float
/// otherwise. Older versions take each for a float.
pub(crate) fn resolve_json(scalar: &Scalar) -> Resolved {
    let text = scalar.text.as_str();
    let value = match (scalar.style, text) {
        (Style::Plain, "null") => return Resolved::Null,
        (Style::Plain, "true" | "false") => {
            Value::new(Kind::Bool, if text == "true" { "True" } else { "False" })
        }
        (Style::Plain, number) => match (number.parse::<i64>(), number.parse()) {
            (Ok(integer), _) => Value::new(Kind::Int, integer.to_string()),
            (Err(_), Ok(float)) => Value::new(Kind::Float, go_float(float)),
            (Err(_), Err(_)) => Value::new(Kind::Str, number),
        },
        _ => Value::new(Kind::Str, text),
    };
    Resolved::Value(value)
}

/// Returns whether a text without quotes is read as a string.
pub(crate) fn reads_as_string(text: &str) -> bool {
    let scalar = Scalar {
        text: text.to_owned(),
        style: Style::Plain,
        tagged_string: false,
    };
    matches!(
        resolve(&scalar),
        Resolved::Value(Value {
            kind: Kind::Str,
            ..
        })
    )
}

/// Writes a float as Go does with `'f'` and the fewest digits.
fn go_float(number: f64) -> String {
    if number.is_infinite() {
        let sign = if number > 0.0 { '+' } else { '-' };
        return format!("{sign}Inf");
    }
    number.to_string()
}

/// Reads a boolean as Go's `strconv.ParseBool` does, and returns it as SOPS spells it.
fn go_bool(text: &str) -> Option<&'static str> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some("True"),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some("False"),
        _ => None,
    }
}

fn word(text: &str) -> Option<Resolved> {
    let value = match text {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Resolved::Null),
        "true" | "True" | "TRUE" => Value::new(Kind::Bool, "True"),
        "false" | "False" | "FALSE" => Value::new(Kind::Bool, "False"),
        ".nan" | ".NaN" | ".NAN" => Value::new(Kind::Float, "NaN"),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Value::new(Kind::Float, "+Inf"),
        "-.inf" | "-.Inf" | "-.INF" => Value::new(Kind::Float, "-Inf"),
        _ => return None,
    };
    Some(Resolved::Value(value))
}

fn number_or_time(text: &str) -> Option<Resolved> {
    if let Some(time) = timestamp::read(text) {
        return Some(Resolved::Value(Value::new(Kind::Time, time)));
    }
    let plain = text.replace('_', "");
    match integer(&plain) {
        Some(Ok(number)) => Some(Resolved::Value(Value::new(Kind::Int, number.to_string()))),
        Some(Err(())) => Some(Resolved::Unsigned),
        None => float(&plain).map(Resolved::Value),
    }
}

/// Reads an integer as Go's `strconv.ParseInt(text, 0, 64)` does, then as its `ParseUint`.
///
/// `Err` is a number that only the second takes.
fn integer(text: &str) -> Option<Result<i64, ()>> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("+", &text[1..]),
        _ => ("", text),
    };
    let lower = digits.to_ascii_lowercase();
    let prefixed = |prefix| lower.strip_prefix(prefix).filter(|rest| !rest.is_empty());
    let (radix, digits) = if let Some(rest) = prefixed("0x") {
        (16, rest)
    } else if let Some(rest) = prefixed("0b") {
        (2, rest)
    } else if let Some(rest) = prefixed("0o") {
        (8, rest)
    } else if let Some(rest) = prefixed("0") {
        (8, rest)
    } else {
        (10, lower.as_str())
    };
    if !digits.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return None;
    }
    if let Ok(number) = i64::from_str_radix(&format!("{sign}{digits}"), radix) {
        return Some(Ok(number));
    }
    let unsigned = sign.is_empty() && u64::from_str_radix(digits, radix).is_ok();
    unsigned.then_some(Err(()))
}

/// Reads a float of go-yaml's own shape; one beyond 64 bits is no float, as in Go.
fn float(text: &str) -> Option<Value> {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match body.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (
            mantissa,
            Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        ),
        None => (body, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let shaped = digits(whole)
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
        && !(whole.is_empty() && fraction.is_none_or(str::is_empty));
    if !shaped {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    number
        .is_finite()
        .then(|| Value::new(Kind::Float, go_float(number)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Option<(Kind, String)> {
        let scalar = Scalar {
            text: text.to_owned(),
            style: Style::Plain,
            tagged_string: false,
        };
        match resolve(&scalar) {
            Resolved::Null => None,
            Resolved::Value(value) => Some((value.kind, value.text.expose().to_owned())),
            Resolved::Unsigned => panic!("{text} is too large"),
        }
    }

    /// Expected values: what `sops` 3.11.0 encrypted and gave back.
    #[test]
    fn types_scalars_as_sops_does() {
        for (text, kind, expected) in [
            ("1", Kind::Int, "1"),
            ("0644", Kind::Int, "420"),
            ("0", Kind::Int, "0"),
            ("08", Kind::Float, "8"),
            ("1e3", Kind::Float, "1000"),
            (".5", Kind::Float, "0.5"),
            (
                "12345678901234567890.0",
                Kind::Float,
                "12345678901234567000",
            ),
            (".inf", Kind::Float, "+Inf"),
            ("1_000", Kind::Int, "1000"),
            ("yes", Kind::Str, "yes"),
            ("True", Kind::Bool, "True"),
            ("0b11", Kind::Int, "3"),
            ("0o7", Kind::Int, "7"),
            ("-0x1F", Kind::Int, "-31"),
            ("+12", Kind::Int, "12"),
            ("1.", Kind::Float, "1"),
            ("-0.0", Kind::Float, "-0"),
            ("1e-7", Kind::Float, "0.0000001"),
            ("9007199254740993", Kind::Int, "9007199254740993"),
            ("1e400", Kind::Str, "1e400"),
            (".5e1", Kind::Float, "5"),
            ("0x", Kind::Str, "0x"),
            ("1__0", Kind::Int, "10"),
            ("2001-02-30", Kind::Str, "2001-02-30"),
            ("2001-1-1", Kind::Time, "2001-01-01T00:00:00Z"),
            ("685_230.15", Kind::Float, "685230.15"),
            ("-", Kind::Str, "-"),
            ("--1", Kind::Str, "--1"),
            (".", Kind::Str, "."),
            ("1.2.3", Kind::Str, "1.2.3"),
        ] {
            assert_eq!(plain(text), Some((kind, expected.to_owned())), "{text}");
        }
        assert_eq!(plain("~"), None);
    }
}

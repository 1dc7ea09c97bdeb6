//! Numbers as Go prints them.

use std::borrow::Cow;

use serde_json::{Number, Value};
use spanned_yaml::Resolver;

/// Returns a number's text after its way through kustomize: YAML, JSON, and YAML again.
///
/// What is no number stays as it is.
pub(super) fn shown_number(text: &str) -> Cow<'_, str> {
    let Value::Number(number) = Resolver::Kustomize.value_of(text) else {
        return Cow::Borrowed(text);
    };
    if let Some(number) = number.as_i64() {
        return Cow::Owned(number.to_string());
    }
    if let Some(number) = number.as_u64() {
        return Cow::Owned(number.to_string());
    }
    Decimal::of(&number).map_or(Cow::Borrowed(text), |decimal| Cow::Owned(decimal.shown()))
}

/// The shortest decimal that reads back as the same float: `-d.ddd × 10^exponent`.
struct Decimal {
    negative: bool,
    /// No zero at the start or the end.
    digits: String,
    exponent: i32,
}

impl Decimal {
    /// Takes a number apart.
    ///
    /// The digits are those of `serde_json`: like Go, and unlike the standard library, it takes the even one of two
    /// equally near.
    fn of(number: &Number) -> Option<Self> {
        let text = number.to_string();
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.as_str()),
        };
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let zeros = all.len() - all.trim_start_matches('0').len();
        let exponent: i32 = exponent.parse().ok()?;
        let shift = i32::try_from(whole.len()).ok()? - i32::try_from(zeros).ok()? - 1;
        Some(Self {
            negative,
            digits: all.trim_matches('0').to_owned(),
            exponent: exponent + shift,
        })
    }

    fn shown(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        // A whole number below 10^21 has no exponent in JSON, and is an integer for who reads it.
        let length = self.digits.len();
        if (0..21).contains(&self.exponent) && self.places() == 0 {
            let zeros = usize::try_from(self.exponent).unwrap_or_default() + 1 - length;
            let whole = format!("{sign}{}{}", self.digits, "0".repeat(zeros));
            if whole.parse::<i64>().is_ok() || whole.parse::<u64>().is_ok() {
                return whole;
            }
        }
        let (first, rest) = self.digits.split_at(length.min(1));
        match self.exponent {
            0..6 => {
                let point = usize::try_from(self.exponent).unwrap_or_default() + 1;
                let padded = format!("{:0<point$}", self.digits);
                let (whole, fraction) = padded.split_at(point);
                let point = if fraction.is_empty() { "" } else { "." };
                format!("{sign}{whole}{point}{fraction}")
            }
            -4..0 => {
                let zeros = usize::try_from(-1 - self.exponent).unwrap_or_default();
                format!("{sign}0.{}{}", "0".repeat(zeros), self.digits)
            }
            exponent => {
                let point = if rest.is_empty() { "" } else { "." };
                let exponent_sign = if exponent < 0 { '-' } else { '+' };
                let exponent = exponent.unsigned_abs();
                format!("{sign}{first}{point}{rest}e{exponent_sign}{exponent:02}")
            }
        }
    }

    /// Returns how many digits stand behind the point.
    fn places(&self) -> usize {
        let length = i32::try_from(self.digits.len()).unwrap_or(i32::MAX);
        usize::try_from(length - 1 - self.exponent).unwrap_or(0)
    }
}

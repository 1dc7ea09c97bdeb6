//! Quantities of CPU and memory as the Kubernetes API spells them.

use serde_json::Value;

/// Reads a quantity (`250m`, `64Mi`, `1.5`, `1e3`) in thousandths; `None` if it is none.
///
/// Source: the syntax in `k8s.io/apimachinery/pkg/api/resource/quantity.go`.
pub fn milli(value: &Value) -> Option<i128> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    let digits = text
        .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let (factor, divisor) = factor(suffix)?;
    let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let product = digits.checked_mul(factor)?.checked_mul(1000)?;
    Some(product / (scale.checked_mul(divisor)?))
}

/// Returns whether the API server reads a text as a quantity, whatever its sign and size.
pub fn is_quantity(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let at = unsigned.find(|sign: char| !sign.is_ascii_digit() && sign != '.');
    let (number, suffix) = unsigned.split_at(at.unwrap_or(unsigned.len()));
    let is_suffix = || match suffix.strip_prefix(['e', 'E']) {
        Some("") => suffix == "E",
        Some("i") => suffix == "Ei",
        Some(exponent) => {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            is_number(digits) && !digits.contains('.')
        }
        None => factor(suffix).is_some(),
    };
    is_number(number) && is_suffix()
}

fn is_number(text: &str) -> bool {
    let has_digit = text.contains(|sign: char| sign.is_ascii_digit());
    let is_sign = |sign: char| sign.is_ascii_digit() || sign == '.';
    has_digit && text.chars().all(is_sign) && text.matches('.').count() < 2
}

/// Returns what a suffix multiplies and divides by.
fn factor(suffix: &str) -> Option<(i128, i128)> {
    let power = |base: i128, exponent: u32| Some((base.checked_pow(exponent)?, 1));
    match suffix {
        "n" => Some((1, 1_000_000_000)),
        "u" => Some((1, 1_000_000)),
        "m" => Some((1, 1000)),
        "" => Some((1, 1)),
        "k" => power(1000, 1),
        "M" => power(1000, 2),
        "G" => power(1000, 3),
        "T" => power(1000, 4),
        "P" => power(1000, 5),
        "E" => power(1000, 6),
        "Ki" => power(1024, 1),
        "Mi" => power(1024, 2),
        "Gi" => power(1024, 3),
        "Ti" => power(1024, 4),
        "Pi" => power(1024, 5),
        "Ei" => power(1024, 6),
        _ => {
            let exponent = suffix.strip_prefix(['e', 'E'])?;
            match exponent.strip_prefix('-') {
                Some(negative) => Some((1, 10_i128.checked_pow(negative.parse().ok()?)?)),
                None => power(10, exponent.trim_start_matches('+').parse().ok()?),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_every_way_of_writing_a_quantity() {
        for (written, expected) in [
            (json!("250m"), 250),
            (json!(1), 1000),
            (json!(0.5), 500),
            (json!("1.5"), 1500),
            (json!(".5"), 500),
            (json!("64Mi"), 64 * 1024 * 1024 * 1000),
            (json!("1k"), 1_000_000),
            (json!("1e3"), 1_000_000),
            (json!("1E"), 1_000_000_000_000_000_000_000),
            (json!("5e-1"), 500),
        ] {
            assert_eq!(milli(&written), Some(expected), "{written}");
        }
        for odd in [
            json!("x"),
            json!(""),
            json!("."),
            json!("1Mib"),
            json!(null),
            json!("1e"),
        ] {
            assert_eq!(milli(&odd), None, "{odd}");
        }
    }

    #[test]
    fn knows_quantities_of_any_size_from_other_texts() {
        for text in [
            "1", "+1", "-1Gi", "1.", ".5", "1E", "1Ei", "1e30", "1E-3", "100m", "0.1",
        ] {
            assert!(is_quantity(text), "{text}");
        }
        for text in [
            "", "1K", "1MB", "100mi", "1.2.3", ".", "1 Gi", "10q", "1e", "e3", "1ei",
        ] {
            assert!(!is_quantity(text), "{text}");
        }
    }
}

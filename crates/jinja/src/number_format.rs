//! Digits of numbers, as Python's formats ask for them.

use crate::value::print_float;

/// A float in one of the notations `e`, `f` and `g`, large letters for large ones; the sign is left out.
///
/// `keep_point` is the flag `#`: a point always, and all zeros of `g`.
pub(crate) fn format_float(
    number: f64,
    notation: char,
    precision: usize,
    keep_point: bool,
) -> String {
    let number = number.abs();
    let lower = notation.to_ascii_lowercase();
    let printed = if number.is_nan() {
        "nan".to_owned()
    } else if number.is_infinite() {
        "inf".to_owned()
    } else {
        match lower {
            'e' => scientific(number, precision, keep_point),
            'g' => general(number, precision, keep_point, false),
            _ => with_point(format!("{number:.precision$}"), keep_point),
        }
    };
    if notation.is_ascii_uppercase() {
        printed.to_uppercase()
    } else {
        printed
    }
}

fn with_point(digits: String, keep_point: bool) -> String {
    if keep_point && !digits.contains('.') {
        digits + "."
    } else {
        digits
    }
}

fn scientific(number: f64, precision: usize, keep_point: bool) -> String {
    let printed = format!("{number:.precision$e}");
    let (mantissa, exponent) = printed.split_once('e').unwrap_or((&printed, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let sign = if exponent < 0 { '-' } else { '+' };
    format!(
        "{}e{sign}{:02}",
        with_point(mantissa.to_owned(), keep_point),
        exponent.abs()
    )
}

/// The notation `g`; with `like_repr` there is always a digit after the point.
fn general(number: f64, precision: usize, keep_point: bool, like_repr: bool) -> String {
    let precision = precision.max(1);
    let digits = precision - 1;
    let rounded = format!("{number:.digits$e}");
    let exponent: i64 = rounded
        .split_once('e')
        .and_then(|(_, exponent)| exponent.parse().ok())
        .unwrap_or_default();
    let limit = i64::try_from(precision).unwrap_or(i64::MAX) - i64::from(like_repr);
    let strip = |printed: String| {
        if keep_point || !printed.contains('.') {
            return with_point(printed, keep_point);
        }
        printed
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned()
    };
    if exponent < -4 || exponent >= limit {
        let printed = scientific(number, digits, keep_point);
        let (mantissa, exponent) = printed.split_once('e').unwrap_or((&printed, "+00"));
        return format!("{}e{exponent}", strip(mantissa.to_owned()));
    }
    let decimals =
        usize::try_from(i64::try_from(digits).unwrap_or(i64::MAX) - exponent).unwrap_or_default();
    let printed = strip(format!("{number:.decimals$}"));
    if like_repr && !printed.contains('.') {
        printed + ".0"
    } else {
        printed
    }
}

/// A float without a notation: its `repr`, or so many digits of it.
pub(crate) fn format_plain_float(
    number: f64,
    precision: Option<usize>,
    keep_point: bool,
) -> String {
    let number = number.abs();
    match precision {
        Some(precision) if number.is_finite() => general(number, precision, keep_point, true),
        _ => {
            let printed = print_float(number);
            match printed.split_once('e') {
                Some((mantissa, exponent)) => {
                    format!("{}e{exponent}", with_point(mantissa.to_owned(), keep_point))
                }
                None => printed,
            }
        }
    }
}

/// Puts a separator between groups of digits, from the right.
pub(crate) fn group_digits(digits: &str, separator: char, width: usize) -> String {
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(width) {
            grouped.push(separator);
        }
        grouped.push(digit);
    }
    grouped
}

//! Filters that give numbers, or take them.

use num_bigint::BigInt;
use num_traits::{FromPrimitive as _, Signed as _};

use crate::arguments::{CallArguments, flag, index_or, text_argument};
use crate::error::{Failure, Outcome};
use crate::filter::selection::AttributePath;
use crate::interpreter::Interpreter;
use crate::operator::compute;
use crate::syntax_tree::BinaryOperator;
use crate::value::{
    Number, Value, View, integer, items, number_of, parse_float, parse_integer, text, text_of,
    type_name, undefined_of, view,
};

pub(super) fn abs(
    _: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    arguments.expect_none("abs")?;
    match number_of(value) {
        Some(Number::Float(number)) => Ok(Value::from(number.abs())),
        Some(number) => Ok(integer(number.to_big().unwrap_or_default().abs())),
        None => Err(Failure::of_type(format!(
            "`abs` takes a number, not `{}`",
            type_name(value)
        ))),
    }
}

/// What Python's `float` gives; `Ok(None)` is a value that it refuses.
fn to_float(value: &Value) -> Outcome<Option<f64>> {
    if let Some(undefined) = undefined_of(value) {
        return Err(undefined.failure());
    }
    match view(value) {
        View::Text(content) => Ok(parse_float(content)),
        View::Bytes(content) => Ok(std::str::from_utf8(content).ok().and_then(parse_float)),
        _ => number_of(value).map(|number| number.to_float()).transpose(),
    }
}

fn whole(number: f64) -> Option<Value> {
    if number.is_finite() {
        BigInt::from_f64(number.trunc()).map(integer)
    } else {
        None
    }
}

pub(super) fn int(
    _: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let [default, base] = arguments.bind("int", ["default", "base"])?;
    let default = default.unwrap_or_else(|| Value::from(0));
    let base = index_or(base, 10, "the base of an integer")?;
    if let Some(undefined) = undefined_of(value) {
        return Err(undefined.failure());
    }
    let exact = match view(value) {
        View::Text(content) => u32::try_from(base)
            .ok()
            .and_then(|base| parse_integer(content, base))
            .map(integer),
        View::Bytes(content) => std::str::from_utf8(content)
            .ok()
            .and_then(|text| parse_integer(text, 10))
            .map(integer),
        View::Float(number) if number.is_infinite() => {
            return Err(Failure::raised(
                "OverflowError",
                "an infinite float is no integer",
            ));
        }
        View::Float(number) => whole(number),
        _ => number_of(value)
            .and_then(|number| number.to_big())
            .map(integer),
    };
    if let Some(exact) = exact {
        return Ok(exact);
    }
    Ok(to_float(value)?.and_then(whole).unwrap_or(default))
}

pub(super) fn float(
    _: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let [default] = arguments.bind("float", ["default"])?;
    Ok(to_float(value)?.map_or_else(|| default.unwrap_or_else(|| Value::from(0.0)), Value::from))
}

pub(super) fn filesizeformat(
    _: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let [binary] = arguments.bind("filesizeformat", ["binary"])?;
    let binary = flag(binary, false)?;
    let refused = || {
        let exception = if text_of(value).is_some() {
            "ValueError"
        } else {
            "TypeError"
        };
        Failure::raised(
            exception,
            format!(
                "`filesizeformat` takes a number, not `{}`",
                type_name(value)
            ),
        )
    };
    let bytes = to_float(value)?.ok_or_else(refused)?;
    let base = if binary { 1024.0 } else { 1000.0 };
    let middle = if binary { "iB" } else { "B" };
    #[expect(clippy::float_cmp, reason = "exactly one byte")]
    if bytes == 1.0 {
        return Ok(Value::from("1 Byte"));
    }
    if bytes < base {
        return Ok(text(format!("{:.0} Bytes", bytes.trunc() + 0.0)));
    }
    let letters = [
        if binary { "K" } else { "k" },
        "M",
        "G",
        "T",
        "P",
        "E",
        "Z",
        "Y",
    ];
    let mut unit = base;
    let mut letter = "";
    for next in letters {
        (letter, unit) = (next, unit * base);
        if bytes < unit {
            break;
        }
    }
    Ok(text(format!("{:.1} {letter}{middle}", base * bytes / unit)))
}

pub(super) fn round(
    _: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let [precision, method] = arguments.bind("round", ["precision", "method"])?;
    let precision = index_or(precision, 0, "the precision")?;
    let method = method.unwrap_or_else(|| Value::from("common"));
    let method = text_argument(&method, "the method of rounding")?;
    if !matches!(method, "common" | "ceil" | "floor") {
        return Err(Failure::raised(
            "FilterArgumentError",
            "a number is rounded by `common`, `ceil` or `floor`",
        ));
    }
    let refused = || {
        Failure::of_type(format!(
            "`round` takes a number, not `{}`",
            type_name(value)
        ))
    };
    if let Some(undefined) = undefined_of(value)
        && method != "common"
    {
        return Err(undefined.failure());
    }
    let number = number_of(value).ok_or_else(refused)?;
    if method == "common" {
        return match number {
            Number::Float(number) => round_float(number, precision).map(Value::from),
            number => Ok(integer(round_integer(
                &number.to_big().unwrap_or_default(),
                precision,
            ))),
        };
    }
    let is_integer = number.to_big().is_some();
    let number = number.to_float()?;
    if is_integer && precision >= 0 {
        // Python multiplies and divides integers, which is exact.
        return Ok(Value::from(number));
    }
    let exponent = i32::try_from(precision).unwrap_or(i32::MAX);
    let factor = 10f64.powi(exponent);
    let scaled = number * factor;
    if !scaled.is_finite() {
        return Err(Failure::raised(
            "OverflowError",
            "the number is too large to be rounded",
        ));
    }
    let whole = if method == "ceil" {
        scaled.ceil()
    } else {
        scaled.floor()
    };
    // Python rounds to an integer, which has no negative zero.
    Ok(Value::from((whole + 0.0) / factor))
}

/// Rounds to so many decimals, halves of the exact value to the even digit.
fn round_float(number: f64, precision: i64) -> Outcome<f64> {
    if !number.is_finite() || precision > 323 {
        return Ok(number);
    }
    if precision < -308 {
        return Ok(0f64.copysign(number));
    }
    if let Ok(decimals) = usize::try_from(precision) {
        return Ok(format!("{number:.decimals$}").parse().unwrap_or(number));
    }
    let places = usize::try_from(-precision).unwrap_or_default();
    // The digits before the last places, rounded by what the exact value has after them.
    let digits = format!("{:.0}", number.abs().trunc());
    let exact = BigInt::parse_bytes(digits.as_bytes(), 10).unwrap_or_default() * 2
        + BigInt::from(u8::from(number.fract() != 0.0));
    let unit = BigInt::from(10).pow(u32::try_from(places).unwrap_or_default()) * 2;
    let quotient = &exact / &unit;
    let rest = &exact % &unit;
    let half = &unit / 2;
    let is_odd = &quotient % 2 == BigInt::from(1);
    let rounded = if rest > half || (rest == half && is_odd) {
        quotient + 1
    } else {
        quotient
    };
    let printed = format!("{rounded}e{places}");
    let result: f64 = printed.parse().unwrap_or(number);
    if result.is_infinite() {
        return Err(Failure::raised(
            "OverflowError",
            "the rounded number is too large",
        ));
    }
    Ok(result.copysign(number))
}

fn round_integer(number: &BigInt, precision: i64) -> BigInt {
    let Ok(places) = u32::try_from(-precision) else {
        return number.clone();
    };
    if places == 0 {
        return number.clone();
    }
    if u64::from(places) > number.bits() {
        return BigInt::default();
    }
    let unit = BigInt::from(10).pow(places);
    let rest = num_integer::Integer::mod_floor(number, &unit);
    let lower = number - &rest;
    let twice = &rest * 2;
    let is_odd = (&lower / &unit) % 2 != BigInt::default();
    if twice > unit || (twice == unit && is_odd) {
        lower + unit
    } else {
        lower
    }
}

pub(super) fn sum(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<Value> {
    let [attribute, start] = arguments.bind("sum", ["attribute", "start"])?;
    let path = AttributePath::optional(attribute);
    let mut total = start.unwrap_or_else(|| Value::from(0));
    if text_of(&total).is_some() {
        return Err(Failure::of_type("`sum` does not add texts; `join` does"));
    }
    for item in items(value)? {
        let item = match &path {
            Some(path) => path.of(interpreter, item, None)?,
            None => item,
        };
        total = compute(BinaryOperator::Add, &total, &item, &mut interpreter.budget)?;
    }
    Ok(total)
}

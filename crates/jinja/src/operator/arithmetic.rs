//! Operators between numbers.

use num_bigint::{BigInt, Sign};
use num_integer::Integer as _;
use num_traits::{Signed as _, ToPrimitive as _, Zero as _};

use crate::error::{ExceededLimit, Failure, Outcome};
use crate::limits::Budget;
use crate::syntax_tree::BinaryOperator;
use crate::value::{Number, Value, integer, number_of, type_name, undefined_of};

/// Bits of the largest integer that a template may make.
const LARGEST: u64 = 1 << 20;

pub(super) fn compute(
    operator: BinaryOperator,
    left: &Number,
    right: &Number,
    budget: &mut Budget,
) -> Outcome<Value> {
    if let (Number::Int(left), Number::Int(right)) = (left, right) {
        let result = match operator {
            BinaryOperator::Add => left.checked_add(*right),
            BinaryOperator::Subtract => left.checked_sub(*right),
            BinaryOperator::Multiply => left.checked_mul(*right),
            BinaryOperator::FloorDivide if *right != 0 => {
                left.checked_div_euclid(*right).filter(|_| *right > 0)
            }
            BinaryOperator::Remainder if *right > 0 => left.checked_rem_euclid(*right),
            _ => None,
        };
        if let Some(result) = result {
            return Ok(Value::from(result));
        }
    }
    match (left.to_big(), right.to_big()) {
        (Some(left), Some(right)) => compute_integers(operator, &left, &right, budget),
        _ => compute_floats(operator, left.to_float()?, right.to_float()?),
    }
}

fn division_by_zero() -> Box<Failure> {
    Failure::raised("ZeroDivisionError", "division by zero")
}

fn compute_integers(
    operator: BinaryOperator,
    left: &BigInt,
    right: &BigInt,
    budget: &mut Budget,
) -> Outcome<Value> {
    budget.take(usize::try_from((left.bits() + right.bits()) / 64).unwrap_or(usize::MAX))?;
    Ok(match operator {
        BinaryOperator::Add => integer(left + right),
        BinaryOperator::Subtract => integer(left - right),
        BinaryOperator::Multiply if left.bits() + right.bits() > LARGEST => {
            return Err(Failure::over(ExceededLimit::Output));
        }
        BinaryOperator::Multiply => integer(left * right),
        BinaryOperator::Divide => return divide_integers(left, right),
        BinaryOperator::FloorDivide => integer(floor_divide(left, right)?),
        BinaryOperator::Remainder => integer(floor_remainder(left, right)?),
        BinaryOperator::Power => return power_of_integers(left, right),
    })
}

/// The largest integer that is not above the quotient.
fn floor_divide(left: &BigInt, right: &BigInt) -> Outcome<BigInt> {
    if right.is_zero() {
        Err(division_by_zero())
    } else {
        Ok(left.div_floor(right))
    }
}

/// What is left by that quotient; it has the sign of the divisor.
pub(crate) fn floor_remainder(left: &BigInt, right: &BigInt) -> Outcome<BigInt> {
    if right.is_zero() {
        Err(division_by_zero())
    } else {
        Ok(left.mod_floor(right))
    }
}

/// Bits of the integers that a float has exactly.
const EXACT: u64 = 53;

/// The quotient of integers, rounded once.
fn divide_integers(left: &BigInt, right: &BigInt) -> Outcome<Value> {
    if right.is_zero() {
        return Err(division_by_zero());
    }
    if left.bits() <= EXACT && right.bits() <= EXACT {
        let quotient = left.to_f64().unwrap_or_default() / right.to_f64().unwrap_or(1.0);
        return Ok(Value::from(quotient));
    }
    // Enough bits for a quotient of 64 bits, whose last one says whether something is left.
    let shift = 66 + i64::try_from(right.bits()).unwrap_or_default()
        - i64::try_from(left.bits()).unwrap_or_default();
    let (dividend, divisor) = if shift >= 0 {
        (left.abs() << shift.unsigned_abs(), right.abs())
    } else {
        (left.abs(), right.abs() << shift.unsigned_abs())
    };
    let (quotient, rest) = dividend.div_rem(&divisor);
    let sticky: BigInt = if rest.is_zero() {
        quotient
    } else {
        quotient | BigInt::from(1)
    };
    let magnitude = sticky.to_f64().unwrap_or(f64::INFINITY);
    let exponent = i32::try_from(-shift).unwrap_or(if shift > 0 { i32::MIN } else { i32::MAX });
    // In two steps, since the factor alone may be out of range.
    let half = exponent / 2;
    let result = magnitude * 2f64.powi(half) * 2f64.powi(exponent - half);
    if result.is_infinite() {
        return Err(Failure::raised(
            "OverflowError",
            "the quotient is too large for a float",
        ));
    }
    Ok(Value::from(
        if (left.sign() == Sign::Minus) == (right.sign() == Sign::Minus) {
            result
        } else {
            -result
        },
    ))
}

fn power_of_integers(left: &BigInt, right: &BigInt) -> Outcome<Value> {
    if right.sign() == Sign::Minus {
        if left.is_zero() {
            return Err(Failure::raised(
                "ZeroDivisionError",
                "zero has no negative power",
            ));
        }
        let (base, exponent) = (Number::Big(left.clone()), Number::Big(right.clone()));
        return power_of_floats(base.to_float()?, exponent.to_float()?);
    }
    let exponent = right.to_u32().unwrap_or(u32::MAX);
    if left.bits() > 1 && left.bits().saturating_mul(u64::from(exponent)) > LARGEST {
        return Err(Failure::over(ExceededLimit::Output));
    }
    if left.bits() <= 1 {
        let is_odd = right.is_odd();
        let one = BigInt::from(1);
        return Ok(integer(match left.sign() {
            _ if right.is_zero() => one,
            Sign::NoSign => BigInt::zero(),
            Sign::Minus if is_odd => -one,
            _ => one,
        }));
    }
    Ok(integer(left.pow(exponent)))
}

fn power_of_floats(left: f64, right: f64) -> Outcome<Value> {
    if left == 0.0 && right < 0.0 {
        return Err(Failure::raised(
            "ZeroDivisionError",
            "zero has no negative power",
        ));
    }
    if left < 0.0 && right.is_finite() && right.fract() != 0.0 {
        return Err(Failure::unsupported("complex numbers are not supported"));
    }
    let result = left.powf(right);
    if result.is_infinite() && left.is_finite() && right.is_finite() {
        return Err(Failure::raised(
            "OverflowError",
            "the power is too large for a float",
        ));
    }
    Ok(Value::from(result))
}

fn compute_floats(operator: BinaryOperator, left: f64, right: f64) -> Outcome<Value> {
    let divides = matches!(
        operator,
        BinaryOperator::Divide | BinaryOperator::FloorDivide | BinaryOperator::Remainder
    );
    if divides && right == 0.0 {
        return Err(division_by_zero());
    }
    Ok(Value::from(match operator {
        BinaryOperator::Add => left + right,
        BinaryOperator::Subtract => left - right,
        BinaryOperator::Multiply => left * right,
        BinaryOperator::Divide => left / right,
        BinaryOperator::FloorDivide => divide_floats(left, right).0,
        BinaryOperator::Remainder => divide_floats(left, right).1,
        BinaryOperator::Power => return power_of_floats(left, right),
    }))
}

/// The floor of the quotient and the rest, as `CPython` rounds them.
fn divide_floats(left: f64, right: f64) -> (f64, f64) {
    let mut rest = left % right;
    let mut quotient = (left - rest) / right;
    if rest == 0.0 {
        rest = 0f64.copysign(right);
    } else if (right < 0.0) != (rest < 0.0) {
        rest += right;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return (0f64.copysign(left / right), rest);
    }
    let floor = quotient.floor();
    (
        if quotient - floor > 0.5 {
            floor + 1.0
        } else {
            floor
        },
        rest,
    )
}

/// What `-` before a value gives.
pub(crate) fn negative(value: &Value) -> Outcome<Value> {
    Ok(match operand(value, "-")? {
        Number::Int(number) => integer(-BigInt::from(number)),
        Number::Big(number) => integer(-number),
        Number::Float(number) => Value::from(-number),
    })
}

/// What `+` before a value gives.
pub(crate) fn positive(value: &Value) -> Outcome<Value> {
    Ok(match operand(value, "+")? {
        Number::Int(number) => Value::from(number),
        Number::Big(number) => integer(number),
        Number::Float(number) => Value::from(number),
    })
}

fn operand(value: &Value, sign: &str) -> Outcome<Number> {
    if let Some(undefined) = undefined_of(value) {
        return Err(undefined.failure());
    }
    number_of(value).ok_or_else(|| {
        Failure::of_type(format!(
            "`{sign}` does not work before a value of type `{}`",
            type_name(value)
        ))
    })
}

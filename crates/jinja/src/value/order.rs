//! Equality and order of values as Python has them.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_traits::FromPrimitive as _;

use crate::error::{ExceededLimit, Failure, Outcome};
use crate::foreign;
use crate::value::{
    Entity, Key, Number, Value, View, effort, lock, number_of, type_name, undefined_of, view,
};

/// How deep values are compared and printed.
pub(crate) const DEPTH: u32 = 200;

/// Whether two values are the same object, as Python's `is` asks.
pub(crate) fn are_identical(left: &Value, right: &Value) -> bool {
    match (view(left), view(right)) {
        (View::Entity(Entity::BigInteger(left)), View::Entity(Entity::BigInteger(right))) => {
            left == right
        }
        (View::Entity(left), View::Entity(right)) => std::ptr::eq(left, right),
        (View::None, View::None) => true,
        (View::Bool(left), View::Bool(right)) => left == right,
        (View::Int(left), View::Int(right)) => left == right,
        (View::Text(left_text), View::Text(right_text)) => {
            left_text == right_text && left.is_safe() == right.is_safe()
        }
        (View::Float(left), View::Float(right)) => left.to_bits() == right.to_bits(),
        (View::Foreign, View::Foreign) => foreign::are_identical(left, right),
        _ => false,
    }
}

/// What `==` gives.
pub(crate) fn are_equal(left: &Value, right: &Value) -> Outcome<bool> {
    equal_within(left, right, DEPTH)
}

/// Whether containers take two values for one item: they are the same object, or equal.
pub(crate) fn are_same_item(left: &Value, right: &Value) -> Outcome<bool> {
    same_item_within(left, right, DEPTH)
}

fn same_item_within(left: &Value, right: &Value, depth: u32) -> Outcome<bool> {
    Ok(are_identical(left, right) || equal_within(left, right, depth)?)
}

fn equal_within(left: &Value, right: &Value, depth: u32) -> Outcome<bool> {
    for side in [left, right] {
        if let Some(undefined) = undefined_of(side) {
            undefined.check_use()?;
        }
    }
    effort::spend(1)?;
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Failure::over(ExceededLimit::Depth));
    };
    if let (Some(left), Some(right)) = (number_of(left), number_of(right)) {
        return Ok(compare_numbers(&left, &right) == Some(Ordering::Equal));
    }
    Ok(match (view(left), view(right)) {
        (View::None, View::None) => true,
        (View::Text(left), View::Text(right)) => {
            effort::note(left.len().min(right.len()) / 16);
            left == right
        }
        (View::Bytes(left), View::Bytes(right)) => left == right,
        (View::Entity(left), View::Entity(right)) => return equal_entities(left, right, depth),
        (View::Foreign, View::Foreign) => foreign::are_identical(left, right),
        _ => false,
    })
}

fn equal_entities(left: &Entity, right: &Entity, depth: u32) -> Outcome<bool> {
    Ok(match (left, right) {
        (Entity::Undefined(left), Entity::Undefined(right)) => left.mode == right.mode,
        (Entity::List(_), Entity::List(_)) | (Entity::Tuple { .. }, Entity::Tuple { .. }) => {
            std::ptr::eq(left, right)
                || (left.length() == right.length()
                    && equal_items(&contents(left), &contents(right), depth)?)
        }
        (Entity::Range { .. }, Entity::Range { .. }) => {
            let ends = |range: &Entity| {
                let last = range.length().and_then(|length| length.checked_sub(1));
                let item = |at| i128::try_from(at).ok().and_then(|at| range.range_item(at));
                (range.length(), item(0), last.and_then(item))
            };
            ends(left) == ends(right)
        }
        (Entity::Dict(left_entries), Entity::Dict(right_entries)) => {
            if std::ptr::eq(left, right) {
                return Ok(true);
            }
            let (left, right) = (lock(left_entries).hashed(), lock(right_entries).clone());
            if left.len() != right.len() {
                return Ok(false);
            }
            for (key, value) in &left {
                let Some(other) = right.get(key) else {
                    return Ok(false);
                };
                if !same_item_within(value, other, depth)? {
                    return Ok(false);
                }
            }
            true
        }
        (Entity::Moment(left), Entity::Moment(right)) => left.is_equal(right),
        (Entity::DictView { .. }, Entity::DictView { .. }) => {
            let keys = |entity: &Entity| -> Outcome<Vec<Key>> {
                let mut keys = contents(entity)
                    .iter()
                    .map(Key::of)
                    .collect::<Outcome<Vec<_>>>()?;
                keys.sort();
                Ok(keys)
            };
            std::ptr::eq(left, right) || keys(left)? == keys(right)?
        }
        (
            Entity::Method {
                receiver: left,
                name: left_name,
            },
            Entity::Method {
                receiver: right,
                name: right_name,
            },
        ) => left_name == right_name && are_identical(left, right),
        _ => std::ptr::eq(left, right),
    })
}

fn contents(entity: &Entity) -> Vec<Value> {
    effort::note(entity.length().unwrap_or_default());
    entity.items().unwrap_or_default()
}

fn equal_items(left: &[Value], right: &[Value], depth: u32) -> Outcome<bool> {
    for (left, right) in left.iter().zip(right) {
        if !same_item_within(left, right, depth)? {
            return Ok(false);
        }
    }
    Ok(left.len() == right.len())
}

/// How two values are ordered, `None` for floats that are not; an error names the operator that Python refuses.
pub(crate) fn compare(left: &Value, right: &Value, operator: &str) -> Outcome<Option<Ordering>> {
    compare_within(left, right, operator, DEPTH)
}

fn compare_within(
    left: &Value,
    right: &Value,
    operator: &str,
    depth: u32,
) -> Outcome<Option<Ordering>> {
    for side in [left, right] {
        if let Some(undefined) = undefined_of(side) {
            return Err(undefined.failure());
        }
    }
    effort::spend(1)?;
    let Some(depth) = depth.checked_sub(1) else {
        return Err(Failure::over(ExceededLimit::Depth));
    };
    if let (Some(left), Some(right)) = (number_of(left), number_of(right)) {
        return Ok(compare_numbers(&left, &right));
    }
    match (view(left), view(right)) {
        (View::Text(left), View::Text(right)) => return Ok(Some(left.cmp(right))),
        (View::Bytes(left), View::Bytes(right)) => return Ok(Some(left.cmp(right))),
        (View::Entity(left_entity), View::Entity(right_entity)) => {
            match (left_entity, right_entity) {
                (Entity::List(_), Entity::List(_))
                | (Entity::Tuple { .. }, Entity::Tuple { .. }) => {
                    return compare_items(
                        &contents(left_entity),
                        &contents(right_entity),
                        operator,
                        depth,
                    );
                }
                (Entity::Moment(left), Entity::Moment(right)) => {
                    if let Some(order) = left.compare(right) {
                        return Ok(Some(order));
                    }
                }
                _ => {}
            }
        }
        _ => {}
    }
    Err(Failure::of_type(format!(
        "`{operator}` does not compare `{}` with `{}`",
        type_name(left),
        type_name(right)
    )))
}

fn compare_items(
    left: &[Value],
    right: &[Value],
    operator: &str,
    depth: u32,
) -> Outcome<Option<Ordering>> {
    for (left, right) in left.iter().zip(right) {
        if !same_item_within(left, right, depth)? {
            return compare_within(left, right, operator, depth);
        }
    }
    Ok(Some(left.len().cmp(&right.len())))
}

pub(crate) fn compare_numbers(left: &Number, right: &Number) -> Option<Ordering> {
    match (left, right) {
        (Number::Int(left), Number::Int(right)) => Some(left.cmp(right)),
        (Number::Float(left), Number::Float(right)) => left.partial_cmp(right),
        (Number::Float(float), _) => compare_float(*float, &right.to_big()?),
        (_, Number::Float(float)) => compare_float(*float, &left.to_big()?).map(Ordering::reverse),
        _ => Some(left.to_big()?.cmp(&right.to_big()?)),
    }
}

/// Compares without rounding the integer.
fn compare_float(float: f64, integer: &BigInt) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    if float.is_infinite() {
        return Some(if float > 0.0 {
            Ordering::Greater
        } else {
            Ordering::Less
        });
    }
    let whole = BigInt::from_f64(float.trunc())?;
    Some(
        whole
            .cmp(integer)
            .then_with(|| float.fract().partial_cmp(&0.0).unwrap_or(Ordering::Equal)),
    )
}

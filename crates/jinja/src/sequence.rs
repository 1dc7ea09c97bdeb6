//! Items and slices of values, and their order.

use num_bigint::BigInt;

use crate::arguments::{index, is_none};
use crate::error::{Failure, Outcome};
use crate::foreign;
use crate::limits::Budget;
use crate::value::{
    Entity, Key, Value, View, compare, items, list, lock, missing_key, number_of, range, text_like,
    tuple, type_name, view,
};

/// The item of a key, `None` where Python finds none or the value has no items.
pub(crate) fn item(owner: &Value, key: &Value) -> Outcome<Option<Value>> {
    let at = |length: usize| place_of(key, length);
    Ok(match view(owner) {
        View::Text(content) => {
            let Some(at) = at(content.chars().count()) else {
                return Ok(None);
            };
            content
                .chars()
                .nth(at)
                .map(|character| text_like(owner.is_safe(), character.to_string()))
        }
        View::Bytes(content) => at(content.len())
            .and_then(|at| content.get(at))
            .map(|byte| Value::from(i64::from(*byte))),
        View::Entity(entity) => match entity {
            Entity::Dict(entries) => match Key::of(key) {
                Ok(key) => lock(entries).get(&key).cloned(),
                Err(failure) if failure.exception == "TypeError" => None,
                Err(failure) => return Err(failure),
            },
            Entity::List(content) => {
                let content = lock(content);
                at(content.len()).and_then(|at| content.get(at)).cloned()
            }
            Entity::Tuple { items, .. } => at(items.len()).and_then(|at| items.get(at)).cloned(),
            Entity::Range { .. } => {
                let length = entity.length().unwrap_or_default();
                at(length)
                    .and_then(|at| entity.range_item(i128::try_from(at).ok()?))
                    .map(Value::from)
            }
            Entity::SelfReference(reference) => {
                crate::value::text_of(key).and_then(|name| reference.block(name))
            }
            _ => None,
        },
        View::Foreign => foreign::item(owner, key),
        _ => None,
    })
}

/// The place that an index means, from the end if it is negative.
pub(crate) fn place_of(key: &Value, length: usize) -> Option<usize> {
    let number = number_of(key)?.to_big()?;
    let number = if number < BigInt::ZERO {
        number + BigInt::from(length)
    } else {
        number
    };
    usize::try_from(number).ok().filter(|at| *at < length)
}

/// What `owner[start:end:step]` gives.
pub(crate) fn slice(
    owner: &Value,
    start: Option<Value>,
    end: Option<Value>,
    step: Option<Value>,
) -> Outcome<Value> {
    if let View::Entity(Entity::Undefined(undefined)) = view(owner) {
        return undefined.check_access().map(|()| owner.clone());
    }
    let part = |value: Option<Value>| -> Outcome<Option<i64>> {
        value
            .filter(|value| !is_none(value))
            .map(|value| index(&value, "a bound of a slice"))
            .transpose()
    };
    let (start, end, step) = (part(start)?, part(end)?, part(step)?.unwrap_or(1));
    if step == 0 {
        return Err(Failure::of_value("the step of a slice is zero"));
    }
    match view(owner) {
        View::Text(content) => {
            let characters: Vec<char> = content.chars().collect();
            let chosen =
                places(characters.len(), start, end, step).filter_map(|at| characters.get(at));
            Ok(text_like(owner.is_safe(), chosen.collect()))
        }
        View::Bytes(content) => {
            let chosen =
                places(content.len(), start, end, step).filter_map(|at| content.get(at).copied());
            Ok(Value::from_bytes(chosen.collect()))
        }
        View::Entity(Entity::List(_)) => Ok(list(chosen_items(owner, start, end, step)?)),
        View::Entity(Entity::Tuple { .. }) => Ok(tuple(chosen_items(owner, start, end, step)?)),
        View::Entity(Entity::Range {
            start: first,
            step: width,
            ..
        }) => {
            let length = crate::value::length(owner)?;
            let (from, to) = bounds(length, start, end, step);
            let at = |place: i128| {
                i64::try_from(i128::from(*first) + place * i128::from(*width))
                    .map_err(|_| Failure::unsupported("ranges beyond 64 bits are not supported"))
            };
            let step = width
                .checked_mul(step)
                .ok_or_else(|| Failure::of_value("the step is too large"))?;
            Ok(range(at(from)?, at(to)?, step))
        }
        // CPython looks for the slice among the keys.
        View::Entity(Entity::Dict(_)) => Err(missing_key()),
        _ => Err(Failure::of_type(format!(
            "a value of type `{}` has no slices",
            type_name(owner)
        ))),
    }
}

fn chosen_items(
    owner: &Value,
    start: Option<i64>,
    end: Option<i64>,
    step: i64,
) -> Outcome<Vec<Value>> {
    let content = items(owner)?;
    Ok(places(content.len(), start, end, step)
        .filter_map(|at| content.get(at).cloned())
        .collect())
}

/// Where a slice starts and stops, as Python bounds it.
fn bounds(length: usize, start: Option<i64>, end: Option<i64>, step: i64) -> (i128, i128) {
    let length = i128::try_from(length).unwrap_or(i128::MAX);
    let (lowest, highest) = if step > 0 {
        (0, length)
    } else {
        (-1, length - 1)
    };
    let bound = |place: Option<i64>, otherwise: i128| match place {
        Some(place) => {
            let place = i128::from(place);
            let place = if place < 0 { place + length } else { place };
            place.clamp(lowest, highest)
        }
        None => otherwise,
    };
    if step > 0 {
        (bound(start, 0), bound(end, length))
    } else {
        (bound(start, length - 1), bound(end, -1))
    }
}

fn places(
    length: usize,
    start: Option<i64>,
    end: Option<i64>,
    step: i64,
) -> impl Iterator<Item = usize> {
    let (from, to) = bounds(length, start, end, step);
    let step = i128::from(step);
    std::iter::successors(Some(from), move |at| Some(at + step))
        .take_while(move |at| if step > 0 { *at < to } else { *at > to })
        .filter_map(|at| usize::try_from(at).ok())
}

/// Sorts values by their keys; equal ones keep their order, also in reverse.
pub(crate) fn sort_by_keys(
    mut pairs: Vec<(Value, Value)>,
    reverse: bool,
    budget: &mut Budget,
) -> Outcome<Vec<(Value, Value)>> {
    if pairs.len() < 2 {
        return Ok(pairs);
    }
    budget.take(pairs.len())?;
    let right = sort_by_keys(pairs.split_off(pairs.len() / 2), reverse, budget)?;
    let left = sort_by_keys(pairs, reverse, budget)?;
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let mut left = left.into_iter().peekable();
    let mut right = right.into_iter().peekable();
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let (smaller, larger) = if reverse {
            (first, second)
        } else {
            (second, first)
        };
        let takes_right =
            compare(&smaller.0, &larger.0, "<")?.is_some_and(std::cmp::Ordering::is_lt);
        merged.extend(if takes_right {
            right.next()
        } else {
            left.next()
        });
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}

/// The values of a sorted list.
pub(crate) fn sorted(
    values: Vec<Value>,
    reverse: bool,
    budget: &mut Budget,
) -> Outcome<Vec<Value>> {
    let pairs = values
        .into_iter()
        .map(|value| (value.clone(), value))
        .collect();
    Ok(sort_by_keys(pairs, reverse, budget)?
        .into_iter()
        .map(|(_, value)| value)
        .collect())
}

//! Operators of expressions, as Python computes them.

mod arithmetic;

use std::cmp::Ordering;

pub(crate) use arithmetic::{floor_remainder, negative, positive};

use crate::error::{Failure, Outcome};
use crate::limits::Budget;
use crate::percent_format::format_percent;
use crate::syntax_tree::{BinaryOperator, Comparison};
use crate::value::{
    Entity, Key, Value, View, are_equal, are_same_item, compare, items, lock, number_of, text_like,
    text_of, try_html, try_str, tuple, type_name, undefined_of, view,
};

impl BinaryOperator {
    fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::FloorDivide => "//",
            Self::Remainder => "%",
            Self::Power => "**",
        }
    }
}

/// What an operator between two values gives.
pub(crate) fn compute(
    operator: BinaryOperator,
    left: &Value,
    right: &Value,
    budget: &mut Budget,
) -> Outcome<Value> {
    if operator == BinaryOperator::Remainder
        && let Some(format) = text_of(left)
    {
        return format_percent(format, left.is_safe(), right, budget);
    }
    for side in [left, right] {
        if let Some(undefined) = undefined_of(side) {
            return Err(undefined.failure());
        }
    }
    if let (Some(left), Some(right)) = (number_of(left), number_of(right)) {
        return arithmetic::compute(operator, &left, &right, budget);
    }
    let result = match operator {
        BinaryOperator::Add => add(left, right, budget)?,
        BinaryOperator::Multiply => multiply(left, right, budget)?,
        _ => None,
    };
    result.ok_or_else(|| {
        Failure::of_type(format!(
            "`{}` does not work between `{}` and `{}`",
            operator.sign(),
            type_name(left),
            type_name(right)
        ))
    })
}

fn add(left: &Value, right: &Value, budget: &mut Budget) -> Outcome<Option<Value>> {
    if let (Some(first), Some(second)) = (text_of(left), text_of(right)) {
        budget.reserve(first.len() + second.len())?;
        let is_markup = left.is_safe() || right.is_safe();
        let printed = if is_markup { try_html } else { try_str };
        let joined = printed(left)? + &printed(right)?;
        return Ok(Some(text_like(is_markup, joined)));
    }
    match (view(left), view(right)) {
        (View::Bytes(left), View::Bytes(right)) => {
            budget.reserve(left.len() + right.len())?;
            Ok(Some(Value::from_bytes([left, right].concat())))
        }
        (View::Entity(first), View::Entity(second)) => {
            let is_list = match (first, second) {
                (Entity::List(_), Entity::List(_)) => true,
                (Entity::Tuple { .. }, Entity::Tuple { .. }) => false,
                _ => return Ok(None),
            };
            let mut joined = items(left)?;
            let others = items(right)?;
            budget.reserve((joined.len() + others.len()) * size_of::<Value>())?;
            joined.extend(others);
            Ok(Some(if is_list {
                crate::value::list(joined)
            } else {
                tuple(joined)
            }))
        }
        _ => Ok(None),
    }
}

fn multiply(left: &Value, right: &Value, budget: &mut Budget) -> Outcome<Option<Value>> {
    let (sequence, times) = match (number_of(left), number_of(right)) {
        (None, Some(times)) => (left, times),
        (Some(times), None) => (right, times),
        _ => return Ok(None),
    };
    let Some(times) = times.to_size() else {
        return Ok(None);
    };
    let times = usize::try_from(times.max(0)).unwrap_or(usize::MAX);
    let mut check = |size: usize| budget.reserve(size.saturating_mul(times));
    Ok(match view(sequence) {
        View::Text(content) => {
            check(content.len())?;
            // Nothing is as much as often nothing.
            let times = if content.is_empty() { 0 } else { times };
            Some(text_like(sequence.is_safe(), content.repeat(times)))
        }
        View::Bytes(content) => {
            check(content.len())?;
            Some(Value::from_bytes(if content.is_empty() {
                Vec::new()
            } else {
                content.repeat(times)
            }))
        }
        View::Entity(entity @ (Entity::List(_) | Entity::Tuple { .. })) => {
            let content = items(sequence)?;
            check(content.len() * size_of::<Value>())?;
            let size = content.len() * if content.is_empty() { 0 } else { times };
            let repeated = content.into_iter().cycle().take(size).collect();
            Some(if matches!(entity, Entity::List(_)) {
                crate::value::list(repeated)
            } else {
                tuple(repeated)
            })
        }
        _ => None,
    })
}

/// What `~` gives: the texts of all values in a row.
pub(crate) fn concatenate(
    parts: &[Value],
    autoescape: bool,
    budget: &mut Budget,
) -> Outcome<Value> {
    let mut joined = String::new();
    let is_markup = autoescape && parts.iter().any(Value::is_safe);
    let printed = if is_markup { try_html } else { try_str };
    for part in parts {
        let printed = printed(part)?;
        budget.reserve(joined.len() + printed.len())?;
        joined.push_str(&printed);
    }
    Ok(text_like(is_markup, joined))
}

/// Whether a comparison holds.
pub(crate) fn holds(comparison: Comparison, left: &Value, right: &Value) -> Outcome<bool> {
    let ordered = |sign: &str, accepts: fn(Ordering) -> bool| -> Outcome<bool> {
        Ok(compare(left, right, sign)?.is_some_and(accepts))
    };
    match comparison {
        Comparison::Equal => are_equal(left, right),
        Comparison::NotEqual => are_equal(left, right).map(|equal| !equal),
        Comparison::Less => ordered("<", Ordering::is_lt),
        Comparison::LessOrEqual => ordered("<=", Ordering::is_le),
        Comparison::Greater => ordered(">", Ordering::is_gt),
        Comparison::GreaterOrEqual => ordered(">=", Ordering::is_ge),
        Comparison::In => contains(right, left),
        Comparison::NotIn => contains(right, left).map(|found| !found),
    }
}

/// Whether an item is in a container.
pub(crate) fn contains(container: &Value, item: &Value) -> Outcome<bool> {
    match view(container) {
        View::Text(content) => match text_of(item) {
            Some(part) => return Ok(content.contains(part)),
            None => {
                return Err(Failure::of_type(format!(
                    "`in` looks for a text in a text, not for `{}`",
                    type_name(item)
                )));
            }
        },
        View::Entity(Entity::Dict(entries)) => {
            let key = Key::of(item)?;
            return Ok(lock(entries).get(&key).is_some());
        }
        View::Entity(Entity::Generator { items: waiting, .. }) => {
            // What was looked at is used up.
            loop {
                let next = lock(waiting).pop_front();
                match next {
                    Some(next) if are_same_item(&next, item)? => {
                        return Ok(true);
                    }
                    Some(_) => {}
                    None => return Ok(false),
                }
            }
        }
        View::Bytes(content) => {
            return match view(item) {
                View::Bytes(part) => {
                    Ok(part.is_empty() || content.windows(part.len()).any(|window| window == part))
                }
                View::Int(byte) => Ok(content.iter().any(|other| i64::from(*other) == byte)),
                _ => Err(Failure::of_type("`in` looks for bytes in bytes")),
            };
        }
        _ => {}
    }
    let content = items(container).map_err(|failure| {
        if failure.exception == "TypeError" {
            not_a_container(container)
        } else {
            failure
        }
    })?;
    Ok(position(&content, item)?.is_some())
}

fn not_a_container(value: &Value) -> Box<Failure> {
    Failure::of_type(format!(
        "`in` does not look into a value of type `{}`",
        type_name(value)
    ))
}

/// Where an item is among others.
pub(crate) fn position(items: &[Value], item: &Value) -> Outcome<Option<usize>> {
    for (index, other) in items.iter().enumerate() {
        if are_same_item(other, item)? {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

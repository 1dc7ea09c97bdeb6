//! Jinja2's tests, which stand after `is`.

use minijinja::value::ValueKind;
use num_integer::Integer as _;

use crate::arguments::{CallArguments, required};
use crate::error::Outcome;
use crate::interpreter::Interpreter;
use crate::operator::{compute, floor_remainder, holds};
use crate::parser::KnownNames as _;
use crate::syntax_tree::{BinaryOperator, Comparison};
use crate::text::is_all_case;
use crate::value::{
    Entity, Value, View, are_equal, are_identical, number_of, text_of, try_str, undefined_of, view,
};

pub(crate) type Predicate = fn(&mut Interpreter<'_>, &Value, CallArguments) -> Outcome<bool>;

/// The test of a name.
pub(crate) fn find(name: &str) -> Option<Predicate> {
    Some(match name {
        "odd" => |interpreter, value, arguments| {
            alone(arguments, "odd").and_then(|()| parity(interpreter, value))
        },
        "even" => |interpreter, value, arguments| {
            alone(arguments, "even")
                .and_then(|()| parity(interpreter, value))
                .map(|odd| !odd)
        },
        "divisibleby" => divides,
        "defined" => |_, value, arguments| {
            alone(arguments, "defined").map(|()| undefined_of(value).is_none())
        },
        "undefined" => |_, value, arguments| {
            alone(arguments, "undefined").map(|()| undefined_of(value).is_some())
        },
        "filter" => |interpreter, value, arguments| {
            alone(arguments, "filter")?;
            hashable(value)?;
            Ok(text_of(value).is_some_and(|name| interpreter.environment.has_filter(name)))
        },
        "test" => |interpreter, value, arguments| {
            alone(arguments, "test")?;
            hashable(value)?;
            Ok(text_of(value).is_some_and(|name| interpreter.environment.has_test(name)))
        },
        "==" | "eq" | "equalto" => {
            |_, value, arguments| compares(Comparison::Equal, value, arguments)
        }
        "!=" | "ne" => |_, value, arguments| compares(Comparison::NotEqual, value, arguments),
        ">" | "gt" | "greaterthan" => {
            |_, value, arguments| compares(Comparison::Greater, value, arguments)
        }
        ">=" | "ge" => |_, value, arguments| compares(Comparison::GreaterOrEqual, value, arguments),
        "<" | "lt" | "lessthan" => {
            |_, value, arguments| compares(Comparison::Less, value, arguments)
        }
        "<=" | "le" => |_, value, arguments| compares(Comparison::LessOrEqual, value, arguments),
        "in" => |_, value, arguments| compares(Comparison::In, value, arguments),
        "sameas" => |_, value, arguments| {
            let [other] = arguments.bind("sameas", ["other"])?;
            Ok(are_identical(value, &required(other, "sameas", "other")?))
        },
        _ => return find_of_type(name),
    })
}

/// The tests that ask for the type of a value.
fn find_of_type(name: &str) -> Option<Predicate> {
    Some(match name {
        "none" => |_, value, arguments| {
            alone(arguments, "none").map(|()| matches!(view(value), View::None))
        },
        "boolean" => |_, value, arguments| {
            alone(arguments, "boolean").map(|()| matches!(view(value), View::Bool(_)))
        },
        "true" => |_, value, arguments| {
            alone(arguments, "true").map(|()| matches!(view(value), View::Bool(true)))
        },
        "false" => |_, value, arguments| {
            alone(arguments, "false").map(|()| matches!(view(value), View::Bool(false)))
        },
        "integer" => |_, value, arguments| {
            alone(arguments, "integer").map(|()| {
                matches!(
                    view(value),
                    View::Int(_) | View::Entity(Entity::BigInteger(_))
                )
            })
        },
        "float" => |_, value, arguments| {
            alone(arguments, "float").map(|()| matches!(view(value), View::Float(_)))
        },
        "number" => {
            |_, value, arguments| alone(arguments, "number").map(|()| number_of(value).is_some())
        }
        "string" => {
            |_, value, arguments| alone(arguments, "string").map(|()| text_of(value).is_some())
        }
        "lower" => |_, value, arguments| {
            alone(arguments, "lower")?;
            Ok(is_all_case(&try_str(value)?, false))
        },
        "upper" => |_, value, arguments| {
            alone(arguments, "upper")?;
            Ok(is_all_case(&try_str(value)?, true))
        },
        "mapping" => |_, value, arguments| {
            alone(arguments, "mapping")
                .map(|()| matches!(view(value), View::Entity(Entity::Dict(_))))
        },
        "escaped" => |_, value, arguments| alone(arguments, "escaped").map(|()| has_markup(value)),
        "sequence" => {
            |_, value, arguments| alone(arguments, "sequence").map(|()| is_sequence(value))
        }
        "iterable" => {
            |_, value, arguments| alone(arguments, "iterable").and_then(|()| is_iterable(value))
        }
        "callable" => {
            |_, value, arguments| alone(arguments, "callable").map(|()| is_callable(value))
        }
        _ => return None,
    })
}

fn alone(arguments: CallArguments, name: &str) -> Outcome<()> {
    arguments.expect_none(name)
}

fn hashable(value: &Value) -> Outcome<()> {
    crate::value::Key::of(value).map(|_| ())
}

fn has_markup(value: &Value) -> bool {
    match undefined_of(value) {
        Some(undefined) => undefined.mode == crate::UndefinedMode::Chainable,
        None => value.is_safe(),
    }
}

fn compares(comparison: Comparison, value: &Value, arguments: CallArguments) -> Outcome<bool> {
    let [other] = arguments.bind("a comparison", ["other"])?;
    holds(
        comparison,
        value,
        &required(other, "a comparison", "other")?,
    )
}

/// Whether a number is odd.
fn parity(interpreter: &mut Interpreter<'_>, value: &Value) -> Outcome<bool> {
    if let Some(number) = number_of(value).and_then(|number| number.to_big()) {
        return Ok(number.is_odd());
    }
    let rest = remainder(interpreter, value, &Value::from(2))?;
    are_equal(&rest, &Value::from(1))
}

fn remainder(interpreter: &mut Interpreter<'_>, value: &Value, divisor: &Value) -> Outcome<Value> {
    compute(
        BinaryOperator::Remainder,
        value,
        divisor,
        &mut interpreter.budget,
    )
}

fn divides(
    interpreter: &mut Interpreter<'_>,
    value: &Value,
    arguments: CallArguments,
) -> Outcome<bool> {
    let [divisor] = arguments.bind("divisibleby", ["num"])?;
    let divisor = required(divisor, "divisibleby", "num")?;
    let integers = (
        number_of(value).and_then(|number| number.to_big()),
        number_of(&divisor).and_then(|number| number.to_big()),
    );
    if let (Some(value), Some(divisor)) = integers {
        return Ok(floor_remainder(&value, &divisor)?.sign() == num_bigint::Sign::NoSign);
    }
    are_equal(&remainder(interpreter, value, &divisor)?, &Value::from(0))
}

/// Whether a value has a length and items.
fn is_sequence(value: &Value) -> bool {
    match view(value) {
        View::Text(_) | View::Bytes(_) => true,
        View::Entity(Entity::Undefined(undefined)) => undefined.check_use().is_ok(),
        View::Entity(entity) => matches!(
            entity,
            Entity::List(_) | Entity::Tuple { .. } | Entity::Dict(_) | Entity::Range { .. }
        ),
        _ => false,
    }
}

/// Whether a value can be gone through, without doing it.
pub(crate) fn is_iterable(value: &Value) -> Outcome<bool> {
    match view(value) {
        View::Text(_) | View::Bytes(_) => Ok(true),
        View::Entity(Entity::Undefined(undefined)) => undefined.check_use().map(|()| true),
        View::Entity(entity) => Ok(matches!(
            entity,
            Entity::List(_)
                | Entity::Tuple { .. }
                | Entity::Dict(_)
                | Entity::DictView { .. }
                | Entity::Range { .. }
                | Entity::Generator { .. }
                | Entity::Loop(_)
        )),
        // Going through it may use it up.
        View::Foreign => Ok(value.kind() == ValueKind::Iterable),
        _ => Ok(false),
    }
}

/// Whether a value can be called; Jinja2's undefined values say they can.
fn is_callable(value: &Value) -> bool {
    match view(value) {
        View::Entity(entity) => matches!(
            entity,
            Entity::Undefined(_)
                | Entity::Method { .. }
                | Entity::Function(_)
                | Entity::Callable { .. }
                | Entity::Joiner { .. }
                | Entity::Macro(_)
                | Entity::Loop(_)
                | Entity::Block(_)
        ),
        _ => false,
    }
}

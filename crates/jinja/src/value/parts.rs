//! Values, taken apart for the embedding program.

use crate::value::{Entity, Value, View, items, lock, try_str, view};

/// What a value is made of.
#[non_exhaustive]
pub enum Parts {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An `int` of any size, in decimal digits.
    Integer(String),
    /// A `float`.
    Float(f64),
    /// A `str`.
    Text(String),
    /// `bytes`.
    Bytes(Vec<u8>),
    /// A `datetime.date`, `datetime.datetime` or `datetime.time`, as Python prints it.
    Moment(String),
    /// A `list`, and what else is gone through: a range, a generator, what `keys`, `values` and `items` give.
    List(Vec<Value>),
    /// A `tuple`.
    Tuple(Vec<Value>),
    /// A `dict`, in its order.
    Dict(Vec<(Value, Value)>),
    /// A value that is not defined, by the name that was asked for.
    Undefined(String),
    /// Anything else, by what it prints as.
    Object(String),
}

/// Takes a value apart; a generator is used up by it.
pub fn parts(value: &Value) -> Parts {
    match view(value) {
        View::None => Parts::None,
        View::Bool(flag) => Parts::Bool(flag),
        View::Int(number) => Parts::Integer(number.to_string()),
        View::Float(number) => Parts::Float(number),
        View::Text(text) => Parts::Text(text.to_owned()),
        View::Bytes(bytes) => Parts::Bytes(bytes.to_vec()),
        View::Entity(entity) => of_entity(value, entity),
        View::Foreign => Parts::Object(try_str(value).unwrap_or_default()),
    }
}

fn of_entity(value: &Value, entity: &Entity) -> Parts {
    match entity {
        Entity::Undefined(undefined) => Parts::Undefined(undefined.name().unwrap_or_default()),
        Entity::BigInteger(number) => Parts::Integer(number.to_string()),
        Entity::Moment(moment) => Parts::Moment(moment.printed()),
        Entity::Tuple { items, .. } => Parts::Tuple(items.clone()),
        Entity::Dict(entries) | Entity::Namespace(entries) => Parts::Dict(lock(entries).pairs()),
        Entity::List(_)
        | Entity::DictView { .. }
        | Entity::Range { .. }
        | Entity::Generator { .. } => Parts::List(items(value).unwrap_or_default()),
        _ => Parts::Object(try_str(value).unwrap_or_default()),
    }
}

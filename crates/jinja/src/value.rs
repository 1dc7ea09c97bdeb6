//! Values as Python has them.
//!
//! Texts, numbers up to 64 bits, `None` and booleans are MiniJinja's own. Lists, dicts and the rest are objects that
//! behave as Python's: shared and changed in place, in the order of insertion, with integers of any size.

mod dictionary;
pub(crate) mod effort;
mod entity;
mod moment;
mod number;
mod order;
mod parts;
mod representation;
mod undefined;

use std::collections::VecDeque;
use std::sync::Mutex;

pub use minijinja::Value;
use minijinja::value::ValueKind;
use num_bigint::BigInt;

pub(crate) use dictionary::{Dictionary, Key, missing_key};
pub(crate) use entity::{Entity, Module, ViewKind, count, lock, range};
pub(crate) use moment::{Moment, date_attribute, date_method};
pub(crate) use number::{
    Number, check_digits, integer, number_of, parse_float, parse_integer, print_float,
};
pub(crate) use order::{are_equal, are_identical, are_same_item, compare};
pub use parts::{Parts, parts};
pub(crate) use representation::{
    is_printable, quote, quote_ascii, try_html, try_repr, try_str, type_name,
};
pub(crate) use undefined::{Undefined, quoted_hint};

use crate::error::{ExceededLimit, Failure, Outcome};

/// A list, which templates may change.
pub fn list(items: Vec<Value>) -> Value {
    Value::from_object(Entity::List(Mutex::new(
        items.into_iter().map(adopt).collect(),
    )))
}

/// A tuple.
pub fn tuple(items: Vec<Value>) -> Value {
    Value::from_object(Entity::Tuple {
        items: items.into_iter().map(adopt).collect(),
        fields: &[],
    })
}

/// A dict in the order of the pairs, which templates may change; of equal keys the last one's value counts.
///
/// A key that Python cannot hash, such as a list, is left out with its value.
pub fn dict(pairs: Vec<(Value, Value)>) -> Value {
    let mut entries = Dictionary::default();
    for (key, value) in pairs {
        let key = adopt(key);
        if let Ok(hashed) = Key::of(&key) {
            entries.insert(hashed, key, adopt(value));
        }
    }
    entries.into_value()
}

/// A value that is not defined.
pub fn undefined() -> Value {
    Undefined::plain().into_value()
}

/// An integer of any size from its decimal digits, with an optional sign.
pub fn integer_from_decimal(digits: &str) -> Option<Value> {
    let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(digits);
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits
        .strip_prefix('+')
        .unwrap_or(digits)
        .parse::<BigInt>()
        .ok()
        .map(integer)
}

/// A date, printed as `2024-01-31`; `None` if there is no such day.
pub fn date(year: i32, month: u32, day: u32) -> Option<Value> {
    Moment::date(year, month, day).map(Moment::into_value)
}

/// A time of the day in hours, minutes, seconds and microseconds; `None` if there is no such time.
pub fn time(clock: [u32; 4]) -> Option<Value> {
    Moment::time(clock).map(Moment::into_value)
}

/// A date with a time of the day (see [`time`]), and an offset from UTC in seconds if it has one.
///
/// `None` if there is no such day, time or offset.
pub fn datetime(day: (i32, u32, u32), clock: [u32; 4], offset: Option<i32>) -> Option<Value> {
    Moment::datetime(day, clock, offset).map(Moment::into_value)
}

/// Makes a `datetime.date`, `datetime.datetime` or `datetime.time` of what Python prints for it: `2024-01-31`,
/// `2024-01-31 10:00:00.500000+01:00`, `10:00:00`; `None` of anything else.
pub fn moment(text: &str) -> Option<Value> {
    Moment::parse(text).map(Moment::into_value)
}

/// What Python's `repr` gives; `...` stands for what is nested too deep to be printed.
pub fn repr(value: &Value) -> String {
    try_repr(&adopt(value.clone())).unwrap_or_else(|_| "...".to_owned())
}

/// What Python's `str` gives, and the empty text for an undefined value.
pub fn str(value: &Value) -> String {
    try_str(&adopt(value.clone())).unwrap_or_default()
}

/// Whether a value is one of Jinja2's undefined values; they are objects, whatever MiniJinja says of them.
pub fn is_undefined(value: &Value) -> bool {
    value.is_undefined() || undefined_of(value).is_some()
}

/// What a value is, for a match.
pub(crate) enum View<'value> {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'value str),
    Bytes(&'value [u8]),
    Entity(&'value Entity),
    /// An object of the embedding program.
    Foreign,
}

pub(crate) fn view(value: &Value) -> View<'_> {
    if let Some(entity) = value.downcast_object_ref::<Entity>() {
        return View::Entity(entity);
    }
    match value.kind() {
        ValueKind::None | ValueKind::Undefined => View::None,
        ValueKind::Bool => View::Bool(value.is_true()),
        ValueKind::Number if value.is_integer() => value.as_i64().map_or(View::Foreign, View::Int),
        ValueKind::Number => f64::try_from(value.clone()).map_or(View::Foreign, View::Float),
        ValueKind::Bytes => value.as_bytes().map_or(View::Foreign, View::Bytes),
        ValueKind::String => value.as_str().map_or(View::Foreign, View::Text),
        _ => View::Foreign,
    }
}

/// Takes over a value from outside: MiniJinja's sequences and maps become lists and dicts, large integers integers.
pub(crate) fn adopt(value: Value) -> Value {
    if value.downcast_object_ref::<Entity>().is_some() {
        return value;
    }
    match value.kind() {
        ValueKind::Undefined => Undefined::plain().into_value(),
        ValueKind::Number if value.is_integer() && value.as_i64().is_none() => {
            value.to_string().parse::<BigInt>().map_or(value, integer)
        }
        ValueKind::Seq => match value.try_iter() {
            Ok(items) => list(items.collect()),
            Err(_) => value,
        },
        ValueKind::Map => match value.try_iter() {
            Ok(keys) => dict(
                keys.map(|key| {
                    let item = value.get_item(&key).unwrap_or_default();
                    (key, item)
                })
                .collect(),
            ),
            Err(_) => value,
        },
        _ => value,
    }
}

pub(crate) fn undefined_of(value: &Value) -> Option<&Undefined> {
    match value.downcast_object_ref::<Entity>() {
        Some(Entity::Undefined(undefined)) => Some(undefined),
        _ => None,
    }
}

/// The text of a text, safe or not.
pub(crate) fn text_of(value: &Value) -> Option<&str> {
    match value.kind() {
        ValueKind::String => value.as_str(),
        _ => None,
    }
}

pub(crate) fn text(text: impl Into<String>) -> Value {
    Value::from(text.into())
}

/// A text that is marked as safe in HTML, Jinja2's `Markup`.
pub(crate) fn markup(text: String) -> Value {
    Value::from_safe_string(text)
}

/// A text that is safe exactly if `safe` says so.
pub(crate) fn text_like(safe: bool, content: String) -> Value {
    if safe { markup(content) } else { text(content) }
}

/// A generator: its items can be gone through once.
pub(crate) fn generator(name: &'static str, items: Vec<Value>) -> Value {
    Value::from_object(Entity::Generator {
        name,
        items: Mutex::new(VecDeque::from(items)),
    })
}

/// Whether Python takes the value for true.
pub(crate) fn is_true(value: &Value) -> Outcome<bool> {
    Ok(match view(value) {
        View::None => false,
        View::Bool(truth) => truth,
        View::Int(number) => number != 0,
        View::Float(number) => number != 0.0,
        View::Text(text) => !text.is_empty(),
        View::Bytes(bytes) => !bytes.is_empty(),
        View::Foreign => value.is_true(),
        View::Entity(entity) => match entity {
            Entity::Undefined(undefined) => undefined.check_use().map(|()| false)?,
            Entity::BigInteger(_) => true,
            _ => entity.length().is_none_or(|length| length > 0),
        },
    })
}

/// What `len` gives.
pub(crate) fn length(value: &Value) -> Outcome<usize> {
    match view(value) {
        View::Text(text) => return Ok(text.chars().count()),
        View::Bytes(bytes) => return Ok(bytes.len()),
        View::Entity(Entity::Undefined(undefined)) => return undefined.check_use().map(|()| 0),
        View::Entity(entity) => {
            if let Some(length) = entity.length() {
                return Ok(length);
            }
        }
        View::Foreign => {
            if let Some(length) = value.len() {
                return Ok(length);
            }
        }
        _ => {}
    }
    Err(Failure::of_type(format!(
        "a value of type `{}` has no length",
        type_name(value)
    )))
}

/// Items of the longest range that is gone through.
const LONGEST_RANGE: usize = 1_000_000;

/// All items that going through a value gives; a generator is empty then.
pub(crate) fn items(value: &Value) -> Outcome<Vec<Value>> {
    match view(value) {
        View::Text(text) => effort::spend(text.len()).map(|()| {
            text.chars()
                .map(|item| Value::from(item.encode_utf8(&mut [0; 4]) as &str))
                .collect()
        }),
        View::Bytes(bytes) => Ok(bytes
            .iter()
            .map(|byte| Value::from(i64::from(*byte)))
            .collect()),
        View::Entity(Entity::Undefined(undefined)) => undefined.check_use().map(|()| Vec::new()),
        View::Entity(Entity::Range { .. })
            if length(value).is_ok_and(|length| length > LONGEST_RANGE) =>
        {
            Err(Failure::over(ExceededLimit::Steps))
        }
        View::Entity(Entity::Loop(_)) => Err(Failure::unsupported(
            "going through the variable `loop` is not supported",
        )),
        View::Entity(Entity::SelfReference(_)) => Err(missing_key()),
        View::Entity(entity) => {
            effort::spend(entity.length().unwrap_or_default())?;
            entity.items().ok_or_else(|| not_iterable(value))
        }
        View::Foreign => match value.try_iter() {
            Ok(items) => Ok(items.map(adopt).collect()),
            Err(_) => Err(not_iterable(value)),
        },
        _ => Err(not_iterable(value)),
    }
}

fn not_iterable(value: &Value) -> Box<Failure> {
    Failure::of_type(format!(
        "a value of type `{}` cannot be gone through",
        type_name(value)
    ))
}

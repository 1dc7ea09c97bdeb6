//! Methods of Python's types.

mod collection;
mod text;

use crate::arguments::CallArguments;
use crate::error::{Failure, Outcome};
use crate::interpreter::LoopState;
use crate::limits::Budget;
pub(crate) use collection::collect_entries;
pub(crate) use text::{justified, replace_text};

use crate::value::{Entity, Number, Value, View, count, integer, number_of, type_name, view};

/// Methods of texts, besides those that give safe texts for safe ones.
const TEXT: [&str; 21] = [
    "count",
    "encode",
    "endswith",
    "find",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "rfind",
    "rindex",
    "startswith",
];
const LIST: [&str; 11] = [
    "append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse",
    "sort",
];
const DICT: [&str; 10] = [
    "clear",
    "copy",
    "get",
    "items",
    "keys",
    "pop",
    "popitem",
    "setdefault",
    "update",
    "values",
];

/// Whether a value has a method of this name.
pub(crate) fn exists(owner: &Value, name: &str) -> bool {
    match view(owner) {
        View::Text(_) => text::SAFE.contains(&name) || TEXT.contains(&name),
        View::Bytes(_) => matches!(name, "decode" | "hex"),
        View::Int(_) | View::Bool(_) => name == "bit_length",
        View::Float(_) => name == "is_integer",
        View::Entity(entity) => match entity {
            Entity::BigInteger(_) => name == "bit_length",
            Entity::List(_) => LIST.contains(&name),
            Entity::Tuple { fields, .. } => {
                matches!(name, "count" | "index") && !fields.contains(&name)
            }
            Entity::Range { .. } => matches!(name, "count" | "index"),
            Entity::Dict(_) => DICT.contains(&name),
            Entity::Cycler { .. } => matches!(name, "next" | "reset"),
            Entity::Loop(_) => LoopState::has_method(name),
            Entity::Moment(moment) => {
                let has_day = moment.type_name() != "time";
                match name {
                    "date" | "time" | "timestamp" => moment.type_name() == "datetime",
                    "toordinal" | "weekday" | "isoweekday" => has_day,
                    _ => matches!(name, "isoformat" | "strftime"),
                }
            }
            _ => false,
        },
        _ => false,
    }
}

pub(crate) fn call(
    budget: &mut Budget,
    receiver: &Value,
    name: &str,
    arguments: CallArguments,
) -> Outcome<Value> {
    match view(receiver) {
        View::Text(content) if receiver.is_safe() => {
            text::call_safe(budget, content, name, arguments)
        }
        View::Text(content) => text::call(budget, content, name, arguments),
        View::Bytes(content) => call_bytes(content, name, arguments),
        View::Entity(Entity::List(items)) => {
            collection::call_list(budget, receiver, items, name, arguments)
        }
        View::Entity(Entity::Dict(entries)) => {
            collection::call_dict(receiver, entries, name, arguments)
        }
        View::Entity(Entity::Tuple { .. } | Entity::Range { .. }) => {
            collection::call_sequence(receiver, name, arguments)
        }
        _ => call_number(receiver, name, arguments),
    }
}

fn call_number(receiver: &Value, name: &str, arguments: CallArguments) -> Outcome<Value> {
    arguments.expect_none(name)?;
    match (name, number_of(receiver)) {
        ("bit_length", Some(number)) => {
            let bits = number.to_big().map_or(0, |number| number.bits());
            Ok(integer(num_bigint::BigInt::from(bits)))
        }
        ("is_integer", Some(Number::Float(number))) => {
            Ok(Value::from(number.is_finite() && number.fract() == 0.0))
        }
        _ => Err(Failure::of_type(format!(
            "a value of type `{}` has no method `{name}`",
            type_name(receiver)
        ))),
    }
}

fn call_bytes(content: &[u8], name: &str, arguments: CallArguments) -> Outcome<Value> {
    if name == "hex" {
        arguments.expect_none(name)?;
        let digits = content.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let digits = digits.filter_map(|digit| char::from_digit(digit.into(), 16));
        return Ok(Value::from(digits.collect::<String>()));
    }
    let [encoding, errors] = arguments.bind(name, ["encoding", "errors"])?;
    text::check_encoding(encoding.as_ref())?;
    match String::from_utf8(content.to_vec()) {
        Ok(decoded) => Ok(Value::from(decoded)),
        Err(_) if errors.as_ref().and_then(crate::value::text_of) == Some("replace") => {
            Ok(Value::from(String::from_utf8_lossy(content).into_owned()))
        }
        Err(_) => Err(Failure::raised(
            "UnicodeDecodeError",
            "the bytes are no UTF-8",
        )),
    }
}

/// How often and where an item is, for lists, tuples and ranges.
fn find_item(items: &[Value], name: &str, arguments: CallArguments) -> Outcome<Value> {
    let [item, start, stop] = arguments.bind(name, ["value", "start", "stop"])?;
    let item = crate::arguments::required(item, name, "value")?;
    if name == "count" {
        let mut found = 0;
        for other in items {
            found += usize::from(crate::value::are_same_item(other, &item)?);
        }
        return Ok(count(found));
    }
    let length = items.len();
    let from = crate::text::bounded_index(crate::arguments::index_or(start, 0, "a place")?, length);
    let to = crate::text::bounded_index(
        crate::arguments::index_or(stop, i64::MAX, "a place")?,
        length,
    );
    match crate::operator::position(items.get(from..to.max(from)).unwrap_or_default(), &item)? {
        Some(at) => Ok(count(from + at)),
        None => Err(Failure::of_value("the item is not in the list")),
    }
}

//! Values, taken apart for the embedding program.

use crate::foreign;
use crate::value::{Entity, Value, View, date, datetime, items, lock, time, try_str, view};

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
    /// A `list`, and what is gone through once, such as a generator or a range.
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
        View::Foreign => match foreign::of(value) {
            Some(object) => Parts::Object(object.text().to_owned()),
            None => Parts::Object(try_str(value).unwrap_or_default()),
        },
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

/// Makes a `datetime.date`, `datetime.datetime` or `datetime.time` of what Python prints for it: `2024-01-31`,
/// `2024-01-31 10:00:00.5+01:00`, `10:00:00`; `None` of anything else.
pub fn moment(text: &str) -> Option<Value> {
    let (first, rest) = match text.split_once([' ', 'T']) {
        Some((day, clock)) => (day, Some(clock)),
        None => (text, None),
    };
    let Some(rest) = rest else {
        return match read_day(first) {
            Some((year, month, day)) => date(year, month, day),
            None => time(read_clock(first)?),
        };
    };
    let (clock, offset) = match rest.find(['+', '-', 'Z']) {
        Some(at) => (&rest[..at], Some(read_offset(&rest[at..])?)),
        None => (rest, None),
    };
    datetime(read_day(first)?, read_clock(clock)?, offset)
}

fn read_day(text: &str) -> Option<(i32, u32, u32)> {
    let mut parts = text.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    let month = parts.next()?.parse().ok()?;
    Some((year, month, parts.next()?.parse().ok()?))
}

/// Reads hours, minutes, seconds and microseconds.
fn read_clock(text: &str) -> Option<[u32; 4]> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.splitn(3, ':').map(|part| part.parse::<u32>().ok());
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let seconds = parts.next().map_or(Some(0), |seconds| seconds)?;
    let digits = format!("{fraction:0<6}");
    Some([hours, minutes, seconds, digits.get(..6)?.parse().ok()?])
}

/// Reads an offset from UTC, in seconds.
fn read_offset(text: &str) -> Option<i32> {
    if text == "Z" {
        return Some(0);
    }
    let [hours, minutes, seconds, _] = read_clock(&text[1..])?;
    let offset = i32::try_from(hours * 3600 + minutes * 60 + seconds).ok()?;
    Some(if text.starts_with('-') {
        -offset
    } else {
        offset
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::str;

    #[test]
    fn a_moment_prints_as_what_it_was_read_from() {
        for text in [
            "2024-01-31",
            "10:00:00",
            "10:00:00.250000",
            "2024-01-31 10:00:00",
            "2024-01-31 10:00:00+00:00",
            "2024-01-31 10:00:00.000001-05:30",
        ] {
            assert_eq!(str(&moment(text).unwrap()), text);
        }
        for text in [
            "",
            "x",
            "2024-13-01",
            "2024-01",
            "1:2:3:4",
            "2024-01-31 x",
            "2024-01-31 10:00:00+x",
        ] {
            assert!(moment(text).is_none(), "{text}");
        }
    }
}

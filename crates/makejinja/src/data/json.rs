//! JSON, as Python's `json` reads it.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::Data;
use super::dict::Dict;
use crate::problem::{Origin, Problem, ProblemKind};

/// How deep values may be nested.
const DEPTH_LIMIT: usize = 256;

/// Reads a text.
pub(super) fn read_json(path: &str, text: &str) -> Result<Data, Problem> {
    let content = text.strip_prefix('\u{feff}').unwrap_or(text);
    let shift = text.len() - content.len();
    let refuse = |message: String, at: usize| {
        let at = at + shift;
        let problem = Problem::new(ProblemKind::Syntax, message);
        problem.at(Some(Origin::new(path, at..at)))
    };
    let root: &RawValue = serde_json::from_str(content).map_err(|error| {
        // Of a syntax error, the message names what is expected, never what stands there.
        let shown = error.to_string();
        let reason = shown.split(" at line ").next().unwrap_or_default();
        let at = offset_of(content, error.line(), error.column());
        refuse(format!("this is not JSON: {reason}"), at)
    })?;
    json_value(root, 0).map_err(|reason| refuse(format!("this is not JSON: {reason}"), 0))
}

fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let before = text.split_inclusive('\n').take(line.saturating_sub(1));
    let start: usize = before.map(str::len).sum();
    text.floor_char_boundary(start + column.saturating_sub(1))
}

fn json_value(raw: &RawValue, depth: usize) -> Result<Data, &'static str> {
    if depth > DEPTH_LIMIT {
        return Err("values are nested too deeply");
    }
    let text = raw.get();
    Ok(match text.as_bytes().first() {
        Some(b'{') => {
            let object: JsonObject<'_> = inner(text)?;
            let mut dict = Dict::default();
            for (key, value) in object.0 {
                dict.insert(Data::Text(key), json_value(value, depth + 1)?);
            }
            Data::Map(dict.into_entries())
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = inner(text)?;
            let items = items.into_iter().map(|item| json_value(item, depth + 1));
            Data::List(items.collect::<Result<_, _>>()?)
        }
        Some(b'"') => Data::Text(inner(text)?),
        Some(b't') => Data::Bool(true),
        Some(b'f') => Data::Bool(false),
        Some(b'n') => Data::Null,
        _ => json_number(text),
    })
}

/// Reads what is known to be JSON; only half of a surrogate pair is left to refuse.
fn inner<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, &'static str> {
    serde_json::from_str(text).map_err(|_| "a text holds half of a surrogate pair")
}

fn json_number(text: &str) -> Data {
    if text.contains(['.', 'e', 'E']) {
        return Data::Float(text.parse().unwrap_or(f64::NAN));
    }
    let text = if text == "-0" { "0" } else { text };
    Data::Integer(text.to_owned())
}

/// An object with all its entries, in order.
struct JsonObject<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for JsonObject<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor;

        impl<'de> Visitor<'de> for ObjectVisitor {
            type Value = JsonObject<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(JsonObject(entries))
            }
        }

        deserializer.deserialize_map(ObjectVisitor)
    }
}

//! Values that stand in for secrets, and that the schema takes as well.

use crate::yaml::pointer_step;
use jsonschema::Validator;
use serde_json::{Map, Number, Value};

use super::shape;
use crate::secret::stand_in;

/// The words of a schema that a single value can break.
const ASSERTIONS: [&str; 14] = [
    "type",
    "enum",
    "const",
    "pattern",
    "format",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "examples",
    "default",
];

/// The longest text of which every place is tried alone.
const LONGEST_TRIED: usize = 512;

/// What is tried where a value has to be made up and the schema has no example: one of each usual form.
const USUAL: [&str; 12] = [
    "stand-in",
    "192.0.2.1",
    "192.0.2.0/24",
    "stand-in.example.com",
    "https://example.com/stand-in",
    "stand-in@example.com",
    "00000000-0000-4000-8000-000000000000",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "c3RhbmQtaW4tc3RhbmQtaW4tc3RhbmQtaW4tc3RhbmQ=",
    "2001-01-01T00:00:00Z",
    "1234567890",
    "Stand-in-0123456789-Stand-in!",
];

/// Returns the same value with every scalar in it replaced by one of the same type and shape.
///
/// `schemas` are those that hold for a place below the value: one that the real value fits, the other fits as well. A
/// value of which the schemas take no other stays.
pub(super) fn replace<'s>(
    value: &Value,
    pointer: &str,
    schemas: &dyn Fn(&str) -> Vec<&'s Value>,
) -> Value {
    match value {
        Value::Object(entries) => {
            let replaced = entries.iter().map(|(key, value)| {
                let step = pointer_step(key);
                (
                    key.clone(),
                    replace(value, &format!("{pointer}/{step}"), schemas),
                )
            });
            Value::Object(replaced.collect())
        }
        Value::Array(items) => {
            let replaced = items.iter().enumerate();
            let replaced =
                replaced.map(|(index, item)| replace(item, &format!("{pointer}/{index}"), schemas));
            Value::Array(replaced.collect())
        }
        Value::Null => Value::Null,
        scalar => replace_scalar(scalar, &schemas(pointer)),
    }
}

fn replace_scalar(value: &Value, schemas: &[&Value]) -> Value {
    let conditions: Vec<Validator> = schemas
        .iter()
        .filter_map(|schema| condition(schema))
        .filter(|condition| condition.is_valid(value))
        .collect();
    let fits = |other: &Value| {
        other != value && conditions.iter().all(|condition| condition.is_valid(other))
    };
    let first = other_scalar(value);
    if fits(&first) {
        return first;
    }
    if let (Value::String(own), Value::String(other)) = (value, &first)
        && let Some(mixed) = mix(own, other, &fits)
    {
        return Value::String(mixed);
    }
    let listed = schemas.iter().flat_map(|schema| candidates(schema));
    let near = value
        .as_i64()
        .into_iter()
        .flat_map(|number| [number + 1, number - 1]);
    let mut others = listed.chain(near.map(Value::from));
    others.find(fits).unwrap_or_else(|| value.clone())
}

fn other_scalar(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(stand_in(text)),
        Value::Bool(flag) => Value::Bool(!flag),
        Value::Number(number) => {
            let other: Option<Number> = crate::secret::shifted_number(&number.to_string())
                .parse()
                .ok();
            other.map_or_else(|| value.clone(), Value::Number)
        }
        other => other.clone(),
    }
}

/// Replaces as many places of a text as may be replaced: some patterns ask for a prefix.
fn mix(own: &str, other: &str, fits: &dyn Fn(&Value) -> bool) -> Option<String> {
    let others: Vec<char> = other.chars().collect();
    let mut mixed: Vec<char> = own.chars().collect();
    if others.len() != mixed.len() || mixed.len() > LONGEST_TRIED {
        return None;
    }
    let mut changed = false;
    for at in 0..mixed.len() {
        let before = std::mem::replace(&mut mixed[at], others[at]);
        if mixed[at] == before || fits(&Value::String(mixed.iter().collect())) {
            changed |= mixed[at] != before;
        } else {
            mixed[at] = before;
        }
    }
    changed.then(|| mixed.into_iter().collect())
}

/// Lists values that a schema names itself.
fn candidates(schema: &Value) -> impl Iterator<Item = Value> + use<'_> {
    let listed = ["enum", "examples"]
        .into_iter()
        .filter_map(|word| schema.get(word)?.as_array());
    listed.flatten().chain(schema.get("default")).cloned()
}

/// Builds a validator of what a schema asserts of a single value; `None` if that is nothing.
fn condition(schema: &Value) -> Option<Validator> {
    let own: Map<String, Value> = schema
        .as_object()?
        .iter()
        .filter(|(word, _)| ASSERTIONS.contains(&word.as_str()))
        .map(|(word, value)| (word.clone(), value.clone()))
        .collect();
    if own.is_empty() {
        return None;
    }
    shape::validator(&Value::Object(own)).ok()
}

/// Makes up a value that schemas take: the one that fits most of them.
///
/// The result depends on the schemas and on `seed` only; another seed gives another value where the schemas allow.
pub(super) fn make_up(schemas: &[&Value], seed: &str) -> Value {
    let conditions: Vec<Validator> = schemas
        .iter()
        .filter_map(|schema| condition(schema))
        .collect();
    let hash = crate::secret::fingerprint(seed);
    let texts = [hash.as_str(), &hash[..40], &hash[..16]].map(Value::from);
    let listed = schemas.iter().flat_map(|schema| candidates(schema));
    let numbers = [1, 8080, 0].map(Value::from);
    let usual = USUAL.map(Value::from).into_iter();
    let plain = texts.into_iter().chain(listed).chain(usual).chain(numbers);
    let all = plain.chain([
        Value::Bool(true),
        Value::Array(Vec::new()),
        Value::Object(Map::new()),
    ]);
    let mut best = (0, Value::Null);
    for candidate in all {
        let varied = match &candidate {
            Value::String(_) | Value::Number(_) => vary(&candidate, schemas, &hash),
            _ => candidate,
        };
        let fitting = conditions
            .iter()
            .filter(|condition| condition.is_valid(&varied))
            .count();
        if fitting > best.0 || best.1.is_null() {
            best = (fitting, varied);
        }
        if best.0 == conditions.len() {
            break;
        }
    }
    best.1
}

/// Shifts an example once or twice, as the seed has it, so that two seeds seldom give the same.
fn vary(example: &Value, schemas: &[&Value], hash: &str) -> Value {
    let turns = usize::from(hash.as_bytes()[0]) % 4;
    (0..turns).fold(example.clone(), |value, _| replace_scalar(&value, schemas))
}

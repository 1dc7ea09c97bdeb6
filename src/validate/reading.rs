//! Schemas as their authors write them: read, and checked before they are used.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::references::{self, SchemaFault};
use super::{SchemaText, shared_definitions, vocabulary};
use crate::diagnostic::Diagnostic;
use crate::source::{Place, Source, Span, shown_key};
use crate::validate::codes;
use crate::yaml::{self, Route};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Reads a schema and settles its references; `shared` are the definitions of the core for the schema of an app.
///
/// A schema that is packed came with the binary: a test checked it, so that no run has to.
pub(super) fn read_schema(
    path: &str,
    text: &SchemaText,
    shared: Option<&Value>,
) -> Result<Value, Vec<Diagnostic>> {
    if let Some(mut schema) = text.packed.and_then(yaml::unpack_json) {
        if text.text.contains("\"$ref\"") {
            settle(&mut schema, shared);
        }
        return Ok(schema);
    }
    let mut schema = parse_schema(path, &text.text)?;
    let mut faults: Vec<SchemaFault> = draft_fault(&schema).into_iter().collect();
    faults.extend(settle(&mut schema, shared));
    // The schema of an app is that of a key.
    faults.extend(vocabulary::faults(&schema, shared.is_some()));
    if faults.is_empty() {
        Ok(schema)
    } else {
        let faults = faults.iter();
        Err(faults
            .map(|fault| complaint(fault, path, &text.text))
            .collect())
    }
}

/// Reads a schema that was read before, with its words for people.
pub(super) fn read_again(
    path: &str,
    text: &SchemaText,
    shared: Option<&Value>,
) -> Result<Value, Vec<Diagnostic>> {
    let mut schema = parse_schema(path, &text.text)?;
    settle(&mut schema, shared);
    Ok(schema)
}

/// Settles references, those to shared definitions first.
fn settle(schema: &mut Value, shared: Option<&Value>) -> Vec<SchemaFault> {
    let inline = |shared| shared_definitions::inline(schema, shared);
    let mut faults = shared.map_or_else(Vec::new, inline);
    faults.extend(references::settle(schema));
    faults
}

fn draft_fault(schema: &Value) -> Option<SchemaFault> {
    let draft = schema.get("$schema")?;
    let known = draft.as_str().map(|draft| draft.trim_end_matches('#')) == Some(DRAFT);
    (!known).then(|| SchemaFault {
        pointer: "/$schema".to_owned(),
        message: "Kiln reads JSON Schema of draft 2020-12 only".to_owned(),
        hints: vec![format!("write `\"$schema\": \"{DRAFT}\"`")],
    })
}

fn complaint(fault: &SchemaFault, path: &str, text: &str) -> Diagnostic {
    let at = if fault.pointer.is_empty() {
        String::new()
    } else {
        format!(", at `{}`", fault.pointer)
    };
    let diagnostic = match place(path, text, &fault.pointer) {
        Some(place) => {
            let message = format!("{}{at}", fault.message);
            Diagnostic::error(&codes::BAD_SCHEMA, message).at_place(place, "")
        }
        None => Diagnostic::error(
            &codes::BAD_SCHEMA,
            format!("`{path}`: {}{at}", fault.message),
        ),
    };
    fault.hints.iter().fold(diagnostic, Diagnostic::with_hint)
}

/// Finds the line of a pointer, as far as the text reads as YAML, of which JSON is a part.
fn place(path: &str, text: &str, pointer: &str) -> Option<Place> {
    let documents = yaml::load(text).ok()?;
    let span = documents
        .first()?
        .root
        .span_of(&Route::from_pointer(pointer));
    Some(Place::new(&Source::new(path, text).keys_only(), span))
}

fn parse_schema(path: &str, text: &str) -> Result<Value, Vec<Diagnostic>> {
    let error = match serde_json::from_str(text) {
        Ok(DistinctKeys(schema)) => return Ok(schema),
        Err(error) => error,
    };
    // The file may be another one than it seems.
    let source = Source::new(path, text).keys_only();
    let line = source.line_span(error.line().max(1));
    let column = line.start + error.column().saturating_sub(1);
    let start = text.floor_char_boundary(column.min(line.end));
    let problem = Diagnostic::error(
        &codes::BAD_SCHEMA,
        format!("`{path}` cannot be read: {error}"),
    );
    Err(vec![problem.at(&source, Span::new(start, start), "")])
}

/// JSON in which no object has a key twice: of two, one would be lost without a word.
struct DistinctKeys(Value);

impl<'de> Deserialize<'de> for DistinctKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DistinctKeysVisitor).map(Self)
    }
}

struct DistinctKeysVisitor;

impl<'de> Visitor<'de> for DistinctKeysVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(DistinctKeys(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            // Before the value is read, so that the error has the place of the key.
            if object.contains_key(&key) {
                let message = format!("the key `{}` stands twice", shown_key(&key));
                return Err(A::Error::custom(message));
            }
            let DistinctKeys(value) = entries.next_value()?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

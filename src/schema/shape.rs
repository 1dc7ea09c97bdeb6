//! Types: what JSON Schema says of a config.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, ValidationError, Validator};
use rayon::prelude::*;
use serde_json::Value;

use super::Schema;
use super::address::Cidr;
use super::defaults::properties;
use super::pointer::Pointer;
use crate::config::model::Places;
use crate::diagnostic::Diagnostic;
use crate::yaml::Route;

pub(super) fn validator(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .with_format("ipv4", |text| text.parse::<Ipv4Addr>().is_ok())
        .with_format("ipv4-cidr", |text| {
            Cidr::parse(text).is_some_and(|cidr| cidr == cidr.canonical())
        })
        .build(schema)
        .map_err(|error| error.masked().to_string())
}

/// Has the library build its validator of schemas.
pub(super) fn warm_up() {
    let empty = serde_json::json!({"$schema": "https://json-schema.org/draft/2020-12/schema"});
    let sound = jsonschema::meta::is_valid(&empty);
    debug_assert!(sound, "a schema that says nothing is one");
}

/// Turns empty strings into null where the schema allows null: that is how cluster-template's sample
/// leaves a field unset.
pub(super) fn unset_empty(schema: &Value, value: &mut Value) {
    each_property(schema, value, &mut |schema, value| {
        if value.as_str() == Some("") && has_type(schema, "null") {
            *value = Value::Null;
        }
    });
}

/// Turns numbers into strings where the schema takes both, so that templates see one type.
pub(super) fn normalise(schema: &Value, value: &mut Value) {
    each_property(schema, value, &mut |schema, value| {
        if value.is_number() && has_type(schema, "string") {
            *value = Value::String(value.to_string());
        }
    });
}

fn each_property(schema: &Value, value: &mut Value, change: &mut impl FnMut(&Value, &mut Value)) {
    change(schema, value);
    match value {
        Value::Object(object) => {
            for (name, property) in properties(schema) {
                if let Some(child) = object.get_mut(name) {
                    each_property(property, child, change);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                items
                    .iter_mut()
                    .for_each(|item| each_property(schema, item, change));
            }
        }
        _ => {}
    }
}

fn has_type(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(only)) => only == name,
        Some(Value::Array(all)) => all.iter().any(|one| one == name),
        _ => false,
    }
}

/// Lists the pointers of the values that the schema calls `writeOnly`.
pub(super) fn secrets(schema: &Value, value: &Value) -> Vec<String> {
    fn walk(schema: &Value, value: &Value, pointer: &mut Pointer, found: &mut Vec<String>) {
        if schema.get("writeOnly") == Some(&Value::Bool(true)) {
            found.push(pointer.as_str().to_owned());
        }
        for (name, property) in properties(schema) {
            if let Some(child) = value.get(name) {
                pointer.below(name, |pointer| walk(property, child, pointer, found));
            }
        }
        if let (Some(schema), Some(items)) = (schema.get("items"), value.as_array()) {
            for (index, item) in items.iter().enumerate() {
                pointer.below(index, |pointer| walk(schema, item, pointer, found));
            }
        }
    }
    let mut found = Vec::new();
    walk(schema, value, &mut Pointer::default(), &mut found);
    found
}

/// Validates types and turns each error into a diagnostic on what the user wrote; of the values at the
/// pointers in `hidden`, no message shows anything.
///
/// Building a validator costs more than running it, and most options are left alone: the schema of a
/// top-level key or an app is built only when the config has something there, and side by side.
pub(super) fn problems(
    schema: &Schema,
    value: &Value,
    hidden: &[String],
    places: &Places,
) -> Vec<Diagnostic> {
    let part = |(pointer, own): (String, Cow<'_, Value>)| {
        let value = value.pointer(&pointer)?;
        Some(errors(&own, value, &pointer, hidden, schema, places))
    };
    let parts = parts(&schema.terse).into_par_iter().filter_map(part);
    parts.collect::<Vec<_>>().into_iter().flatten().collect()
}

/// Splits the schema: the top level without what is in its keys, each key, and each app.
fn parts(schema: &Value) -> Vec<(String, Cow<'_, Value>)> {
    let mut parts = vec![(String::new(), Cow::Owned(without_properties(schema)))];
    for (name, property) in properties(schema) {
        let pointer = format!("/{}", escaped(name));
        if name == "apps" {
            for (name, app) in properties(property) {
                parts.push((format!("{pointer}/{}", escaped(name)), Cow::Borrowed(app)));
            }
            parts.push((pointer, Cow::Owned(without_properties(property))));
        } else {
            parts.push((pointer, Cow::Borrowed(property)));
        }
    }
    parts
}

/// Copies the schema of an object so that it takes anything behind the keys it knows.
fn without_properties(schema: &Value) -> Value {
    let entries = schema.as_object().into_iter().flatten();
    let copied = entries.map(|(key, value)| {
        let known = || properties(schema).map(|(name, _)| (name.clone(), Value::Bool(true)));
        let value = match key.as_str() {
            "properties" => Value::Object(known().collect()),
            _ => value.clone(),
        };
        (key.clone(), value)
    });
    Value::Object(copied.collect())
}

/// A key as a step of a JSON pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Validates the value at a pointer by its own schema.
fn errors(
    own: &Value,
    value: &Value,
    prefix: &str,
    hidden: &[String],
    schema: &Schema,
    places: &Places,
) -> Vec<Diagnostic> {
    let validator = match validator(own) {
        Ok(validator) => validator,
        Err(reason) => {
            let message = format!("the schema of `{}` is not sound: {reason}", route(prefix));
            return vec![Diagnostic::error("bad-schema", message)];
        }
    };
    validator
        .iter_errors(value)
        .flat_map(|error| {
            let pointer = format!("{prefix}{}", error.instance_path());
            let secret = hidden
                .iter()
                .any(|secret| pointer.starts_with(secret.as_str()));
            describe(&error, &pointer, secret, schema.json(), places)
        })
        .collect()
}

fn describe(
    error: &ValidationError<'_>,
    pointer: &str,
    secret: bool,
    schema: &Value,
    places: &Places,
) -> Vec<Diagnostic> {
    let name = route(pointer);
    let given = match error.instance().as_ref() {
        _ if secret => "…".to_owned(),
        Value::String(text) if !matches!(error.kind(), ValidationErrorKind::Type { .. }) => {
            quoted(text)
        }
        other => shown(other),
    };
    let place = if secret {
        places.key(pointer)
    } else {
        places.value(pointer)
    };
    let at = |diagnostic: Diagnostic| diagnostic.at_place_if(place.as_ref());
    let here = schema_at(schema, pointer);
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
            .iter()
            .map(|key| unknown_key(key, pointer, here, places))
            .collect(),
        ValidationErrorKind::Required { property } => {
            vec![missing_key(property, pointer, here, places)]
        }
        ValidationErrorKind::Type { kind } => {
            let message = format!("`{name}` is {}, not {given}", expected(kind));
            vec![at(Diagnostic::error("wrong-type", message))]
        }
        ValidationErrorKind::Format { format } if format == "ipv4-cidr" => {
            vec![at(bad_range(&name, &given, error.instance()))]
        }
        ValidationErrorKind::Format { .. } => {
            let message = format!("`{name}` is an IPv4 address, and {given} is none");
            vec![at(with_example(
                Diagnostic::error("wrong-value", message),
                here,
            ))]
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<&str> = options
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let list = options
                .iter()
                .map(|one| format!("`{one}`"))
                .collect::<Vec<_>>()
                .join(", ");
            let diagnostic =
                Diagnostic::error("wrong-value", format!("`{name}` cannot be {given}"));
            let diagnostic = match error.instance().as_str() {
                Some(text) if !secret => diagnostic.with_suggestion(text, options.iter().copied()),
                _ => diagnostic,
            };
            vec![at(diagnostic.with_hint(format!("it is one of {list}")))]
        }
        ValidationErrorKind::Pattern { .. } => {
            let message = format!("`{name}` does not have the form it must have: {given}");
            vec![at(with_example(
                Diagnostic::error("wrong-value", message),
                here,
            ))]
        }
        _ => {
            let reason = if secret {
                error.masked().to_string()
            } else {
                error.to_string()
            };
            vec![at(with_example(
                Diagnostic::error("wrong-value", format!("`{name}`: {reason}")),
                here,
            ))]
        }
    }
}

fn unknown_key(key: &str, pointer: &str, schema: Option<&Value>, places: &Places) -> Diagnostic {
    let known: Vec<&str> = schema
        .into_iter()
        .flat_map(properties)
        .map(|(name, _)| name.as_str())
        .collect();
    let owner = if pointer.is_empty() {
        "the config".to_owned()
    } else {
        format!("`{}`", route(pointer))
    };
    let diagnostic = Diagnostic::error("unknown-key", format!("{owner} has no key `{key}`"))
        .with_suggestion(key, known.iter().copied());
    let list = known
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ");
    let place = places.key(&format!("{pointer}/{}", escaped(key)));
    diagnostic
        .with_hint(format!("it knows {list}"))
        .at_place_if(place.as_ref())
}

fn missing_key(
    property: &Value,
    pointer: &str,
    schema: Option<&Value>,
    places: &Places,
) -> Diagnostic {
    let key = property.as_str().unwrap_or_default();
    let below = schema.and_then(|schema| schema.pointer(&format!("/properties/{key}")));
    let message = format!("`{}` is missing", route(&format!("{pointer}/{key}")));
    let mut diagnostic = Diagnostic::error("missing-key", message);
    if let Some(place) = places.key(pointer).filter(|_| !pointer.is_empty()) {
        diagnostic = diagnostic.at_place(place, "needed in here");
    } else if let Some(place) = places.key("") {
        let start = crate::source::Span::new(place.span.start, place.span.start);
        diagnostic = diagnostic.at(&place.source, start, "needed in this file");
    }
    if let Some(text) = below
        .and_then(|below| below.get("description"))
        .and_then(Value::as_str)
    {
        diagnostic = diagnostic.with_hint(text);
    }
    with_example(diagnostic, below)
}

fn bad_range(name: &str, given: &str, value: &Value) -> Diagnostic {
    match value.as_str().and_then(Cidr::parse) {
        Some(cidr) => Diagnostic::error(
            "wrong-value",
            format!("`{name}` has bits set behind its prefix: {given}"),
        )
        .with_hint(format!("did you mean `{}`?", cidr.canonical())),
        None => Diagnostic::error(
            "wrong-value",
            format!("`{name}` is a range of IPv4 addresses, and {given} is none"),
        )
        .with_hint("write it like `192.168.1.0/24`"),
    }
}

fn with_example(diagnostic: Diagnostic, schema: Option<&Value>) -> Diagnostic {
    let example = schema.and_then(|schema| schema.get("examples")?.get(0));
    match example {
        Some(Value::String(text)) => diagnostic.with_hint(format!("for example {}", quoted(text))),
        Some(example) => diagnostic.with_hint(format!("for example {}", shown(example))),
        None => diagnostic,
    }
}

fn expected(kind: &TypeKind) -> String {
    let words: Vec<&str> = match kind {
        TypeKind::Single(one) => vec![type_word(one.as_str())],
        TypeKind::Multiple(all) => all
            .iter()
            .map(|one| type_word(one.as_str()))
            .filter(|word| *word != "unset")
            .collect(),
    };
    words.join(" or ")
}

fn type_word(name: &str) -> &'static str {
    match name {
        "array" => "a list",
        "boolean" => "`true` or `false`",
        "integer" => "a whole number",
        "number" => "a number",
        "object" => "a table of keys",
        "string" => "a string",
        _ => "unset",
    }
}

/// A value as a message shows it, long ones cut.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "unset".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a table of keys".to_owned(),
        other => quoted(&other.to_string()),
    }
}

/// A text in backticks, a long one cut.
fn quoted(text: &str) -> String {
    if text.chars().count() > 60 {
        format!("`{}…`", text.chars().take(60).collect::<String>())
    } else {
        format!("`{text}`")
    }
}

/// `/nodes/0/name` as `nodes[0].name`.
pub(super) fn route(pointer: &str) -> String {
    Route::from_pointer(pointer).to_string()
}

/// Returns the schema of the value at a pointer.
pub(super) fn schema_at<'s>(schema: &'s Value, pointer: &str) -> Option<&'s Value> {
    pointer.split('/').skip(1).try_fold(schema, |schema, step| {
        let step = step.replace("~1", "/").replace("~0", "~");
        schema
            .get("properties")
            .and_then(|properties| properties.get(&step))
            .or_else(|| schema.get("items"))
            .or_else(|| {
                schema
                    .get("additionalProperties")
                    .filter(|schema| schema.is_object())
            })
    })
}

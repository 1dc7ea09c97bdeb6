//! What is said of a config that is not of the form it must have.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;
use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use super::hidden::HiddenPlaces;
use super::shape::{MAC_SEPARATORS, SchemaViolation, is_mac_address, route};
use super::walk::ApplicableSchemas;
use crate::config::cluster::ConfigPlaces;
use crate::diagnostic::{self, Diagnostic};
use crate::source::shown_key;
use crate::validate::codes;
use crate::yaml::pointer_step;

/// How many unknown keys of one place are named one by one.
const MAX_ALIKE: usize = 20;

/// Words violations for the one who wrote the config; of what is hidden, no message shows anything.
pub(super) struct ViolationReport<'r> {
    /// The schemas for the whole config, with their words for people.
    pub(super) schemas: ApplicableSchemas<'r>,
    /// What no message shows.
    pub(super) hidden: &'r HiddenPlaces,
    /// Where each value was written; what is hidden is blotted out in the texts.
    pub(super) places: &'r ConfigPlaces,
}

impl ViolationReport<'_> {
    /// Turns a violation into diagnostics on what the user wrote.
    pub(super) fn diagnostics(&self, violation: &SchemaViolation) -> Vec<Diagnostic> {
        let pointer = &violation.pointer;
        let error = match &violation.error {
            Ok(error) => error,
            Err(reason) => {
                let message = format!("the schema of `{}` is not sound: {reason}", route(pointer));
                return vec![Diagnostic::error(&codes::BAD_SCHEMA, message)];
            }
        };
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                self.unknown_keys(unexpected, pointer)
            }
            ValidationErrorKind::Required { property } => vec![self.missing_key(property, pointer)],
            _ => vec![self.wrong_value(error, pointer)],
        }
    }

    fn wrong_value(&self, error: &ValidationError<'_>, pointer: &str) -> Diagnostic {
        let name = route(pointer);
        let instance = error.instance();
        let seen = (!self.hidden.covers(pointer)).then_some(instance.as_ref());
        let given = match seen {
            None => "…".to_owned(),
            Some(Value::String(text))
                if !matches!(error.kind(), ValidationErrorKind::Type { .. }) =>
            {
                quoted(text)
            }
            Some(other) => shown(other),
        };
        let here = self.schemas.at(pointer);
        let diagnostic = match error.kind() {
            ValidationErrorKind::Type { kind } => {
                let message = format!("`{name}` is {}, not {given}", expected(kind));
                Diagnostic::error(&codes::WRONG_TYPE, message)
            }
            ValidationErrorKind::Format { format } if format == "ipv4-cidr" => {
                bad_range(&name, &given, seen)
            }
            ValidationErrorKind::Format { format } => {
                let message = match format.as_str() {
                    "ipv4" => format!("`{name}` is an IPv4 address, and {given} is none"),
                    _ => format!("`{name}` is of the format `{format}`, and {given} is not"),
                };
                with_example(Diagnostic::error(&codes::WRONG_VALUE, message), &here)
            }
            ValidationErrorKind::Enum { options } => bad_choice(&name, &given, seen, options),
            ValidationErrorKind::Pattern { .. } if is_mac_address(&here) => {
                bad_mac_address(&name, &given, seen)
            }
            ValidationErrorKind::Pattern { .. } => {
                let message = format!("`{name}` does not have the form it must have: {given}");
                with_example(Diagnostic::error(&codes::WRONG_VALUE, message), &here)
            }
            _ => {
                // A list or table is not shown whole: what is secret in it need not stand where its schema looks.
                let scalar = seen.is_some_and(|value| !value.is_array() && !value.is_object());
                let reason = if scalar {
                    error.to_string()
                } else {
                    error.masked().to_string()
                };
                let message = format!("`{name}`: {reason}");
                with_example(Diagnostic::error(&codes::WRONG_VALUE, message), &here)
            }
        };
        let place = if self.hidden.covers(pointer) {
            self.places.key(pointer)
        } else {
            self.places.value(pointer)
        };
        diagnostic.at_place_if(place.as_ref())
    }

    /// Names the first keys that are unknown in one place, and counts the others.
    fn unknown_keys(&self, keys: &[String], pointer: &str) -> Vec<Diagnostic> {
        let here = self.schemas.at(pointer);
        let mut known: Vec<&str> = Vec::new();
        let mut seen = BTreeSet::new();
        for (name, _) in here.properties() {
            if seen.insert(name.as_str()) {
                known.push(name);
            }
        }
        let owner = if pointer.is_empty() {
            "the config".to_owned()
        } else {
            format!("`{}`", route(pointer))
        };
        let place = |key: &str| {
            let pointer = format!("{pointer}/{}", pointer_step(key));
            self.places.key(&pointer)
        };
        let (named, counted) = keys.split_at(keys.len().min(MAX_ALIKE));
        let named = named.iter().map(|key| {
            let message = format!("{owner} has no key `{}`", shown_key(key));
            Diagnostic::error(&diagnostic::codes::UNKNOWN_KEY, message)
                .with_suggestion(key, known.iter().copied())
                .with_hint(format!("it knows {}", listed(&known)))
                .at_place_if(place(key).as_ref())
        });
        let counted = counted.first().map(|first| {
            let message = format!(
                "{owner} does not have {} more keys, from here on",
                counted.len()
            );
            Diagnostic::error(&diagnostic::codes::UNKNOWN_KEY, message)
                .at_place_if(place(first).as_ref())
        });
        named.chain(counted).collect()
    }

    fn missing_key(&self, property: &Value, pointer: &str) -> Diagnostic {
        let key = property.as_str().unwrap_or_default();
        let missing = format!("{pointer}/{}", pointer_step(key));
        let below = self.schemas.at(&missing);
        let message = format!("`{}` is missing", route(&missing));
        let mut diagnostic = Diagnostic::error(&codes::MISSING_KEY, message);
        if let Some(place) = self.places.key(pointer).filter(|_| !pointer.is_empty()) {
            diagnostic = diagnostic.at_place(place, "needed in here");
        } else if let Some(place) = self.places.key("") {
            let start = crate::source::Span::new(place.span.start, place.span.start);
            diagnostic = diagnostic.at(&place.source, start, "needed in this file");
        }
        let description = below
            .all()
            .find_map(|schema| schema.get("description")?.as_str());
        if let Some(text) = description {
            diagnostic = diagnostic.with_hint(text);
        }
        with_example(diagnostic, &below)
    }
}

fn bad_choice(name: &str, given: &str, seen: Option<&Value>, options: &Value) -> Diagnostic {
    let options = options.as_array().into_iter().flatten();
    let options: Vec<&str> = options.filter_map(Value::as_str).collect();
    let diagnostic = Diagnostic::error(&codes::WRONG_VALUE, format!("`{name}` cannot be {given}"));
    let diagnostic = match seen.and_then(Value::as_str) {
        Some(text) => diagnostic.with_suggestion(text, options.iter().copied()),
        None => diagnostic,
    };
    diagnostic.with_hint(format!("it is one of {}", listed(&options)))
}

fn listed(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn bad_range(name: &str, given: &str, value: Option<&Value>) -> Diagnostic {
    let text = value.and_then(Value::as_str);
    match text.and_then(|text| text.parse::<Ipv4Net>().ok()) {
        Some(network) => Diagnostic::error(
            &codes::WRONG_VALUE,
            format!("`{name}` has bits set behind its prefix: {given}"),
        )
        .with_hint(format!("did you mean `{}`?", network.trunc())),
        None => Diagnostic::error(
            &codes::WRONG_VALUE,
            format!("`{name}` is a range of IPv4 addresses, and {given} is none"),
        )
        .with_hint("write it like `192.168.1.0/24`"),
    }
}

fn bad_mac_address(name: &str, given: &str, seen: Option<&Value>) -> Diagnostic {
    let text = seen.and_then(Value::as_str);
    let reason = text.map_or_else(String::new, |text| {
        let mut digits = text.chars().filter(|c| !MAC_SEPARATORS.contains(c));
        let count = digits.clone().count();
        match digits.find(|c| !c.is_ascii_hexdigit()) {
            Some(other) => format!(": {} is no hexadecimal digit", quoted(&other.to_string())),
            None if count != 12 => format!(": it has {count} digits, and not 12"),
            None => ": its separators do not stand where they should".to_owned(),
        }
    });
    let message = format!("`{name}` is a MAC address, and {given} is none{reason}");
    Diagnostic::error(&codes::WRONG_VALUE, message).with_hint(
        "write the twelve hexadecimal digits in pairs, with colons or dashes between them, or in fours with dots",
    )
}

/// Adds an example of what the schemas for a place ask for.
fn with_example(diagnostic: Diagnostic, schemas: &ApplicableSchemas<'_>) -> Diagnostic {
    let example = schemas
        .all()
        .find_map(|schema| schema.get("examples")?.get(0));
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

//! Types: what JSON Schema says of a config.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::OnceLock;

use ipnet::Ipv4Net;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError, Validator};
use rayon::prelude::*;
use serde_json::{Map, Value};

use super::Schema;
use super::defaults;
use super::references;
use super::walk::{ApplicableSchemas, named_properties, visit_mut};
use crate::source::shown_key;
use crate::yaml::{Route, Step, lies_in, pointer_step};

pub(super) fn validator(schema: &Value) -> Result<Validator, String> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .with_format("ipv4", |text| text.parse::<Ipv4Addr>().is_ok())
        .with_format("ipv4-cidr", |text| {
            text.parse::<Ipv4Net>()
                .is_ok_and(|network| network == network.trunc())
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
pub(super) fn unset_empty(schemas: &ApplicableSchemas<'_>, value: &mut Value) {
    visit_mut(schemas, value, &mut |schemas, value| {
        if value.as_str() == Some("") && schemas.takes_type("null") {
            *value = Value::Null;
        }
    });
}

/// Takes a table or a list with nothing below it for what it is: not set where that has a default, and empty elsewhere.
pub(super) fn empty_sections(schemas: &ApplicableSchemas<'_>, value: &mut Value) {
    visit_mut(schemas, value, &mut |schemas, value| {
        let Some(entries) = value.as_object_mut() else {
            return;
        };
        entries.retain(|key, value| {
            if !value.is_null() {
                return true;
            }
            let own = schemas.property(key);
            let empty = match (own.takes_type("object"), own.takes_type("array")) {
                _ if own.takes_type("null") => return true,
                (true, false) => Value::Object(Map::new()),
                (false, true) => Value::Array(Vec::new()),
                _ => return true,
            };
            *value = empty;
            !defaults::has_default(&own)
        });
    });
}

/// Turns numbers into strings where the schema takes both, and MAC addresses into the form that Talos compares, so that
/// templates see one type and one spelling.
pub(super) fn normalise(schemas: &ApplicableSchemas<'_>, value: &mut Value) {
    visit_mut(schemas, value, &mut |schemas, value| {
        if value.is_number() && schemas.takes_type("string") {
            *value = Value::String(value.to_string());
        }
        if let Value::String(text) = value
            && is_mac_address(schemas)
            && let Some(address) = canonical_mac_address(text)
        {
            *text = address;
        }
    });
}

/// Returns whether a schema says that the value is a MAC address.
pub(super) fn is_mac_address(schemas: &ApplicableSchemas<'_>) -> bool {
    let mut formats = schemas.all().filter_map(|schema| schema.get("format"));
    formats.any(|format| format == "mac-address")
}

/// Writes a MAC address in lower case with colons; `None` if it has not twelve digits.
fn canonical_mac_address(text: &str) -> Option<String> {
    let digits: Vec<char> = text
        .chars()
        .filter(|c| !MAC_SEPARATORS.contains(c))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let sound = digits.len() == 12 && digits.iter().all(char::is_ascii_hexdigit);
    let pairs = || digits.chunks(2).map(|pair| pair.iter().collect::<String>());
    sound.then(|| pairs().collect::<Vec<_>>().join(":"))
}

/// What stands between the digits of a MAC address: of Linux and Talos, of Windows, of Cisco.
pub(super) const MAC_SEPARATORS: [char; 3] = [':', '-', '.'];

/// Where a config is not of the form that it must have.
pub(super) struct SchemaViolation {
    /// The pointer of the value that is wrong.
    pub(super) pointer: String,
    /// What is wrong with it, or with the schema.
    pub(super) error: Result<ValidationError<'static>, String>,
}

impl SchemaViolation {
    /// Returns whether it is about a value that is made up, or about forms that such a value decides between.
    pub(super) fn is_of_made_up(&self, made_up: &BTreeMap<String, String>) -> bool {
        let Ok(error) = &self.error else {
            return false;
        };
        let decides = matches!(
            error.kind(),
            ValidationErrorKind::AnyOf { .. }
                | ValidationErrorKind::OneOfNotValid { .. }
                | ValidationErrorKind::OneOfMultipleValid { .. }
                | ValidationErrorKind::Not { .. }
                | ValidationErrorKind::UniqueItems
                | ValidationErrorKind::Contains
        );
        made_up.keys().any(|pointer| {
            lies_in(&self.pointer, pointer) || (decides && lies_in(pointer, &self.pointer))
        })
    }

    /// Returns whether a part of the core is missing, or something else stands there: templates cannot do without it.
    pub(super) fn breaks_core(&self) -> bool {
        let is_structural = self.error.as_ref().is_ok_and(|error| {
            matches!(
                error.kind(),
                ValidationErrorKind::Type { .. } | ValidationErrorKind::Required { .. }
            )
        });
        is_structural && !lies_in(&self.pointer, "/apps")
    }

    /// Lists the pointers of values behind keys that are none.
    pub(super) fn unknown_keys(&self) -> Vec<String> {
        let keys = match self.error.as_ref().map(ValidationError::kind) {
            Ok(
                ValidationErrorKind::AdditionalProperties { unexpected }
                | ValidationErrorKind::UnevaluatedProperties { unexpected },
            ) => unexpected.clone(),
            Ok(ValidationErrorKind::PropertyNames { error }) => {
                let key = error.instance();
                key.as_str().map(str::to_owned).into_iter().collect()
            }
            _ => Vec::new(),
        };
        let pointers = keys.iter();
        pointers
            .map(|key| format!("{}/{}", self.pointer, pointer_step(key)))
            .collect()
    }
}

/// Validates types.
///
/// Building a validator costs more than running it, and most options are left alone: the schema of a
/// top-level key or an app is built only when the config has something there, and side by side.
pub(super) fn violations(schema: &Schema, value: &Value) -> Vec<SchemaViolation> {
    let parts = parts(&schema.terse);
    let validators = schema.validators.for_parts(parts.len());
    let part = |((pointer, own), validator): ((String, Cow<'_, Value>), &PartValidator)| {
        let value = value.pointer(&pointer)?;
        let validator = validator.get_or_init(|| {
            if schema.refers && references::refers(&own) {
                self::validator(&references::bundled(&own, &schema.terse))
            } else {
                self::validator(&own)
            }
        });
        Some(part_violations(validator, value, &pointer))
    };
    let found = parts.into_par_iter().zip(validators).filter_map(part);
    found.collect::<Vec<_>>().into_iter().flatten().collect()
}

/// The validator of a part of the schema, built when a value is there; or what is wrong with the part.
type PartValidator = OnceLock<Result<Validator, String>>;

/// The validators of the parts of a schema, each built once: a config is validated again with what apps ask for.
#[derive(Debug, Default)]
pub(super) struct PartValidators(OnceLock<Vec<PartValidator>>);

impl PartValidators {
    fn for_parts(&self, count: usize) -> &[PartValidator] {
        self.0
            .get_or_init(|| (0..count).map(|_| PartValidator::new()).collect())
    }
}

/// Splits the schema: the top level without what is in its keys, each key, and each app.
fn parts(schema: &Value) -> Vec<(String, Cow<'_, Value>)> {
    let mut parts = vec![(String::new(), Cow::Owned(without_properties(schema)))];
    for (name, property) in named_properties(schema) {
        let pointer = format!("/{}", pointer_step(name));
        if name == "apps" {
            for (name, app) in named_properties(property) {
                parts.push((
                    format!("{pointer}/{}", pointer_step(name)),
                    Cow::Borrowed(app),
                ));
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
        let known = || named_properties(schema).map(|(name, _)| (name.clone(), Value::Bool(true)));
        let value = match key.as_str() {
            "properties" => Value::Object(known().collect()),
            _ => value.clone(),
        };
        (key.clone(), value)
    });
    Value::Object(copied.collect())
}

/// Validates the value at a pointer by its own schema.
fn part_violations(
    validator: &Result<Validator, String>,
    value: &Value,
    prefix: &str,
) -> Vec<SchemaViolation> {
    let validator = match validator {
        Ok(validator) => validator,
        Err(reason) => {
            return vec![SchemaViolation {
                pointer: prefix.to_owned(),
                error: Err(reason.clone()),
            }];
        }
    };
    let errors = validator.iter_errors(value).map(|error| SchemaViolation {
        pointer: format!("{prefix}{}", error.instance_path()),
        error: Ok(error.to_owned()),
    });
    errors.collect()
}

/// `/nodes/0/name` as `nodes[0].name`; a step that may be a value in the place of a key is not shown.
pub(super) fn route(pointer: &str) -> String {
    let mut route = Route::from_pointer(pointer);
    for step in &mut route.0 {
        if let Step::Key(key) = step {
            *key = shown_key(key).to_owned();
        }
    }
    route.to_string()
}

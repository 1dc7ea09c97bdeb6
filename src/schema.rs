//! Validates the config: types by JSON Schema, rules by CEL, defaults filled in.
//!
//! The schema is the one source of truth. Besides JSON Schema 2020-12 it speaks three words of ours:
//! `x-kiln-default` (a CEL expression for a computed default), `x-kubernetes-validations` (rules as in
//! CRDs) and `writeOnly: true` (a secret). In CEL, `self` is the object that the word stands on and
//! `config` the whole config; `schema/functions.rs` lists the functions for networks.

mod address;
mod codes;
mod defaults;
mod functions;
mod pointer;
mod rules;
mod shape;
mod uniqueness;

pub use codes::CODES;

use std::collections::BTreeSet;

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use crate::config::model::{Cluster, Merged, Places};
use crate::diagnostic::{Diagnostic, StageResult, Warned};
use crate::secret::Secrets;

/// The schema of a project's config, ready to validate.
#[derive(Debug)]
pub struct Schema {
    json: Value,
    /// The apps whose rules hold for their defaults, whatever else is in the config.
    proved: BTreeSet<String>,
}

impl Schema {
    /// Returns the schema as JSON.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// Says of apps that a test proves their defaults: their rules are not asked where the config leaves them at
    /// those. Those with a rule that looks beyond the app are asked all the same.
    #[must_use]
    pub fn proved<'n>(mut self, apps: impl IntoIterator<Item = &'n str>) -> Self {
        let schemas = &self.json["properties"]["apps"]["properties"];
        let alone = |name: &&str| !rules::look_beyond(&schemas[*name]);
        self.proved = apps.into_iter().filter(alone).map(str::to_owned).collect();
        self
    }

    /// Lists the apps that the config leaves at defaults which are proved.
    fn untouched(&self, places: &Places) -> BTreeSet<&str> {
        let proved = self.proved.iter().map(String::as_str);
        proved
            .filter(|name| !places.contains(&format!("/apps/{name}")))
            .collect()
    }
}

/// Composes the core's schema with the schema of each app, under `apps`.
pub fn compose(base: &str, apps: &[(String, String)]) -> Result<Schema, Vec<Diagnostic>> {
    let mut json = parse("schemas/cluster.schema.json", base)?;
    let mut properties = Map::new();
    let mut problems = Vec::new();
    let parsed: Vec<_> = apps
        .par_iter()
        .map(|(name, text)| parse(&format!("schemas/apps/{name}.schema.json"), text))
        .collect();
    for ((name, _), parsed) in apps.iter().zip(parsed) {
        match parsed {
            Ok(mut schema) => {
                if let Some(object) = schema.as_object_mut() {
                    object.remove("$schema");
                    object.entry("default").or_insert_with(|| json!({}));
                }
                properties.insert(name.clone(), schema);
            }
            Err(found) => problems.extend(found),
        }
    }
    if let Some(slot) = json.pointer_mut("/properties/apps/properties") {
        *slot = Value::Object(properties);
    }
    if problems.is_empty() {
        Ok(Schema {
            json,
            proved: BTreeSet::new(),
        })
    } else {
        Err(problems)
    }
}

fn parse(path: &str, text: &str) -> Result<Value, Vec<Diagnostic>> {
    serde_json::from_str(text).map_err(|error| {
        vec![Diagnostic::error(
            "bad-schema",
            format!("`{path}` is not JSON: {error}"),
        )]
    })
}

/// Validates a config and fills in its defaults; reports every problem at once.
///
/// An empty string counts as unset where the schema allows null. Rules run on what is sound even when
/// other parts are not.
pub fn validate(merged: Merged, schema: &Schema) -> StageResult<Cluster> {
    let Merged {
        mut value,
        mut places,
        mut secrets,
    } = merged;
    shape::unset_empty(&schema.json, &mut value);
    let hidden = shape::secrets(&schema.json, &value);
    for pointer in &hidden {
        places.mask(pointer);
        note_secret(&value, pointer, &mut secrets);
    }
    let mut problems = shape::problems(schema, &value, &hidden, &places);
    let broken = problems.iter().any(Diagnostic::is_error);
    defaults::fill(&schema.json, &mut value);
    let untouched = schema.untouched(&places);
    problems.extend(defaults::compute(&schema.json, &mut value, broken));
    shape::normalise(&schema.json, &mut value);
    problems.extend(rules::problems(
        &schema.json,
        &value,
        &places,
        broken,
        &untouched,
    ));
    problems.extend(uniqueness::problems(&value, &places));
    problems.sort_by_cached_key(|problem| {
        problem
            .primary
            .as_ref()
            .map(|label| (label.place.source.path.clone(), label.place.span))
    });
    if problems.iter().any(Diagnostic::is_error) {
        return Err(problems);
    }
    match serde_json::from_value(value.clone()) {
        Ok(model) => Warned::unless_errors(
            Cluster {
                model,
                values: value,
                places,
                secrets,
            },
            problems,
        ),
        Err(_) => Err(vec![Diagnostic::error(
            "schema-model",
            "the schema accepts a config that Kiln's own types do not; please report this as a bug",
        )]),
    }
}

fn note_secret(value: &Value, pointer: &str, secrets: &mut Secrets) {
    if let Some(text) = value.pointer(pointer).and_then(Value::as_str) {
        secrets.insert(text, pointer.trim_start_matches('/').replace('/', "."));
    }
}

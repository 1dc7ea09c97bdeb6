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
mod stand_ins;
mod uniqueness;

pub use codes::CODES;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::OnceLock;

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use crate::config::model::{Cluster, Merged, Places};
use crate::diagnostic::{Diagnostic, StageResult, Warned};
use crate::secret::Secrets;
use crate::yaml;
use functions::Evaluator;

/// The schema of the core, or of an app, as a file has it.
#[derive(Debug)]
pub struct Text {
    /// The JSON.
    pub text: Cow<'static, str>,
    /// The same packed, for [`yaml::unpack_json`]; without the words for people, which validation does not ask for.
    pub packed: Option<&'static [u8]>,
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self {
            text: Cow::Owned(text),
            packed: None,
        }
    }
}

/// The schema of a project's config, ready to validate.
#[derive(Debug)]
pub struct Schema {
    base: Text,
    apps: Vec<(String, Text)>,
    /// What validation asks for.
    terse: Value,
    full: OnceLock<Value>,
    /// The apps whose rules hold for their defaults, whatever else is in the config.
    proved: BTreeSet<String>,
}

impl Schema {
    /// Returns the schema as JSON, with all that it says to people.
    pub fn json(&self) -> &Value {
        self.full.get_or_init(|| {
            // Whatever was packed is JSON; the rest was parsed before.
            let parts = parts(&self.base, &self.apps, |path, text| parse(path, &text.text));
            parts.unwrap_or_else(|_| self.terse.clone())
        })
    }

    /// Returns the sub-schemas that hold for the value at a pointer.
    pub fn at(&self, pointer: &str) -> Vec<&Value> {
        shape::schema_at(self.json(), pointer).into_iter().collect()
    }

    /// Says of apps that a test proves their defaults: their rules are not asked where the config leaves them at
    /// those. Those with a rule that looks beyond the app are asked all the same.
    #[must_use]
    pub fn proved(mut self, catalogue: &BTreeSet<String>) -> Self {
        let schemas = &self.terse["properties"]["apps"]["properties"];
        let apps = self.apps.iter().filter(|(name, text)| {
            let alone = !text.text.contains("config") || !rules::look_beyond(&schemas[name]);
            alone && catalogue.contains(name)
        });
        self.proved = apps.map(|(name, _)| name.clone()).collect();
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

/// Builds what every validation needs, whatever the schema: ahead of the first one, on a thread with nothing
/// better to do.
pub fn warm_up() {
    shape::warm_up();
}

/// Composes the core's schema with the schema of each app, under `apps`.
pub fn compose(
    base: impl Into<Text>,
    apps: Vec<(String, Text)>,
) -> Result<Schema, Vec<Diagnostic>> {
    let base = base.into();
    let terse = parts(&base, &apps, |path, text| {
        let unpacked = text.packed.and_then(yaml::unpack_json);
        unpacked.map_or_else(|| parse(path, &text.text), Ok)
    })?;
    Ok(Schema {
        base,
        apps,
        terse,
        full: OnceLock::new(),
        proved: BTreeSet::new(),
    })
}

/// Reads the schemas and puts those of the apps into the core's.
fn parts(
    base: &Text,
    apps: &[(String, Text)],
    read: impl Fn(&str, &Text) -> Result<Value, Vec<Diagnostic>> + Sync,
) -> Result<Value, Vec<Diagnostic>> {
    let mut json = read("schemas/cluster.schema.json", base)?;
    let mut properties = Map::new();
    let mut problems = Vec::new();
    let read: Vec<_> = apps
        .par_iter()
        .map(|(name, text)| read(&format!("schemas/apps/{name}.schema.json"), text))
        .collect();
    for ((name, _), read) in apps.iter().zip(read) {
        match read {
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
        Ok(json)
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
        mut secret_pointers,
        secret_files,
        made_up,
    } = merged;
    for (pointer, seed) in &made_up {
        make_up(schema, &mut value, pointer, seed);
    }
    shape::unset_empty(&schema.terse, &mut value);
    secret_pointers.extend(shape::secrets(&schema.terse, &value));
    let hidden: Vec<String> = secret_pointers.iter().cloned().collect();
    for pointer in &hidden {
        places.mask(pointer);
        note_secret(&value, pointer, &mut secrets);
    }
    let given = value.clone();
    let mut problems = shape::problems(schema, &value, &hidden, &places);
    let broken = problems.iter().any(Diagnostic::is_error);
    defaults::fill(&schema.terse, &mut value);
    let untouched = schema.untouched(&places);
    let evaluator = Evaluator::new();
    problems.extend(defaults::compute(
        &schema.terse,
        &mut value,
        broken,
        &evaluator,
    ));
    shape::normalise(&schema.terse, &mut value);
    problems.extend(rules::problems(
        &schema.terse,
        &value,
        &places,
        broken,
        &untouched,
        &evaluator,
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
                secret_pointers,
                secret_files,
                made_up,
                given,
            },
            problems,
        ),
        Err(_) => Err(vec![Diagnostic::error(
            "schema-model",
            "the schema accepts a config that Kiln's own types do not; please report this as a bug",
        )]),
    }
}

/// Puts a made-up value where nothing here knows the real one.
fn make_up(schema: &Schema, value: &mut Value, pointer: &str, seed: &str) {
    let made_up = stand_ins::make_up(&schema.at(pointer), seed);
    if let Some(slot) = value.pointer_mut(pointer) {
        *slot = made_up;
    }
}

/// Returns the values of a config as they are, defaults included, when those at some pointers are others.
///
/// Rules are not asked: the other values are of the same types and lengths, and nothing is made of them but another
/// rendering.
pub fn other_values<'p>(
    cluster: &Cluster,
    schema: &Schema,
    pointers: impl IntoIterator<Item = &'p str>,
) -> Value {
    let mut value = cluster.given.clone();
    for pointer in pointers {
        if let Some(slot) = value.pointer_mut(pointer) {
            *slot = stand_ins::replace(slot, pointer, &|pointer| schema.at(pointer));
        }
    }
    let evaluator = Evaluator::new();
    defaults::fill(&schema.terse, &mut value);
    // A default that cannot be computed from other values is missing, which shows where it is used.
    drop(defaults::compute(
        &schema.terse,
        &mut value,
        true,
        &evaluator,
    ));
    shape::normalise(&schema.terse, &mut value);
    value
}

fn note_secret(value: &Value, pointer: &str, secrets: &mut Secrets) {
    if let Some(text) = value.pointer(pointer).and_then(Value::as_str) {
        secrets.insert(text, pointer.trim_start_matches('/').replace('/', "."));
    }
}

//! Validates the config: types by JSON Schema, rules by CEL, defaults filled in.
//!
//! The schema is the one source of truth. Besides JSON Schema 2020-12 it speaks three words of ours:
//! `x-kiln-default` (a CEL expression for a computed default), `x-kubernetes-validations` (rules as in
//! CRDs) and `writeOnly: true` (a secret). In CEL, `self` is the object that the word stands on and
//! `config` the whole config; `schema/functions.rs` lists the functions for networks.
//!
//! Which schemas speak of which place, `schema/walk.rs` alone knows; a word that it would not come by where it could
//! be honoured is refused by `schema/vocabulary.rs`.

mod address;
mod address_range;
pub mod codes;
mod defaults;
mod editor;
mod functions;
mod hidden;
mod keyword;
mod pointer;
mod reading;
mod references;
mod rules;
mod shape;
mod shared_definitions;
mod stand_ins;
mod uniqueness;
mod violation;
mod vocabulary;
mod walk;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use crate::config::cluster::versions::VersionTable;
use crate::config::cluster::{Cluster, ConfigPlaces, Merged};
use crate::diagnostic::{self, Diagnostic, StageResult, Warned};
use crate::yaml::pointer_step;
use functions::Evaluator;
use hidden::HiddenPlaces;
use rules::RuleRunner;
use shape::SchemaViolation;
use violation::ViolationReport;
use walk::{ApplicableSchemas, KeyPatterns};

/// The schema of the core, or of an app, as a file has it.
#[derive(Debug)]
pub struct SchemaText {
    /// The JSON.
    pub text: Cow<'static, str>,
    /// The same packed, for [`crate::yaml::unpack_json`]; without the words for people, which validation does not ask for.
    pub packed: Option<&'static [u8]>,
}

impl From<String> for SchemaText {
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
    base: SchemaText,
    apps: Vec<(String, SchemaText)>,
    /// What validation asks for.
    terse: Value,
    full: OnceLock<Value>,
    /// Whether a part of it refers to another.
    refers: bool,
    patterns: KeyPatterns,
    validators: shape::PartValidators,
}

impl Schema {
    /// Returns the schema as JSON, with all that it says to people.
    pub fn json(&self) -> &Value {
        self.full.get_or_init(|| {
            // Whatever was packed is JSON; the rest was parsed before.
            let parts = parts(&self.base, &self.apps, reading::read_again);
            parts.unwrap_or_else(|_| self.terse.clone())
        })
    }

    /// Returns the schema as editors need it, which complete and check one file at a time.
    ///
    /// References are valid by it, a key at the top that another file may hold is not missing, and each default in it can be
    /// inserted as it is; rules in CEL and computed defaults are for Kiln alone.
    pub fn for_editors(&self) -> Value {
        editor::for_editors(self.json().clone())
    }

    /// Lists the schemas that speak of the value at a JSON pointer (RFC 6901), without their words for people: an outer one
    /// before those that it refers to or holds.
    ///
    /// Every branch is among them, whether or not a value is of its form.
    pub fn at(&self, pointer: &str) -> Vec<&Value> {
        self.applicable().at(pointer).all().collect()
    }

    fn applicable(&self) -> ApplicableSchemas<'_> {
        ApplicableSchemas::root(&self.terse, &self.patterns)
    }
}

/// Builds what every validation needs, whatever the schema: ahead of the first one, on a thread with nothing
/// better to do.
pub fn warm_up() {
    shape::warm_up();
}

/// Composes the core's schema with the schema of each app, under `apps`.
pub fn compose(
    base: impl Into<SchemaText>,
    apps: Vec<(String, SchemaText)>,
) -> Result<Schema, Vec<Diagnostic>> {
    let base = base.into();
    let terse = parts(&base, &apps, reading::read_schema)?;
    Ok(Schema {
        base,
        apps,
        refers: references::refers(&terse),
        patterns: KeyPatterns::default(),
        validators: shape::PartValidators::default(),
        terse,
        full: OnceLock::new(),
    })
}

/// Reads the schemas and puts those of the apps into the core's.
fn parts(
    base: &SchemaText,
    apps: &[(String, SchemaText)],
    read: impl Fn(&str, &SchemaText, Option<&Value>) -> Result<Value, Vec<Diagnostic>> + Sync,
) -> Result<Value, Vec<Diagnostic>> {
    let mut json = read("schemas/cluster.schema.json", base, None)?;
    let shared = json.get("$defs").unwrap_or(&Value::Null);
    let mut properties = Map::new();
    let mut problems = Vec::new();
    let read: Vec<_> = apps
        .par_iter()
        .map(|(name, text)| {
            let path = format!("schemas/apps/{name}.schema.json");
            read(&path, text, Some(shared))
        })
        .collect();
    for ((name, _), read) in apps.iter().zip(read) {
        match read {
            Ok(mut schema) => {
                let place = format!("/properties/apps/properties/{}", pointer_step(name));
                references::rebase(&mut schema, &place);
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

/// Validates a config and fills in its defaults; reports every problem at once.
///
/// An empty string counts as unset where the schema allows null. Rules run on what is sound even when
/// other parts are not. Of a value that is secret by the schema or by where it came from, no diagnostic shows anything.
pub fn validate(merged: Merged, schema: &Schema) -> StageResult<Cluster> {
    let Merged {
        mut value,
        mut places,
        mut secrets,
        secret_pointers,
        secret_files,
        made_up,
        public,
        readings,
    } = merged;
    for (pointer, seed) in &made_up {
        make_up(schema, &mut value, pointer, seed);
    }
    let schemas = schema.applicable();
    shape::empty_sections(&schemas, &mut value);
    shape::unset_empty(&schemas, &mut value);
    let given = value.clone();
    // Nothing is known of a made-up value, so that nothing can be wrong with it.
    let (of_made_up, violations): (Vec<_>, Vec<_>) = shape::violations(schema, &value)
        .into_iter()
        .partition(|violation| violation.is_of_made_up(&made_up));
    let mut hidden = hidden_from_messages(schema, &value, &secret_pointers, &violations);
    hidden.extend(places.folded().map(str::to_owned));
    places.show(|pointer| hidden.covers(pointer));
    let readings = readings.iter();
    let mut problems: Vec<Diagnostic> = readings
        .map(|reading| reading.warning(&places, !hidden.covers(&reading.pointer)))
        .collect();
    problems.extend(shape_problems(schema, &violations, &hidden, &places));
    let broken = problems.iter().any(Diagnostic::is_error);
    problems.extend(defaults::fill(&schemas, &mut value));
    let evaluator = Evaluator::new();
    problems.extend(defaults::compute(&schemas, &mut value, broken, &evaluator));
    shape::normalise(&schemas, &mut value);
    // Again, as defaults may have filled in secrets.
    let secret = HiddenPlaces::secrets(&schemas, &value, &secret_pointers);
    secret.note(&value, &mut secrets);
    hidden.extend(secret.iter().map(str::to_owned));
    let rules = RuleRunner {
        evaluator: &evaluator,
        config: &value,
        places: &places,
        hidden: &hidden,
        broken,
        made_up: &made_up,
    };
    problems.extend(rules.problems(&schemas));
    problems.extend(uniqueness::problems(&value, &places, &hidden, &made_up));
    problems.sort_by_cached_key(|problem| {
        problem
            .primary
            .as_ref()
            .map(|label| (label.place.source.path.clone(), label.place.span))
    });
    if problems.iter().any(Diagnostic::is_error) {
        return Err(problems);
    }
    if of_made_up.iter().any(SchemaViolation::breaks_core) {
        return Err(vec![not_to_be_made_up(&made_up)]);
    }
    let cluster = Cluster {
        values: value,
        places,
        secrets,
        secret_pointers: secret.into_pointers().collect(),
        secret_files,
        made_up,
        public,
        given,
        versions: VersionTable::default(),
    };
    Ok(Warned {
        value: cluster,
        warnings: problems,
    })
}

/// Warns of secrets of which the schema takes no other value: rendering with another one tells nothing of them.
///
/// `others` are the values as [`other_values`] gives them for all secrets.
pub fn warn_of_unproved(cluster: &Cluster, others: &Value) -> Vec<Diagnostic> {
    let is_same = |pointer: &&String| {
        let own = cluster.given.pointer(pointer);
        own.is_some_and(|own| tells_something(own) && others.pointer(pointer) == Some(own))
    };
    let unproved = cluster.secret_pointers.iter().filter(is_same);
    let warning = |pointer: &String| {
        let message = format!(
            "nobody can tell where the secret `{}` goes: its schema takes no other value of its kind",
            shape::route(pointer)
        );
        let place = cluster.places.key(pointer);
        Diagnostic::warning(&codes::SECRET_UNPROVED, message)
            .at_place_if(place.as_ref())
            .with_hint(
                "loosen what the schema asks of it, or give the schema another value in `examples`",
            )
    };
    unproved.map(warning).collect()
}

/// Returns whether a value has a scalar in it that another could take the place of.
fn tells_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => items.iter().any(tells_something),
        Value::Object(entries) => entries.values().any(tells_something),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Says that the config needs a value which is not at hand.
fn not_to_be_made_up(made_up: &BTreeMap<String, String>) -> Diagnostic {
    let names = made_up
        .keys()
        .map(|pointer| format!("`{}`", shape::route(pointer)));
    let message = format!(
        "without the real values of {}, nothing can be told of this config",
        names.collect::<Vec<_>>().join(", ")
    );
    Diagnostic::error(&diagnostic::codes::MISSING_IDENTITY, message).with_hint(
        "run this where the age key and the variables are at hand; `kiln diff` uses them with `--with-keys`",
    )
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
    let mut done: BTreeSet<&str> = BTreeSet::new();
    for pointer in pointers {
        // What lies in a place that is replaced is replaced with it.
        if steps_above(pointer).any(|outer| done.contains(outer)) {
            continue;
        }
        if let Some(slot) = value.pointer_mut(pointer) {
            *slot = stand_ins::replace(slot, pointer, &|pointer| schema.at(pointer));
        }
        done.insert(pointer);
    }
    let evaluator = Evaluator::new();
    let schemas = schema.applicable();
    // A default that cannot be computed from other values is missing, which shows where it is used.
    drop(defaults::fill(&schemas, &mut value));
    drop(defaults::compute(&schemas, &mut value, true, &evaluator));
    shape::normalise(&schemas, &mut value);
    value
}

/// Lists a pointer and those that it lies in, the root last.
fn steps_above(pointer: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(pointer), |pointer| {
        Some(&pointer[..pointer.rfind('/')?])
    })
}

/// Finds what no message shows: secrets, what looks like one, and what no schema knows.
fn hidden_from_messages(
    schema: &Schema,
    value: &Value,
    secret_pointers: &BTreeSet<String>,
    violations: &[SchemaViolation],
) -> HiddenPlaces {
    let schemas = schema.applicable();
    let mut hidden = HiddenPlaces::secrets(&schemas, value, secret_pointers);
    hidden.extend(HiddenPlaces::unknown(&schemas, value).into_pointers());
    hidden.extend(HiddenPlaces::named(value).into_pointers());
    hidden.extend(HiddenPlaces::run_together(value).into_pointers());
    for violation in violations {
        hidden.extend(violation.unknown_keys());
        // A secret may stand a level too high: `dns: my-token`.
        let wrong = value.pointer(&violation.pointer);
        let below = wrong.is_some_and(|value| !value.is_object());
        if below && schemas.at(&violation.pointer).reaches_secret() {
            hidden.extend([violation.pointer.clone()]);
        }
    }
    hidden
}

/// Says what is wrong with the types.
fn shape_problems(
    schema: &Schema,
    violations: &[SchemaViolation],
    hidden: &HiddenPlaces,
    places: &ConfigPlaces,
) -> Vec<Diagnostic> {
    if violations.is_empty() {
        return Vec::new();
    }
    let report = ViolationReport {
        schemas: ApplicableSchemas::root(schema.json(), &schema.patterns),
        hidden,
        places,
    };
    let (worded, counted) = violations.split_at(violations.len().min(MAX_VIOLATIONS));
    let problems = worded
        .iter()
        .flat_map(|violation| report.diagnostics(violation));
    let more = counted.first().map(|first| {
        let message = format!(
            "the config is not of the form it must have in {} more places, from here on",
            counted.len()
        );
        let place = places.key(&first.pointer);
        Diagnostic::error(&codes::MORE_PROBLEMS, message).at_place_if(place.as_ref())
    });
    problems.chain(more).collect()
}

/// How many places of a config that are not of the form they must have are worded; the others are counted.
pub const MAX_VIOLATIONS: usize = 500;

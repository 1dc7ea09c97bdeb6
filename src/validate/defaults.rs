//! Defaults: constant ones, then computed ones.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::functions::{EvaluationFailure, Evaluator};
use super::pointer::Pointer;
use super::rules::costly;
use super::shape::route;
use super::walk::{ApplicableSchemas, visit};
use crate::cel;
use crate::diagnostic::Diagnostic;
use crate::validate::codes;
use crate::yaml::pointer_step;

/// Fills in constant defaults, into absent objects with a default as well.
///
/// Reports a default that would hold itself without end, as a reference in a circle can make one.
pub(super) fn fill(schemas: &ApplicableSchemas<'_>, value: &mut Value) -> Vec<Diagnostic> {
    let mut filler = DefaultFiller::default();
    filler.fill(schemas, value, &mut Pointer::default());
    filler.problems
}

#[derive(Default)]
struct DefaultFiller {
    /// The schemas whose defaults the present value is within.
    within: Vec<*const Value>,
    problems: Vec<Diagnostic>,
}

impl DefaultFiller {
    fn fill(&mut self, schemas: &ApplicableSchemas<'_>, value: &mut Value, pointer: &mut Pointer) {
        match value {
            Value::Object(object) => {
                // What is filled in below has its own defaults already.
                for (key, child) in object.iter_mut() {
                    if child.is_object() || child.is_array() {
                        let below = schemas.property(key);
                        pointer.below(key, |pointer| self.fill(&below, child, pointer));
                    }
                }
                for name in schemas.certain_keys() {
                    self.fill_key(&schemas.property(name), object, name, pointer);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    let below = schemas.item(index);
                    pointer.below(index, |pointer| self.fill(&below, item, pointer));
                }
            }
            _ => {}
        }
    }

    /// Fills in a key, and what is within its default.
    fn fill_key(
        &mut self,
        schemas: &ApplicableSchemas<'_>,
        object: &mut Map<String, Value>,
        name: &str,
        pointer: &mut Pointer,
    ) {
        if !object.get(name).is_none_or(Value::is_null) {
            return;
        }
        let Some(source) = default_source(schemas) else {
            return;
        };
        let Some(mut default) = constant_default(source) else {
            object.shift_remove(name);
            return;
        };
        let source = std::ptr::from_ref(source);
        if self.within.contains(&source) {
            self.problems.push(endless(pointer, name));
            return;
        }
        self.within.push(source);
        pointer.below(name, |pointer| self.fill(schemas, &mut default, pointer));
        self.within.pop();
        object.insert(name.to_owned(), default);
    }
}

fn endless(pointer: &Pointer, name: &str) -> Diagnostic {
    let place = route(&format!("{}/{}", pointer.as_str(), pointer_step(name)));
    let message = format!("the default of `{place}` holds itself without end");
    Diagnostic::error(&codes::SCHEMA_DEFAULT, message)
}

/// Returns the schema that says what a key is set to that is not there: an outer one before those that it refers to.
fn default_source<'s>(schemas: &ApplicableSchemas<'s>) -> Option<&'s Value> {
    let mut certain = schemas.certain();
    certain.find(|schema| expression(schema).is_some() || constant_default(schema).is_some())
}

/// Returns whether a key that is not there gets a value.
pub(super) fn has_default(schemas: &ApplicableSchemas<'_>) -> bool {
    default_source(schemas).is_some()
}

fn expression(schema: &Value) -> Option<&str> {
    schema.get("x-kiln-default")?.as_str()
}

/// Returns what a key is set to, unless that is computed; what is read-only is there to hold computed values.
fn constant_default(schema: &Value) -> Option<Value> {
    if expression(schema).is_some() {
        return None;
    }
    let read_only = schema.get("readOnly") == Some(&Value::Bool(true));
    let object = schema.get("type").and_then(Value::as_str) == Some("object");
    let empty = (read_only && object).then(|| Value::Object(Map::new()));
    schema.get("default").cloned().or(empty)
}

/// Fills in computed defaults until nothing more can be computed.
///
/// An expression that needs a value which is itself computed waits for it. What cannot be computed at
/// the end is a bug of the schema, unless the config has errors that explain it.
pub(super) fn compute(
    schemas: &ApplicableSchemas<'_>,
    value: &mut Value,
    broken: bool,
    evaluator: &Evaluator,
) -> Vec<Diagnostic> {
    let mut computed = ComputedDefaults::default();
    loop {
        let todo = match collect(schemas, value, &computed) {
            Ok(todo) if todo.is_empty() => return Vec::new(),
            Ok(todo) => todo,
            Err(endless) => return vec![*endless],
        };
        let mut failures = Vec::new();
        let mut done = 0;
        for DefaultToCompute {
            parent,
            name,
            source,
        } in todo
        {
            let own = value.pointer(&parent).unwrap_or(&Value::Null);
            match evaluate(
                evaluator,
                expression(source).unwrap_or_default(),
                own,
                value,
            ) {
                Ok(result) => {
                    if let Some(object) = value.pointer_mut(&parent).and_then(Value::as_object_mut)
                    {
                        computed.insert(&format!("{parent}/{}/", pointer_step(&name)), source);
                        object.insert(name, result);
                        done += 1;
                    }
                }
                Err(None) => {
                    let place = route(&format!("{parent}/{}", pointer_step(&name)));
                    return vec![costly(format!("the default of `{place}` costs too much"))];
                }
                Err(Some(reason)) => {
                    failures.push(format!("the default of `{parent}/{name}` fails: {reason}"));
                }
            }
        }
        if done == 0 {
            let failures = failures
                .into_iter()
                .map(|message| Diagnostic::error(&codes::SCHEMA_DEFAULT, message));
            return if broken {
                Vec::new()
            } else {
                failures.collect()
            };
        }
    }
}

/// The places that were computed, each with a slash at its end, and the schemas that said how.
#[derive(Default)]
struct ComputedDefaults(BTreeSet<(String, *const Value)>);

impl ComputedDefaults {
    fn insert(&mut self, place: &str, source: &Value) {
        self.0
            .insert((place.to_owned(), std::ptr::from_ref(source)));
    }

    /// Returns whether a place is within one that the same schema made; looks at the steps of the place alone, as there may
    /// be tens of thousands of others.
    fn is_within(&self, place: &str, source: &Value) -> bool {
        let source = std::ptr::from_ref(source);
        place
            .match_indices('/')
            .any(|(at, _)| self.0.contains(&(place[..=at].to_owned(), source)))
    }
}

/// A key that a computed default is for.
struct DefaultToCompute<'s> {
    /// The pointer of the object that it belongs in.
    parent: String,
    name: String,
    /// The schema with the expression.
    source: &'s Value,
}

/// Lists what is to be computed; an error where a default, computed before, makes room for itself.
fn collect<'s>(
    schemas: &ApplicableSchemas<'s>,
    value: &Value,
    computed: &ComputedDefaults,
) -> Result<Vec<DefaultToCompute<'s>>, Box<Diagnostic>> {
    let mut todo: Vec<DefaultToCompute<'_>> = Vec::new();
    let mut circle = None;
    visit(
        schemas,
        value,
        &mut Pointer::default(),
        &mut |schemas, value, pointer| {
            let Some(object) = value.as_object() else {
                return value.is_array();
            };
            let start = todo.len();
            for name in schemas.certain_keys() {
                // A computed default that came out as null is not computed again.
                if object.contains_key(name)
                    || todo[start..].iter().any(|known| known.name == *name)
                {
                    continue;
                }
                let source = default_source(&schemas.property(name));
                if let Some(source) = source.filter(|source| expression(source).is_some()) {
                    let parent = pointer.as_str().to_owned();
                    let place = format!("{parent}/");
                    if computed.is_within(&place, source) {
                        circle = Some(Box::new(endless(pointer, name)));
                    }
                    let name = name.clone();
                    todo.push(DefaultToCompute {
                        parent,
                        name,
                        source,
                    });
                }
            }
            true
        },
    );
    circle.map_or(Ok(todo), Err)
}

/// Computes a value; the reason where that fails, `None` as the reason where it costs too much.
fn evaluate(
    evaluator: &Evaluator,
    expression: &str,
    own: &Value,
    config: &Value,
) -> Result<Value, Option<String>> {
    let result = evaluator
        .evaluate(expression, own, config)
        .map_err(|failure| match failure {
            EvaluationFailure::Syntax => Some(format!("`{expression}` is not CEL")),
            EvaluationFailure::Execution(error) => Some(cel::reason(&error, expression)),
            EvaluationFailure::TooCostly => None,
        })?;
    cel::json(&result).ok_or_else(|| Some(format!("`{expression}` gives no plain value")))
}

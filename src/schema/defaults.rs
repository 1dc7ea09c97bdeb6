//! Defaults: constant ones, then computed ones.

use serde_json::{Map, Value};

use super::functions::{Evaluator, Failure};
use super::pointer::Pointer;
use crate::cel;
use crate::diagnostic::Diagnostic;

/// Fills in constant defaults, into absent objects with a default as well.
pub(super) fn fill(schema: &Value, value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (name, property) in properties(schema) {
                let unset = object.get(name).is_none_or(Value::is_null);
                if unset && property.get("x-kiln-default").is_some() {
                    object.shift_remove(name);
                } else if unset {
                    let is_object = property.get("type").and_then(Value::as_str) == Some("object");
                    match property.get("default") {
                        Some(default) => {
                            object.insert(name.clone(), default.clone());
                        }
                        None if is_object
                            && property.get("readOnly") == Some(&Value::Bool(true)) =>
                        {
                            object.insert(name.clone(), Value::Object(Map::new()));
                        }
                        None => {}
                    }
                }
                if let Some(child) = object.get_mut(name) {
                    fill(property, child);
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                items.iter_mut().for_each(|item| fill(schema, item));
            }
        }
        _ => {}
    }
}

/// Fills in computed defaults until nothing more can be computed.
///
/// An expression that needs a value which is itself computed waits for it. What cannot be computed at
/// the end is a bug of the schema, unless the config has errors that explain it.
pub(super) fn compute(
    schema: &Value,
    value: &mut Value,
    broken: bool,
    evaluator: &Evaluator,
) -> Vec<Diagnostic> {
    loop {
        let mut todo = Vec::new();
        collect(schema, value, &mut Pointer::default(), &mut todo);
        if todo.is_empty() {
            return Vec::new();
        }
        let mut failures = Vec::new();
        let mut done = 0;
        for (parent, name, expression) in todo {
            let own = value.pointer(&parent).unwrap_or(&Value::Null);
            match evaluate(evaluator, &expression, own, value) {
                Ok(result) => {
                    if let Some(object) = value.pointer_mut(&parent).and_then(Value::as_object_mut)
                    {
                        object.insert(name, result);
                        done += 1;
                    }
                }
                Err(reason) => {
                    failures.push(format!("the default of `{parent}/{name}` fails: {reason}"));
                }
            }
        }
        if done == 0 {
            let failures = failures
                .into_iter()
                .map(|message| Diagnostic::error("schema-default", message));
            return if broken {
                Vec::new()
            } else {
                failures.collect()
            };
        }
    }
}

/// Lists what is to be computed: the pointer of the object, the key and the expression.
fn collect(
    schema: &Value,
    value: &Value,
    pointer: &mut Pointer,
    todo: &mut Vec<(String, String, String)>,
) {
    match value {
        Value::Object(object) => {
            for (name, property) in properties(schema) {
                match (
                    object.get(name),
                    property.get("x-kiln-default").and_then(Value::as_str),
                ) {
                    (Some(Value::Null) | None, Some(expression)) if !settled_null(object, name) => {
                        let parent = pointer.as_str().to_owned();
                        todo.push((parent, name.clone(), expression.to_owned()));
                    }
                    (Some(child @ (Value::Object(_) | Value::Array(_))), _) => {
                        pointer.below(name, |pointer| collect(property, child, pointer, todo));
                    }
                    _ => {}
                }
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for (index, item) in items.iter().enumerate() {
                    pointer.below(index, |pointer| collect(schema, item, pointer, todo));
                }
            }
        }
        _ => {}
    }
}

/// A computed default that came out as null is not computed again.
fn settled_null(object: &Map<String, Value>, name: &str) -> bool {
    object.get(name) == Some(&Value::Null)
}

fn evaluate(
    evaluator: &Evaluator,
    expression: &str,
    own: &Value,
    config: &Value,
) -> Result<Value, String> {
    let result = evaluator
        .evaluate(expression, own, config)
        .map_err(|failure| match failure {
            Failure::Syntax => format!("`{expression}` is not CEL"),
            Failure::Execution(error) => cel::reason(&error),
        })?;
    cel::json(&result).ok_or_else(|| format!("`{expression}` gives no plain value"))
}

pub(super) fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

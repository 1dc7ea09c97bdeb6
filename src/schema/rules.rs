//! Rules: what JSON Schema cannot say, in CEL as CRDs spell it.

use std::collections::BTreeSet;

use kube_cel::cel::Value as CelValue;
use serde_json::Value;

use super::defaults::properties;
use super::functions::{Evaluator, Failure};
use super::pointer::Pointer;
use super::shape;
use crate::cel;
use crate::config::model::Places;
use crate::diagnostic::Diagnostic;

/// Runs every rule on every object it stands on.
///
/// A rule that cannot be evaluated is a bug of the schema, unless the config has errors of type that
/// explain it.
pub(super) fn problems(
    schema: &Value,
    value: &Value,
    places: &Places,
    broken: bool,
    untouched: &BTreeSet<&str>,
    evaluator: &Evaluator,
) -> Vec<Diagnostic> {
    let mut runner = Runner {
        evaluator,
        config: value,
        places,
        broken,
        untouched,
        problems: Vec::new(),
    };
    runner.walk(schema, value, &mut Pointer::default());
    runner.problems
}

struct Runner<'p> {
    evaluator: &'p Evaluator,
    config: &'p Value,
    places: &'p Places,
    broken: bool,
    /// The apps that need no look.
    untouched: &'p BTreeSet<&'p str>,
    problems: Vec<Diagnostic>,
}

/// Returns whether a rule of a schema, or of one below it, looks at more than the object it stands on.
pub(super) fn look_beyond(schema: &Value) -> bool {
    let asks = |key: &str, value: &Value| {
        let expression = ["rule", "messageExpression", "x-kiln-default"].contains(&key);
        expression && value.as_str().is_some_and(|text| text.contains("config"))
    };
    match schema {
        Value::Object(entries) => entries
            .iter()
            .any(|(key, value)| asks(key, value) || look_beyond(value)),
        Value::Array(items) => items.iter().any(look_beyond),
        _ => false,
    }
}

impl Runner<'_> {
    fn walk(&mut self, schema: &Value, value: &Value, pointer: &mut Pointer) {
        let rules = schema
            .get("x-kubernetes-validations")
            .and_then(Value::as_array);
        if let Some(rules) = rules {
            let found = rules
                .iter()
                .filter_map(|rule| self.broken(rule, value, pointer.as_str()));
            let found: Vec<Diagnostic> = found.collect();
            self.problems.extend(found);
        }
        let among_apps = pointer.as_str() == "/apps";
        for (name, property) in properties(schema) {
            if among_apps && self.untouched.contains(name.as_str()) {
                continue;
            }
            if let Some(child) = value.get(name) {
                pointer.below(name, |pointer| self.walk(property, child, pointer));
            }
        }
        if let (Some(schema), Some(items)) = (schema.get("items"), value.as_array()) {
            for (index, item) in items.iter().enumerate() {
                pointer.below(index, |pointer| self.walk(schema, item, pointer));
            }
        }
    }

    /// Says what is wrong where a rule does not hold.
    fn broken(&self, rule: &Value, own: &Value, pointer: &str) -> Option<Diagnostic> {
        let text = |key: &str| rule.get(key).and_then(Value::as_str);
        let expression = text("rule").unwrap_or_default();
        let evaluate = |expression| self.evaluator.evaluate(expression, own, self.config);
        Some(match evaluate(expression) {
            Ok(CelValue::Bool(true)) => return None,
            Ok(CelValue::Bool(false)) => {
                let computed = text("messageExpression").and_then(|expression| {
                    match evaluate(expression).ok()? {
                        CelValue::String(text) => Some(text.as_ref().clone()),
                        _ => None,
                    }
                });
                let message = computed.or_else(|| text("message").map(str::to_owned));
                self.complaint(
                    message.unwrap_or_else(|| format!("`{expression}` does not hold")),
                    rule,
                    pointer,
                )
            }
            Err(Failure::Execution(_)) if self.broken => return None,
            Err(Failure::Execution(error)) => {
                let reason = cel::reason(&error);
                Diagnostic::error(
                    "schema-rule",
                    format!("the rule `{expression}` cannot be evaluated: {reason}"),
                )
            }
            Ok(_) | Err(Failure::Syntax) => Diagnostic::error(
                "schema-rule",
                format!("the rule `{expression}` is not a CEL condition"),
            ),
        })
    }

    fn complaint(&self, message: String, rule: &Value, pointer: &str) -> Diagnostic {
        let field = rule
            .get("fieldPath")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let target = format!("{pointer}{}", field.replace('.', "/"));
        let diagnostic = Diagnostic::error("broken-rule", message);
        let place = if self.places.contains(&target) {
            self.places.value(&target)
        } else {
            self.places.key(&target)
        };
        match place {
            Some(place) => {
                let name = if self.places.contains(&target) {
                    String::new()
                } else {
                    format!("`{}`", shape::route(&target))
                };
                diagnostic.at_place(place, name)
            }
            None => diagnostic,
        }
    }
}

//! Rules: what JSON Schema cannot say, in CEL as CRDs spell it.

use std::collections::BTreeMap;

use kube_cel::cel::Value as CelValue;
use serde_json::Value;

use super::functions::{EvaluationFailure, Evaluator};
use super::hidden::HiddenPlaces;
use super::pointer::Pointer;
use super::shape;
use super::walk::{ApplicableSchemas, visit};
use crate::cel;
use crate::config::cluster::ConfigPlaces;
use crate::diagnostic::Diagnostic;
use crate::validate::codes;
use crate::yaml::lies_in;

/// Runs the rules of a config.
pub(super) struct RuleRunner<'r> {
    pub(super) evaluator: &'r Evaluator,
    /// The config, defaults filled in.
    pub(super) config: &'r Value,
    pub(super) places: &'r ConfigPlaces,
    /// What no message shows.
    pub(super) hidden: &'r HiddenPlaces,
    /// Whether the config has errors of type.
    pub(super) broken: bool,
    /// The values that are made up, by JSON pointer.
    pub(super) made_up: &'r BTreeMap<String, String>,
}

fn is_costly(problem: &Diagnostic) -> bool {
    *problem.meaning == codes::ENDLESS_EXPRESSION
}

/// Says that the expressions of a schema cost too much.
pub(super) fn costly(message: String) -> Diagnostic {
    Diagnostic::error(&codes::ENDLESS_EXPRESSION, message).with_hint(format!(
        "all expressions of the schemas may look at {} values together; a macro in a macro multiplies",
        cel::MAX_COST
    ))
}

impl RuleRunner<'_> {
    /// Runs every rule on every value it stands on.
    ///
    /// A rule that cannot be evaluated is a bug of the schema, unless the config has errors of type that
    /// explain it.
    pub(super) fn problems(&self, schemas: &ApplicableSchemas<'_>) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        let mut pointer = Pointer::default();
        visit(
            schemas,
            self.config,
            &mut pointer,
            &mut |schemas, value, pointer| {
                for rule in schemas.rules() {
                    // What comes behind the first that costs too much has nothing left to pay with.
                    if !problems.last().is_some_and(is_costly) {
                        problems.extend(self.broken(rule, value, pointer.as_str()));
                    }
                }
                true
            },
        );
        problems
    }

    /// Says what is wrong where a rule does not hold.
    fn broken(&self, rule: &Value, own: &Value, pointer: &str) -> Option<Diagnostic> {
        let text = |key: &str| rule.get(key).and_then(Value::as_str);
        let expression = text("rule").unwrap_or_default();
        let evaluate = |expression| self.evaluator.evaluate(expression, own, self.config);
        Some(match evaluate(expression) {
            Ok(CelValue::Bool(true)) => return None,
            Err(EvaluationFailure::TooCostly) => self.too_costly(expression, pointer),
            _ if self.may_see_made_up(expression, pointer) => return None,
            Ok(CelValue::Bool(false)) => {
                let computed = text("messageExpression");
                let computed = computed.and_then(|text| self.computed_message(text, pointer));
                let message = computed.or_else(|| text("message").map(str::to_owned));
                self.complaint(
                    message.unwrap_or_else(|| format!("`{expression}` does not hold")),
                    rule,
                    pointer,
                )
            }
            Err(EvaluationFailure::Execution(_)) if self.broken => return None,
            Err(EvaluationFailure::Execution(error)) => {
                let reason = cel::reason(&error, expression);
                Diagnostic::error(
                    &codes::SCHEMA_RULE,
                    format!("the rule `{expression}` cannot be evaluated: {reason}"),
                )
            }
            Ok(_) | Err(EvaluationFailure::Syntax) => Diagnostic::error(
                &codes::SCHEMA_RULE,
                format!("the rule `{expression}` is not a CEL condition"),
            ),
        })
    }

    /// Points at the value on which a rule costs too much.
    fn too_costly(&self, expression: &str, pointer: &str) -> Diagnostic {
        let message = format!("the rule `{expression}` costs too much here");
        let place = self
            .places
            .key(pointer)
            .or_else(|| self.places.value(pointer));
        costly(message).at_place_if(place.as_ref())
    }

    /// Returns whether a rule may look at a value of which nothing is known.
    fn may_see_made_up(&self, expression: &str, pointer: &str) -> bool {
        let mut made_up = self.made_up.keys();
        made_up.any(|known| lies_in(known, pointer) || expression.contains("config"))
    }

    /// Computes a message from a config with nothing in it that no message shows.
    fn computed_message(&self, expression: &str, pointer: &str) -> Option<String> {
        let config = self.hidden.stand_ins(self.config);
        let own = config.pointer(pointer)?;
        match self.evaluator.evaluate(expression, own, &config).ok()? {
            CelValue::String(text) => Some(text.as_ref().clone()),
            _ => None,
        }
    }

    fn complaint(&self, message: String, rule: &Value, pointer: &str) -> Diagnostic {
        let field = rule
            .get("fieldPath")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let target = format!("{pointer}{}", field.replace('.', "/"));
        let diagnostic = Diagnostic::error(&codes::BROKEN_RULE, message);
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

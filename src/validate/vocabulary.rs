//! Whether the words of a schema can be honoured where they stand.
//!
//! A word that has an effect in one place and none in another misleads its author, and for `writeOnly` that is a secret in
//! the open. So each word either works or is refused when schemas are composed, before any config is looked at.

use crate::yaml::pointer_step;
use std::collections::BTreeSet;

use serde_json::Value;

use super::keyword::{APPLICATORS, KeywordRole, PLAIN_WORDS, misheld, role, subschemas};
use super::references::{self, SchemaFault};
use crate::diagnostic::closest;

/// What is known of the place that a schema speaks of; the text is the keyword that made it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SchemaStanding<'s> {
    /// It holds, for a key that can be filled in.
    Named,
    /// It holds, for values that are there or not.
    Unnamed(&'s str),
    /// It need not hold.
    Uncertain(&'s str),
    /// It only tests.
    Tested(&'s str),
    /// No reference has led here.
    Idle,
}

impl<'s> SchemaStanding<'s> {
    fn below(self, role: KeywordRole, keyword: &'s str) -> Self {
        match (self, role) {
            (_, KeywordRole::Definition) => Self::Idle,
            (Self::Idle | Self::Tested(_), _) | (_, KeywordRole::Same) => self,
            (_, KeywordRole::Test) => Self::Tested(keyword),
            (Self::Uncertain(_), _) => self,
            (_, KeywordRole::Property) => Self::Named,
            (_, KeywordRole::Member) => Self::Unnamed(keyword),
            (_, KeywordRole::Alternative | KeywordRole::Conditional | KeywordRole::SomeMember) => {
                Self::Uncertain(keyword)
            }
        }
    }
}

/// A schema that is still to be looked at.
struct SchemaVisit<'s> {
    schema: &'s Value,
    pointer: String,
    standing: SchemaStanding<'s>,
    /// The last reference on the way.
    by: Option<String>,
}

/// Lists what is wrong with the words of a schema whose references are settled.
///
/// `named` says whether the schema as a whole is that of a key.
pub(super) fn faults(document: &Value, named: bool) -> Vec<SchemaFault> {
    let mut faults = Vec::new();
    let mut looked_at = BTreeSet::new();
    let mut known = BTreeSet::new();
    let mut todo = vec![SchemaVisit {
        schema: document,
        pointer: String::new(),
        standing: if named {
            SchemaStanding::Named
        } else {
            SchemaStanding::Unnamed("the root")
        },
        by: None,
    }];
    while let Some(visit) = todo.pop() {
        if !known.insert((visit.pointer.clone(), visit.standing)) {
            continue;
        }
        if looked_at.insert(visit.pointer.clone()) {
            word_faults(visit.schema, &visit.pointer, &mut faults);
        }
        effect_faults(&visit, &mut faults);
        let start = todo.len();
        for held in subschemas(visit.schema) {
            todo.push(SchemaVisit {
                schema: held.schema,
                pointer: format!("{}{}", visit.pointer, held.pointer),
                standing: visit.standing.below(held.role, held.keyword),
                by: visit.by.clone(),
            });
        }
        todo.extend(referred(&visit, document));
        todo[start..].reverse();
    }
    faults.sort_by(|a, b| a.pointer.cmp(&b.pointer));
    faults.dedup_by(|a, b| a.pointer == b.pointer);
    faults
}

fn referred<'s>(visit: &SchemaVisit<'s>, document: &'s Value) -> Option<SchemaVisit<'s>> {
    let reference = visit.schema.get("$ref")?;
    Some(SchemaVisit {
        schema: references::named(reference, document)?,
        pointer: references::pointer(reference)?,
        standing: visit.standing,
        by: Some(format!("{}/$ref", visit.pointer)),
    })
}

/// Finds words that nobody knows or that are written wrong.
fn word_faults(schema: &Value, pointer: &str, faults: &mut Vec<SchemaFault>) {
    for (word, value) in schema.as_object().into_iter().flatten() {
        let at = format!("{pointer}/{}", pointer_step(word));
        let mut fault = |pointer: String, message: String, hints: Vec<String>| {
            faults.push(SchemaFault {
                pointer,
                message,
                hints,
            });
        };
        match word.as_str() {
            "writeOnly" | "readOnly" if !value.is_boolean() => {
                fault(at, format!("`{word}` is `true` or `false`"), Vec::new());
            }
            "x-kiln-default" if !value.is_string() => {
                let message = format!("`{word}` is an expression in CEL, as a text");
                fault(
                    at,
                    message,
                    vec!["a constant goes into `default`".to_owned()],
                );
            }
            "x-kubernetes-validations" => {
                for (place, message) in rule_faults(value) {
                    fault(format!("{at}{place}"), message, Vec::new());
                }
            }
            _ if role(word).is_some() => {
                if let Some(expected) = misheld(word, value) {
                    let tuple = word == "items" && value.is_array();
                    let hint =
                        tuple.then(|| "schemas of single items go into `prefixItems`".to_owned());
                    fault(
                        at,
                        format!("`{word}` holds {expected}"),
                        hint.into_iter().collect(),
                    );
                }
            }
            _ if PLAIN_WORDS.contains(&word.as_str()) => {}
            _ => fault(
                at,
                format!("no schema has the word `{word}`"),
                word_hints(word),
            ),
        }
    }
}

fn word_hints(word: &str) -> Vec<String> {
    let candidates = APPLICATORS.iter().chain(&PLAIN_WORDS).copied();
    let close = closest(word, candidates).map(|known| format!("did you mean `{known}`?"));
    let lower = word.to_ascii_lowercase();
    let secret = ["secret", "sensitive", "passw", "write"]
        .iter()
        .any(|part| lower.contains(part));
    let marked = (secret && lower != "writeonly")
        .then(|| "a secret is marked by `\"writeOnly\": true`".to_owned());
    let mut hints: Vec<String> = close.into_iter().chain(marked).collect();
    if hints.is_empty() {
        hints.push("a note for people goes into `$comment` or `description`".to_owned());
    }
    hints
}

/// Finds what is wrong in a list of rules: where, from the list, and what.
fn rule_faults(rules: &Value) -> Vec<(String, String)> {
    const WORDS: [&str; 5] = [
        "rule",
        "message",
        "messageExpression",
        "fieldPath",
        "reason",
    ];
    let Some(rules) = rules.as_array() else {
        return vec![(
            String::new(),
            "`x-kubernetes-validations` is a list of rules".to_owned(),
        )];
    };
    let mut faults = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        if !rule.get("rule").is_some_and(Value::is_string) {
            let message = "a rule has a condition in CEL behind `rule`".to_owned();
            faults.push((format!("/{index}"), message));
            continue;
        }
        for (word, value) in rule.as_object().into_iter().flatten() {
            let at = format!("/{index}/{}", pointer_step(word));
            if !WORDS.contains(&word.as_str()) {
                let known = WORDS.map(|word| format!("`{word}`")).join(", ");
                faults.push((at, format!("a rule has no `{word}`, only {known}")));
            } else if !value.is_string() {
                faults.push((at, format!("`{word}` of a rule is a text")));
            }
        }
    }
    faults
}

/// Finds words that would have no effect where they stand.
fn effect_faults(visit: &SchemaVisit<'_>, faults: &mut Vec<SchemaFault>) {
    for (word, value) in visit.schema.as_object().into_iter().flatten() {
        let asks = match word.as_str() {
            "writeOnly" => value == true,
            "x-kubernetes-validations" => value.as_array().is_none_or(|rules| !rules.is_empty()),
            "default" | "x-kiln-default" => true,
            _ => false,
        };
        let fills = word == "default" || word == "x-kiln-default";
        let (behind, reason, hint) = match visit.standing {
            SchemaStanding::Unnamed(keyword) if fills => (
                keyword,
                "only a key that `properties` names can be filled in",
                "give a default to the whole list or table, or to the named keys of its values",
            ),
            SchemaStanding::Uncertain(keyword) if word != "writeOnly" => (
                keyword,
                "what stands there need not hold",
                "put it outside, where it always holds",
            ),
            SchemaStanding::Tested(keyword) => (
                keyword,
                "what stands there describes no value of the config",
                "put it where the value is described",
            ),
            _ => continue,
        };
        if !asks {
            continue;
        }
        let mut hints = vec![hint.to_owned()];
        hints.extend(
            visit
                .by
                .iter()
                .map(|by| format!("the reference at `{by}` leads here")),
        );
        faults.push(SchemaFault {
            pointer: format!("{}/{word}", visit.pointer),
            message: format!("`{word}` has no effect behind `{behind}`: {reason}"),
            hints,
        });
    }
}

//! Several documents as one value, and values that stand elsewhere.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::model::Merged;
use super::places::Places;
use crate::diagnostic::Diagnostic;
use crate::secret::Secrets;
use crate::source::{Files, Place, Source};
use crate::yaml::{Entry, Node, Resolver};

type Part<'n> = (usize, Option<&'n Entry>, &'n Node);

/// Merges documents by key; a key with a value in two of them is reported with both places.
pub(super) fn merge(parts: &[(Arc<Source>, Vec<Node>)], problems: &mut Vec<Diagnostic>) -> Merged {
    let mut merger = Merger {
        sources: Vec::new(),
        places: Places::default(),
        problems,
    };
    let mut roots: Vec<Part<'_>> = Vec::new();
    for (source, nodes) in parts {
        let number = merger.places.add_source(source);
        merger.sources.push(Arc::clone(source));
        for node in nodes {
            if node.entries().is_some() {
                roots.push((number, None, node));
            } else {
                merger.problems.push(
                    Diagnostic::error(
                        "config-shape",
                        "a data file holds keys and values at its top",
                    )
                    .at(source, node.first_line_span(), "")
                    .with_hint("for a list of nodes, write `nodes:` above it"),
                );
            }
        }
    }
    let value = merger.combine("", &roots);
    Merged {
        value: if value.is_null() {
            Value::Object(Map::new())
        } else {
            value
        },
        places: merger.places,
        secrets: Secrets::default(),
        secret_pointers: BTreeSet::new(),
    }
}

struct Merger<'p> {
    sources: Vec<Arc<Source>>,
    places: Places,
    problems: &'p mut Vec<Diagnostic>,
}

impl Merger<'_> {
    fn combine(&mut self, pointer: &str, parts: &[Part<'_>]) -> Value {
        let Some((source, entry, first)) = parts.first() else {
            return Value::Null;
        };
        self.places.insert(
            pointer,
            *source,
            entry.map(|entry| entry.key_span),
            first.span,
        );
        if parts.iter().all(|(_, _, node)| node.entries().is_some()) {
            return Value::Object(self.combine_entries(pointer, parts));
        }
        if let Some((other, Some(second), _)) = parts.get(1) {
            let message = format!("`{}` is set in two places", second.key);
            let mut problem = Diagnostic::error("set-twice", message);
            if let (Some(there), Some(here)) = (self.sources.get(*other), self.sources.get(*source))
            {
                let first_span = entry.map_or(first.span, |entry| entry.key_span);
                problem = problem
                    .at(there, second.key_span, "")
                    .with_related(Place::new(here, first_span), "first set here");
            }
            self.problems.push(problem.with_hint("keep one of the two"));
        }
        if let Some(items) = first.items() {
            let items = items.iter().enumerate().map(|(index, item)| {
                self.combine(&format!("{pointer}/{index}"), &[(*source, None, item)])
            });
            return Value::Array(items.collect());
        }
        first.to_value(Resolver::Core)
    }

    fn combine_entries(&mut self, pointer: &str, parts: &[Part<'_>]) -> Map<String, Value> {
        let mut keys: Vec<&str> = Vec::new();
        for entry in parts.iter().flat_map(|(_, _, node)| all_entries(node)) {
            if !keys.contains(&entry.key.as_str()) {
                keys.push(&entry.key);
            }
        }
        keys.into_iter()
            .map(|key| {
                let below: Vec<Part<'_>> = parts
                    .iter()
                    .filter_map(|(source, _, node)| {
                        node.entry(key)
                            .map(|entry| (*source, Some(entry), &entry.value))
                    })
                    .collect();
                let step = key.replace('~', "~0").replace('/', "~1");
                (
                    key.to_owned(),
                    self.combine(&format!("{pointer}/{step}"), &below),
                )
            })
            .collect()
    }
}

/// The entries of a mapping with those merged in by `<<`.
fn all_entries(node: &Node) -> Vec<&Entry> {
    let mut all = Vec::new();
    for entry in node.entries().unwrap_or_default() {
        if entry.key == "<<" {
            match entry.value.items() {
                Some(items) => all.extend(items.iter().flat_map(all_entries)),
                None => all.extend(all_entries(&entry.value)),
            }
        } else {
            all.push(entry);
        }
    }
    all
}

/// Replaces `{ fromEnv: NAME }` and `{ fromFile: path }` by what they name; the results are secrets.
pub(super) fn resolve_references(
    mut merged: Merged,
    files: &dyn Files,
    env: &(dyn Fn(&str) -> Option<String> + Sync),
    problems: &mut Vec<Diagnostic>,
) -> Merged {
    let Merged {
        value,
        places,
        secrets,
        secret_pointers,
    } = &mut merged;
    replace(value, "", &mut |pointer, kind, name| {
        let found = match kind {
            "fromEnv" => env(name).ok_or_else(|| format!("the environment has no `{name}`")),
            _ => match files.read(name) {
                Ok(Some(bytes)) => {
                    String::from_utf8(bytes).map_err(|_| format!("`{name}` is not UTF-8 text"))
                }
                Ok(None) => Err(format!("there is no file `{name}`")),
                Err(error) => Err(error.to_string()),
            },
        };
        match found {
            Ok(text) => {
                let text = text.trim_end_matches(['\n', '\r']).to_owned();
                secret_pointers.insert(pointer.to_owned());
                secrets.insert(&text, pointer.trim_start_matches('/').replace('/', "."));
                Value::String(text)
            }
            Err(message) => {
                let mut problem = Diagnostic::error("missing-reference", message);
                if let Some(place) = places.key(pointer) {
                    problem = problem.at_place(place, "needed here");
                }
                problems.push(problem);
                Value::Null
            }
        }
    });
    merged
}

fn replace(value: &mut Value, pointer: &str, found: &mut impl FnMut(&str, &str, &str) -> Value) {
    match value {
        Value::Object(map) => {
            let reference = match map.iter().next() {
                Some((kind, Value::String(name)))
                    if map.len() == 1 && (kind == "fromEnv" || kind == "fromFile") =>
                {
                    Some((kind.clone(), name.clone()))
                }
                _ => None,
            };
            if let Some((kind, name)) = reference {
                *value = found(pointer, &kind, &name);
                return;
            }
            for (key, value) in map {
                replace(
                    value,
                    &format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1")),
                    found,
                );
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                replace(item, &format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
}

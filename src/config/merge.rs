//! Several documents as one value.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::cluster::Merged;
use super::places::ConfigPlaces;
use crate::config::codes;
use crate::diagnostic::Diagnostic;
use crate::secret::Secrets;
use crate::source::{Place, Source, shown_key};
use crate::yaml::{Entry, Node, Resolver, pointer_step};

type DataFileEntry<'n> = (usize, Option<&'n Entry>, &'n Node);

/// Merges documents by key; a key with a value in two of them is reported with both places.
pub(super) fn merge(parts: &[(Arc<Source>, Vec<Node>)], problems: &mut Vec<Diagnostic>) -> Merged {
    let mut merger = Merger {
        sources: Vec::new(),
        places: ConfigPlaces::default(),
        problems,
    };
    let mut roots: Vec<DataFileEntry<'_>> = Vec::new();
    for (source, nodes) in parts {
        let (number, shown) = merger.places.add_file(source, nodes);
        merger.sources.push(Arc::clone(&shown));
        for node in nodes {
            if node.entries().is_some() {
                roots.push((number, None, node));
            } else if !node.is_null() {
                merger.problems.push(
                    Diagnostic::error(
                        &codes::CONFIG_SHAPE,
                        "a data file holds keys and values at its top",
                    )
                    .at(&shown, node.first_line_span(), "")
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
        secret_files: BTreeSet::new(),
        made_up: BTreeMap::new(),
        public: Vec::new(),
        readings: Vec::new(),
    }
}

struct Merger<'p> {
    /// The texts as messages may show them.
    sources: Vec<Arc<Source>>,
    places: ConfigPlaces,
    problems: &'p mut Vec<Diagnostic>,
}

impl Merger<'_> {
    fn combine(&mut self, pointer: &str, parts: &[DataFileEntry<'_>]) -> Value {
        // A section with nothing below it sets nothing.
        let set: Vec<DataFileEntry<'_>> = parts
            .iter()
            .filter(|part| !part.2.is_null())
            .copied()
            .collect();
        let parts = if set.is_empty() { parts } else { &set };
        let Some((source, entry, first)) = parts.first() else {
            return Value::Null;
        };
        self.places
            .insert(pointer, *source, entry.map(|entry| entry.key_span), first);
        if parts.iter().all(|(_, _, node)| node.entries().is_some()) {
            return Value::Object(self.combine_entries(pointer, parts));
        }
        if let Some((other, Some(second), _)) = parts.get(1) {
            let message = format!("`{}` is set in two places", shown_key(&second.key));
            let mut problem = Diagnostic::error(&codes::SET_TWICE, message);
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

    fn combine_entries(
        &mut self,
        pointer: &str,
        parts: &[DataFileEntry<'_>],
    ) -> Map<String, Value> {
        let indexes: Vec<BTreeMap<&str, &Entry>> = parts
            .iter()
            .map(|(_, _, node)| indexed_entries(node))
            .collect();
        let all = parts.iter().flat_map(|(_, _, node)| all_entries(node));
        let mut seen = BTreeSet::new();
        all.map(|entry| entry.key.as_str())
            .filter(|key| seen.insert(*key))
            .map(|key| {
                let below: Vec<DataFileEntry<'_>> = parts
                    .iter()
                    .zip(&indexes)
                    .filter_map(|((source, ..), entries)| {
                        let entry = entries.get(key)?;
                        Some((*source, Some(*entry), &entry.value))
                    })
                    .collect();
                let step = pointer_step(key);
                (
                    key.to_owned(),
                    self.combine(&format!("{pointer}/{step}"), &below),
                )
            })
            .collect()
    }
}

/// The entry that counts of each key of a mapping: its own, else the first that is merged in by `<<`.
fn indexed_entries(node: &Node) -> BTreeMap<&str, &Entry> {
    let own = node.entries().unwrap_or_default().iter();
    let mut index: BTreeMap<&str, &Entry> = own
        .filter(|entry| entry.key != "<<")
        .map(|entry| (entry.key.as_str(), entry))
        .collect();
    for entry in all_entries(node) {
        index.entry(&entry.key).or_insert(entry);
    }
    index
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

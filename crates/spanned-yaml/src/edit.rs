//! Adding to a YAML text without touching what stands in it.
//!
//! An insertion finds its place by the spans of the loaded documents, is written in the habits of
//! the text (indentation, list style, line ends), and counts only if the new text, loaded again,
//! holds exactly what was meant. What is JSON stays JSON. Nothing is ever removed or replaced.

mod json;
mod place;
mod render;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Content, Document, Node, Resolver, Route, Step, Style, load};
use crate::Span;

/// What to add.
#[derive(Clone, Debug, PartialEq)]
pub enum Addition {
    /// Entries for the mapping at the route; none of the keys may be there already.
    Entries {
        /// The keys and values, in the order to write them.
        entries: Map<String, Value>,
        /// The key to write them above when the mapping has it; at the end otherwise.
        before: Option<&'static str>,
    },
    /// An item for the end of the sequence at the route.
    Item(Value),
}

/// One addition and where it goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Insertion {
    /// The index of the document in the text.
    pub document: usize,
    /// The route of the mapping or sequence that gains something; missing mappings are created.
    pub route: Route,
    /// What it gains.
    pub addition: Addition,
}

/// A text after an insertion.
#[derive(Clone, Debug, PartialEq)]
pub struct Edited {
    /// The new text: the old one with the bytes of `inserted` added.
    pub text: String,
    /// The new text, loaded.
    pub documents: Vec<Document>,
    /// The bytes that are new.
    pub inserted: Span,
}

/// Why an insertion was refused; the text stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The route leads through a list index or document that is not there.
    #[error("there is nothing at `{0}`")]
    Missing(Route),
    /// The value at the route is of another kind than the addition needs.
    #[error("`{0}` is already set to something else")]
    Occupied(Route),
    /// A key to be added is there already.
    #[error("`{0}` is already set")]
    Exists(Route),
    /// The value at the route stands there through an alias or a merge, and is shared with others.
    #[error("`{0}` is shared with other places through a YAML alias")]
    Shared(Route),
    /// No way of writing the addition gave the text that was meant.
    #[error("nothing can be added at `{0}` without changing something else")]
    Unsafe(Route),
}

impl Insertion {
    /// Adds one entry at the end of the mapping at a route.
    pub fn entry(document: usize, route: Route, key: &str, value: Value) -> Self {
        let mut entries = Map::new();
        entries.insert(key.to_owned(), value);
        Self::entries(document, route, entries)
    }

    /// Adds entries at the end of the mapping at a route.
    pub fn entries(document: usize, route: Route, entries: Map<String, Value>) -> Self {
        Self {
            document,
            route,
            addition: Addition::Entries {
                entries,
                before: None,
            },
        }
    }

    /// Adds an item at the end of the sequence at a route.
    pub fn item(document: usize, route: Route, value: Value) -> Self {
        Self {
            document,
            route,
            addition: Addition::Item(value),
        }
    }

    /// Asks for a place above the entry of `key`.
    #[must_use]
    pub fn above(mut self, key: &'static str) -> Self {
        if let Addition::Entries { before, .. } = &mut self.addition {
            *before = Some(key);
        }
        self
    }
}

/// Adds to a text that loads as `documents`.
///
/// The bytes outside the inserted ones are those of `text`; comments keep their place. Parents that
/// are missing, or have no value yet, are created.
pub fn insert(
    text: &str,
    documents: &[Document],
    insertion: &Insertion,
) -> Result<Edited, EditError> {
    let route = &insertion.route;
    let Some(document) = documents.get(insertion.document) else {
        return Err(EditError::Missing(route.clone()));
    };
    let target = Target::locate(&document.root, insertion)?;
    let mut intent = document.root.to_value(Resolver::Kubernetes);
    target.apply(&mut intent, insertion)?;
    let intents = BTreeMap::from([(insertion.document, intent)]);
    let habits = render::Habits::of(document, text);
    for splice in place::candidates(text, &target, &habits) {
        let mut edited = String::with_capacity(text.len() + splice.text.len());
        edited.push_str(&text[..splice.at]);
        edited.push_str(&splice.text);
        edited.push_str(&text[splice.at..]);
        if let Some(loaded) = guarded(&edited, documents, &intents, habits.json_gap.is_some()) {
            return Ok(Edited {
                text: edited,
                documents: loaded,
                inserted: Span::new(splice.at, splice.at + splice.text.len()),
            });
        }
    }
    Err(EditError::Unsafe(route.clone()))
}

/// Loads the edited text and compares it with the intents: documents changed as meant, the others
/// and all comments as they were; what was JSON has to be JSON.
fn guarded(
    text: &str,
    before: &[Document],
    intents: &BTreeMap<usize, Value>,
    is_json: bool,
) -> Option<Vec<Document>> {
    let after = load(text)
        .ok()
        .filter(|_| !is_json || json::is_json(text))?;
    let same = after.len() == before.len()
        && before
            .iter()
            .zip(&after)
            .enumerate()
            .all(|(index, (old, new))| {
                let value = new.root.to_value(Resolver::Kubernetes);
                let expected = match intents.get(&index) {
                    Some(intent) => value == *intent,
                    None => value == old.root.to_value(Resolver::Kubernetes),
                };
                expected && old.comments.len() == new.comments.len()
            });
    same.then_some(after)
}

/// The deepest node on the route that exists, and what it shall gain.
struct Target<'n> {
    node: &'n Node,
    /// The mapping that the node is a value of, and the key's span, when it is one.
    key_span: Option<Span>,
    /// How many steps of the route lead to the node.
    depth: usize,
    addition: Addition,
}

impl<'n> Target<'n> {
    fn locate(root: &'n Node, insertion: &Insertion) -> Result<Self, EditError> {
        let steps = &insertion.route.0;
        let reached = |depth: usize| Route(steps[..depth].to_vec());
        let mut node = root;
        let mut key_span = None;
        let mut depth = 0;
        while depth < steps.len() {
            if node.is_alias() {
                return Err(EditError::Shared(reached(depth)));
            }
            let next = match (&steps[depth], &node.content) {
                (Step::Key(key), Content::Mapping { entries, .. }) => {
                    match entries.iter().find(|entry| entry.key == *key) {
                        Some(entry) => Some((&entry.value, Some(entry.key_span))),
                        None if node.entry(key).is_some() => {
                            return Err(EditError::Shared(reached(depth + 1)));
                        }
                        None => None,
                    }
                }
                (Step::Index(index), Content::Sequence { items, .. }) => {
                    let item = items.get(*index);
                    Some((
                        item.ok_or_else(|| EditError::Missing(reached(depth + 1)))?,
                        None,
                    ))
                }
                (Step::Key(_), _) if is_unset(node) => None,
                _ => return Err(EditError::Occupied(reached(depth))),
            };
            let Some((value, span)) = next else { break };
            node = value;
            key_span = span;
            depth += 1;
        }
        if node.is_alias() {
            return Err(EditError::Shared(reached(depth)));
        }
        let addition = wrap(&insertion.addition, &steps[depth..])
            .ok_or_else(|| EditError::Missing(insertion.route.clone()))?;
        Ok(Self {
            node,
            key_span,
            depth,
            addition,
        })
    }

    /// Makes the value of a document what it shall be afterwards.
    fn apply(&self, whole: &mut Value, insertion: &Insertion) -> Result<(), EditError> {
        let steps = &insertion.route.0[..self.depth];
        let mut value = whole;
        for step in steps {
            value = match step {
                Step::Key(key) => value.get_mut(key),
                Step::Index(index) => value.get_mut(index),
            }
            .ok_or_else(|| EditError::Missing(insertion.route.clone()))?;
        }
        let route = Route(steps.to_vec());
        match (&self.addition, &mut *value) {
            (Addition::Entries { entries, .. }, Value::Object(map)) => {
                for (key, added) in entries {
                    if map.insert(key.clone(), added.clone()).is_some() {
                        return Err(EditError::Exists(route.then(key.as_str())));
                    }
                }
            }
            (Addition::Entries { entries, .. }, Value::Null) if is_unset(self.node) => {
                *value = Value::Object(entries.clone());
            }
            (Addition::Item(item), Value::Array(items)) => items.push(item.clone()),
            (Addition::Item(item), Value::Null) if is_unset(self.node) => {
                *value = Value::Array(vec![item.clone()]);
            }
            _ => return Err(EditError::Occupied(route)),
        }
        Ok(())
    }
}

/// Wraps an addition in the mappings that are missing on the way to it.
fn wrap(addition: &Addition, missing: &[Step]) -> Option<Addition> {
    let mut wrapped = addition.clone();
    for step in missing.iter().rev() {
        let Step::Key(key) = step else { return None };
        let value = match wrapped {
            Addition::Entries { entries, .. } => Value::Object(entries),
            Addition::Item(item) => Value::Array(vec![item]),
        };
        let mut entries = Map::new();
        entries.insert(key.clone(), value);
        wrapped = Addition::Entries {
            entries,
            before: None,
        };
    }
    Some(wrapped)
}

/// Returns whether nothing is written after a key: `values:` as opposed to `values: null`.
fn is_unset(node: &Node) -> bool {
    !node.anchored
        && node.span.is_empty()
        && matches!(&node.content, Content::Scalar(scalar) if scalar.style == Style::Plain)
}

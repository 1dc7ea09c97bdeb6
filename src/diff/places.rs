//! Where what differs is written.

use kustomize::{Field, Origin, Place};

use super::lists::item_named;
use super::report::{self, FieldEdit, OutputLine};
use super::route::{DiffStep, Route};
use crate::yaml::Node;

/// Returns the line that a place is known by: that of its key, where it has one.
pub(super) fn spot_of(place: &Place) -> OutputLine {
    let documents = place.file.documents().ok();
    let root = documents.and_then(|documents| documents.get(place.document));
    let route = place.route();
    let start = match root {
        Some(document) if !route.0.is_empty() => document.root.span_of(&route).start,
        _ => place.span.start,
    };
    OutputLine {
        path: place.file.path.clone(),
        line: place.file.line_column(start).0,
    }
}

/// Returns the value at a dotted way, or at its deepest part that is there; `None` where not even the first step is.
///
/// Items of lists are found by their position or their `name`.
pub(super) fn deepest<'f>(root: &'f Field, dotted: &str) -> Option<&'f Field> {
    let mut at = root;
    let mut found = None;
    for step in steps(dotted) {
        let next = match at.items() {
            Some(items) => {
                let named = |item: &&Field| item.find_text(&["name"]) == Some(&*step);
                let by_name = items.iter().find(named);
                by_name.or_else(|| items.get(step.parse::<usize>().ok()?))
            }
            None => at.get(&step),
        };
        let Some(next) = next else { break };
        at = next;
        found = Some(next);
    }
    found
}

/// Returns where the key of a dotted way starts in a document, or that of its deepest part that is there.
pub(super) fn offset_in(root: &Node, dotted: &str) -> Option<usize> {
    let mut node = root;
    let mut found = None;
    for step in steps(dotted) {
        let (next, at) = match node.items() {
            Some(items) => {
                let named = |item: &&Node| item.find_text("name") == Some(&*step);
                let by_name = items.iter().find(named);
                match by_name.or_else(|| items.get(step.parse::<usize>().ok()?)) {
                    Some(item) => (item, item.first_line_span()),
                    None => break,
                }
            }
            None => match node.entry(&step) {
                Some(entry) => (&entry.value, entry.key_span),
                None => break,
            },
        };
        node = next;
        found = Some(at.start);
    }
    found
}

/// Lists the origins of what differs in an object: those of the new side, and of the old one for what is gone.
pub(super) fn origins<'f>(
    field: &report::ChangedField,
    before: Option<&'f Field>,
    after: Option<&'f Field>,
) -> Vec<&'f Origin> {
    let at = |root: Option<&'f Field>| follow(root?, &field.route);
    match &field.edit {
        FieldEdit::Removed(_) => at(before).into_iter().map(|gone| &gone.origin).collect(),
        FieldEdit::Items { removed, added } => {
            let is_among = |values: &[serde_json::Value], item: &Field| {
                let value = item.to_json();
                values.contains(&value)
            };
            let among = |list: Option<&'f Field>, values: &[serde_json::Value]| {
                let items = list.and_then(Field::items).unwrap_or_default();
                let own = items.iter().filter(|item| is_among(values, item));
                own.map(|item| &item.origin).collect::<Vec<_>>()
            };
            let mut found = among(at(after), added);
            found.extend(among(at(before), removed));
            found
        }
        _ => {
            let there = at(after).or_else(|| at(before));
            there.into_iter().map(|value| &value.origin).collect()
        }
    }
}

/// Follows a route to a value; items of lists by what names them.
pub(super) fn follow<'f>(root: &'f Field, route: &Route) -> Option<&'f Field> {
    route.0.iter().try_fold(root, |field, step| match step {
        DiffStep::Key(key) => field.get(key),
        DiffStep::Index(index) => field.items()?.get(*index),
        DiffStep::Item(name) => item_named(field.items()?, name),
    })
}

/// Splits a dotted way with items of lists in brackets, and keys with dots in brackets and quotes.
fn steps(dotted: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = dotted;
    while !rest.is_empty() {
        rest = rest.trim_start_matches('.');
        let (step, left) = if let Some(quoted) = rest.strip_prefix("[\"") {
            quoted.split_once("\"]").unwrap_or((quoted, ""))
        } else if let Some(item) = rest.strip_prefix('[') {
            item.split_once(']').unwrap_or((item, ""))
        } else {
            rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len()))
        };
        found.push(step.to_owned());
        rest = left;
    }
    found
}

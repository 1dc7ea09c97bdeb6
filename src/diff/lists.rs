//! Lists, matched by what names their items.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use similar::{ChangeTag, capture_diff_slices};

use super::fields::{compare, digest, same};
use super::report::{ChangedField, FieldEdit};
use super::route::{DiffStep, Route};

/// Lists whose order has a meaning, by the key that they stand at.
///
/// All others are sets to Kubernetes, or are merged by a key.
const ORDERED: [&str; 10] = [
    "additionalArgs",
    "args",
    "command",
    "entrypoint",
    "extraArgs",
    "initContainers",
    "nameservers",
    "patches",
    "postRenderers",
    "searches",
];

/// What names the items of a list: these keys together, the first of which must be there.
///
/// Source: the `patchMergeKey` and `x-kubernetes-list-map-keys` of the Kubernetes 1.36 and Gateway API types.
const KEYS: &[&[&str]] = &[
    &["containerPort", "protocol"],
    &["port", "protocol"],
    &["mountPath"],
    &["devicePath"],
    &["topologyKey", "whenUnsatisfiable"],
    &["name"],
    &["kind", "name", "namespace"],
    &["name", "namespace", "sectionName"],
    &["key"],
    &["key", "effect", "value"],
    &["id"],
    &["type"],
    &["hostname"],
    &["host"],
    &["ip"],
    &["path"],
    &["uid"],
];

/// Finds the item of a list that has a name by any of the keys that name items.
pub(super) fn item_named<'f>(
    items: &'f [kustomize::Field],
    name: &str,
) -> Option<&'f kustomize::Field> {
    let name_by = |item: &kustomize::Field, keys: &[&str]| -> Option<String> {
        item.find_text(&[keys.first()?])?;
        let parts = keys.iter().filter_map(|key| match item.find_text(&[key]) {
            Some(text) => Some(text),
            None if *key == "protocol" => Some("TCP"),
            None => None,
        });
        Some(parts.collect::<Vec<_>>().join("/"))
    };
    let by = |keys: &&[&str]| {
        let mut all = items.iter();
        all.find(|item| name_by(item, keys).as_deref() == Some(name))
    };
    KEYS.iter().find_map(by)
}

/// Compares two lists that stand at the key the route ends in.
pub(super) fn lists(
    before: &[Value],
    after: &[Value],
    route: &Route,
    found: &mut Vec<ChangedField>,
) {
    let ordered = ORDERED.contains(&route.last_key());
    if before.iter().chain(after).all(is_plain) {
        plain(before, after, ordered, route, found);
    } else if let Some((old, new)) = named(before, after) {
        by_name(&old, &new, ordered, route, found);
    } else {
        by_value(before, after, ordered, route, found);
    }
}

fn is_plain(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}

fn field(route: &Route, edit: FieldEdit) -> ChangedField {
    ChangedField {
        route: route.clone(),
        edit,
    }
}

/// Compares lists of plain values: as sequences where order counts, else as bags.
fn plain(
    before: &[Value],
    after: &[Value],
    ordered: bool,
    route: &Route,
    found: &mut Vec<ChangedField>,
) {
    let (mut removed, mut added) = bags(before, after);
    if removed.is_empty() && added.is_empty() {
        if ordered && before != after {
            let names = |list: &[Value]| list.iter().map(label).collect();
            found.push(field(
                route,
                FieldEdit::Reordered(names(before), names(after)),
            ));
        }
        return;
    }
    if ordered {
        (removed, added) = sequences(before, after);
    }
    found.push(field(route, FieldEdit::Items { removed, added }));
}

/// Returns what is in one bag and not in the other, in the order written.
fn bags(before: &[Value], after: &[Value]) -> (Vec<Value>, Vec<Value>) {
    let mut bag = Bag::of(after);
    let gone = before.iter().filter(|value| !bag.take(value));
    let removed = gone.cloned().collect();
    let added = bag.left.into_iter().flatten().cloned().collect();
    (removed, added)
}

/// The items of a list, to be taken out one by one.
struct Bag<'v> {
    left: Vec<Option<&'v Value>>,
    places: BTreeMap<u64, Vec<usize>>,
}

impl<'v> Bag<'v> {
    fn of(list: &'v [Value]) -> Self {
        let mut places: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (at, value) in list.iter().enumerate().rev() {
            places.entry(digest(value)).or_default().push(at);
        }
        Self {
            left: list.iter().map(Some).collect(),
            places,
        }
    }

    /// Takes out the first item that is the same, and returns whether there was one.
    fn take(&mut self, value: &Value) -> bool {
        let Some(places) = self.places.get_mut(&digest(value)) else {
            return false;
        };
        let left = &self.left;
        let alike = |at: &usize| left[*at].is_some_and(|other| same(value, other));
        let Some(found) = places.iter().rposition(alike) else {
            return false;
        };
        let at = places.remove(found);
        self.left[at].take().is_some()
    }
}

/// Returns what the longest common subsequence leaves out on either side.
fn sequences(before: &[Value], after: &[Value]) -> (Vec<Value>, Vec<Value>) {
    let old: Vec<String> = before.iter().map(ToString::to_string).collect();
    let new: Vec<String> = after.iter().map(ToString::to_string).collect();
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    for op in capture_diff_slices(similar::Algorithm::Myers, &old, &new) {
        for change in op.iter_changes(&old, &new) {
            match (change.tag(), change.old_index(), change.new_index()) {
                (ChangeTag::Delete, Some(at), _) => removed.push(before[at].clone()),
                (ChangeTag::Insert, _, Some(at)) => added.push(after[at].clone()),
                _ => {}
            }
        }
    }
    (removed, added)
}

type NamedItems<'v> = Vec<(String, &'v Value)>;

/// Names the items of two lists by the first keys that do so without doubt on both sides.
fn named<'v>(before: &'v [Value], after: &'v [Value]) -> Option<(NamedItems<'v>, NamedItems<'v>)> {
    KEYS.iter()
        .find_map(|keys| Some((names(before, keys)?, names(after, keys)?)))
}

fn names<'v>(list: &'v [Value], keys: &[&str]) -> Option<NamedItems<'v>> {
    let mut seen = BTreeSet::new();
    let mut named = Vec::new();
    for item in list {
        let item_fields = item.as_object()?;
        if !item_fields.get(*keys.first()?).is_some_and(is_plain) {
            return None;
        }
        let parts = keys.iter().filter_map(|key| match item_fields.get(*key) {
            Some(value) => Some(label(value)),
            // Kubernetes' own default, without which the same port would be another one.
            None if *key == "protocol" => Some("TCP".to_owned()),
            None => None,
        });
        let name = parts.collect::<Vec<_>>().join("/");
        if !seen.insert(name.clone()) {
            return None;
        }
        named.push((name, item));
    }
    Some(named)
}

fn label(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn by_name(
    before: &NamedItems<'_>,
    after: &NamedItems<'_>,
    ordered: bool,
    route: &Route,
    found: &mut Vec<ChangedField>,
) {
    let old: BTreeMap<&str, &Value> = before.iter().map(|(name, item)| (&**name, *item)).collect();
    let new: BTreeMap<&str, &Value> = after.iter().map(|(name, item)| (&**name, *item)).collect();
    let mut names: Vec<&str> = old.keys().chain(new.keys()).copied().collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let at = route.then(DiffStep::Item(name.to_owned()));
        match (old.get(name), new.get(name)) {
            (Some(old), Some(new)) => compare(old, new, &at, found),
            (Some(old), None) => found.push(field(&at, FieldEdit::Removed((*old).clone()))),
            (None, Some(new)) => found.push(field(&at, FieldEdit::Added((*new).clone()))),
            (None, None) => {}
        }
    }
    if ordered {
        let common = |list: &NamedItems<'_>, other: &BTreeMap<&str, &Value>| -> Vec<String> {
            let both = list.iter().filter(|(name, _)| other.contains_key(&**name));
            both.map(|(name, _)| name.clone()).collect()
        };
        let (old, new) = (common(before, &new), common(after, &old));
        if old != new {
            found.push(field(route, FieldEdit::Reordered(old, new)));
        }
    }
}

/// Compares lists whose items nothing names: what is equal belongs together wherever it stands, and
/// what is left is compared in the order written.
fn by_value(
    before: &[Value],
    after: &[Value],
    ordered: bool,
    route: &Route,
    found: &mut Vec<ChangedField>,
) {
    let mut bag = Bag::of(after);
    let items = before.iter().enumerate();
    let rest: Vec<(usize, &Value)> = items.filter(|(_, value)| !bag.take(value)).collect();
    let new = bag.left;
    let moved = rest.is_empty() && new.iter().all(Option::is_none);
    if ordered && moved && !before.iter().zip(after).all(|(old, new)| same(old, new)) {
        let names = |list: &[Value]| list.iter().map(label).collect();
        found.push(field(
            route,
            FieldEdit::Reordered(names(before), names(after)),
        ));
    }
    let mut new = new.into_iter().enumerate();
    let mut left = || new.by_ref().find_map(|(at, value)| Some((at, value?)));
    for (position, old) in rest {
        if let Some((at, new)) = left() {
            compare(old, new, &route.then(DiffStep::Index(at)), found);
        } else {
            let at = route.then(DiffStep::Index(position));
            found.push(field(&at, FieldEdit::Removed(old.clone())));
        }
    }
    while let Some((at, new)) = left() {
        let at = route.then(DiffStep::Index(at));
        found.push(field(&at, FieldEdit::Added(new.clone())));
    }
}

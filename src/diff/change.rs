//! One item on both sides, and what became of it.

use serde_json::Value;

use super::danger::Seen;
use super::fields;
use super::items::Item;
use super::noise::Noise;
use super::report::{Change, Edit, Field, Kind, Secrecy};
use super::route::Route;
use super::secrets::{self, HIDDEN, Sighted};
use crate::yaml;

/// An item on the sides that have it.
#[derive(Clone, Debug)]
pub(super) struct Pair<'s> {
    pub(super) before: Option<Item<'s>>,
    pub(super) after: Option<Item<'s>>,
    /// What else is to be known.
    pub(super) note: Option<String>,
}

/// A change with the values behind it, of which some may be secret.
pub(super) struct Found {
    pub(super) change: Change,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
}

impl Found {
    /// Returns what a check of dangers looks at.
    pub(super) fn seen<'c, 's>(&'c self, pair: &'c Pair<'s>) -> Seen<'c, 's> {
        Seen {
            change: &self.change,
            pair,
            before: self.before.as_ref(),
            after: self.after.as_ref(),
        }
    }
}

impl<'s> Pair<'s> {
    pub(super) fn both(before: Item<'s>, after: Item<'s>) -> Self {
        Self {
            before: Some(before),
            after: Some(after),
            note: None,
        }
    }

    /// An item that only one side has.
    pub(super) fn one(before: Option<Item<'s>>, after: Option<Item<'s>>) -> Self {
        Self {
            before,
            after,
            note: None,
        }
    }

    /// Takes away the side on which nothing brings the object to the cluster, if the other has it.
    pub(super) fn by_standing(mut self) -> Self {
        if let (Some(before), Some(after)) = (&self.before, &self.after) {
            let path = &after.held.file.path;
            if after.standing < before.standing {
                self.note = Some(format!(
                    "`{path}` still holds it, but nothing that Flux deploys takes it in any more"
                ));
                self.after = None;
            } else if before.standing < after.standing {
                self.note = Some(format!(
                    "`{path}` held it before, but nothing that Flux deploys took it in"
                ));
                self.before = None;
            }
        }
        self
    }

    /// Returns what differs, and counts what is left out as noise.
    pub(super) fn compare(&self, noise: &Noise, hidden: &mut usize) -> Option<Found> {
        let mut found = match (&self.before, &self.after) {
            (Some(before), Some(after)) => changed(before, after, noise, hidden)?,
            (Some(gone), None) => whole(gone, Kind::Removed, noise),
            (None, Some(new)) => whole(new, Kind::Added, noise),
            (None, None) => return None,
        };
        if self.note.is_some() {
            found.change.note.clone_from(&self.note);
        }
        Some(found)
    }
}

impl Change {
    fn new(item: &Item<'_>, kind: Kind) -> Self {
        Self {
            subject: item.identity.subject.clone(),
            also: Vec::new(),
            kind,
            was: None,
            before: None,
            after: None,
            fields: Vec::new(),
            body: None,
            note: None,
            causes: Vec::new(),
        }
    }

    /// Returns whether the same happens to the same document in another namespace.
    pub(super) fn is_twin(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.subject.kind == other.subject.kind
            && self.subject.name == other.subject.name
            && !self.subject.is_file()
            && self.before == other.before
            && self.after == other.after
            && self.fields == other.fields
            && self.was.is_none()
            && other.was.is_none()
    }
}

fn changed(
    before: &Item<'_>,
    after: &Item<'_>,
    noise: &Noise,
    hidden: &mut usize,
) -> Option<Found> {
    let renamed = before.identity.subject != after.identity.subject;
    if before.is_verbatim(after) && !renamed {
        return None;
    }
    // What depends on a made-up value cannot be held against what does not.
    let open = !before.is_secret() && !after.is_secret();
    if open && before.held.made_up != after.held.made_up {
        return None;
    }
    let (mut old, mut new) = (before.value(), after.value());
    let (old_noise, new_noise) = (noise.strip(&mut old), noise.strip(&mut new));
    let mut pointers: Vec<&String> = old_noise.keys().chain(new_noise.keys()).collect();
    pointers.sort_unstable();
    pointers.dedup();
    *hidden += pointers
        .into_iter()
        .filter(|pointer| old_noise.get(*pointer) != new_noise.get(*pointer))
        .count();
    let mut change = Change::new(after, Kind::Changed);
    change.before = Some(before.spot());
    change.after = Some(after.spot());
    if renamed {
        change.kind = Kind::Renamed;
        change.was = Some(before.identity.subject.clone());
    } else {
        change.fields = differences((before, &old), (after, &new));
        let unsealed = before.is_secret() && !after.is_secret();
        if unsealed {
            change.note = Some(format!(
                "`{}` was sealed, and `{}` is not",
                before.path(),
                after.path()
            ));
        } else if !secrets::differs(&change.fields) {
            return None;
        }
    }
    Some(Found {
        change,
        before: Some(old),
        after: Some(new),
    })
}

fn differences(
    (before, old): (&Item<'_>, &Value),
    (after, new): (&Item<'_>, &Value),
) -> Vec<Field> {
    if before.is_secret() || after.is_secret() {
        let sighted = |item: &Item<'_>, value| Sighted {
            value,
            sight: item.held.sight,
        };
        if before.root.is_none() || after.root.is_none() {
            return vec![unreadable(before, after, old == new)];
        }
        return secrets::compare(sighted(before, old), sighted(after, new));
    }
    let mut found = Vec::new();
    if before.is_open_secret() {
        let (old, old_data) = without_data(old);
        let (new, new_data) = without_data(new);
        fields::compare(&old, &new, &Route::default(), &mut found);
        let sight = before.held.sight;
        let sighted = |value| Sighted { value, sight };
        found.extend(secrets::compare(sighted(&old_data), sighted(&new_data)));
        return found;
    }
    fields::compare(old, new, &Route::default(), &mut found);
    found
}

/// Says what can be said of a secret file of which not even the keys are known.
fn unreadable(before: &Item<'_>, after: &Item<'_>, same: bool) -> Field {
    let sealed = [before, after]
        .iter()
        .any(|item| item.held.sight == super::side::Sight::Sealed);
    Field {
        route: Route::default(),
        edit: Edit::Secret(match (same, sealed) {
            (true, _) => Secrecy::Same,
            (false, true) => Secrecy::Unknown,
            (false, false) => Secrecy::Changed,
        }),
    }
}

/// Splits a Secret into what may be shown and what is told by key.
fn without_data(value: &Value) -> (Value, Value) {
    let mut open = value.clone();
    let mut data = serde_json::Map::new();
    if let Some(entries) = open.as_object_mut() {
        for key in ["data", "stringData"] {
            if let Some(secret) = entries.shift_remove(key) {
                data.insert(key.to_owned(), secret);
            }
        }
    }
    (open, Value::Object(data))
}

fn whole(item: &Item<'_>, kind: Kind, noise: &Noise) -> Found {
    let mut value = item.value();
    noise.strip(&mut value);
    let mut change = Change::new(item, kind);
    let (spot, secrecy) = match kind {
        Kind::Added => (&mut change.after, Secrecy::Added),
        _ => (&mut change.before, Secrecy::Removed),
    };
    *spot = Some(item.spot());
    if item.is_secret() {
        if item.root.is_some() {
            change.fields = secrets::keys(&value, secrecy);
        }
    } else if item.is_open_secret() {
        let (mut open, data) = without_data(&value);
        change.fields = secrets::keys(&data, secrecy);
        if let (Some(open), Some(data)) = (open.as_object_mut(), data.as_object()) {
            for key in data.keys() {
                open.insert(key.clone(), Value::from(HIDDEN));
            }
        }
        change.body = Some(yaml::emit(&open));
    } else {
        change.body = Some(match &value {
            Value::String(text) if item.root.is_none() => text.clone(),
            value => yaml::emit(value),
        });
    }
    let (before, after) = match kind {
        Kind::Added => (None, Some(value)),
        _ => (Some(value), None),
    };
    Found {
        change,
        before,
        after,
    }
}

/// Returns what must be equal for an item to be the same one under another name.
///
/// It may hold secrets, and is only ever compared.
pub(super) fn fingerprint(item: &Item<'_>, noise: &Noise) -> String {
    let mut value = item.value();
    noise.strip(&mut value);
    if let Some(metadata) = value
        .pointer_mut("/metadata")
        .and_then(Value::as_object_mut)
    {
        metadata.shift_remove("name");
        metadata.shift_remove("namespace");
    }
    let subject = &item.identity.subject;
    value.sort_all_objects();
    format!("{}/{}\n{value}", subject.group, subject.kind)
}

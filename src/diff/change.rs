//! One item on both sides, and what became of it.

use serde_json::Value;

use super::danger::DangerSubject;
use super::fields;
use super::items::Item;
use super::noise::Noise;
use super::places;
use super::report::{ChangeKind, ChangedField, FieldEdit, OutputLine, ReportedChange, Secrecy};
use super::route::Route;
use super::secrets::{self, HIDDEN};
use super::split::SplitValue;
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
pub(super) struct FoundChange {
    pub(super) change: ReportedChange,
    pub(super) before: Option<Value>,
    pub(super) after: Option<Value>,
}

impl FoundChange {
    /// Returns what a check of dangers looks at.
    pub(super) fn seen<'c, 's>(&'c self, pair: &'c Pair<'s>) -> DangerSubject<'c, 's> {
        DangerSubject {
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
            let path = after.path();
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
    pub(super) fn compare(&self, noise: &Noise, hidden: &mut usize) -> Option<FoundChange> {
        let mut found = match (&self.before, &self.after) {
            (Some(before), Some(after)) => changed(before, after, noise, hidden)?,
            (Some(gone), None) => whole(gone, ChangeKind::Removed, noise),
            (None, Some(new)) => whole(new, ChangeKind::Added, noise),
            (None, None) => return None,
        };
        if self.note.is_some() {
            found.change.note.clone_from(&self.note);
        }
        Some(found)
    }
}

impl ReportedChange {
    fn new(item: &Item<'_>, kind: ChangeKind) -> Self {
        Self {
            subject: item.identity.subject.clone(),
            also: Vec::new(),
            kind,
            was: None,
            before: None,
            after: None,
            places: Vec::new(),
            fields: Vec::new(),
            body: None,
            note: None,
            causes: Vec::new(),
        }
    }
}

fn changed(
    before: &Item<'_>,
    after: &Item<'_>,
    noise: &Noise,
    hidden: &mut usize,
) -> Option<FoundChange> {
    let renamed = before.identity.subject != after.identity.subject;
    if before.is_verbatim(after) && !renamed {
        return None;
    }
    // What depends on a made-up value cannot be held against what does not.
    let open = !before.is_secret() && !after.is_secret();
    if open && before.made_up != after.made_up {
        return None;
    }
    let (mut old, mut new) = (before.split(), after.split());
    let (old_noise, new_noise) = (noise.strip(&mut old.open), noise.strip(&mut new.open));
    let mut pointers: Vec<&String> = old_noise.keys().chain(new_noise.keys()).collect();
    pointers.sort_unstable();
    pointers.dedup();
    *hidden += pointers
        .into_iter()
        .filter(|pointer| old_noise.get(*pointer) != new_noise.get(*pointer))
        .count();
    let mut change = ReportedChange::new(after, ChangeKind::Changed);
    change.before = Some(before.spot());
    change.after = Some(after.spot());
    let is_same_content = || fingerprint(before, noise) == fingerprint(after, noise);
    if renamed && is_same_content() {
        change.kind = ChangeKind::Renamed;
        change.was = Some(before.identity.subject.clone());
    } else {
        change.was = renamed.then(|| before.identity.subject.clone());
        change.fields = differences((before, &old), (after, &new));
        change.note = moved(before, after);
        let unsealed = before.is_secret() && !after.is_secret();
        if unsealed {
            change.note = Some(format!(
                "`{}` was sealed, and `{}` is not",
                before.path(),
                after.path()
            ));
        } else if !secrets::differs(&change.fields) && change.note.is_none() {
            return None;
        }
        change.places = places_of(&change.fields, before, after);
    }
    Some(FoundChange {
        change,
        before: Some(old.open),
        after: Some(new.open),
    })
}

/// Says that an object goes from one owner to another.
fn moved(before: &Item<'_>, after: &Item<'_>) -> Option<String> {
    let (old, new) = (before.owner_name()?, after.owner_name()?);
    (old != new).then(|| format!("it moves from {old} to {new}"))
}

/// Lists where what differs is written, but for the document of the object itself.
fn places_of(fields: &[ChangedField], before: &Item<'_>, after: &Item<'_>) -> Vec<OutputLine> {
    let own = [before.written_at(), after.written_at()];
    let origins = fields
        .iter()
        .flat_map(|field| places::origins(field, before.field(), after.field()));
    let mut found: Vec<OutputLine> = origins
        .flat_map(|origin| std::iter::once(&origin.place).chain(origin.shaped_by()))
        .filter(|place| !own.contains(&(place.file.path.as_str(), place.document)))
        .map(places::spot_of)
        .collect();
    found.sort();
    found.dedup();
    found
}

fn differences(
    (before, old): (&Item<'_>, &SplitValue),
    (after, new): (&Item<'_>, &SplitValue),
) -> Vec<ChangedField> {
    if before.is_secret() || after.is_secret() {
        if !before.is_structured() || !after.is_structured() {
            return vec![unreadable(before, after, old.open == new.open)];
        }
        let old = secrets::leaves(&old.open, before.sight);
        return secrets::compare(&old, &secrets::leaves(&new.open, after.sight));
    }
    let mut found = Vec::new();
    fields::compare(&old.open, &new.open, &Route::default(), &mut found);
    found.extend(secrets::compare(&old.secret, &new.secret));
    found
}

/// Says what can be said of a secret file of which not even the keys are known.
fn unreadable(before: &Item<'_>, after: &Item<'_>, same: bool) -> ChangedField {
    let sealed = [before, after]
        .iter()
        .any(|item| item.sight == super::side::Sight::Sealed);
    ChangedField {
        route: Route::default(),
        edit: FieldEdit::Secret(match (same, sealed) {
            (true, _) => Secrecy::Same,
            (false, true) => Secrecy::Unknown,
            (false, false) => Secrecy::Changed,
        }),
    }
}

fn whole(item: &Item<'_>, kind: ChangeKind, noise: &Noise) -> FoundChange {
    let mut value = item.split();
    noise.strip(&mut value.open);
    let mut change = ReportedChange::new(item, kind);
    let (spot, secrecy) = match kind {
        ChangeKind::Added => (&mut change.after, Secrecy::Added),
        _ => (&mut change.before, Secrecy::Removed),
    };
    *spot = Some(item.spot());
    if item.is_secret() {
        if item.is_structured() {
            let leaves = secrets::leaves(&value.open, item.sight);
            change.fields = secrets::keys(&leaves, secrecy);
        }
    } else {
        change.fields = secrets::keys(&value.secret, secrecy);
        let mut shown = value.open.clone();
        if item.is_open_secret()
            && let Some(entries) = shown.as_object_mut()
        {
            let keys = value.secret.keys().filter_map(|route| route.keys().next());
            for key in keys.collect::<std::collections::BTreeSet<_>>() {
                entries.entry(key).or_insert(Value::from(HIDDEN));
            }
        }
        change.body = Some(match &shown {
            Value::String(text) if !item.is_structured() => text.clone(),
            value => yaml::emit(value),
        });
    }
    let (before, after) = match kind {
        ChangeKind::Added => (None, Some(value.open)),
        _ => (Some(value.open), None),
    };
    FoundChange {
        change,
        before,
        after,
    }
}

/// Returns what must be equal for an item to be the same one under another name.
///
/// It may hold secrets, and is only ever compared.
pub(super) fn fingerprint(item: &Item<'_>, noise: &Noise) -> String {
    let SplitValue { mut open, secret } = item.split();
    noise.strip(&mut open);
    if let Some(metadata) = open.pointer_mut("/metadata").and_then(Value::as_object_mut) {
        metadata.shift_remove("name");
        metadata.shift_remove("namespace");
    }
    let subject = &item.identity.subject;
    open.sort_all_objects();
    let leaves = secret
        .iter()
        .map(|(route, (value, _))| format!("{route}={value}"));
    let leaves: Vec<String> = leaves.collect();
    let (group, kind, cluster) = (&subject.group, &subject.kind, &subject.cluster);
    format!("{cluster}/{group}/{kind}\n{open}\n{}", leaves.join("\n"))
}

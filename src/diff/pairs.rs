//! Which item of one side is which of the other.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Pair, fingerprint};
use super::items::{Item, ItemIdentity, ItemStanding, Owner};
use super::noise::Noise;
use crate::flux::ObjectKey;

/// The items of a side, by what makes them the same ones.
type Items<'s> = BTreeMap<ItemIdentity, Vec<Item<'s>>>;

/// Matches the items of both sides: by identity, then by what a generator made or where a manifest is written, and at
/// last what is gone with what is new of the same content.
pub(super) fn paired<'s>(old: Items<'s>, new: Items<'s>, noise: &Noise) -> Vec<Pair<'s>> {
    let mut pairs = by_identity(old, new);
    join(&mut pairs, generated_name);
    join(&mut pairs, loose_place);
    // An object that is still there and that nothing takes in any more is gone from the cluster.
    let mut pairs: Vec<Pair<'s>> = pairs.into_iter().map(Pair::by_standing).collect();
    rename(&mut pairs, noise);
    pairs
}

/// Matches items by identity; of several of one identity those of one owner and path first.
fn by_identity<'s>(mut old: Items<'s>, mut new: Items<'s>) -> Vec<Pair<'s>> {
    let identities: BTreeSet<ItemIdentity> = old.keys().chain(new.keys()).cloned().collect();
    let mut pairs = Vec::new();
    for identity in identities {
        let mut before = old.remove(&identity).unwrap_or_default();
        let mut after = new.remove(&identity).unwrap_or_default();
        let same_owner = |one: &Item<'_>, other: &Item<'_>| {
            one.owner_name() == other.owner_name() && one.path() == other.path()
        };
        let same_path = |one: &Item<'_>, other: &Item<'_>| one.path() == other.path();
        let tests: [&ItemTest; 2] = [&same_owner, &same_path];
        for is_same in tests {
            let mut at = 0;
            while at < before.len() {
                match after.iter().position(|new| is_same(&before[at], new)) {
                    Some(found) => pairs.push(Pair::both(before.remove(at), after.remove(found))),
                    None => at += 1,
                }
            }
        }
        let mut after = after.into_iter();
        for old in before {
            pairs.push(Pair::one(Some(old), after.next()));
        }
        pairs.extend(after.map(|new| Pair::one(None, Some(new))));
    }
    pairs
}

/// Whether two items of one identity belong together.
type ItemTest = dyn Fn(&Item<'_>, &Item<'_>) -> bool;

/// What ties two items that have no name in common; the flag is the side on which it counts for a loose item.
type Tie = (String, String, String, String, String);

/// Joins pairs that lack a side where exactly the same ties them.
fn join(pairs: &mut Vec<Pair<'_>>, tie: fn(&Item<'_>, bool) -> Option<Tie>) {
    let mut gone: BTreeMap<Tie, Vec<usize>> = BTreeMap::new();
    for (at, pair) in pairs.iter().enumerate() {
        if let (Some(old), None) = (&pair.before, &pair.after)
            && let Some(tie) = tie(old, true)
        {
            gone.entry(tie).or_default().push(at);
        }
    }
    if gone.is_empty() {
        return;
    }
    for at in 0..pairs.len() {
        let (None, Some(new)) = (&pairs[at].before, &pairs[at].after) else {
            continue;
        };
        let found = tie(new, false).and_then(|tie| gone.get_mut(&tie)?.pop());
        if let Some(from) = found {
            pairs[at].before = pairs[from].before.take();
        }
    }
    pairs.retain(|pair| pair.before.is_some() || pair.after.is_some());
}

/// Ties what a generator makes under another hash.
fn generated_name(item: &Item<'_>, _: bool) -> Option<Tie> {
    let subject = &item.identity.subject;
    Some((
        subject.cluster.clone(),
        subject.group.clone(),
        subject.kind.clone(),
        subject.namespace.clone(),
        item.base_name?.to_owned(),
    ))
}

/// Ties an object to the manifest that it is made of, where only one of them is still built.
fn loose_place(item: &Item<'_>, is_old: bool) -> Option<Tie> {
    let subject = &item.identity.subject;
    if subject.is_file() {
        return None;
    }
    // One side is built, the other is not: the key says which.
    let is_loose = item.standing == ItemStanding::Loose;
    let (path, document) = item.written_at();
    Some((
        path.to_owned(),
        document.to_string(),
        subject.kind.clone(),
        subject.group.clone(),
        (is_loose == is_old).to_string(),
    ))
}

/// Joins what is gone with what is new where kind and content are the same.
fn rename(pairs: &mut Vec<Pair<'_>>, noise: &Noise) {
    let mut gone: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, pair) in pairs.iter().enumerate() {
        if let (Some(old), None) = (&pair.before, &pair.after) {
            gone.entry(fingerprint(old, noise)).or_default().push(at);
        }
    }
    if gone.is_empty() {
        return;
    }
    for at in 0..pairs.len() {
        if pairs[at].before.is_some() {
            continue;
        }
        let Some(new) = &pairs[at].after else {
            continue;
        };
        let Some(equals) = gone.get_mut(&fingerprint(new, noise)) else {
            continue;
        };
        if equals.is_empty() {
            continue;
        }
        let from = equals.remove(0);
        let old = pairs[from].before.take();
        let mut pair = Pair::one(old, pairs[at].after.take()).by_standing();
        if pair.after.is_none() {
            std::mem::swap(&mut pairs[from], &mut pair);
        } else {
            std::mem::swap(&mut pairs[at], &mut pair);
        }
    }
    pairs.retain(|pair| pair.before.is_some() || pair.after.is_some());
}

/// Lists the Flux Kustomizations that only the old side has, by cluster and name.
pub(super) fn gone_kustomizations(pairs: &[Pair<'_>]) -> BTreeSet<(String, ObjectKey)> {
    let mut found = BTreeSet::new();
    for pair in pairs.iter().filter(|pair| pair.after.is_none()) {
        let Some(old) = &pair.before else { continue };
        let subject = &old.identity.subject;
        if subject.is("kustomize.toolkit.fluxcd.io", "Kustomization") {
            let key = ObjectKey::new(&subject.namespace, &subject.name);
            found.insert((subject.cluster.clone(), key));
        }
    }
    found
}

impl Item<'_> {
    /// Returns cluster and name of the Flux Kustomization that applies it.
    pub(super) fn owner_key(&self) -> Option<(String, ObjectKey)> {
        match self.owner {
            Owner::Flux { key, .. } => Some((self.identity.subject.cluster.clone(), key.clone())),
            Owner::Sync(_) | Owner::Nobody => None,
        }
    }
}

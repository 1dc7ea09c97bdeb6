//! Objects that go from one owner to another.

use std::collections::BTreeMap;

use super::removal::PRUNE;
use super::{Danger, GoneOwners};
use crate::diff::change::Pair;
use crate::diff::items::{Item, Owner};

/// Who gives objects to whom: the cluster, and both names.
type Move = (String, String, String);

/// Finds the objects that a pruning owner gives away, one danger for each old and new owner.
pub(in crate::diff) fn find(pairs: &[Pair<'_>], gone: &GoneOwners) -> Vec<Danger> {
    let mut moves: BTreeMap<Move, Vec<(&Item<'_>, &Item<'_>)>> = BTreeMap::new();
    for pair in pairs {
        let (Some(before), Some(after)) = (&pair.before, &pair.after) else {
            continue;
        };
        let (Some(from), Some(to)) = (before.owner_name(), after.owner_name()) else {
            continue;
        };
        if from != to && prunes(before) {
            let cluster = after.identity.subject.cluster.clone();
            let own = moves.entry((cluster, from, to)).or_default();
            own.push((before, after));
        }
    }
    let moves = moves.into_iter();
    moves
        .filter_map(|(names, items)| danger(&names, &items, gone))
        .collect()
}

fn danger(
    (_, from, to): &Move,
    items: &[(&Item<'_>, &Item<'_>)],
    gone: &GoneOwners,
) -> Option<Danger> {
    let ((before, first), rest) = items.split_first()?;
    let subject = first.identity.subject.clone();
    let also: Vec<_> = rest
        .iter()
        .map(|(_, item)| item.identity.subject.clone())
        .collect();
    let what = format!("`{subject}` moves from {from} to {to}");
    let is_gone = before.owner_key().is_some_and(|key| gone.contains(&key));
    let why = if is_gone {
        format!(
            "{from} goes, and deletes what it applied unless {to} has taken it over before: then the object is deleted and made anew"
        )
    } else {
        format!(
            "{from} prunes what it no longer has: where it is reconciled before {to}, the object is deleted and made anew"
        )
    };
    Some(Danger {
        also,
        ..Danger::new("owner-moved", subject, what, why, Some(first.spot()))
    })
}

/// Returns whether the owner of an object deletes it once it does not have it any more.
fn prunes(item: &Item<'_>) -> bool {
    let kept = |holder: &str| {
        let metadata = item.field().and_then(|field| field.get("metadata"));
        let mark = metadata.and_then(|metadata| metadata.find_text(&[holder, PRUNE]));
        mark == Some("disabled")
    };
    if kept("annotations") || kept("labels") {
        return false;
    }
    match item.owner {
        Owner::Flux { object, .. } => object.find_text(&["spec", "prune"]) == Some("true"),
        Owner::Sync(_) => true,
        Owner::Nobody => false,
    }
}

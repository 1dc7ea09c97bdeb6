//! What made rendered files differ from what would be rendered now: inputs, another Kiln, or an edit.

use std::collections::{BTreeMap, BTreeSet};

use super::cause::{Blame, ChangeCause};
use super::change::{Pair, fingerprint};
use super::items::{Item, ItemIdentity, ItemNaming};
use super::noise::Noise;
use super::report::ReportedChange;
use super::side::{OutputRecord, Side, Sight};

/// What is known of how the old side's files came about.
///
/// Three trees prove a cause: the files as they are, what this Kiln makes of the inputs that they were
/// made from, and what it makes of the inputs of today. Between the first two only Kiln differs, between
/// the last two only the inputs.
pub(super) struct Past<'s> {
    written: &'s OutputRecord,
    remade: Option<Remade<'s>>,
}

struct Remade<'s> {
    items: BTreeMap<ItemIdentity, Vec<Item<'s>>>,
    blame: Blame<'s>,
    kiln: Option<ChangeCause>,
}

impl<'s> Past<'s> {
    /// Returns what is known, if anything is.
    pub(super) fn of(before: &'s Side, after: &'s Side, naming: ItemNaming) -> Option<Self> {
        let written = &before.written;
        if written.edited.is_empty() && written.remade.is_none() {
            return None;
        }
        let remade = written.remade.as_deref();
        let remade = remade.filter(|_| after.config.is_some());
        Some(Self {
            written,
            remade: remade.map(|remade| Remade {
                items: Item::all(remade, after, naming),
                blame: Blame::new(remade, after),
                kiln: kiln(&before.written, &after.written),
            }),
        })
    }

    /// Lists the causes of a change, sorted.
    pub(super) fn causes(
        &self,
        change: &ReportedChange,
        pair: &Pair<'_>,
        noise: &Noise,
    ) -> Vec<ChangeCause> {
        let mut causes = BTreeSet::new();
        let before = pair.before.as_ref();
        let there = before.or(pair.after.as_ref());
        let edited = there.is_some_and(|item| self.written.edited.contains(item.path()));
        if edited {
            causes.insert(ChangeCause::Edit);
        }
        if let Some(remade) = &self.remade {
            let now = remade.of(pair);
            if !is_same(now, pair.after.as_ref(), noise) {
                let by_inputs = Pair::one(now.cloned(), pair.after.clone());
                causes.extend(remade.blame.of(change, &by_inputs));
            }
            let sealed = before.is_some_and(|item| item.sight == Sight::Sealed);
            if !edited && !sealed && !is_same(before, now, noise) {
                causes.extend(remade.kiln.clone());
            }
        }
        causes.into_iter().collect()
    }
}

impl<'s> Remade<'s> {
    /// Finds the same item as this Kiln makes it of the old inputs, if it is deployed as the pair is.
    fn of(&self, pair: &Pair<'_>) -> Option<&Item<'s>> {
        let sides = [pair.before.as_ref(), pair.after.as_ref()];
        let standing = sides
            .iter()
            .filter_map(|item| item.map(|item| item.standing))
            .max();
        sides.into_iter().flatten().find_map(|item| {
            let equals = self.items.get(&item.identity)?;
            let found = equals.iter().find(|other| other.path() == item.path());
            let found = found.or_else(|| equals.first());
            found.filter(|found| Some(found.standing) >= standing)
        })
    }
}

/// Returns the cause for differences that no input explains, where two versions are known.
fn kiln(before: &OutputRecord, after: &OutputRecord) -> Option<ChangeCause> {
    let (from, to) = (before.kiln.as_ref()?, after.kiln.as_ref()?);
    (from != to).then(|| ChangeCause::Kiln {
        from: from.clone(),
        to: to.clone(),
    })
}

/// Returns whether two items have the same name and content, or both are not there.
fn is_same(one: Option<&Item<'_>>, other: Option<&Item<'_>>, noise: &Noise) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => {
            one.identity.subject == other.identity.subject
                && fingerprint(one, noise) == fingerprint(other, noise)
        }
        (None, None) => true,
        _ => false,
    }
}

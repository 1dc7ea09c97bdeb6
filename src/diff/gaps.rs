//! Builds that one side does not have because Flux refuses them, or because their source is not at hand.

use std::collections::BTreeMap;

use super::change::Pair;
use super::items::Item;
use super::places::spot_of;
use super::report::ComparisonGap;
use super::side::Side;
use crate::diagnostic::Severity;
use crate::flux::{AppliedObjects, KustomizationBuild};

/// What starts a build: the folder of its root, and its owner or folder.
type BuildKey = (String, String);

/// The builds of a side that are not there.
pub(super) struct SideGaps {
    by_key: BTreeMap<BuildKey, usize>,
    gaps: Vec<ComparisonGap>,
}

impl SideGaps {
    pub(super) fn of(side: &Side) -> Self {
        let applied = side.applied();
        let mut found = Self {
            by_key: BTreeMap::new(),
            gaps: Vec::new(),
        };
        for (index, build) in applied.builds.iter().enumerate() {
            let gap = refusal(applied, index).or_else(|| blindness(applied, index));
            if let Some(gap) = gap {
                let side = side.label.clone();
                found
                    .by_key
                    .insert(key_of(applied, build), found.gaps.len());
                found.gaps.push(ComparisonGap { side, ..gap });
            }
        }
        found
    }

    /// Counts an object of the other side that may be in one of the builds, and returns whether it may.
    fn takes(&mut self, item: &Item<'_>) -> bool {
        let applied = item.side.applied();
        let mut at = item.build;
        while let Some(build) = at.map(|index| &applied.builds[index]) {
            if let Some(gap) = self.by_key.get(&key_of(applied, build)) {
                self.gaps[*gap].objects += 1;
                return true;
            }
            at = build.parent;
        }
        false
    }

    /// Returns what has to be said: each refusal of what Flux gets to, and what else took objects away.
    fn told(self) -> impl Iterator<Item = ComparisonGap> {
        let gaps = self.gaps.into_iter();
        gaps.filter(|gap| gap.refused || gap.objects > 0)
    }
}

/// Takes out what only one side has because the other cannot be seen there, and returns what is to be said of that.
pub(super) fn take_out(
    pairs: &mut Vec<Pair<'_>>,
    (before, after): (&Side, &Side),
) -> Vec<ComparisonGap> {
    let (mut old, mut new) = (SideGaps::of(before), SideGaps::of(after));
    if !old.by_key.is_empty() || !new.by_key.is_empty() {
        pairs.retain(|pair| match (&pair.before, &pair.after) {
            (Some(gone), None) => !new.takes(gone),
            (None, Some(added)) => !old.takes(added),
            _ => true,
        });
    }
    let mut gaps: Vec<ComparisonGap> = old.told().chain(new.told()).collect();
    gaps.sort();
    gaps
}

fn key_of(applied: &AppliedObjects, build: &KustomizationBuild) -> BuildKey {
    let root = build.root.and_then(|root| applied.roots.get(root));
    let folder = root.map_or_else(String::new, |root| root.folder.clone());
    let start = if build.owner.name.is_empty() {
        build.folder.clone()
    } else {
        build.owner.to_string()
    };
    (folder, start)
}

/// Names a build: its Kustomization, or its folder.
fn name_of(build: &KustomizationBuild) -> String {
    match build.kustomization() {
        Some(_) => format!("Kustomization/{}", build.owner),
        None if build.folder.is_empty() => "the root of the tree".to_owned(),
        None => build.folder.clone(),
    }
}

fn refusal(applied: &AppliedObjects, index: usize) -> Option<ComparisonGap> {
    let build = &applied.builds[index];
    if !build.refused {
        return None;
    }
    let own = applied.problems.iter();
    let own = own
        .filter(|problem| problem.severity == Severity::Error && problem.builds.contains(&index));
    let problems: Vec<_> = own.collect();
    let first = problems.first();
    let mut why = first.map_or_else(String::new, |problem| problem.message.clone());
    if problems.len() > 1 {
        why = format!("{why}, and {} more", problems.len() - 1);
    }
    Some(ComparisonGap {
        side: String::new(),
        what: name_of(build),
        why,
        spot: first
            .and_then(|problem| problem.place.as_ref())
            .map(spot_of),
        objects: 0,
        refused: build.is_reached(),
    })
}

/// Returns why nothing of a build is seen, if nothing is.
fn blindness(applied: &AppliedObjects, index: usize) -> Option<ComparisonGap> {
    let build = &applied.builds[index];
    let name = name_of(build);
    let unseen = applied
        .unseen
        .iter()
        .find(|unseen| unseen.build == index && unseen.what == name)?;
    Some(ComparisonGap {
        side: String::new(),
        what: name,
        why: unseen.why.clone(),
        spot: unseen.place.as_ref().map(spot_of),
        objects: 0,
        refused: false,
    })
}

//! For which of the objects of a manifest an addition is right: a component or a base may be built many times.

use std::collections::{BTreeMap, BTreeSet};

use super::Facts;
use super::kustomization_patch::{AppliedName, PatchHome, PatchTarget};
use super::object_addition::ObjectAddition;
use crate::flux::builds::{ManifestUse, ManifestUser, Member};
use crate::flux::{AppliedObject, ObjectKey};
use crate::tree::Gap;
use crate::workload::{PodField, Workload};

/// The object that an addition to a manifest is right for.
#[derive(Clone, Debug)]
pub(super) struct Wisher {
    /// Where the manifest is written: the file in the tree, and the first byte.
    spot: (String, usize),
    user: ManifestUser,
    /// The name as it is written.
    written_name: String,
    /// What the object gains, as it is applied.
    pub(super) gains: Vec<ObjectAddition>,
    /// How gaps name what asks for it, and the field.
    pub(super) object: String,
    pub(super) field: String,
}

/// An addition to a manifest from which several objects may come.
pub(super) trait SharedAddition {
    /// Returns the object that it is right for; `None` where that was looked at.
    fn wisher(&self) -> Option<&Wisher>;

    /// Returns the path of the file that it is for.
    fn path(&self) -> &str;

    /// Returns whether another adds the same to the same place.
    fn says_same(&self, other: &Self) -> bool;

    /// Takes over what others have to say that add the same.
    fn settle(&mut self, others: Vec<Self>)
    where
        Self: Sized;
}

/// Where additions go.
pub(super) struct Settlement<T> {
    /// Those that are right for all that come of their manifest.
    pub(super) at_source: Vec<T>,
    /// Those that are right for some, each of which has a kustomization to itself.
    pub(super) apart: Vec<(T, PatchHome)>,
    /// Those that go nowhere.
    pub(super) gaps: Vec<Gap>,
    /// Whether something goes into a manifest from which several objects come.
    pub(super) reaches_several: bool,
}

impl Wisher {
    pub(super) fn of(member: &Member<'_>, object: String, field: String) -> Self {
        let (path, start) = member.spot();
        let written = member.written.map(|written| written.name().to_owned());
        Self {
            spot: (path.to_owned(), start),
            user: member.user(),
            written_name: written.unwrap_or_else(|| member.name.clone()),
            gains: Vec::new(),
            object,
            field,
        }
    }

    pub(super) fn of_workload(workload: &Workload<'_>, field: &PodField) -> Self {
        Self::of(workload.member, workload.label(), field.to_string())
    }
}

/// Says where additions go: into the manifest what is right for all that comes of it, into a kustomization of its own
/// what is right for one, and nowhere what would reach others.
pub(super) fn settle<T: SharedAddition>(
    facts: &Facts<'_>,
    rule: &'static str,
    additions: Vec<T>,
) -> Settlement<T> {
    let mut settlement = Settlement {
        at_source: Vec::new(),
        apart: Vec::new(),
        gaps: Vec::new(),
        reaches_several: false,
    };
    for mut group in groups(additions) {
        let spot = group[0].wisher().map(|wisher| wisher.spot.clone());
        let Some((path, start)) = spot else {
            settlement.at_source.append(&mut group);
            continue;
        };
        let uses = facts.manifest_uses().get(&(path.as_str(), start));
        let uses = uses.map(Vec::as_slice).unwrap_or_default();
        let wishers = group.iter().filter_map(SharedAddition::wisher);
        let agreed: BTreeSet<ManifestUser> = wishers.map(|wisher| wisher.user.clone()).collect();
        let Some(other) = uses.iter().find(|one| !agreed.contains(&one.user)) else {
            let others = group.split_off(1);
            settlement.reaches_several |= !others.is_empty();
            settlement.at_source.extend(group.pop().map(|mut first| {
                first.settle(others);
                first
            }));
            continue;
        };
        let reason = format!(
            "its manifest makes `{}` too, for which it may not be right",
            super::facts::object_label(other.object)
        );
        for addition in group {
            let Some(wisher) = addition.wisher() else {
                continue;
            };
            match home(facts, uses, &agreed, wisher) {
                Some(home) => settlement.apart.push((addition, home)),
                None => settlement.gaps.push(Gap {
                    rule,
                    path: addition.path().to_owned(),
                    object: wisher.object.clone(),
                    route: wisher.field.clone(),
                    reason: reason.clone(),
                }),
            }
        }
    }
    settlement
}

/// Puts those together that add the same to one place, in the order of the first.
fn groups<T: SharedAddition>(additions: Vec<T>) -> Vec<Vec<T>> {
    let mut groups: Vec<Vec<T>> = Vec::new();
    let mut by_spot: BTreeMap<(String, usize), Vec<usize>> = BTreeMap::new();
    for addition in additions {
        let Some(wisher) = addition.wisher() else {
            groups.push(vec![addition]);
            continue;
        };
        let known = by_spot.entry(wisher.spot.clone()).or_default();
        let mut same = known.iter().copied();
        if let Some(index) = same.find(|index| groups[*index][0].says_same(&addition)) {
            groups[index].push(addition);
        } else {
            known.push(groups.len());
            groups.push(vec![addition]);
        }
    }
    groups
}

/// Finds the innermost kustomization on the way of an object through which nothing of its manifest comes for which the
/// addition is not right.
fn home(
    facts: &Facts<'_>,
    uses: &[ManifestUse<'_>],
    agreed: &BTreeSet<ManifestUser>,
    wisher: &Wisher,
) -> Option<PatchHome> {
    let own = uses.iter().filter(|one| one.user == wisher.user);
    let first = own.clone().next()?;
    let passes = |one: &ManifestUse<'_>, folder: &String| one.object.way.contains(folder);
    let folder = first.object.way.iter().rev().find(|folder| {
        let mut passing = uses.iter().filter(|one| passes(one, folder));
        passing.all(|one| agreed.contains(&one.user))
            && own.clone().all(|one| passes(one, folder))
            && facts.kustomization_to_edit(folder).is_some()
    })?;
    let text = |key| {
        let found = first.object.field.find_text(&[key]);
        found.unwrap_or_default().to_owned()
    };
    Some(PatchHome {
        path: facts.kustomization_to_edit(folder)?.to_owned(),
        folder: folder.clone(),
        spot: wisher.spot.clone(),
        api_version: text("apiVersion"),
        kind: text("kind"),
        targets: targets(&wisher.written_name, first.object),
        objects: own.map(|one| AppliedName::of(one.object)).collect(),
    })
}

/// Lists how a target may name an object: as it is written, as it is applied, and as it is applied in its namespace.
fn targets(written: &str, object: &AppliedObject) -> Vec<PatchTarget> {
    let ObjectKey { namespace, name } = object.key();
    let target = |name: &str, namespace: &str| PatchTarget {
        name: name.to_owned(),
        namespace: namespace.to_owned(),
    };
    let mut targets = vec![
        target(written, ""),
        target(&name, ""),
        target(&name, &namespace),
    ];
    targets.dedup();
    targets
}

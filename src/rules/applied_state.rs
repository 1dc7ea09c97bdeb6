//! What Flux applies before and after a patch, to prove that the patch adds what it is meant to, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use kustomize::{Field, FieldValue};
use serde_json::Value;

use super::Measures;
use super::kustomization_patch::{AppliedName, KustomizationPatch};
use crate::flux::{AppliedObject, AppliedObjects, TreeFiles, follow_again};
use crate::tree::File;

/// What Flux applies of a tree at some time.
pub struct AppliedState {
    applied: AppliedObjects,
    indices: BTreeMap<AppliedName, usize>,
}

impl AppliedState {
    /// Follows Flux through files.
    pub fn of<'f>(files: impl Iterator<Item = &'f File>, measures: Measures<'f>) -> Self {
        let files = TreeFiles::over(measures.kept, files);
        let applied = follow_again(&files, measures.follow, measures.memory);
        let objects = applied.objects.iter().enumerate();
        let indices = objects.map(|(index, object)| (AppliedName::of(object), index));
        Self {
            indices: indices.collect(),
            applied,
        }
    }

    /// Returns an object of it.
    pub(super) fn object(&self, name: &AppliedName) -> Option<Value> {
        let object = self.applied.objects.get(*self.indices.get(name)?)?;
        Some(object.field.to_json())
    }

    /// Returns which of some patches do not do what is meant, by what is applied with all of them.
    pub fn failures(&self, after: &Self, patches: &[KustomizationPatch]) -> BTreeSet<usize> {
        let all = || (0..patches.len()).collect();
        if self.applied.builds.len() != after.applied.builds.len() {
            return all();
        }
        let mut failed = BTreeSet::new();
        for build in 0..self.applied.builds.len() {
            let (old, new) = (self.objects_of(build), after.objects_of(build));
            let same_objects = old.len() == new.len()
                && old
                    .iter()
                    .zip(&new)
                    .all(|(old, new)| AppliedName::of(old) == AppliedName::of(new));
            if !same_objects {
                failed.extend(after.blamed_for_build(build, patches));
                continue;
            }
            for (old, new) in old.into_iter().zip(new) {
                if !is_as_meant(old, new, patches) {
                    failed.extend(blamed_for_object(old, patches));
                }
            }
        }
        failed
    }

    fn objects_of(&self, build: usize) -> Vec<&AppliedObject> {
        let objects = self.applied.objects.iter();
        objects.filter(|object| object.build == build).collect()
    }

    /// Finds the patches that a build has other objects with: those that a problem of it is about, or else all in it.
    fn blamed_for_build(&self, build: usize, patches: &[KustomizationPatch]) -> Vec<usize> {
        let problems = self.applied.problems.iter();
        let places: BTreeSet<&str> = problems
            .filter(|problem| problem.builds.contains(&build))
            .filter_map(|problem| Some(problem.place.as_ref()?.file.path.as_str()))
            .collect();
        let lies_in = |patch: &KustomizationPatch| {
            let path = patch.path();
            places.iter().any(|place| place.ends_with(path))
        };
        let of_build = |patch: &KustomizationPatch| {
            let mut objects = patch.gains.keys();
            objects.any(|object| object.build == build)
        };
        blamed(
            patches,
            &[&|patch| of_build(patch) && lies_in(patch), &of_build],
        )
    }
}

/// Returns whether an object differs by what patches add to it, and by nothing else.
fn is_as_meant(old: &AppliedObject, new: &AppliedObject, patches: &[KustomizationPatch]) -> bool {
    let name = AppliedName::of(old);
    let gains = patches.iter().filter_map(|patch| patch.gains.get(&name));
    let mut gains = gains.flatten().peekable();
    if gains.peek().is_none() {
        return has_same_value(&old.field, &new.field);
    }
    let mut meant = old.field.to_json();
    gains.all(|gain| gain.apply(&mut meant).is_some()) && meant == new.field.to_json()
}

/// Finds the patches that an object is not as meant with: those for it, those on its way, or else all.
fn blamed_for_object(object: &AppliedObject, patches: &[KustomizationPatch]) -> Vec<usize> {
    let name = AppliedName::of(object);
    let is_for = |patch: &KustomizationPatch| patch.gains.contains_key(&name);
    let is_on_way = |patch: &KustomizationPatch| {
        let mut way = object.way.iter();
        way.any(|folder| folder == patch.folder())
    };
    blamed(patches, &[&is_for, &is_on_way])
}

/// Returns the patches that the first of some conditions holds for that holds for any; all where none does.
fn blamed(
    patches: &[KustomizationPatch],
    conditions: &[&dyn Fn(&KustomizationPatch) -> bool],
) -> Vec<usize> {
    let holding = |condition: &&dyn Fn(&KustomizationPatch) -> bool| {
        let holding = patches.iter().enumerate();
        let holding: Vec<usize> = holding
            .filter(|(_, patch)| condition(patch))
            .map(|(index, _)| index)
            .collect();
        (!holding.is_empty()).then_some(holding)
    };
    let found = conditions.iter().find_map(|condition| holding(condition));
    found.unwrap_or_else(|| (0..patches.len()).collect())
}

/// Returns whether two fields have the same value, wherever it comes from.
fn has_same_value(one: &Field, other: &Field) -> bool {
    match (&one.value, &other.value) {
        (FieldValue::Mapping(own), FieldValue::Mapping(others)) => {
            own.len() == others.len()
                && own.iter().zip(others).all(|(own, other)| {
                    own.key == other.key && has_same_value(&own.value, &other.value)
                })
        }
        (FieldValue::Sequence(own), FieldValue::Sequence(others)) => {
            let mut both = own.iter().zip(others);
            own.len() == others.len() && both.all(|(own, other)| has_same_value(own, other))
        }
        (FieldValue::Scalar(own), FieldValue::Scalar(other)) => own == other,
        _ => false,
    }
}

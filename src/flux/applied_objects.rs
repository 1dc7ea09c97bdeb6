//! Everything that Flux applies of a tree, and what of it is not seen.

use std::collections::BTreeMap;

use kustomize::TargetNote;

use super::applied_object::{AppliedObject, KustomizationBuild, ObjectKey};
use super::finding::{FluxProblem, UnseenPart};
use super::roots::SyncRoot;

/// Everything that Flux applies of a tree.
#[derive(Clone, Debug, Default)]
pub struct AppliedObjects {
    /// Where Flux starts: one root a cluster, by folder.
    pub roots: Vec<SyncRoot>,
    /// The builds, each after the one that applies its Kustomization.
    pub builds: Vec<KustomizationBuild>,
    /// The objects, by build, in the order of `kustomize build`.
    pub objects: Vec<AppliedObject>,
    /// What is wrong; each problem once, whatever number of builds has it.
    pub problems: Vec<FluxProblem>,
    /// What is not seen.
    pub unseen: Vec<UnseenPart>,
    /// The targets of patches and replacements, each once for every build that has it.
    pub targets: Vec<AppliedTarget>,
}

/// The target of a patch, or the `select` of a replacement, in one build.
#[derive(Clone, Debug)]
pub struct AppliedTarget {
    /// What it asks for, and whether any object is meant; kustomize says nothing where none is.
    pub note: TargetNote,
    /// The build, as an index of [`AppliedObjects::builds`].
    pub build: usize,
}

impl AppliedObjects {
    /// Lists the objects of a group and kind.
    pub fn of_kind(&self, group: &str, kind: &str) -> impl Iterator<Item = &AppliedObject> {
        self.objects
            .iter()
            .filter(move |object| object.is(group, kind))
    }

    /// Returns the build of an object.
    ///
    /// # Panics
    /// The object is one of another tree.
    pub fn build_of(&self, object: &AppliedObject) -> &KustomizationBuild {
        &self.builds[object.build]
    }

    /// Lists the names of builds.
    pub fn owners<'b>(&'b self, builds: impl IntoIterator<Item = &'b usize>) -> Vec<&'b ObjectKey> {
        let builds = builds
            .into_iter()
            .filter_map(|index| self.builds.get(*index));
        builds
            .map(|build| &build.owner)
            .filter(|owner| !owner.name.is_empty())
            .collect()
    }

    /// Lists what is not seen of what a root reaches, each part with the Kustomization that it is missing from.
    pub fn unseen_by_owner(&self) -> Vec<(ObjectKey, UnseenPart)> {
        let parts = self.unseen.iter().filter_map(|part| {
            let build = self.builds.get(part.build)?;
            build
                .is_reached()
                .then(|| (build.owner.clone(), part.clone()))
        });
        parts.collect()
    }

    /// Counts the objects of each build.
    pub fn count_by_build(&self) -> BTreeMap<usize, usize> {
        let mut counts = BTreeMap::new();
        for object in &self.objects {
            *counts.entry(object.build).or_default() += 1;
        }
        counts
    }

    /// Adds a problem, or a build to one that is known.
    pub(super) fn refuse(&mut self, problem: FluxProblem, build: usize) {
        let known = self.problems.iter_mut().find(|known| {
            known.meaning.code == problem.meaning.code
                && known.place == problem.place
                && known.message == problem.message
        });
        if let Some(known) = known {
            known.builds.insert(build);
        } else {
            let mut problem = problem;
            problem.builds.insert(build);
            self.problems.push(problem);
        }
    }
}

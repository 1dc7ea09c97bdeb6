//! What a check sees.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use kustomize::{Field, PathRole};

use super::leak::Leak;
use crate::diagnostic::Diagnostic;
use crate::flux::builds::Builds;
use crate::flux::{AppliedObject, place_in};
use crate::source::Place;
use crate::tree::{File, Hardened, Tree};
use crate::workload::budget::Budget;
use crate::workload::pod_security::Version;
use crate::workload::{Exemption, Release, Workload};
use crate::yaml;

/// The tree, how it is put together, what runs because of it, and what of it depends on a secret.
pub(super) struct Context<'t> {
    pub(super) tree: &'t Tree<Hardened>,
    pub(super) builds: &'t Builds<'t>,
    pub(super) releases: &'t [Release<'t>],
    pub(super) workloads: &'t [Workload<'t>],
    /// The budgets that somebody wrote.
    pub(super) budgets: &'t [Budget],
    pub(super) kubernetes: Version,
    /// What the project exempts from checks.
    pub(super) exempt: &'t [Exemption],
    /// What depends on a secret and is open.
    pub(super) leaks: &'t [Leak],
    /// What fails with other secrets.
    pub(super) failures: &'t [Diagnostic],
}

impl<'t> Context<'t> {
    /// Lists the workloads that Flux deploys.
    pub(super) fn deployed(&self) -> impl Iterator<Item = &'t Workload<'t>> {
        let workloads = self.workloads.iter();
        workloads.filter(|workload| workload.is_deployed(self.builds))
    }

    /// Puts a problem at a place of an output, with the template line behind it.
    pub(super) fn at(&self, problem: Diagnostic, place: &Place, text: &str) -> Diagnostic {
        let problem = problem.at_place(place.clone(), text);
        match self.template(place) {
            Some(template) => problem.with_related(template, "rendered from here"),
            None => problem,
        }
    }

    /// Returns the template place behind a place of an output.
    pub(super) fn template(&self, place: &Place) -> Option<Place> {
        let file = self
            .tree
            .get(&place.source.path)
            .filter(|file| Arc::ptr_eq(&file.source, &place.source))?;
        file.template_place(place.span.start)
    }

    /// Returns the documents of a manifest, in YAML or in JSON; a file is one by its name, or because a
    /// kustomization lists it.
    pub(super) fn documents<'f>(&self, file: &'f File) -> Cow<'f, [yaml::Document]> {
        if file.is_yaml() || !(file.path.ends_with(".json") || self.is_listed(&file.path)) {
            return Cow::Borrowed(file.documents.as_slice());
        }
        Cow::Owned(yaml::load(&file.source.text).unwrap_or_default())
    }

    fn is_listed(&self, path: &str) -> bool {
        let path = self.builds.files.path_of_output(path);
        let kustomizations = self.builds.kustomizations.values();
        kustomizations
            .flat_map(|found| &found.references)
            .any(|found| found.role == PathRole::Resource && found.path.as_deref() == Some(&*path))
    }

    /// Puts a problem at the place that decides a field, with the template line behind it.
    pub(super) fn at_field(&self, problem: Diagnostic, field: &Field) -> Diagnostic {
        match place_in(&[self.builds.files], field.place()) {
            Some(place) => self.at(problem, &place, ""),
            None => problem,
        }
    }

    /// Returns the cluster that an object goes to, as an index of the roots; `None` where no root reaches it.
    pub(super) fn root_of(&self, object: &AppliedObject) -> Option<usize> {
        self.builds.applied.build_of(object).root
    }

    /// Lists the objects of a group and kind, each once for a cluster even if several builds take it in.
    pub(super) fn unique_objects(&self, group: &str, kind: &str) -> Vec<&AppliedObject> {
        let mut seen = BTreeSet::new();
        let objects = self.builds.objects();
        objects
            .filter(|object| object.is(group, kind))
            .filter(|object| seen.insert((self.root_of(object), object.key())))
            .collect()
    }

    /// Returns whether the kustomization of a folder of the tree is rendered.
    pub(super) fn is_rendered_folder(&self, folder: &str) -> bool {
        let kustomization = self.builds.kustomizations.get(folder);
        kustomization.is_some_and(|found| self.is_rendered(&found.file.path))
    }

    /// Returns whether a file is rendered, and not kept beside those that are.
    pub(super) fn is_rendered(&self, path: &str) -> bool {
        self.tree.get(path).is_some()
    }
}

/// Returns whether Flux fills in a text only in the cluster, so that it cannot be judged here.
pub(super) fn is_substituted(text: &str) -> bool {
    text.contains("${")
}

/// Returns whether a file's objects reach the cluster as plain text of the repository.
pub(super) fn is_open(file: &File) -> bool {
    !file.is_secret()
}

/// Names an object as messages do: `HelmRelease/network/echo`.
pub(super) fn object_label(object: &AppliedObject) -> String {
    let key = object.key();
    if key.namespace.is_empty() {
        format!("{}/{}", object.kind(), key.name)
    } else {
        format!("{}/{key}", object.kind())
    }
}

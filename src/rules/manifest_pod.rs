//! Pods as manifests write them, field by field.

use kustomize::Field;

use super::Facts;
use super::facts::is_substituted;
use super::subject::JudgedSubject;
use crate::source::Place;
use crate::workload::{Home, Workload};

/// The pod of a workload that is written as a manifest.
#[derive(Clone, Copy)]
pub(super) struct ManifestPod<'t> {
    pub(super) workload: &'t Workload<'t>,
    /// The spec of the pod.
    pub(super) spec: &'t Field,
}

/// A container of such a pod.
#[derive(Clone, Copy)]
pub(super) struct ManifestContainer<'t> {
    pub(super) name: &'t str,
    pub(super) field: &'t Field,
}

impl<'t> ManifestPod<'t> {
    /// Lists the pods of all manifests that Flux applies.
    pub(super) fn all(facts: &Facts<'t>) -> impl Iterator<Item = Self> {
        facts.deployed().filter_map(Self::of)
    }

    /// Takes the pod of a workload, if a manifest has it.
    pub(super) fn of(workload: &'t Workload<'t>) -> Option<Self> {
        let Home::Manifest(route) = &workload.home else {
            return None;
        };
        let spec = workload.member.at(&route.then("spec"))?;
        Some(Self { workload, spec })
    }

    /// Lists its containers, init containers first.
    pub(super) fn containers(self) -> impl Iterator<Item = ManifestContainer<'t>> {
        let lists = ["initContainers", "containers"];
        let fields = lists
            .into_iter()
            .flat_map(move |list| items(self.spec, list));
        fields.map(|field| ManifestContainer {
            name: field.find_text(&["name"]).unwrap_or_default(),
            field,
        })
    }

    /// Returns the place of a field.
    pub(super) fn place(self, field: &Field) -> Place {
        self.workload.member.field_place(field)
    }

    /// Returns what a judgement is about.
    pub(super) fn subject(self) -> JudgedSubject {
        JudgedSubject::workload(self.workload)
    }

    /// Names it as messages do.
    pub(super) fn label(self) -> String {
        self.workload.label()
    }
}

/// Lists the items of a list below a field.
pub(super) fn items<'f>(field: &'f Field, key: &str) -> &'f [Field] {
    field.get(key).and_then(Field::items).unwrap_or_default()
}

/// Returns the text of a scalar in which no variable is left.
pub(super) fn seen_text(field: &Field) -> Option<&str> {
    field.as_text().filter(|text| !is_substituted(text))
}

//! What runs in a cluster because of a tree: the workloads of manifests, charts and operators.
//!
//! A workload's pod is put together as far as the tree and the chart profiles tell: what a manifest says,
//! or what a chart renders by default with the values and the patches of its release laid over it. So one
//! and the same question, such as "does this container have a readiness probe?", has one answer wherever
//! the workload lives. [`Workload::reach`] says where a field would have to be written.

mod app_template;
mod autoscaler;
pub mod budget;
mod chart;
mod exemption;
mod pod_field;
pub mod manifest;
mod operand;
pub mod patch_fit;
pub mod prediction;
pub mod quantity;
pub mod standing;

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde_json::Value;

pub use exemption::Exemption;
pub use pod_field::{PodField, Reach};

use crate::charts::profile::Workloads;
use crate::charts::{Release, profile};
use crate::flux::builds::{Builds, Member};
use crate::source::Place;
use crate::yaml::Route;

/// One workload.
#[derive(Clone, Debug)]
pub struct Workload<'t> {
    /// The object of the tree that makes it: itself, a HelmRelease or a custom resource.
    pub member: &'t Member<'t>,
    /// Where its fields are written.
    pub home: Home<'t>,
    /// `Deployment`, `StatefulSet`, `DaemonSet`, `Job`, `CronJob`, `Pod` or another kind that has pods.
    pub kind: String,
    /// Its name in the cluster.
    pub name: String,
    /// Its namespace in the cluster.
    pub namespace: String,
    /// How many replicas it has, or the fewest where an autoscaler of the tree decides; `None` for a
    /// kind without, or where something else decides.
    pub replicas: Option<u64>,
    /// The labels that select its pods; empty where nobody knows.
    pub selector: BTreeMap<String, String>,
    /// Whether it is a Helm hook: it comes and goes.
    pub hook: bool,
    /// Whether what is said of it is certain: values from elsewhere and patches may say otherwise.
    pub certain: bool,
    /// Whether its pod stays as it was made: the API server refuses a change, and nothing makes it anew.
    pub immutable: bool,
    /// Its pod (`metadata` and `spec`), as far as known.
    pub pod: Value,
}

/// Where the fields of a workload are written.
#[derive(Clone, Debug)]
pub enum Home<'t> {
    /// In its own manifest, with its pod at this route.
    Manifest(Route),
    /// In the values of a release, by the paths of its chart's profile.
    Chart(&'t Release<'t>, &'t profile::ProfileWorkload),
    /// In the values of a release of bjw-s' app-template, as this controller.
    AppTemplate(&'t Release<'t>, String),
    /// In a custom resource from which an operator makes it, by the paths of the operator's profile.
    Operand(&'t profile::ProfileWorkload),
}

/// A container of a workload.
#[derive(Clone, Copy, Debug)]
pub struct WorkloadContainer<'w> {
    /// Its name.
    pub name: &'w str,
    /// Whether it runs before the others and ends: a sidecar (`restartPolicy: Always`) does not.
    pub init: bool,
    /// Which list of the pod it is in: `containers` or `initContainers`.
    pub list: &'static str,
    /// The container as the API spells it.
    pub value: &'w Value,
}

/// Lists the workloads of a tree: those of manifests, then those of each release.
pub fn all<'t>(builds: &'t Builds<'t>, releases: &'t [Release<'t>]) -> Vec<Workload<'t>> {
    let mut found = manifest::workloads(builds);
    let of_release = |release: &'t Release<'t>| {
        let mut found = Vec::new();
        let Some(profile) = release.profile().filter(|_| !release.elsewhere) else {
            return found;
        };
        match &profile.workloads {
            Workloads::AppTemplate => found.extend(app_template::workloads(release)),
            Workloads::Listed(_) => found.extend(chart::workloads(release, profile)),
        }
        found.extend(operand::workloads(release, profile, builds));
        found
    };
    let of_releases: Vec<Vec<Workload<'t>>> = releases.par_iter().map(of_release).collect();
    found.extend(of_releases.into_iter().flatten());
    let autoscalers = autoscaler::Autoscalers::of(builds);
    for workload in &mut found {
        let Workload {
            kind,
            namespace,
            name,
            ..
        } = workload;
        if let Some(fewest) = autoscalers.fewest(kind, namespace, name) {
            workload.replicas = Some(fewest);
        }
    }
    found
}

impl<'t> Workload<'t> {
    /// Returns the release that makes it.
    pub fn release(&self) -> Option<&'t Release<'t>> {
        match &self.home {
            Home::Chart(release, _) | Home::AppTemplate(release, _) => Some(release),
            Home::Manifest(_) | Home::Operand(_) => None,
        }
    }

    /// Returns what a profile knows of it.
    pub fn known(&self) -> Option<&'t profile::ProfileWorkload> {
        match &self.home {
            Home::Chart(_, known) | Home::Operand(known) => Some(known),
            Home::Manifest(_) | Home::AppTemplate(..) => None,
        }
    }

    /// Returns what a profile knows of one of its containers.
    pub fn known_container(&self, name: &str) -> Option<&'t profile::ProfileContainer> {
        let known = self.known()?;
        known.containers.get(name).or_else(|| {
            let release = self.release()?;
            let mut all = known.containers.iter();
            all.find(|(pattern, _)| release.fill(pattern) == name)
                .map(|(_, container)| container)
        })
    }

    /// Lists its containers, init containers first.
    pub fn containers(&self) -> impl Iterator<Item = WorkloadContainer<'_>> {
        ["initContainers", "containers"]
            .into_iter()
            .flat_map(|list| {
                let items = self.pod["spec"][list].as_array();
                items
                    .into_iter()
                    .flatten()
                    .map(move |value| WorkloadContainer {
                        name: value["name"].as_str().unwrap_or_default(),
                        init: list == "initContainers" && value["restartPolicy"] != "Always",
                        list,
                        value,
                    })
            })
    }

    /// Returns whether its pods run until they are told to stop: those of jobs and hooks do not.
    pub fn is_long_running(&self) -> bool {
        !self.hook && !matches!(self.kind.as_str(), "Job" | "CronJob" | "Pod")
    }

    /// Returns whether its pods may run in several replicas: those of a Deployment or StatefulSet.
    pub fn is_scalable(&self) -> bool {
        !self.hook && matches!(self.kind.as_str(), "Deployment" | "StatefulSet")
    }

    /// Returns whether it is known to always have two replicas or more.
    pub fn is_replicated(&self) -> bool {
        self.is_scalable() && self.replicas.is_some_and(|replicas| replicas > 1)
    }

    /// Returns the selector of its pods, as a label selector; `None` where nobody knows.
    pub fn label_selector(&self) -> Option<Value> {
        if matches!(self.home, Home::Manifest(_)) {
            let written = self.member.find("spec.selector")?.to_json();
            let selects = written
                .as_object()
                .is_some_and(|written| !written.is_empty());
            return selects.then_some(written);
        }
        (!self.selector.is_empty()).then(|| serde_json::json!({"matchLabels": self.selector}))
    }

    /// Says why there is no selector of its pods where [`Self::label_selector`] returns none.
    pub fn why_no_selector(&self) -> &'static str {
        let hidden = self.release().is_some_and(|release| release.values_from);
        if hidden {
            "more of the release's values come from elsewhere"
        } else {
            "nobody knows which labels select its pods"
        }
    }

    /// Returns a label of its pods: `None` where nobody knows, `Some(None)` where they have none of
    /// that name.
    pub fn label_of(&self, key: &str) -> Option<Option<&str>> {
        let labels = &self.pod["metadata"]["labels"];
        if let Some(value) = labels[key].as_str() {
            return Some(Some(value));
        }
        match self.selector.get(key) {
            Some(value) => Some(Some(value)),
            // Charts put more labels on their pods than those that select them.
            None => matches!(self.home, Home::Manifest(_)).then_some(None),
        }
    }

    /// Returns whether Flux deploys it: files that no build takes in are not Flux's, and secret files
    /// are not ours to edit.
    pub fn is_deployed(&self, builds: &Builds<'_>) -> bool {
        builds.deploys(self.member) && !self.member.is_secret()
    }

    /// Names it as messages do: `Deployment/network/echo`, or `Deployment/echo of HelmRelease/network/echo`.
    pub fn label(&self) -> String {
        match self.home {
            Home::Manifest(_) => self.member.label(),
            _ => format!("{}/{} of {}", self.kind, self.name, self.member.label()),
        }
    }

    /// Returns the value of a field, null when it is not set.
    pub fn value(&self, field: &PodField) -> &Value {
        match field {
            PodField::Pod(key) => &self.pod["spec"][key],
            PodField::Container { name, key } => {
                let mut all = self.containers();
                all.find(|container| container.name == name)
                    .map_or(&Value::Null, |container| &container.value[key])
            }
        }
    }

    /// Returns whether its name is certain, so that a patch by that name reaches it.
    pub fn is_named(&self) -> bool {
        match &self.home {
            Home::Chart(release, known) => chart::is_named(release, known),
            Home::Manifest(_) | Home::AppTemplate(..) | Home::Operand(_) => true,
        }
    }

    /// Returns where an addition to a field goes.
    pub fn reach(&self, field: &PodField) -> Reach {
        match &self.home {
            Home::Manifest(_) if self.immutable => Reach::Nowhere(manifest::IMMUTABLE),
            Home::Manifest(route) => manifest::reach(self, route, field),
            Home::Chart(release, known) => chart::reach(release, known, field),
            Home::AppTemplate(release, controller) => {
                app_template::reach(release, controller, field)
            }
            Home::Operand(known) => operand::reach(known, field),
        }
    }

    /// Returns the route of a field in the object that makes it, as that is applied; `None` where it goes into a patch of
    /// the release or nowhere.
    pub fn applied_route(&self, field: &PodField) -> Option<Route> {
        match (&self.home, self.reach(field)) {
            (Home::Manifest(route), Reach::Object(_)) => {
                Some(manifest::applied_route(self, route, field))
            }
            (_, Reach::Object(route)) => Some(route),
            (_, Reach::Patch | Reach::Nowhere(_)) => None,
        }
    }

    /// Returns the file, document and route where a field is written; what is written there may reach
    /// other workloads too. `None` where it goes into a patch or nowhere.
    pub fn written_at(&self, field: &PodField) -> Option<(&'t str, usize, Route)> {
        let object = self.member.written?;
        match self.reach(field) {
            Reach::Object(route) => Some((
                &object.file.path,
                object.document,
                object.document_route(&route),
            )),
            Reach::Patch | Reach::Nowhere(_) => None,
        }
    }

    /// Returns the place of a field, or of what comes closest to it in the tree.
    pub fn place(&self, field: &PodField) -> Place {
        if let Home::Manifest(route) = &self.home {
            return self
                .member
                .place(&manifest::applied_route(self, route, field));
        }
        match self.reach(field) {
            Reach::Object(route) => self.member.place(&route),
            Reach::Patch | Reach::Nowhere(_) => self.member.name_place(),
        }
    }
}

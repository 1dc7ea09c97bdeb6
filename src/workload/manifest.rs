//! Raw workloads: where a manifest holds its pod.

use std::collections::BTreeMap;

use kustomize::Field;
use serde_json::Value;

use super::{Home, PodField, Reach, Workload};
use crate::flux::builds::{Builds, Member, Start};
use crate::yaml::{Node, Route};

/// Why nothing is added to a Job or Pod that nothing makes anew.
pub(super) const IMMUTABLE: &str = "it cannot be changed once it runs: Flux would need `kustomize.toolkit.fluxcd.io/force: enabled`";

/// Returns the route of the pod template (`metadata` and `spec`) in an object of a kind that runs pods.
pub fn pod_route(group: &str, kind: &str) -> Option<Route> {
    let route = match (group, kind) {
        ("", "Pod") => Route::default(),
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet")
        | ("batch", "Job")
        | ("", "ReplicationController") => Route::parse("spec.template"),
        ("batch", "CronJob") => Route::parse("spec.jobTemplate.spec.template"),
        ("", "PodTemplate") => Route::parse("template"),
        _ => return None,
    };
    Some(route)
}

/// Lists the workloads that are written as manifests, each once for all builds of a cluster that make the same of it.
pub(super) fn workloads<'t>(builds: &'t Builds<'t>) -> Vec<Workload<'t>> {
    let mut seen: BTreeMap<_, Vec<Value>> = BTreeMap::new();
    let mut found: Vec<Workload<'t>> = Vec::new();
    for member in &builds.members {
        if let Some(workload) = workload(member, builds) {
            let key = (member.spot(), member.user());
            let known = seen.entry(key).or_default();
            let spec = member.value("spec");
            if !known.contains(&spec) {
                known.push(spec);
                found.push(workload);
            }
        }
    }
    found
}

/// Reads the workload that an object is, as the API server would.
fn workload<'t>(member: &'t Member<'t>, builds: &Builds<'_>) -> Option<Workload<'t>> {
    let route = pod_route(member.group(), member.kind())?;
    let pod = member.at(&route).map_or(Value::Null, Field::to_json);
    Some(Workload {
        member,
        home: Home::Manifest(route),
        kind: member.kind().to_owned(),
        name: member.name.clone(),
        namespace: member.namespace_name().to_owned(),
        replicas: replicas(member),
        selector: labels(member.find("spec.selector.matchLabels")),
        hook: false,
        certain: true,
        immutable: is_immutable(member, builds),
        pod,
    })
}

/// Returns whether Flux would fail to change an object that is there already.
///
/// The API server refuses a change of a Job's or a Pod's spec. Flux replaces such an object where the
/// object or its Kustomization asks for that (`force`), and never touches it again where the object
/// is only to be there (`ssa`); in any other case a change would stop the whole Kustomization.
fn is_immutable(member: &Member<'_>, builds: &Builds<'_>) -> bool {
    if !matches!(member.kind(), "Job" | "Pod") {
        return false;
    }
    let start = builds.builds[member.build].start;
    if matches!(start, Start::Unreached | Start::Loose) {
        return false;
    }
    let owner = builds.owner(member);
    let asks = |key: &str, value: &str| {
        let annotations = member.find("metadata.annotations");
        let written = annotations.and_then(|field| field.get(key)?.as_text());
        written.is_some_and(|written| written.eq_ignore_ascii_case(value))
    };
    let replaced = owner.is_some_and(|owner| owner.find_text(&["spec", "force"]) == Some("true"))
        || asks("kustomize.toolkit.fluxcd.io/force", "enabled");
    !replaced && !asks("kustomize.toolkit.fluxcd.io/ssa", "IfNotPresent")
}

/// Reads the replicas of a kind that has them; one is the API server's default.
fn replicas(member: &Member<'_>) -> Option<u64> {
    if !matches!(
        member.kind(),
        "Deployment" | "StatefulSet" | "ReplicaSet" | "ReplicationController"
    ) {
        return None;
    }
    member
        .find("spec.replicas")
        .map_or(Some(1), |field| field.to_json().as_u64())
}

fn labels(field: Option<&Field>) -> BTreeMap<String, String> {
    field
        .and_then(Field::entries)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some((entry.key.clone(), entry.value.as_text()?.to_owned())))
        .collect()
}

/// Returns the route of a field in the manifest as it is written: containers have theirs by index there.
pub(super) fn reach(workload: &Workload<'_>, route: &Route, field: &PodField) -> Reach {
    let Some(written) = workload.member.written else {
        return Reach::Nowhere("a generator makes it");
    };
    let spec = route.then("spec");
    match field {
        PodField::Pod(key) => Reach::Object(spec.then(*key)),
        PodField::Container { name, key } => {
            for list in ["containers", "initContainers"] {
                let list = spec.then(list);
                let items = written.root.at(&list).and_then(Node::items);
                let mut all = items.into_iter().flatten();
                if let Some(index) = all.position(|item| item.find_text("name") == Some(name)) {
                    return Reach::Object(list.then(index).then(*key));
                }
            }
            Reach::Nowhere("a patch adds its container")
        }
    }
}

/// Returns the route of a field in the manifest as it is applied.
pub(super) fn applied_route(workload: &Workload<'_>, route: &Route, field: &PodField) -> Route {
    let spec = route.then("spec");
    let PodField::Container { name, key } = field else {
        return spec.then(field.key());
    };
    for list in ["containers", "initContainers"] {
        let items = workload.pod["spec"][list].as_array();
        let mut all = items.into_iter().flatten();
        if let Some(index) = all.position(|item| item["name"] == name.as_str()) {
            return spec.then(list).then(index).then(*key);
        }
    }
    spec
}

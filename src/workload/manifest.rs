//! Raw workloads: where a manifest holds its pod.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Field, Home, Reach, Workload};
use crate::flux::builds::{Builds, Member, Start};
use crate::tree::object::Object;
use crate::yaml::{Node, Route};

/// Why nothing is added to a Job or Pod that nothing makes anew.
pub(super) const IMMUTABLE: &str = "it cannot be changed once it runs: Flux would need `kustomize.toolkit.fluxcd.io/force: enabled`";

/// Returns the route of the pod template (`metadata` and `spec`) in an object of a kind that runs pods.
pub fn pod_route(object: Object<'_>) -> Option<Route> {
    let route = match (object.group(), object.kind()) {
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

/// Reads the workload that an object is, as the API server would.
pub(super) fn workload<'t>(member: &'t Member<'t>, builds: &Builds<'_>) -> Option<Workload<'t>> {
    let object = member.object;
    let route = pod_route(object)?;
    let pod = object
        .root
        .at(&route)
        .map_or(Value::Null, Node::to_kubernetes);
    Some(Workload {
        member,
        home: Home::Manifest(route),
        kind: object.kind().to_owned(),
        name: member.name.clone(),
        namespace: member.namespace_name().to_owned(),
        replicas: replicas(object),
        selector: labels(object.find("spec.selector.matchLabels")),
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
    if !matches!(member.object.kind(), "Job" | "Pod") {
        return false;
    }
    let start = builds.builds[member.build].start;
    if matches!(start, Start::Unreached | Start::Loose) {
        return false;
    }
    let owner = builds.owner(member);
    let asks = |key: &str, value: &str| {
        let annotations = member.object.find("metadata.annotations");
        let written = annotations.and_then(|node| node.get(key)?.text());
        written.is_some_and(|written| written.eq_ignore_ascii_case(value))
    };
    let replaced = owner.is_some_and(|owner| owner.find_text(&["spec", "force"]) == Some("true"))
        || asks("kustomize.toolkit.fluxcd.io/force", "enabled");
    !replaced && !asks("kustomize.toolkit.fluxcd.io/ssa", "IfNotPresent")
}

/// Reads the replicas of a kind that has them; one is the API server's default.
fn replicas(object: Object<'_>) -> Option<u64> {
    if !matches!(
        object.kind(),
        "Deployment" | "StatefulSet" | "ReplicaSet" | "ReplicationController"
    ) {
        return None;
    }
    object
        .find("spec.replicas")
        .map_or(Some(1), |node| node.to_kubernetes().as_u64())
}

fn labels(node: Option<&Node>) -> BTreeMap<String, String> {
    node.and_then(Node::entries)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some((entry.key.clone(), entry.value.text()?.to_owned())))
        .collect()
}

/// Returns the route of a field: containers have theirs by index.
pub(super) fn reach(workload: &Workload<'_>, route: &Route, field: &Field) -> Reach {
    let spec = route.then("spec");
    match field {
        Field::Pod(key) => Reach::Object(spec.then(*key)),
        Field::Container { name, key } => {
            for list in ["containers", "initContainers"] {
                let items = workload.pod["spec"][list].as_array();
                let mut all = items.into_iter().flatten();
                if let Some(index) = all.position(|item| item["name"] == name.as_str()) {
                    return Reach::Object(spec.then(list).then(index).then(*key));
                }
            }
            Reach::Nowhere("there is no such container")
        }
    }
}

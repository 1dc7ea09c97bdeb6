//! Whether the patches of a release fit what its chart makes.
//!
//! kustomize ignores a patch whose target matches nothing, and makes a new container, without an image,
//! of one whose name is not there. Both are told only where the profile decides it.

use serde_json::{Map, Value};

use super::{Home, Workload};
use crate::charts::Release;
use crate::charts::post_renderer::Patch;

/// The kinds that run pods; a chart may make objects of other kinds that no profile lists.
const RUNNING: [&str; 7] = [
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "Job",
    "CronJob",
    "Pod",
];

/// Whether a patch's target matches something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It matches a workload.
    Matches,
    /// It matches nothing that the chart makes.
    Misses,
    /// It may be about objects that no profile lists, or about those that other values make.
    Undecided,
}

/// Lists the workloads that the chart of a release makes itself, so that a patch can reach them.
pub fn reachable<'w, 't>(
    release: &'w Release<'_>,
    workloads: impl IntoIterator<Item = &'w Workload<'t>>,
) -> Vec<&'w Workload<'t>>
where
    't: 'w,
{
    let own = |workload: &&Workload<'_>| {
        workload.release().is_some_and(|of| {
            let (of, release) = (of.member, release.member);
            of.build == release.build && of.spot() == release.spot()
        }) && workload.known().is_none_or(|known| !known.by_operator)
    };
    workloads.into_iter().filter(own).collect()
}

/// Returns whether the target of a patch matches one of the workloads that a release makes.
pub fn target(patch: &Patch, release: &Release<'_>, workloads: &[&Workload<'_>]) -> Fit {
    let matches = |workload: &&Workload<'_>| patch.concerns(&workload.kind, &workload.name);
    if workloads.iter().any(matches) {
        return Fit::Matches;
    }
    let of_workloads = patch
        .target
        .get("kind")
        .and_then(Value::as_str)
        .is_some_and(names_only_workloads);
    let named = workloads.iter().all(|workload| workload.is_named());
    let more = release.values_from || !named || mentions_kind(&release.values);
    if of_workloads && !more && release.profile().is_some() {
        Fit::Misses
    } else {
        Fit::Undecided
    }
}

/// Returns whether a pattern for kinds matches nothing but kinds that run pods.
fn names_only_workloads(pattern: &str) -> bool {
    let bare = pattern.trim_start_matches(['^', '(']);
    let bare = bare.strip_prefix("?:").unwrap_or(bare);
    let bare = bare.trim_end_matches(['$', ')']);
    bare.split('|').all(|kind| RUNNING.contains(&kind))
}

/// Returns whether values hold objects of a kind that runs pods (`rawResources`, `extraObjects`).
fn mentions_kind(values: &Map<String, Value>) -> bool {
    let kind = values.get("kind").and_then(Value::as_str);
    kind.is_some_and(|kind| RUNNING.contains(&kind)) || values.values().any(holds_kind)
}

fn holds_kind(value: &Value) -> bool {
    match value {
        Value::Object(map) => mentions_kind(map),
        Value::Array(items) => items.iter().any(holds_kind),
        _ => false,
    }
}

/// Lists the containers that a patch adds to a workload by mistake: it gives them no image, the chart
/// has none of that name, and no value of the release speaks of one.
pub fn strangers<'p>(patch: &'p Patch, workload: &Workload<'_>) -> Vec<&'p str> {
    if !patch.concerns(&workload.kind, &workload.name) || workload.release().is_none() {
        return Vec::new();
    }
    let Some(spec) = patch.pod_spec(&workload.kind) else {
        return Vec::new();
    };
    let named = ["initContainers", "containers"]
        .into_iter()
        .flat_map(|list| spec[list].as_array().into_iter().flatten())
        .filter(|container| container["image"].is_null() && container["$patch"].is_null())
        .filter_map(|container| container["name"].as_str());
    named.filter(|name| !has(workload, name)).collect()
}

/// Lists the names of the containers that the chart gives to a workload.
pub fn names(workload: &Workload<'_>) -> Vec<String> {
    match &workload.home {
        Home::Chart(release, known) => ["initContainers", "containers"]
            .into_iter()
            .flat_map(|list| known.pod[list].as_array().into_iter().flatten())
            .filter_map(|container| Some(release.fill(container["name"].as_str()?)))
            .collect(),
        Home::AppTemplate(release, controller) => {
            let all = release.values.get("controllers");
            let own = all.and_then(|all| all.get(controller));
            ["initContainers", "containers"]
                .into_iter()
                .filter_map(|list| own?.get(list)?.as_object())
                .flat_map(|containers| containers.keys().cloned())
                .collect()
        }
        Home::Manifest(_) | Home::Operand(_) => Vec::new(),
    }
}

fn has(workload: &Workload<'_>, name: &str) -> bool {
    let Some(release) = workload.release() else {
        return true;
    };
    names(workload).iter().any(|known| known == name)
        || release.values_from
        || mentions(&release.values, name)
}

fn mentions(values: &Map<String, Value>, name: &str) -> bool {
    values.contains_key(name) || values.values().any(|value| holds(value, name))
}

fn holds(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => text == name,
        Value::Object(map) => mentions(map, name),
        Value::Array(items) => items.iter().any(|value| holds(value, name)),
        _ => false,
    }
}

//! The workloads of a chart, by its profile, its release's values and the patches over them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Home, PodField, Reach, Workload};
use crate::charts::profile::{Condition, PROBES, Profile, Workloads};
use crate::charts::values::{self, at, coalesce};
use crate::charts::{Release, profile};

/// Why no patch is written.
const UNNAMED: &str = "nobody knows for certain what the chart names it";

/// Lists the workloads that a release makes.
pub(super) fn workloads<'t>(release: &'t Release<'t>, profile: &'t Profile) -> Vec<Workload<'t>> {
    let Workloads::Listed(known) = &profile.workloads else {
        return Vec::new();
    };
    known
        .iter()
        .filter(|known| hold(&known.when, release) && (!known.test || release.tests))
        .map(|known| workload(release, known))
        .collect()
}

/// Returns whether all conditions hold; values from elsewhere may switch on what the values here leave off.
fn hold(conditions: &[Condition], release: &Release<'_>) -> bool {
    release.values_from || conditions.iter().all(|when| when.holds(&release.values))
}

fn workload<'t>(release: &'t Release<'t>, known: &'t profile::ProfileWorkload) -> Workload<'t> {
    let name = release.fill(&known.name);
    let spec = spec(release, known);
    let (spec, exact) = release.patches.apply(&known.kind, &name, spec);
    let replicas = known
        .paths
        .get("replicas")
        .and_then(|path| at(&release.values, path)?.as_u64())
        .or(known.replicas);
    Workload {
        member: release.member,
        home: Home::Chart(release, known),
        kind: known.kind.clone(),
        name,
        namespace: release.namespace.clone(),
        replicas,
        selector: selector(release, known).unwrap_or_default(),
        hook: known.hook,
        certain: exact && !release.values_from,
        immutable: false,
        pod: Value::from_iter([("spec", spec)]),
    }
}

/// Returns the labels that select the pods; `None` where values hide one of them.
fn selector(
    release: &Release<'_>,
    known: &profile::ProfileWorkload,
) -> Option<BTreeMap<String, String>> {
    let labels = known.selector.iter();
    labels
        .map(|(key, value)| Some((key.clone(), release.fill_seen(value)?)))
        .collect()
}

/// Returns whether the name of a workload is what the chart gives it for certain.
pub(super) fn is_named(release: &Release<'_>, known: &profile::ProfileWorkload) -> bool {
    known.doubt.is_none() && release.fill_seen(&known.name).is_some()
}

/// Puts the values of a release over the pod that the chart renders by default.
fn spec(release: &Release<'_>, known: &profile::ProfileWorkload) -> Value {
    let mut spec = known.pod.as_object().cloned().unwrap_or_default();
    if let Some(Value::String(account)) = spec.get_mut("serviceAccountName") {
        *account = release.fill(account);
    }
    for (field, path) in &known.paths {
        if field != "replicas" {
            lay(&mut spec, field, release, path);
        }
    }
    for list in ["initContainers", "containers"] {
        if let Some(Value::Array(items)) = spec.get_mut(list) {
            items.retain(|item| {
                let conditions = item["name"]
                    .as_str()
                    .and_then(|name| known.containers.get(name))
                    .map(|container| container.when.as_slice());
                hold(conditions.unwrap_or_default(), release)
            });
            for container in items.iter_mut().filter_map(Value::as_object_mut) {
                lay_container(container, release, known);
            }
        }
    }
    Value::Object(spec)
}

fn lay_container(
    container: &mut Map<String, Value>,
    release: &Release<'_>,
    known: &profile::ProfileWorkload,
) {
    let pattern = container
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    container.insert("name".to_owned(), Value::from(release.fill(&pattern)));
    let Some(known) = known.containers.get(&pattern) else {
        return;
    };
    for (field, path) in &known.paths {
        lay(container, field, release, path);
    }
    for (field, health) in &known.health {
        let switched_on = health
            .set
            .as_ref()
            .is_some_and(|set| at(&release.values, &set.path) == Some(&set.value));
        if switched_on && !container.contains_key(field) {
            container.insert(field.clone(), health.probe.clone());
        }
    }
}

fn lay(target: &mut Map<String, Value>, field: &str, release: &Release<'_>, path: &str) {
    let Some(above) = at(&release.values, path) else {
        return;
    };
    let laid = coalesce(target.get(field).unwrap_or(&Value::Null), above);
    let off = is_switched(field) && laid["enabled"] == false;
    if laid.is_null() || off {
        target.remove(field);
    } else {
        target.insert(field.to_owned(), laid);
    }
}

/// Returns whether charts have switches for a field beside what it holds: `enabled: false`.
fn is_switched(field: &str) -> bool {
    field == "securityContext" || PROBES.contains(&field)
}

/// Returns the values path of a field, or the post-renderer where the chart has none.
pub(super) fn reach(
    release: &Release<'_>,
    known: &profile::ProfileWorkload,
    field: &PodField,
) -> Reach {
    if release.values_from {
        return Reach::Nowhere("more of the release's values come from elsewhere");
    }
    let path = match field {
        PodField::Pod(key) => known.paths.get(*key),
        PodField::Container { name, key } => known
            .containers
            .iter()
            .find(|(pattern, _)| release.fill(pattern) == *name)
            .and_then(|(_, container)| container.paths.get(*key)),
    };
    let switched_off = |path: &str| {
        is_switched(field.key())
            && at(&release.values, path).is_some_and(|value| value["enabled"] == false)
    };
    match path {
        Some(path) if switched_off(path) => Reach::Nowhere("the release's values switch it off"),
        Some(path) => Reach::Object(values::route(path)),
        None if known.by_operator => Reach::Nowhere("its operator has no value for it"),
        None if known.hook => Reach::Nowhere("a hook comes and goes"),
        None if !is_named(release, known) => Reach::Nowhere(UNNAMED),
        None => Reach::Patch,
    }
}

//! The pods that an operator makes of custom resources in the tree.

use serde_json::Value;

use super::profile::{Operand, Profile};
use super::values::coalesce;
use super::{Field, Home, Reach, Release, Workload, profile};
use crate::tree::builds::{Builds, Member};
use crate::yaml::{Node, Route};

/// Lists the workloads that the operator of a release makes, for each resource of its kinds.
pub(super) fn workloads<'t>(
    release: &'t Release<'t>,
    profile: &'t Profile,
    builds: &'t Builds<'t>,
) -> Vec<Workload<'t>> {
    let mut found = Vec::new();
    for operand in &profile.operands {
        for member in builds.of_kind(&operand.group, &operand.kind) {
            let made = operand.workloads.iter();
            found.extend(made.map(|known| workload(release, operand, known, member)));
        }
    }
    found
}

fn workload<'t>(
    release: &'t Release<'t>,
    operand: &Operand,
    known: &'t profile::Workload,
    member: &'t Member<'t>,
) -> Workload<'t> {
    let written = |path: &str| {
        member
            .object
            .find(path)
            .map_or(Value::Null, Node::to_kubernetes)
    };
    let fill = |pattern: &str| release.fill(&pattern.replace("{name}", &member.name));
    let mut spec = known.pod.clone();
    for (field, path) in known.paths.iter().filter(|(field, _)| *field != "replicas") {
        let laid = coalesce(&spec[field], &written(path));
        if !laid.is_null() {
            spec[field] = laid;
        }
    }
    for list in ["initContainers", "containers"] {
        let items = spec.get_mut(list).and_then(Value::as_array_mut);
        for container in items.into_iter().flatten() {
            let name = container["name"].as_str().unwrap_or_default().to_owned();
            let paths = known.containers.get(&name).map(|known| &known.paths);
            for (field, path) in paths.into_iter().flatten() {
                let laid = coalesce(&container[field], &written(path));
                if !laid.is_null() {
                    container[field] = laid;
                }
            }
        }
    }
    let namespace = if operand.beside_operator {
        &release.namespace
    } else {
        member.namespace_name()
    };
    Workload {
        member,
        home: Home::Operand(known),
        kind: known.kind.clone(),
        name: fill(&known.name),
        namespace: namespace.to_owned(),
        replicas: known
            .paths
            .get("replicas")
            .and_then(|path| written(path).as_u64())
            .or(known.replicas),
        selector: known
            .selector
            .iter()
            .map(|(key, value)| (key.clone(), fill(value)))
            .collect(),
        hook: known.hook,
        certain: false,
        immutable: false,
        pod: Value::from_iter([("spec", spec)]),
    }
}

/// Returns the route in the custom resource.
pub(super) fn reach(known: &profile::Workload, field: &Field) -> Reach {
    let path = match field {
        Field::Pod(key) => known.paths.get(*key),
        Field::Container { name, key } => known
            .containers
            .get(name)
            .and_then(|container| container.paths.get(*key)),
    };
    path.map_or(Reach::Nowhere("its operator has no field for it"), |path| {
        Reach::Object(Route::parse(path))
    })
}

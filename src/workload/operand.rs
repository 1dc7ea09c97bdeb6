//! The pods that an operator makes of custom resources in the tree.

use std::collections::BTreeSet;

use kustomize::Field;
use serde_json::Value;

use super::{Home, PodField, Reach, Workload};
use crate::charts::profile::{Elevation, OperatorResource, Profile};
use crate::charts::values::coalesce;
use crate::charts::{Release, profile};
use crate::flux::builds::{Builds, Member};
use crate::yaml::Route;

/// Lists the workloads that the operator of a release makes, for each resource of its kinds.
pub(super) fn workloads<'t>(
    release: &'t Release<'t>,
    profile: &'t Profile,
    builds: &'t Builds<'t>,
) -> Vec<Workload<'t>> {
    let mut found = Vec::new();
    for operand in &profile.operands {
        for member in builds.of_kind(&operand.group, &operand.kind) {
            if makes(operand, member) {
                let made = operand.workloads.iter();
                found.extend(made.map(|known| workload(release, operand, known, member, builds)));
            }
        }
    }
    found
}

/// Lists the resources of the kinds of a release's operator of which nobody knows what it makes.
pub(super) fn unknown<'t>(profile: &Profile, builds: &'t Builds<'t>) -> Vec<&'t Member<'t>> {
    let operands = || profile.operands.iter();
    let known = |member: &Member<'_>| {
        let mut of_kind = operands().filter(|one| member.is(&one.group, &one.kind));
        of_kind.any(|one| makes(one, member))
    };
    let kinds: BTreeSet<_> = operands().map(|one| (&*one.group, &*one.kind)).collect();
    let members = kinds
        .into_iter()
        .flat_map(|(group, kind)| builds.of_kind(group, kind));
    members.filter(|member| !known(member)).collect()
}

/// Whether the operator makes workloads of an entry from a resource.
fn makes(operand: &OperatorResource, member: &Member<'_>) -> bool {
    let has = |route: &String| member.find(route).is_some_and(|field| !field.is_null());
    operand.field.as_ref().is_none_or(has)
}

fn workload<'t>(
    release: &'t Release<'t>,
    operand: &OperatorResource,
    known: &'t profile::ProfileWorkload,
    member: &'t Member<'t>,
    builds: &Builds<'_>,
) -> Workload<'t> {
    let written = |path: &str| member.value(path);
    let namespace = if operand.beside_operator {
        &release.namespace
    } else {
        member.namespace_name()
    };
    let elevation = operand.elevation.as_ref();
    let elevation = elevation.filter(|elevation| is_annotated(builds, namespace, elevation));
    let fill = |pattern: &str| release.fill(&pattern.replace("{name}", &member.name));
    let mut spec = known.pod.clone();
    if let Some(Value::String(account)) = spec.get_mut("serviceAccountName") {
        *account = fill(account);
    }
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
            if let Some(elevation) = elevation {
                container["securityContext"] =
                    coalesce(&container["securityContext"], &elevation.security_context);
            }
        }
    }
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

/// Whether a namespace asks for an elevation.
fn is_annotated(builds: &Builds<'_>, namespace: &str, elevation: &Elevation) -> bool {
    let annotation = Route::parse("metadata.annotations").then(elevation.annotation.as_str());
    let mut namespaces = builds.of_kind("", "Namespace");
    namespaces.any(|member| {
        let value = member.at(&annotation);
        member.name == namespace && value.and_then(Field::as_text) == Some("true")
    })
}

/// Returns the route in the custom resource.
pub(super) fn reach(known: &profile::ProfileWorkload, field: &PodField) -> Reach {
    let path = match field {
        PodField::Pod(key) => known.paths.get(*key),
        PodField::Container { name, key } => known
            .containers
            .get(name)
            .and_then(|container| container.paths.get(*key)),
    };
    path.map_or(Reach::Nowhere("its operator has no field for it"), |path| {
        Reach::Object(Route::parse(path))
    })
}

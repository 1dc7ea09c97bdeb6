//! The objects that controllers make of others.

use std::collections::BTreeSet;

use kustomize::Field;

use super::{KnownParts, ObjectId};
use crate::charts::{Profiles, Release};
use crate::tree::object::is_namespaced;

/// Lists what a controller makes of an object that goes into a namespace unless it says another one.
pub(super) fn objects(
    profiles: &Profiles,
    object: &Field,
    namespace: &str,
) -> Vec<(ObjectId, KnownParts)> {
    let text = |path: &[&str]| object.find_text(path).unwrap_or_default();
    let version = text(&["apiVersion"]);
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let kind = text(&["kind"]);
    let own = Some(text(&["metadata", "namespace"])).filter(|own| !own.is_empty());
    let namespace = own.unwrap_or(namespace);
    let name = text(&["metadata", "name"]);
    let known = profiles.made_of(group, kind, object).unwrap_or_default();
    let mut found = Vec::new();
    for made in known {
        let route = made.field.as_ref();
        let written = route.and_then(|route| object.find_dotted(route)?.as_text());
        let patterns = made.names.iter();
        let filled = patterns.map(|pattern| pattern.replace("{}", name));
        for name in filled.chain(written.map(str::to_owned)) {
            let parts = match kind {
                "SealedSecret" => sealed_keys(object),
                _ => KnownParts::Open,
            };
            found.push((ObjectId::core(&made.kind, namespace, &name), parts));
        }
    }
    match (group, kind) {
        ("external-secrets.io", "ExternalSecret") => {
            found.extend(external_secret(object, namespace));
        }
        ("gateway.networking.k8s.io", "Gateway") | ("networking.k8s.io", "Ingress") => {
            found.extend(certificates(object, namespace));
        }
        _ => {}
    }
    found
}

/// Reads the Secret that External Secrets makes.
fn external_secret(object: &Field, namespace: &str) -> Option<(ObjectId, KnownParts)> {
    let own = object.find_text(&["metadata", "name"]);
    let target = object.find(&["spec", "target"]);
    let text = |path: &[&str]| target.and_then(|target| target.find_text(path));
    let name = text(&["name"]).filter(|name| !name.is_empty());
    let kind = text(&["manifest", "kind"]).unwrap_or("Secret");
    let owns = matches!(text(&["creationPolicy"]), None | Some("Owner" | "Orphan"));
    let parts = if owns && kind == "Secret" {
        external_keys(object)
    } else {
        KnownParts::Open
    };
    Some((ObjectId::core(kind, namespace, name.or(own)?), parts))
}

/// Lists the keys that an `ExternalSecret` writes; those of `dataFrom` are the provider's.
fn external_keys(object: &Field) -> KnownParts {
    let items = |path: &[&str]| object.find(path).and_then(Field::items).unwrap_or_default();
    let template = object.find(&["spec", "target", "template"]);
    let merges = template.and_then(|one| one.find_text(&["mergePolicy"])) == Some("Merge");
    let templated = template.and_then(|one| one.get("data")?.entries());
    let is_open = template.is_some_and(|one| one.get("templateFrom").is_some());
    let mut keys = BTreeSet::new();
    for entry in templated.unwrap_or_default() {
        keys.insert(entry.key.clone());
    }
    if keys.is_empty() || merges {
        if !items(&["spec", "dataFrom"]).is_empty() {
            return KnownParts::Open;
        }
        let data = items(&["spec", "data"]).iter();
        keys.extend(data.filter_map(|item| item.find_text(&["secretKey"]).map(str::to_owned)));
    }
    if is_open || keys.is_empty() || keys.iter().any(|key| key.contains("${")) {
        return KnownParts::Open;
    }
    KnownParts::Listed(keys)
}

fn sealed_keys(object: &Field) -> KnownParts {
    let lists = [
        object.find(&["spec", "encryptedData"]),
        object.find(&["spec", "template", "data"]),
    ];
    let entries = lists.into_iter().flatten().filter_map(Field::entries);
    let keys: BTreeSet<String> = entries.flatten().map(|entry| entry.key.clone()).collect();
    if keys.is_empty() {
        KnownParts::Open
    } else {
        KnownParts::Listed(keys)
    }
}

/// Lists the Secrets that cert-manager makes for the listeners of a Gateway or the hosts of an Ingress.
fn certificates(object: &Field, namespace: &str) -> Vec<(ObjectId, KnownParts)> {
    let annotations = object.find(&["metadata", "annotations"]);
    let annotations = annotations.and_then(Field::entries).unwrap_or_default();
    let mut keys = annotations.iter().map(|entry| entry.key.as_str());
    if !keys.any(|key| key.starts_with("cert-manager.io/") || key == "kubernetes.io/tls-acme") {
        return Vec::new();
    }
    let items = |path: &[&str]| object.find(path).and_then(Field::items).unwrap_or_default();
    let listeners = items(&["spec", "listeners"]).iter();
    let listeners = listeners.filter_map(|one| one.find(&["tls", "certificateRefs"])?.items());
    let of_listeners = listeners
        .flatten()
        .filter_map(|one| one.find_text(&["name"]));
    let hosts = items(&["spec", "tls"]).iter();
    let of_hosts = hosts.filter_map(|host| host.find_text(&["secretName"]));
    of_listeners
        .chain(of_hosts)
        .map(|name| ObjectId::core("Secret", namespace, name))
        .map(|id| (id, KnownParts::Open))
        .collect()
}

/// Lists the objects that stand whole among the values of a release, such as `extraObjects`, and what comes of them.
pub(super) fn in_values(
    profiles: &Profiles,
    release: &Release<'_>,
    values: &Field,
) -> Vec<(ObjectId, KnownParts)> {
    let mut found = Vec::new();
    let mut pending = vec![values];
    while let Some(value) = pending.pop() {
        if value.get("apiVersion").is_some() && value.get("kind").is_some() {
            found.extend(written_object(release, value));
            found.extend(objects(profiles, value, &release.namespace));
        }
        pending.extend(value.items().unwrap_or_default());
        let entries = value.entries().unwrap_or_default();
        pending.extend(entries.iter().map(|entry| &entry.value));
    }
    found
}

fn written_object(release: &Release<'_>, object: &Field) -> Option<(ObjectId, KnownParts)> {
    let version = object.find_text(&["apiVersion"])?;
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let kind = object.find_text(&["kind"])?;
    let name = super::rendered_name(release, object.find_text(&["metadata", "name"])?)?;
    let namespace = match object.find_text(&["metadata", "namespace"]) {
        Some(namespace) => namespace,
        None if is_namespaced(kind) => &release.namespace,
        None => "",
    };
    let id = ObjectId::new(group, kind, namespace, &name);
    Some((id, KnownParts::Open))
}

//! What objects a cluster has: those that Flux applies, and those that are known to come of them.

mod app_template;
mod doubt;
mod made;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kustomize::Field;

use super::Facts;
use super::facts::{is_substituted, label_of};
use crate::charts::Release;
use crate::flux::{AppliedObject, ObjectKey};
use crate::tree::object::is_namespaced;

pub(super) use app_template::{filled_name, is_app_template, rendered_name};
pub(super) use doubt::{ObjectDoubt, doubt, makes_pods_in, names_value, releases_of};

/// What tells an object from all others of its cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ObjectId {
    /// The kind.
    pub(super) kind: String,
    /// The API group; empty for the core group.
    pub(super) group: String,
    /// Namespace and name; the namespace is empty for a kind without one.
    pub(super) key: ObjectKey,
}

impl ObjectId {
    pub(super) fn new(group: &str, kind: &str, namespace: &str, name: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            group: group.to_owned(),
            key: ObjectKey::new(namespace, name),
        }
    }

    /// Names an object of the core group.
    pub(super) fn core(kind: &str, namespace: &str, name: &str) -> Self {
        Self::new("", kind, namespace, name)
    }
}

impl std::fmt::Display for ObjectId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&label_of(&self.kind, &self.key))
    }
}

/// The parts of an object that others name: keys of a ConfigMap or Secret, ports of a Service, listeners of a Gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KnownParts {
    /// These and no others.
    Listed(BTreeSet<String>),
    /// There may be any.
    Open,
}

impl KnownParts {
    fn join(&mut self, other: Self) {
        match (&mut *self, other) {
            (Self::Listed(known), Self::Listed(more)) => known.extend(more),
            _ => *self = Self::Open,
        }
    }
}

/// An object that a cluster has.
#[derive(Clone, Debug)]
pub(super) struct KnownObject {
    /// What others may name of it.
    pub(super) parts: KnownParts,
    /// The object, if Flux applies it.
    pub(super) applied: Option<Arc<Field>>,
}

/// The objects of one cluster.
#[derive(Debug, Default)]
pub(super) struct ClusterObjects {
    known: BTreeMap<ObjectId, KnownObject>,
}

impl ClusterObjects {
    /// Finds an object.
    pub(super) fn find(&self, id: &ObjectId) -> Option<&KnownObject> {
        self.known.get(id)
    }

    /// Lists the objects of a kind.
    pub(super) fn of_kind<'c>(
        &'c self,
        group: &'c str,
        kind: &'c str,
    ) -> impl Iterator<Item = (&'c ObjectKey, &'c KnownObject)> {
        let all = self.known.range(ObjectId::new(group, kind, "", "")..);
        all.take_while(move |(id, _)| id.kind == kind && id.group == group)
            .map(|(id, known)| (&id.key, known))
    }

    /// Lists the names of the objects of a kind in a namespace.
    pub(super) fn names<'c>(&'c self, wanted: &'c ObjectId) -> impl Iterator<Item = &'c str> {
        self.of_kind(&wanted.group, &wanted.kind)
            .filter(|(key, _)| key.namespace == wanted.key.namespace)
            .map(|(key, _)| key.name.as_str())
    }

    fn add(&mut self, id: ObjectId, parts: KnownParts, applied: Option<&Arc<Field>>) {
        use std::collections::btree_map::Entry;
        match self.known.entry(id) {
            Entry::Vacant(slot) => {
                slot.insert(KnownObject {
                    parts,
                    applied: applied.cloned(),
                });
            }
            Entry::Occupied(mut slot) => {
                let known = slot.get_mut();
                known.parts.join(parts);
                known.applied = known.applied.take().or_else(|| applied.cloned());
            }
        }
    }
}

/// The objects of all clusters of a tree.
#[derive(Debug, Default)]
pub(super) struct ObjectIndex {
    clusters: BTreeMap<Option<usize>, ClusterObjects>,
    none: ClusterObjects,
}

impl ObjectIndex {
    pub(super) fn of(facts: &Facts<'_>) -> Self {
        let mut index = Self::default();
        let profiles = facts.measures.profiles;
        for object in facts.builds.objects() {
            let cluster = index.clusters.entry(facts.root_of(object)).or_default();
            let id = id_of(object);
            let parts = parts_of(&object.field, &id);
            cluster.add(id, parts, Some(&object.field));
            for (id, parts) in made::objects(profiles, &object.field, "") {
                cluster.add(id, parts, None);
            }
            if let Some(release) = facts.release_of(object) {
                for (id, parts) in app_template::objects(release) {
                    cluster.add(id, parts, None);
                }
                let values = object.field.find(&["spec", "values"]);
                let made = values.map(|values| made::in_values(profiles, release, values));
                for (id, parts) in made.into_iter().flatten() {
                    cluster.add(id, parts, None);
                }
            }
        }
        for cluster in index.clusters.values_mut() {
            for outside in &facts.measures.follow.outside {
                let text = |path: &[&str]| outside.find_text(path).unwrap_or_default();
                let (namespace, name) = (
                    text(&["metadata", "namespace"]),
                    text(&["metadata", "name"]),
                );
                let id = ObjectId::core(text(&["kind"]), namespace, name);
                cluster.add(id, KnownParts::Open, None);
            }
        }
        index
    }

    /// Returns the objects of a cluster, by the index of its root.
    pub(super) fn cluster(&self, root: Option<usize>) -> &ClusterObjects {
        self.clusters.get(&root).unwrap_or(&self.none)
    }
}

impl<'t> Facts<'t> {
    /// Returns what objects each cluster has.
    pub(super) fn objects_of(&self, root: Option<usize>) -> &ClusterObjects {
        self.index
            .get_or_init(|| ObjectIndex::of(self))
            .cluster(root)
    }

    /// Returns the release that an applied HelmRelease is.
    pub(super) fn release_of(&self, object: &AppliedObject) -> Option<&'t Release<'t>> {
        if object.kind() != "HelmRelease" {
            return None;
        }
        let place = object.place();
        let key = object.key();
        self.releases.iter().find(|release| {
            let member = release.member;
            member.name == key.name
                && member.namespace_name() == key.namespace
                && member.spot() == (place.file.path.as_str(), place.span.start)
        })
    }
}

fn id_of(object: &AppliedObject) -> ObjectId {
    let mut key = object.key();
    // kustomize puts a namespace into kinds that it does not know, and the API server takes it out again.
    if !is_namespaced(object.kind()) {
        key.namespace.clear();
    }
    ObjectId {
        kind: object.kind().to_owned(),
        group: object.group().to_owned(),
        key,
    }
}

/// Reads what others may name of an applied object.
fn parts_of(object: &Field, id: &ObjectId) -> KnownParts {
    let parts: BTreeSet<String> = match (id.group.as_str(), id.kind.as_str()) {
        ("", "ConfigMap" | "Secret") => {
            let lists = ["data", "stringData", "binaryData"];
            let entries = lists
                .into_iter()
                .filter_map(|list| object.get(list)?.entries());
            entries.flatten().map(|entry| entry.key.clone()).collect()
        }
        // Whatever answers at the name of an ExternalName has ports of its own.
        ("", "Service") if object.find_text(&["spec", "type"]) != Some("ExternalName") => {
            let ports = object.find(&["spec", "ports"]).and_then(Field::items);
            let ports = ports.into_iter().flatten();
            ports
                .flat_map(|port| ["port", "name"].map(|key| port.find_text(&[key])))
                .flatten()
                .map(str::to_owned)
                .collect()
        }
        ("gateway.networking.k8s.io", "Gateway") => {
            let listeners = object.find(&["spec", "listeners"]).and_then(Field::items);
            let listeners = listeners.into_iter().flatten();
            listeners
                .filter_map(|listener| listener.find_text(&["name"]))
                .map(str::to_owned)
                .collect()
        }
        _ => return KnownParts::Open,
    };
    // What is empty is filled by somebody else, and a variable may stand for any key.
    let is_open = parts.is_empty()
        || parts.iter().any(|part| is_substituted(part))
        || is_filled_by_others(object);
    if is_open {
        KnownParts::Open
    } else {
        KnownParts::Listed(parts)
    }
}

/// Returns whether something in the cluster adds to an object.
fn is_filled_by_others(object: &Field) -> bool {
    let token = object.find_text(&["type"]) == Some("kubernetes.io/service-account-token");
    let noted = ["annotations", "labels"].into_iter().any(|list| {
        let entries = object.find(&["metadata", list]).and_then(Field::entries);
        entries.into_iter().flatten().any(|entry| {
            let key = entry.key.as_str();
            ["inject", "reflects", "replicate-from", "ssa"]
                .iter()
                .any(|word| key.contains(word))
        })
    });
    token || noted
}

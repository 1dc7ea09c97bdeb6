//! What pods refer to: in manifests, in the values of releases, and in custom resources; and what operators read for
//! custom resources.

use std::collections::BTreeSet;

use kustomize::{Field, FieldEntry};

use super::Facts;
use super::judge::Judge;
use super::manifest_pod::items;
use super::object_reference::{ObjectReference, ReferredPart};
use super::objects::{ObjectId, filled_name, is_app_template, releases_of};
use crate::charts::Release;
use crate::charts::profile::{READ_KINDS, ReadObject};
use crate::flux::AppliedObject;
use crate::flux::builds::field_at;
use crate::tree::object::is_namespaced;
use crate::workload::manifest::pod_route;
use crate::yaml::Route;

/// A ConfigMap, Secret, volume claim or account that a pod names.
struct PodReference<'f> {
    /// The kind.
    kind: &'static str,
    /// The name, with what Helm puts in filled in where that is known.
    name: String,
    /// Where the name is written.
    written: &'f Field,
    /// The key of it that is read.
    key: Option<&'f Field>,
    /// The namespace, where it is not that of the pods.
    namespace: Option<String>,
    /// Whether people make it before Flux runs.
    is_bootstrapped: bool,
}

/// The pods of an applied object, and what they refer to.
struct PodReferences<'f> {
    /// The object.
    owner: &'f AppliedObject,
    /// The release that it is.
    release: Option<&'f Release<'f>>,
    /// The namespace of the pods.
    namespace: String,
    /// Whether it is sure that the references count.
    counts: bool,
    /// The references, each name and key once.
    references: Vec<PodReference<'f>>,
}

/// Judges what the pods that manifests, values of releases and custom resources spell out refer to, and what operators
/// read for custom resources, of some kinds.
pub(super) fn judge_pod_references(judge: &mut Judge<'_, '_>, kinds: &[&str], verb: &str) {
    let facts = judge.facts;
    for pods in PodReferences::all(facts) {
        let cluster = facts.objects_of(facts.root_of(pods.owner));
        let mut missing = BTreeSet::new();
        let asked = pods.references.iter();
        for found in asked.filter(|found| kinds.contains(&found.kind)) {
            let reference = pods.reference(found, verb);
            // One that is not there is told once, whatever number of its keys is read.
            if cluster.find(&reference.id).is_some() || missing.insert(reference.id.clone()) {
                reference.judge(judge);
            }
        }
    }
}

impl<'f> PodReferences<'f> {
    /// Lists the references of all pods that manifests and values of releases spell out.
    fn all(facts: &'f Facts<'_>) -> Vec<Self> {
        let objects = facts.builds.objects();
        objects
            .filter_map(|object| Self::of(facts, object))
            .filter(|found| !found.references.is_empty())
            .collect()
    }

    fn reference<'a>(&'a self, found: &PodReference<'a>, verb: &'a str) -> ObjectReference<'a> {
        let namespace = found.namespace.as_ref().unwrap_or(&self.namespace);
        ObjectReference {
            id: ObjectId::core(found.kind, namespace, &found.name),
            written: found.written,
            part: found.key.map(|key| ReferredPart {
                word: "key",
                name: key.as_text().unwrap_or_default().to_owned(),
                written: key,
            }),
            owner: self.owner,
            release: self.release,
            verb,
            counts: self.counts,
            by_hand: found.kind == "Secret",
            is_bootstrapped: found.is_bootstrapped,
        }
    }

    fn of(facts: &'f Facts<'_>, owner: &'f AppliedObject) -> Option<Self> {
        let mut walk = ReferenceWalk::default();
        let mut found = Self {
            owner,
            release: None,
            namespace: owner.key().namespace,
            counts: true,
            references: Vec::new(),
        };
        if let Some(route) = pod_route(owner.group(), owner.kind()) {
            walk.pod(field_at(&owner.field, &route)?.get("spec")?);
        } else if let Some(release) = facts.release_of(owner) {
            let is_template = is_app_template(release);
            let is_changed = release.values_from || !release.patches.0.is_empty();
            found.release = Some(release);
            found.namespace.clone_from(&release.namespace);
            found.counts = is_template && !is_changed;
            walk.release = Some(release);
            let values = owner.field.find(&["spec", "values"])?;
            if is_template {
                walk.app_template(values);
            }
            walk.values(values, "");
        } else {
            walk.custom_resource(facts, owner);
        }
        found.references = walk.found;
        Some(found)
    }
}

/// A walk through a pod or values that gathers references.
#[derive(Default)]
struct ReferenceWalk<'f> {
    release: Option<&'f Release<'f>>,
    found: Vec<PodReference<'f>>,
}

impl<'f> ReferenceWalk<'f> {
    fn add(&mut self, kind: &'static str, name: Option<&'f Field>, key: Option<&'f Field>) {
        let Some(written) = name else { return };
        let text = written.as_text().unwrap_or_default();
        let name = filled_name(self.release, text);
        let text_of = |field: Option<&'f Field>| field.and_then(Field::as_text);
        let is_known = self.found.iter().any(|known| {
            known.kind == kind && known.name == name && text_of(known.key) == text_of(key)
        });
        if !name.is_empty() && !is_known {
            self.found.push(PodReference {
                kind,
                name,
                written,
                key: key.filter(|key| key.as_text().is_some()),
                namespace: None,
                is_bootstrapped: false,
            });
        }
    }

    /// Takes what an operator reads for a custom resource, and the pods that are spelled out in it.
    fn custom_resource(&mut self, facts: &'f Facts<'_>, owner: &'f AppliedObject) {
        let profiles = facts.measures.profiles;
        for entry in profiles.read_for(owner.group(), owner.kind(), &owner.field) {
            for reads in &entry.reads {
                let namespace = if is_namespaced(owner.kind()) {
                    owner.key().namespace
                } else {
                    namespace_of(facts, &reads.operator).unwrap_or_default()
                };
                for field in reads.named_in(&owner.field) {
                    self.found.extend(read_object(reads, field, &namespace));
                }
            }
            for route in &entry.specs {
                if let Some(spec) = field_at(&owner.field, &Route::parse(route)) {
                    self.pod(spec);
                }
            }
        }
    }

    fn pod(&mut self, spec: &'f Field) {
        for list in ["initContainers", "containers"] {
            for container in items(spec, list) {
                for source in items(container, "envFrom") {
                    self.env_source(source);
                }
                for variable in items(container, "env") {
                    if let Some(from) = variable.get("valueFrom") {
                        self.key_reference(from);
                    }
                }
            }
        }
        for volume in items(spec, "volumes") {
            self.volume(volume);
        }
        let account = spec
            .get("serviceAccountName")
            .or_else(|| spec.get("serviceAccount"));
        self.add("ServiceAccount", account, None);
    }

    fn env_source(&mut self, source: &'f Field) {
        for (field, kind) in [("configMapRef", "ConfigMap"), ("secretRef", "Secret")] {
            if let Some(reference) = source.get(field).filter(|one| !is_optional(one)) {
                self.add(kind, reference.get("name"), None);
            }
        }
    }

    fn key_reference(&mut self, from: &'f Field) {
        for (field, kind) in [("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")] {
            let reference = from.get(field).filter(|one| !is_optional(one));
            let reference = reference.filter(|one| one.get("namespace").is_none());
            if let Some(reference) = reference {
                self.add(kind, reference.get("name"), reference.get("key"));
            }
        }
    }

    fn volume(&mut self, volume: &'f Field) {
        self.volume_source(volume);
        let projected = volume.get("projected");
        let sources = projected.map_or(&[][..], |projected| items(projected, "sources"));
        for source in sources {
            self.volume_source(source);
        }
        if let Some(claim) = volume.get("persistentVolumeClaim") {
            self.add("PersistentVolumeClaim", claim.get("claimName"), None);
        }
    }

    fn volume_source(&mut self, volume: &'f Field) {
        for (field, kind) in [("configMap", "ConfigMap"), ("secret", "Secret")] {
            let Some(source) = volume.get(field).filter(|one| !is_optional(one)) else {
                continue;
            };
            let name = source.get("name").or_else(|| source.get("secretName"));
            self.add_with_items(kind, name, source);
        }
    }

    fn add_with_items(&mut self, kind: &'static str, name: Option<&'f Field>, source: &'f Field) {
        self.add(kind, name, None);
        for item in items(source, "items") {
            self.add(kind, name, item.get("key"));
        }
    }

    /// Takes what app-template alone spells so.
    fn app_template(&mut self, values: &'f Field) {
        for FieldEntry { value: item, .. } in entries(values, "persistence") {
            if is_off(item) {
                continue;
            }
            let kind = match item.find_text(&["type"]) {
                Some("configMap") => "ConfigMap",
                Some("secret") => "Secret",
                Some("custom") => {
                    if let Some(volume) = item.get("volumeSpec") {
                        self.volume(volume);
                    }
                    continue;
                }
                _ => continue,
            };
            self.add_with_items(kind, item.get("name"), item);
        }
        for FieldEntry { value, .. } in entries(values, "controllers") {
            let account = value.find(&["serviceAccount", "name"]);
            self.add("ServiceAccount", account.filter(|_| !is_off(value)), None);
        }
    }

    /// Takes what charts of all kinds hand to their pods as it is.
    fn values(&mut self, value: &'f Field, key: &str) {
        let is_object = value.get("apiVersion").is_some() && value.get("kind").is_some();
        if is_off(value) || is_object {
            return;
        }
        self.key_reference(value);
        for item in value.items().unwrap_or_default() {
            if key.to_lowercase().ends_with("envfrom") {
                self.env_source(item);
                self.short_env_source(item);
            } else if key.to_lowercase().ends_with("volumes") {
                self.volume(item);
            }
            self.values(item, "");
        }
        for FieldEntry { key, value: inner } in value.entries().unwrap_or_default() {
            if key == "existingClaim" {
                self.add("PersistentVolumeClaim", Some(inner), None);
            }
            self.values(inner, key);
        }
    }

    /// Takes `secret: NAME`, as app-template has it; the name may be one of its own.
    fn short_env_source(&mut self, source: &'f Field) {
        let Some(release) = self.release.filter(|release| is_app_template(release)) else {
            return;
        };
        for (field, list, kind) in [
            ("configMap", "configMaps", "ConfigMap"),
            ("secret", "secrets", "Secret"),
        ] {
            let name = source.get(field);
            let text = name.and_then(Field::as_text).unwrap_or_default();
            let is_own = release
                .values
                .get(list)
                .is_some_and(|own| own.get(text).is_some());
            if !is_own {
                self.add(kind, name.filter(|name| name.as_text().is_some()), None);
            }
        }
    }
}

/// Returns the namespace of the releases of some charts, if it is one.
fn namespace_of(facts: &Facts<'_>, charts: &[String]) -> Option<String> {
    let mut namespaces = releases_of(facts, charts).map(|release| &release.namespace);
    let first = namespaces.next()?;
    namespaces
        .all(|other| other == first)
        .then(|| first.clone())
}

/// Reads what a field names: a text, or a mapping of `name` and perhaps `key`, `kind` and `namespace`.
fn read_object<'f>(
    reads: &ReadObject,
    field: &'f Field,
    namespace: &str,
) -> Option<PodReference<'f>> {
    let named = field.get("name").or_else(|| field.get("secretName"));
    let written = named.unwrap_or(field);
    let name = written.as_text().filter(|name| !name.is_empty())?;
    let kind = field.find_text(&["kind"]).unwrap_or(&reads.kind);
    let kind = READ_KINDS.into_iter().find(|known| *known == kind)?;
    let is_core = field.find_text(&["group"]).unwrap_or_default().is_empty();
    let given = field
        .find_text(&["namespace"])
        .filter(|given| !given.is_empty());
    let namespace = given.unwrap_or(namespace);
    (is_core && !is_optional(field) && !namespace.is_empty()).then(|| PodReference {
        kind,
        name: name.to_owned(),
        written,
        key: field.get("key").filter(|key| key.as_text().is_some()),
        namespace: Some(namespace.to_owned()),
        is_bootstrapped: reads.is_bootstrapped,
    })
}

fn entries<'f>(field: &'f Field, key: &str) -> &'f [FieldEntry] {
    field.get(key).and_then(Field::entries).unwrap_or_default()
}

fn is_optional(reference: &Field) -> bool {
    reference
        .find_text(&["optional"])
        .is_some_and(|optional| optional != "false")
}

/// Returns whether a part of values is switched off, or may be.
fn is_off(value: &Field) -> bool {
    value
        .get("enabled")
        .is_some_and(|enabled| enabled.as_text() != Some("true"))
}

//! The annotations of an object when its build ends.

use super::field::{Field, FieldEntry, FieldValue};
use super::kustomization::Kustomization;
use super::provenance::ObjectMaker;
use super::resource::Resource;

const ORIGIN: &str = "config.kubernetes.io/origin";
const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// What kustomize writes into `app.kubernetes.io/managed-by`, by the version that this crate follows.
const MANAGER: &str = "kustomize-v5.8.0";

/// The annotations that kustomize keeps for itself, and takes off again.
const OWN_ANNOTATIONS: [&str; 21] = [
    "internal.config.kubernetes.io/previousKinds",
    "internal.config.kubernetes.io/previousNames",
    "internal.config.kubernetes.io/prefixes",
    "internal.config.kubernetes.io/suffixes",
    "internal.config.kubernetes.io/previousNamespaces",
    "internal.config.kubernetes.io/allowNameChange",
    "internal.config.kubernetes.io/allowKindChange",
    "internal.config.kubernetes.io/refBy",
    "internal.config.kubernetes.io/generatorBehavior",
    "internal.config.kubernetes.io/needsHashSuffix",
    "internal.config.kubernetes.io/path",
    "internal.config.kubernetes.io/index",
    "internal.config.kubernetes.io/seqindent",
    "internal.config.kubernetes.io/id",
    "internal.config.kubernetes.io/annotations-migration-resource-id",
    "internal.config.kubernetes.io/helm-generated",
    "config.kubernetes.io/path",
    "config.kubernetes.io/index",
    "config.k8s.io/id",
    ORIGIN,
    TRANSFORMATIONS,
];

/// Takes off the annotations that are kustomize's own, makes texts of the others, and writes what `buildMetadata` of
/// the kustomization that is built asks for.
pub(crate) fn finish_annotations(resource: &mut Resource, kustomization: &Kustomization) {
    let root_origin = resource.root.origin.clone();
    let metadata = resource.root.mapping_at("metadata", &root_origin);
    if metadata.entries().is_none() {
        return;
    }
    let metadata_origin = metadata.origin.clone();
    if kustomization.asks_for("managedByLabel")
        && let Some(asked) = kustomization.root.get("buildMetadata")
    {
        let labels = metadata.mapping_at("labels", &asked.origin);
        labels.set(MANAGED_BY, Field::text(MANAGER, asked.origin.clone()));
    }
    let old = metadata.remove("annotations");
    let origin = old
        .as_ref()
        .map_or(metadata_origin, |old| old.origin.clone());
    let mut entries = match old.map(|old| old.value) {
        Some(FieldValue::Mapping(entries)) => entries,
        _ => Vec::new(),
    };
    entries.retain(|entry| !OWN_ANNOTATIONS.contains(&entry.key.as_str()));
    for entry in &mut entries {
        // A null keeps the letters that it is written with.
        let text = entry.value.as_scalar().map_or("", |scalar| &scalar.text);
        entry.value = Field::text(text, entry.value.origin.clone());
    }
    let provenance = &resource.provenance;
    if kustomization.asks_for("originAnnotations")
        && let Some(maker) = &provenance.maker
    {
        let text = spanned_yaml::emit(&maker.to_json());
        entries.push(FieldEntry {
            key: ORIGIN.to_owned(),
            value: Field::text(text, maker.origin.clone()),
        });
    }
    if kustomization.asks_for("transformerAnnotations")
        && let [first, ..] = provenance.transformers.as_slice()
    {
        let all = provenance.transformers.iter().map(ObjectMaker::to_json);
        let text = spanned_yaml::emit(&all.collect());
        entries.push(FieldEntry {
            key: TRANSFORMATIONS.to_owned(),
            value: Field::text(text, first.origin.clone()),
        });
    }
    if entries.is_empty() {
        return;
    }
    entries.sort_by(|one, other| one.key.cmp(&other.key));
    let value = FieldValue::Mapping(entries);
    if let Some(metadata) = resource.root.get_mut("metadata") {
        metadata.set("annotations", Field { value, origin });
    }
}

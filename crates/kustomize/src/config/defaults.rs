//! The field specs that kustomize has built in.

mod annotation;
mod image;
mod label;
mod name;
mod namespace;
mod pod_owner;
mod reference;
mod replica;
mod variable;

use super::TransformerConfig;
use crate::field_spec::{FieldSpec, KindSelector};

/// A field spec as it stands in a table: group, version, kind, path, and whether the field is created.
type FieldSpecRow = (&'static str, &'static str, &'static str, &'static str, bool);

/// Fills an empty config with what is built in.
pub(super) fn fill(config: &mut TransformerConfig) {
    config.name_prefix = specs_of(name::SPECS);
    config.name_suffix = specs_of(name::SPECS);
    config.namespace = specs_of(namespace::SPECS);
    config.common_labels = [label::SELECTORS, label::METADATA, label::VOLUME_CLAIMS]
        .into_iter()
        .flat_map(specs_of)
        .collect();
    config.template_labels = specs_of(label::METADATA);
    config.volume_claim_template_labels = specs_of(label::VOLUME_CLAIMS);
    config.common_annotations = specs_of(annotation::SPECS);
    config.name_references = reference::name_references();
    config.var_references = variable::specs();
    config.images = specs_of(image::SPECS);
    config.replicas = specs_of(replica::SPECS);
}

fn specs_of(rows: &[FieldSpecRow]) -> Vec<FieldSpec> {
    rows.iter()
        .map(|(group, version, kind, path, create)| {
            FieldSpec::built_in(KindSelector::new(group, version, kind), *path, *create)
        })
        .collect()
}

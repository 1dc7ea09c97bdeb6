//! Transformers: namespace, prefix, suffix, labels, annotations, images, replicas, each for all objects.

mod annotation;
mod builtin;
mod image;
mod label;
mod namespace;
mod pair;
mod prefix;
mod replica;
#[cfg(test)]
pub(crate) mod sample;

pub(crate) use annotation::add_annotations;
pub(crate) use builtin::run_builtin;
pub(crate) use image::set_images;
pub(crate) use label::{add_common_labels, add_labels};
pub(crate) use namespace::set_namespace;
pub(crate) use prefix::{add_prefix, add_suffix};
pub(crate) use replica::set_replicas;

use super::field::Field;
use super::field_spec::{CreatedField, FieldMismatch, FieldSpec};
use super::place::Place;
use super::problem::Findings;
use super::resource::Resource;

/// What a transformer does to the fields of field specs.
struct FieldChange<'c> {
    /// What is made where there is nothing.
    created: CreatedField<'c>,
    /// The place that asks for the change.
    cause: &'c Place,
}

impl FieldChange<'_> {
    /// Changes the fields of an object that a field spec is for; one that does not fit the object is a problem.
    fn apply(
        &self,
        spec: &FieldSpec,
        resource: &mut Resource,
        findings: &mut Findings,
        set: &mut dyn FnMut(&mut Field) -> Result<(), FieldMismatch>,
    ) {
        if !spec.selector.selects_resource(resource) {
            return;
        }
        if let Err(mismatch) = spec.visit(&mut resource.root, self.created, set) {
            findings.refuse(mismatch.problem(&spec.path, resource, Some(self.cause)));
        }
    }
}

/// Returns whether a transformer left nothing of an object.
fn is_empty(resource: &Resource) -> bool {
    let root = &resource.root;
    root.is_null() || root.entries().is_some_and(<[_]>::is_empty)
}

//! Labels and annotations: keys with values for mappings.

use serde_json::Value;
use spanned_yaml::Resolver;

use super::FieldChange;
use crate::field::{Field, FieldValue};
use crate::field_spec::{CreatedField, CreatedKind, FieldMismatch, FieldSpec};
use crate::place::Origin;
use crate::problem::Findings;
use crate::resource::Resource;
use crate::resources::Resources;
use crate::setting::SettingText;
use crate::shared::FieldPosition;

/// Sets the pairs in each mapping that a field spec leads to.
///
/// A value that is there already is replaced. A mapping that is made has the origin of the first pair in it.
pub(super) fn add_pairs(
    resources: &mut Resources,
    pairs: &[(&str, SettingText<'_>)],
    specs: &[FieldSpec],
    findings: &mut Findings,
) {
    let Some((_, first)) = pairs.first() else {
        return;
    };
    let origin = Origin::new(first.place.clone());
    let change = FieldChange {
        created: CreatedField {
            kind: CreatedKind::Mapping,
            origin: &origin,
        },
        cause: first.place,
    };
    for resource in &mut resources.list {
        add_pairs_to(resource, pairs, specs, &change, findings);
        resource.settle_shared();
    }
}

fn add_pairs_to(
    resource: &mut Resource,
    pairs: &[(&str, SettingText<'_>)],
    specs: &[FieldSpec],
    change: &FieldChange<'_>,
    findings: &mut Findings,
) {
    let mut made: Vec<Vec<FieldPosition>> = vec![Vec::new(); pairs.len()];
    for spec in specs {
        change.apply(spec, resource, findings, &mut |field, trail| {
            set_pairs(field, trail, pairs, &mut made)
        });
    }
    for positions in made {
        resource.share(&positions);
    }
}

/// Sets the pairs in a mapping, and notes for each of them where it was not there before.
fn set_pairs(
    field: &mut Field,
    trail: &[usize],
    pairs: &[(&str, SettingText<'_>)],
    made: &mut [Vec<FieldPosition>],
) -> Result<(), FieldMismatch> {
    match &field.value {
        FieldValue::Mapping(_) => {}
        // kustomize leaves a null alone that it may not replace.
        FieldValue::Scalar(_) if field.is_null() => return Ok(()),
        _ => {
            let why = "there is a scalar or list where a mapping is expected";
            return Err(FieldMismatch::at(field, why));
        }
    }
    for ((key, value), made) in pairs.iter().zip(made) {
        let key = if field.get(key).is_some() {
            (*key).to_owned()
        } else {
            let added = added_key(field, key)?;
            made.push((trail.to_vec(), added.clone()));
            added
        };
        field.set(&key, Field::text(&value.text, value.place.clone()));
    }
    Ok(())
}

/// Returns what becomes of a key that kustomize writes without quotes, and reads again: `0x1F` is a number, so `31`.
///
/// # Errors
/// It is read as what no key may be.
fn added_key(field: &Field, key: &str) -> Result<String, FieldMismatch> {
    match Resolver::Kubernetes.value_of(key) {
        Value::String(_) => {}
        Value::Number(number) if !number.is_f64() => return Ok(number.to_string()),
        _ => {
            let why = format!("kustomize cannot add the key `{key}`, which is no text in YAML");
            return Err(FieldMismatch::at(field, why));
        }
    }
    match Resolver::Kustomize.value_of(key) {
        Value::String(text) => Ok(text),
        _ => Ok(key.to_owned()),
    }
}

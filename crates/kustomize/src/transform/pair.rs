//! Labels and annotations: keys with values for mappings.

use super::FieldChange;
use crate::field::{Field, FieldValue};
use crate::field_spec::{CreatedField, CreatedKind, FieldMismatch, FieldSpec};
use crate::place::Origin;
use crate::problem::Findings;
use crate::resource::Resource;
use crate::resources::Resources;
use crate::setting::SettingText;

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
    }
}

fn add_pairs_to(
    resource: &mut Resource,
    pairs: &[(&str, SettingText<'_>)],
    specs: &[FieldSpec],
    change: &FieldChange<'_>,
    findings: &mut Findings,
) {
    for spec in specs {
        change.apply(spec, resource, findings, &mut |field| {
            set_pairs(field, pairs)
        });
    }
}

fn set_pairs(field: &mut Field, pairs: &[(&str, SettingText<'_>)]) -> Result<(), FieldMismatch> {
    match &field.value {
        FieldValue::Mapping(_) => {}
        // kustomize leaves a null alone that it may not replace.
        FieldValue::Scalar(_) if field.is_null() => return Ok(()),
        _ => {
            let why = "there is a scalar or list where a mapping is expected";
            return Err(FieldMismatch::at(field, why));
        }
    }
    for (key, value) in pairs {
        field.set(key, Field::text(&value.text, value.place.clone()));
    }
    Ok(())
}

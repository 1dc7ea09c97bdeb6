//! What kustomize keeps among an object's annotations while it builds.

use super::field::{Field, FieldScalar, FieldValue, ScalarKind};
use super::resource::{GeneratorBehavior, Resource};

/// Returns whether kustomize has notes on an object, for which it makes annotations where there are none.
pub(crate) fn has_build_notes(resource: &Resource) -> bool {
    !resource.former.is_empty()
        || !resource.prefixes.is_empty()
        || !resource.suffixes.is_empty()
        || !resource.referred_by.is_empty()
        || resource.needs_hash
        || resource.behavior != GeneratorBehavior::Unspecified
}

/// Makes texts of the values of a mapping, as kustomize does where it writes labels or annotations itself; takes the
/// mapping away where nothing is in it.
pub(crate) fn write_texts(root: &mut Field, name: &str) {
    let Some(metadata) = root.get_mut("metadata") else {
        return;
    };
    let Some(map) = metadata.get_mut(name) else {
        return;
    };
    let mut count = 0;
    for entry in map.entries_mut().into_iter().flatten() {
        let text = match &entry.value.value {
            FieldValue::Scalar(scalar) => scalar.text.clone(),
            FieldValue::Sequence(_) | FieldValue::Mapping(_) => String::new(),
        };
        let kind = ScalarKind::Text;
        entry.value.value = FieldValue::Scalar(FieldScalar { text, kind });
        count += 1;
    }
    if count == 0 {
        metadata.remove(name);
    }
}

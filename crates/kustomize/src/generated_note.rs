//! What kustomize keeps among an object's annotations while it builds.

use super::field::{Field, FieldScalar, FieldValue, ScalarKind};
use super::resource::{GeneratorBehavior, Resource};

/// Returns whether kustomize has notes on an object, for which it makes annotations where there are none.
pub(crate) fn has_build_notes(resource: &Resource) -> bool {
    !resource.former.is_empty()
        || !resource.prefixes.is_empty()
        || !resource.suffixes.is_empty()
        || resource.needs_hash
        || resource.behavior != GeneratorBehavior::Unspecified
}

/// An annotation that stands for all of kustomize's notes while a patch is merged into an object.
const NOTES: &str = "internal.config.kubernetes.io/notes";

/// Puts kustomize's notes on an object among its annotations.
pub(crate) fn write_notes(root: &mut Field) {
    let origin = root.origin.clone();
    let annotations = root
        .mapping_at("metadata", &origin)
        .mapping_at("annotations", &origin);
    annotations.set(NOTES, Field::text("", origin));
}

/// Takes the notes out again, and returns whether they were still there.
pub(crate) fn take_notes(root: &mut Field) -> bool {
    let annotations = root.find_mut(&["metadata", "annotations"]);
    annotations.is_some_and(|annotations| annotations.remove(NOTES).is_some())
}

impl Resource {
    /// Forgets all that kustomize has noted of an object, with whose annotations a patch has thrown its notes away.
    pub(crate) fn forget_notes(&mut self) {
        let nothing = Field::mapping(self.root.origin.clone());
        let root = std::mem::replace(&mut self.root, nothing);
        let variables = std::mem::take(&mut self.variables);
        let shared = std::mem::take(&mut self.shared);
        *self = Self {
            shared,
            variables,
            ..Self::new(root)
        };
    }
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

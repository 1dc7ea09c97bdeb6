//! What kustomize keeps among an object's annotations while it builds.

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

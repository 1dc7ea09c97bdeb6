//! Objects as text.

use super::field::Field;

/// Writes an object as `kustomize build` writes it: keys sorted, as go-yaml v2 lays them out, with a final newline.
pub fn to_yaml(field: &Field) -> String {
    spanned_yaml::emit(&field.to_json())
}

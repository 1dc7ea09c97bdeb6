//! Where images are named.

use super::FieldSpecRow;

/// Where images are named, besides `image` in lists called `containers` and `initContainers` anywhere in an object.
pub(super) const SPECS: &[FieldSpecRow] = &[
    ("", "", "", "spec/containers[]/image", true),
    ("", "", "", "spec/initContainers[]/image", true),
    ("", "", "", "spec/volumes[]/image/reference", true),
    ("", "", "", "spec/template/spec/containers[]/image", true),
    (
        "",
        "",
        "",
        "spec/template/spec/initContainers[]/image",
        true,
    ),
    (
        "",
        "",
        "",
        "spec/template/spec/volumes[]/image/reference",
        true,
    ),
    (
        "",
        "",
        "",
        "spec/jobTemplate/spec/template/spec/volumes[]/image/reference",
        true,
    ),
];

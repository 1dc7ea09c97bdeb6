//! Where the name of a namespace stands.

use super::FieldSpecRow;

/// Where the name of a namespace stands, besides `metadata.namespace` and the subjects of role bindings.
pub(super) const SPECS: &[FieldSpecRow] = &[
    ("", "", "Namespace", "metadata/name", true),
    (
        "apiregistration.k8s.io",
        "",
        "APIService",
        "spec/service/namespace",
        true,
    ),
    (
        "apiextensions.k8s.io",
        "",
        "CustomResourceDefinition",
        "spec/conversion/webhook/clientConfig/service/namespace",
        false,
    ),
];

//! Where replicas are counted.

use super::FieldSpecRow;

/// Where replicas are counted.
pub(super) const SPECS: &[FieldSpecRow] = &[
    ("", "", "Deployment", "spec/replicas", true),
    ("", "", "ReplicationController", "spec/replicas", true),
    ("", "", "ReplicaSet", "spec/replicas", true),
    ("", "", "StatefulSet", "spec/replicas", true),
];

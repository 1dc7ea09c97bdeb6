//! The checks, one a file.

pub(super) mod dead_value;
pub(super) mod flux_depends_on;
pub(super) mod flux_source;
pub(super) mod namespace_missing;
pub(super) mod patch_container;
pub(super) mod patch_namespace;
pub(super) mod patch_no_match;
pub(super) mod pdb_no_eviction;
pub(super) mod pdb_on_daemonset;
pub(super) mod pdb_overlap;
pub(super) mod pod_security_forbidden;
pub(super) mod priority_class_unknown;
pub(super) mod probe_host;
pub(super) mod resource_unlisted;
pub(super) mod sealed_empty;
pub(super) mod secret_leak;
pub(super) mod secret_unsealed;

//! The checks, one a file.

pub(super) mod duplicate_object;
pub(super) mod flux_depends_on;
pub(super) mod flux_path;
pub(super) mod flux_source;
pub(super) mod namespace_missing;
pub(super) mod resource_missing;
pub(super) mod resource_unlisted;
pub(super) mod sealed_empty;
pub(super) mod secret_leak;
pub(super) mod secret_unsealed;

//! Where the name of an object stands.

use super::FieldSpecRow;

/// Where a prefix or suffix goes.
pub(super) const SPECS: &[FieldSpecRow] = &[("", "", "", "metadata/name", false)];

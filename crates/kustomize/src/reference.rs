//! Name references.

use super::config::TransformerConfig;
use super::problem::Findings;
use super::resources::Resources;

pub(crate) fn fix_name_references(_: &mut Resources, _: &mut Findings, _: &TransformerConfig) {}

//! Patches.

use super::field::Field;
use super::loader::Loader;
use super::problem::Findings;
use super::resources::Resources;

pub(crate) fn apply_patches(_: &mut Resources, _: &Field, _: &Loader<'_>, _: &mut Findings) {}

pub(crate) fn apply_strategic_merges(
    _: &mut Resources,
    _: &Field,
    _: &Loader<'_>,
    _: &mut Findings,
) {
}

pub(crate) fn apply_json_patches(_: &mut Resources, _: &Field, _: &Loader<'_>, _: &mut Findings) {}

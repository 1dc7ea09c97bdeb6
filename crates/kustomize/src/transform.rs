//! Transformers.

use super::config::TransformerConfig;
use super::field::Field;
use super::loader::Loader;
use super::problem::Findings;
use super::resources::Resources;

macro_rules! passes {
    ($($name:ident),*) => { $(
        pub(crate) fn $name(_: &mut Resources, _: &Field, _: &mut Findings, _: &TransformerConfig) {}
    )* };
}

passes!(
    set_namespace,
    add_prefix,
    add_suffix,
    add_common_labels,
    add_labels,
    add_annotations,
    set_images,
    set_replicas
);

pub(crate) fn run_builtin(_: &mut Resources, _: &Field, _: &Loader<'_>, _: &mut Findings) -> bool {
    true
}

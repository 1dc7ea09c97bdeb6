//! Rules about Helm releases and Flux Kustomizations.

mod chart_and_chart_ref;
mod chart_unknown;
mod dead_value;
mod decryption_missing;
mod flux_depends_on;
mod flux_source;
mod kustomizations;
mod namespace_missing;
mod object_namespace_missing;
mod oci_without_ref;
mod owner_twice;
mod patch_container;
mod patch_namespace;
mod patch_no_match;
mod patch_target_missing;
mod releases;
mod resource_unlisted;
mod substitute_from_missing;
mod values_from_missing;

use super::Rule;

pub(super) const RULES: &[Rule] = &[
    resource_unlisted::RULE,
    flux_depends_on::RULE,
    flux_source::RULE,
    decryption_missing::RULE,
    namespace_missing::RULE,
    substitute_from_missing::RULE,
    values_from_missing::RULE,
    object_namespace_missing::RULE,
    owner_twice::RULE,
    chart_and_chart_ref::RULE,
    oci_without_ref::RULE,
    chart_unknown::RULE,
    dead_value::RULE,
    patch_no_match::RULE,
    patch_target_missing::RULE,
    patch_container::RULE,
    patch_namespace::RULE,
    releases::PATCH_LIST,
    releases::REMEDIATION,
    releases::VERIFY,
    kustomizations::WAIT,
    kustomizations::PRUNE,
    releases::LIMITS,
    releases::WEBHOOK,
];

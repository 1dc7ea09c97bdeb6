//! Rules about Helm releases and Flux Kustomizations.

mod chart_unknown;
mod dead_value;
mod flux_depends_on;
mod flux_source;
mod kustomizations;
mod namespace_missing;
mod patch_container;
mod patch_namespace;
mod patch_no_match;
mod releases;
mod resource_unlisted;
mod substitute_from_missing;
mod values_from_missing;

use super::judge::Judge;
use super::{Category, Rule};

pub(super) const RULES: &[Rule] = &[
    resource_unlisted::RULE,
    flux_depends_on::RULE,
    flux_source::RULE,
    namespace_missing::RULE,
    substitute_from_missing::RULE,
    values_from_missing::RULE,
    chart_unknown::RULE,
    dead_value::RULE,
    patch_no_match::RULE,
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

const fn check(
    code: &'static str,
    summary: &'static str,
    weight: u32,
    explanation: &'static str,
    judge: fn(&mut Judge<'_, '_>),
) -> Rule {
    Rule {
        code,
        category: Category::Flux,
        severity: None,
        summary,
        weight,
        remedy: None,
        explanation,
        judge,
    }
}

//! Checks of Helm releases and Flux Kustomizations.

mod kustomizations;
mod releases;

use crate::audit::review::Review;
use crate::audit::{Category, Check};

pub(super) const CHECKS: &[Check] = &[
    releases::DEAD_VALUE,
    releases::PATCH_NO_MATCH,
    releases::PATCH_CONTAINER,
    releases::PATCH_NAMESPACE,
    releases::PATCH_LIST,
    releases::SOURCE,
    releases::REMEDIATION,
    releases::VERIFY,
    kustomizations::ORDER,
    kustomizations::WAIT,
    kustomizations::PRUNE,
    kustomizations::DECRYPT,
    kustomizations::SUBSTITUTION,
    releases::LIMITS,
    releases::WEBHOOK,
];

const fn check(
    code: &'static str,
    line: &'static str,
    weight: u32,
    explanation: &'static str,
    run: fn(&mut Review<'_, '_>),
) -> Check {
    Check {
        code,
        category: Category::Flux,
        line,
        weight,
        rule: None,
        explanation,
        run,
    }
}

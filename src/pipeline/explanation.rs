//! What all codes mean.

use crate::audit;
use crate::check::CHECKS;
use crate::config;
use crate::diagnostic::Meaning;
use crate::flux;
use crate::harden::{self, RULES};
use crate::render;
use crate::schema;
use crate::seal;

/// Lists the codes of all rules and checks, rules first.
pub fn explanations() -> Vec<Meaning> {
    let rules = RULES.iter().map(|rule| Meaning {
        code: rule.code,
        summary: rule.summary,
        text: rule.explanation,
    });
    let checks = CHECKS.iter().map(|check| Meaning {
        code: check.code,
        summary: check.summary,
        text: check.explanation,
    });
    rules.chain(checks).collect()
}

/// Lists the codes of the audit's checks; a few are those of checks of the tree as well.
pub fn audit_explanations() -> Vec<Meaning> {
    let checks = audit::checks().map(|check| Meaning {
        code: check.code,
        summary: check.line,
        text: check.explanation,
    });
    let undecidable = audit::UNDECIDABLE.iter().map(|check| Meaning {
        code: check.code,
        summary: check.line,
        text: check.why,
    });
    checks.chain(undecidable).collect()
}

/// Lists the codes of all other diagnostics by where they come from, in the order of the stages.
pub fn findings() -> Vec<(&'static str, Vec<Meaning>)> {
    let of_rules = RULES.iter().flat_map(|rule| rule.findings);
    let hardening = harden::CODES.iter().chain(of_rules).copied().collect();
    vec![
        ("Load", config::CODES.to_vec()),
        ("Validate", schema::CODES.to_vec()),
        ("Render", render::CODES.to_vec()),
        ("Harden", hardening),
        ("Build", flux::CODES.to_vec()),
        ("Seal", seal::CODES.to_vec()),
        ("Audit", audit::CODES.to_vec()),
        ("Edits of the config", super::CODES.to_vec()),
    ]
}

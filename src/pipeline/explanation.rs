//! What all codes mean.

use crate::audit;
use crate::check;
use crate::config;
use crate::diagnostic::Meaning;
use crate::flux;
use crate::harden;
use crate::makejinja;
use crate::render;
use crate::rules::{self, REMEDIES};
use crate::seal;
use crate::validate;

/// Lists the codes of all rules, category by category.
pub fn rule_explanations() -> Vec<Meaning> {
    let rules = rules::all().map(|rule| Meaning {
        code: rule.code,
        summary: rule.summary,
        text: rule.explanation,
    });
    rules.collect()
}

/// Lists the codes of all remedies, in the order in which they are applied; some are those of rules as well.
pub fn remedy_explanations() -> Vec<Meaning> {
    let remedies = REMEDIES.iter().map(|remedy| Meaning {
        code: remedy.code,
        summary: remedy.summary,
        text: remedy.explanation,
    });
    remedies.collect()
}

/// Lists the codes of what linters ask and a tree does not tell.
pub fn undecidable_explanations() -> Vec<Meaning> {
    let undecidable = audit::UNDECIDABLE.iter().map(|one| Meaning {
        code: one.code,
        summary: one.summary,
        text: one.why,
    });
    undecidable.collect()
}

/// Lists the codes of all other diagnostics by where they come from, in the order of the stages.
pub fn findings() -> Vec<(&'static str, Vec<Meaning>)> {
    let of_remedies = REMEDIES.iter().flat_map(|remedy| remedy.findings);
    let hardening = harden::CODES.iter().chain(of_remedies).copied().collect();
    vec![
        ("Load", config::CODES.to_vec()),
        ("Validate", validate::CODES.to_vec()),
        ("Render", render::CODES.to_vec()),
        ("makejinja", makejinja::CODES.to_vec()),
        ("Harden", hardening),
        ("Check", check::CODES.to_vec()),
        ("Build", flux::CODES.to_vec()),
        ("Seal", seal::CODES.to_vec()),
        ("Edits of the config", super::CODES.to_vec()),
    ]
}

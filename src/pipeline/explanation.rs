//! What all codes mean.

use crate::audit;
use crate::charts;
use crate::check;
use crate::config;
use crate::diagnostic::{self, Meaning};
use crate::flux;
use crate::harden;
use crate::makejinja;
use crate::render;
use crate::rules::{self, REMEDIES};
use crate::seal;
use crate::validate;

/// Lists the codes of all rules, category by category.
pub fn rule_explanations() -> impl Iterator<Item = &'static Meaning> {
    rules::all().map(|rule| &rule.meaning)
}

/// Lists the codes of all remedies, in the order in which they are applied; some are those of rules as well.
pub fn remedy_explanations() -> impl Iterator<Item = &'static Meaning> {
    REMEDIES.iter().map(|remedy| &remedy.meaning)
}

/// Lists the codes of what linters ask and a tree does not tell.
pub fn undecidable_explanations() -> impl Iterator<Item = &'static Meaning> {
    audit::UNDECIDABLE.iter().map(|one| &one.meaning)
}

/// Lists the codes of all other diagnostics by where they come from, in the order of the stages.
pub fn findings() -> Vec<(&'static str, &'static [&'static Meaning])> {
    vec![
        ("Several stages", diagnostic::codes::ALL),
        ("Load", config::codes::ALL),
        ("Validate", validate::codes::ALL),
        ("Render", render::codes::ALL),
        ("makejinja", makejinja::codes::ALL),
        ("Charts", charts::codes::ALL),
        ("Rules", rules::codes::ALL),
        ("Harden", harden::codes::ALL),
        ("Check", check::codes::ALL),
        ("Build", flux::codes::ALL),
        ("Seal", seal::codes::ALL),
        ("Edits of the config", super::codes::ALL),
    ]
}

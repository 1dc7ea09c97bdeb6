//! What the codes of rules and checks mean.

use crate::check::CHECKS;
use crate::harden::RULES;

/// The meaning of one code, for `kiln explain` and `docs/rules.md`.
#[derive(Clone, Copy, Debug)]
pub struct Explanation {
    /// The code, as messages show it.
    pub code: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// Why, and what a user can do about it.
    pub text: &'static str,
}

/// Lists the codes of all rules and checks, rules first.
pub fn explanations() -> Vec<Explanation> {
    let rules = RULES.iter().map(|rule| Explanation {
        code: rule.code,
        summary: rule.summary,
        text: rule.explanation,
    });
    let checks = CHECKS.iter().map(|check| Explanation {
        code: check.code,
        summary: check.summary,
        text: check.explanation,
    });
    rules.chain(checks).collect()
}

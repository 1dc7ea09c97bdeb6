//! What the codes of rules and checks mean.

use crate::audit;
use crate::check::CHECKS;
use crate::harden::{FINDINGS, RULES};

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

/// Lists the codes of the audit's checks; a few are those of checks of the tree as well.
pub fn audit_explanations() -> Vec<Explanation> {
    let checks = audit::checks().map(|check| Explanation {
        code: check.code,
        summary: check.line,
        text: check.explanation,
    });
    let undecidable = audit::UNDECIDABLE.iter().map(|check| Explanation {
        code: check.code,
        summary: check.line,
        text: check.why,
    });
    checks.chain(undecidable).collect()
}

/// Lists the codes of the messages that hardening can give, besides those of its rules.
pub fn findings() -> Vec<Explanation> {
    let of_rules = RULES.iter().flat_map(|rule| rule.findings);
    let findings = of_rules.chain(FINDINGS).map(|finding| Explanation {
        code: finding.code,
        summary: finding.summary,
        text: "",
    });
    findings.collect()
}

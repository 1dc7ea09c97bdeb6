//! Proves that the tree hangs together and that no secret is in the open.
//!
//! Each check is one file below `check/checks`, with its code, summary, explanation and logic;
//! [`CHECKS`] lists them, and `kiln explain` and the docs are made from that list. All checks run, and
//! every problem is reported at its place with the template line behind it.

mod checks;
mod context;

use crate::diagnostic::{Diagnostic, Severity, StageResult, Warned};
use crate::secret::Secrets;
use crate::tree::{Checked, Hardened, Tree};
use context::Context;

/// A check of the tree.
pub struct Check {
    /// The stable kebab-case name, which is also the code of its diagnostics.
    pub code: &'static str,
    /// What is wrong when it finds something, in one line.
    pub summary: &'static str,
    /// What it looks for and why, in a few paragraphs of Markdown.
    pub explanation: &'static str,
    /// How bad a finding is.
    pub severity: Severity,
    run: fn(&Context<'_>) -> Vec<Diagnostic>,
}

/// The checks, in the order in which they run.
pub static CHECKS: &[Check] = &[
    checks::resource_missing::CHECK,
    checks::resource_unlisted::CHECK,
    checks::flux_path::CHECK,
    checks::flux_depends_on::CHECK,
    checks::flux_source::CHECK,
    checks::duplicate_object::CHECK,
    checks::namespace_missing::CHECK,
    checks::secret_unsealed::CHECK,
    checks::sealed_empty::CHECK,
    checks::secret_leak::CHECK,
];

/// Checks a tree.
///
/// `secrets` are the values that must not stand in a file that is not sealed.
pub fn check(tree: Tree<Hardened>, secrets: &Secrets) -> StageResult<Tree<Checked>> {
    let problems = {
        let context = Context::new(&tree, secrets);
        CHECKS
            .iter()
            .flat_map(|check| (check.run)(&context))
            .collect()
    };
    Warned::unless_errors((), problems).map(|warned| Warned {
        value: tree.checked(),
        warnings: warned.warnings,
    })
}

//! Proves that the tree hangs together and that no secret is in the open.
//!
//! It asks every rule of the rulebook that has a severity, and stops the run where one of severity error fails. What
//! kustomize or Flux refuses stops it as well.

use rayon::prelude::*;

use crate::diagnostic::{Diagnostic, StageResult, Warned};
use crate::rules::{self, Facts, Measures, RuleOutcome};
use crate::tree::{Checked, Hardened, Tree};

/// Checks a tree.
///
/// A finding about an object that is exempt from its rule is left out; an exemption of which no rule is known is an
/// error, and one that leaves nothing out a warning.
pub fn check(tree: Tree<Hardened>, measures: Measures<'_>) -> StageResult<Tree<Checked>> {
    let mut problems = measures.exemptions.problems();
    problems.extend(find(&tree, measures));
    let is_asked = |code: &str| {
        let rule = rules::find(code);
        // The score alone asks the others.
        rule.is_none_or(|rule| rule.is_checked() || rule.remedy.is_some())
    };
    problems.extend(measures.exemptions.unused(&is_asked));
    Warned::unless_errors((), problems).map(|warned| Warned {
        value: tree.checked(),
        warnings: warned.warnings,
    })
}

fn find<S>(tree: &Tree<S>, measures: Measures<'_>) -> Vec<Diagnostic> {
    Facts::gather(tree.files(), measures, |facts| {
        let asked: Vec<_> = rules::all().filter(|rule| rule.is_checked()).collect();
        let outcomes: Vec<RuleOutcome> = asked.par_iter().map(|rule| rule.judge(facts)).collect();
        let mut found = facts.refusals();
        found.extend(outcomes.iter().flat_map(RuleOutcome::diagnostics));
        found
    })
}

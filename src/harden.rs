//! Adds the security defaults that are missing.
//!
//! The principle: add what is missing, never change what the author set, never guess. What to add is the matter of the
//! [remedies](REMEDIES) of the rulebook; the edit session makes the additions, without touching any other byte, and
//! records each one.

mod codes;
mod edit_session;

use rayon::prelude::*;

pub use codes::CODES;

use crate::diagnostic::{StageResult, Warned};
use crate::rules::{Facts, Measures, Pass, Plan, REMEDIES, Remedy};
use crate::tree::{Gap, Hardened, Rendered, Tree};
use edit_session::EditSession;

/// Hardens a tree.
///
/// The files that are kept beside the rendered ones are looked at, and never edited. Secret files are never edited. A
/// tree that is hardened already stays as it is, byte for byte.
pub fn harden(tree: Tree<Rendered>, measures: Measures<'_>) -> StageResult<Tree<Hardened>> {
    harden_by(tree, measures, &|_| true)
}

/// Hardens a tree by some remedies only.
pub fn harden_by(
    tree: Tree<Rendered>,
    measures: Measures<'_>,
    is_wanted: &(dyn Fn(&Remedy) -> bool + Sync),
) -> StageResult<Tree<Hardened>> {
    if !measures.policy.enabled {
        return Ok(Warned {
            value: tree.hardened([], Vec::new(), Vec::new()),
            warnings: Vec::new(),
        });
    }
    let mut problems = measures.policy.problems();
    let mut session = EditSession::new(tree.files());
    let mut gaps = Vec::new();
    for pass in [Pass::Workloads, Pass::Judgement] {
        let measures = Measures {
            apps: tree.apps(),
            ..measures
        };
        let mut plans: Vec<(&'static str, Plan)> =
            Facts::gather(session.files(), measures, |facts| {
                let remedies = REMEDIES.par_iter();
                let remedies = remedies.filter(|remedy| remedy.pass == pass && is_wanted(remedy));
                remedies
                    .map(|remedy| (remedy.code, remedy.plan(facts)))
                    .collect()
            });
        for (_, plan) in &mut plans {
            problems.append(&mut plan.problems);
            gaps.append(&mut plan.gaps);
        }
        problems.extend(session.apply(plans));
    }
    let (changed, injections) = session.finish();
    gaps.sort_by(|a: &Gap, b: &Gap| {
        (&a.path, &a.object, &a.route).cmp(&(&b.path, &b.object, &b.route))
    });
    Warned::unless_errors((), problems).map(|warned| Warned {
        value: tree.hardened(changed, injections, gaps),
        warnings: warned.warnings,
    })
}

//! Adds the security defaults that are missing.
//!
//! The principle: add what is missing, never change what the author set, never guess. What to add is the matter of the
//! [remedies](REMEDIES) of the rulebook; the edit session makes the additions, without touching any other byte, and
//! records each one.

pub mod codes;
mod edit_session;

use rayon::prelude::*;

use crate::diagnostic::{Diagnostic, StageResult, Warned};
use crate::rules::{Facts, Measures, Pass, Plan, REMEDIES, Remedy, WishedPatch};
use crate::tree::{Gap, Hardened, Rendered, Tree};
use edit_session::EditSession;

/// How often a pass is made where it adds to manifests from which several objects come.
const MOST_ATTEMPTS: usize = 3;

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
    let measures = Measures {
        apps: tree.apps(),
        ..measures
    };
    for pass in [Pass::Workloads, Pass::Judgement] {
        let is_wanted = |remedy: &Remedy| remedy.pass == pass && is_wanted(remedy);
        for attempt in 1..=MOST_ATTEMPTS {
            let plans = plan(&session, measures, &is_wanted);
            let reaches_several = plans.iter().any(|(_, plan)| plan.reaches_several);
            let (mut leftover, wished) = apply(&mut session, plans);
            // What goes into a shared manifest may be undone for one of its objects, which then asks for it again.
            if reaches_several && attempt < MOST_ATTEMPTS {
                continue;
            }
            problems.append(&mut leftover.problems);
            gaps.append(&mut leftover.gaps);
            gaps.extend(session.patch(wished, measures));
            break;
        }
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

/// What plans could not add.
struct Leftover {
    problems: Vec<Diagnostic>,
    gaps: Vec<Gap>,
}

fn plan(
    session: &EditSession<'_>,
    measures: Measures<'_>,
    is_wanted: &(dyn Fn(&Remedy) -> bool + Sync),
) -> Vec<(&'static str, Plan)> {
    Facts::gather(session.files(), measures, |facts| {
        let remedies = REMEDIES.par_iter().filter(|remedy| is_wanted(remedy));
        remedies
            .map(|remedy| (remedy.meaning.code, remedy.plan(facts)))
            .collect()
    })
}

fn apply(
    session: &mut EditSession<'_>,
    mut plans: Vec<(&'static str, Plan)>,
) -> (Leftover, Vec<WishedPatch>) {
    let mut leftover = Leftover {
        problems: Vec::new(),
        gaps: Vec::new(),
    };
    for (_, plan) in &mut plans {
        leftover.problems.append(&mut plan.problems);
        leftover.gaps.append(&mut plan.gaps);
    }
    let (refused, wished) = session.apply(plans);
    leftover.problems.extend(refused);
    (leftover, wished)
}

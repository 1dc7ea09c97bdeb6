//! Proves that the tree hangs together and that no secret is in the open.
//!
//! Each check is one file below `check/checks`, with its code, summary, explanation and logic;
//! [`CHECKS`] lists them, and `kiln explain` and the docs are made from that list. All checks run, and
//! every problem is reported at its place with the template line behind it.

mod absence;
mod builds;
mod checks;
mod context;
mod exemptions;
mod leak;

pub use leak::{Leak, Opening, find_leaks};

use rayon::prelude::*;

use crate::diagnostic::{Diagnostic, Severity, StageResult, Warned};
use crate::flux::builds::Builds;
use crate::flux::{ObjectKey, TreeFiles, UnseenPart};
use crate::tree::{Checked, Hardened, Tree};
use crate::workload::budget::Budget;
use crate::workload::pod_security::Version;
use crate::workload::{self, Exemption, Profiles, Release};
use context::Context;

/// A check of the tree.
pub struct Check {
    /// The stable kebab-case name, which is also the code of its diagnostics.
    pub code: &'static str,
    /// What is wrong when it finds something, in one line.
    pub summary: &'static str,
    /// What it looks for and why, in a few paragraphs of Markdown.
    pub explanation: &'static str,
    /// How bad a finding is at worst.
    pub severity: Severity,
    run: fn(&Context<'_>) -> Vec<Diagnostic>,
}

/// The checks, in the order in which they run.
pub static CHECKS: &[Check] = &[
    checks::resource_unlisted::CHECK,
    checks::flux_depends_on::CHECK,
    checks::flux_source::CHECK,
    checks::namespace_missing::CHECK,
    checks::secret_unsealed::CHECK,
    checks::sealed_empty::CHECK,
    checks::secret_leak::CHECK,
    checks::dead_value::CHECK,
    checks::pdb_no_eviction::CHECK,
    checks::pdb_overlap::CHECK,
    checks::pdb_on_daemonset::CHECK,
    checks::probe_host::CHECK,
    checks::priority_class_unknown::CHECK,
    checks::pod_security_forbidden::CHECK,
    checks::patch_no_match::CHECK,
    checks::patch_container::CHECK,
    checks::patch_namespace::CHECK,
];

/// What checks measure against, besides the tree.
#[derive(Clone, Copy)]
pub struct Measures<'m> {
    /// The files that are kept beside the rendered ones.
    pub kept: &'m TreeFiles<'m>,
    /// What depends on a secret and is open.
    pub leaks: &'m [Leak],
    /// What fails with other secrets.
    pub failures: &'m [Diagnostic],
    /// What is known of charts.
    pub profiles: &'m Profiles,
    /// The version of the Pod Security Standards: that of the cluster.
    pub kubernetes: Version,
    /// What the project exempts from checks.
    pub exempt: &'m [Exemption],
}

/// A tree that passed the checks, and what of the cluster they could not see.
#[derive(Debug)]
pub struct CheckedCluster {
    /// The tree.
    pub tree: Tree<Checked>,
    /// What is not seen, each with the Flux Kustomization that it is missing from.
    pub not_seen: Vec<(ObjectKey, UnseenPart)>,
}

/// Checks a tree.
///
/// A finding about an object that `exempt` names for its check is left out; an exemption that names no check, or
/// `secret-leak`, is an error, and one that leaves nothing out a warning.
pub fn check(tree: Tree<Hardened>, measures: Measures<'_>) -> StageResult<CheckedCluster> {
    let (problems, not_seen) = {
        let files = TreeFiles::over(measures.kept, tree.files());
        let builds = Builds::of(&files);
        let releases = Release::all(&builds, measures.profiles);
        let workloads = workload::all(&builds, &releases);
        let context = Context {
            tree: &tree,
            builds: &builds,
            releases: &releases,
            workloads: &workloads,
            budgets: &Budget::all(&builds, &releases),
            kubernetes: measures.kubernetes,
            exempt: measures.exempt,
            leaks: measures.leaks,
            failures: measures.failures,
        };
        let mut found = vec![builds::problems(&context)];
        let of_checks: Vec<Vec<Diagnostic>> = CHECKS
            .par_iter()
            .map(|check| (check.run)(&context))
            .collect();
        found.extend(of_checks);
        let problems = exemptions::apply(&context, found.into_iter().flatten().collect());
        (problems, builds.applied.unseen_by_owner())
    };
    Warned::unless_errors((), problems).map(|warned| Warned {
        value: CheckedCluster {
            tree: tree.checked(),
            not_seen,
        },
        warnings: warned.warnings,
    })
}

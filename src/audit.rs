//! How well a tree follows the field's advice, before and after hardening.
//!
//! A consumer of the compiled tree beside the stages: it changes nothing and stops nothing. Each check asks
//! one question of every workload, container or object that it is about, and each answer is one of four: it passes, it
//! fails, nobody knows, or it is exempt with a reason. What nobody knows counts like a failure: a chart without a profile
//! is a gap and never a pass.
//!
//! The codes of the checks are stable; `kiln explain` knows them.

mod category;
mod checks;
mod codes;
mod review;
mod sheet;
mod undecidable;

use std::collections::BTreeSet;

pub use category::Category;
pub use codes::CODES;
pub use sheet::{Count, Item, Outcome, Scorecard, Sheet, Verdict};
pub use undecidable::{UNDECIDABLE, Undecidable};

use crate::diagnostic::Diagnostic;
use crate::flux::builds::Builds;
use crate::flux::{FollowOptions, TreeFiles};
use crate::tree::{File, Gap};
use crate::workload::budget::Budget;
use crate::workload::pod_security::Version;
use crate::workload::{self, Exemption, Profiles, Release};
use review::{Review, Subject};

/// One question to a tree.
pub struct Check {
    /// The stable kebab-case name.
    pub code: &'static str,
    /// What it counts for.
    pub category: Category,
    /// What holds where it passes, in one line.
    pub line: &'static str,
    /// How much it counts within its category: 3 for what takes a service down or opens it, 2 for what
    /// hurts, 1 for what is good practice, 0 for what is shown and not counted.
    pub weight: u32,
    /// The hardening rule that closes its gaps: who is exempt from that is exempt here.
    pub rule: Option<&'static str>,
    /// Why, and what counts, in a few sentences of Markdown.
    pub explanation: &'static str,
    run: fn(&mut Review<'_, '_>),
}

/// What an audit measures against, besides the tree.
#[derive(Clone, Copy)]
pub struct Measures<'m> {
    /// The files that are kept beside those of the tree.
    pub kept: &'m TreeFiles<'m>,
    /// What is known of charts.
    pub profiles: &'m Profiles,
    /// The version of Kubernetes.
    pub kubernetes: Version,
    /// What is exempt.
    pub exemptions: &'m [Exemption],
    /// What hardening would have added and could not: the reasons are told with the gaps.
    pub gaps: &'m [Gap],
}

/// Lists the checks, category by category.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    checks::GROUPS.iter().copied().flatten()
}

/// Asks all questions of a tree.
pub fn sheet<'f>(files: impl Iterator<Item = &'f File>, measures: Measures<'_>) -> Sheet {
    let files: Vec<&File> = files.collect();
    let tree = TreeFiles::over(measures.kept, files.iter().copied());
    // A variable without a value is a gap of its own here, and no reason to see nothing of the build.
    let lenient = FollowOptions {
        lenient: true,
        ..FollowOptions::default()
    };
    let builds = Builds::following(&tree, &lenient);
    let releases = Release::all(&builds, measures.profiles);
    let workloads = workload::all(&builds, &releases);
    let subject = Subject {
        files,
        builds: &builds,
        releases: &releases,
        workloads: &workloads,
        budgets: Budget::all(&builds, &releases),
        measures,
    };
    let outcomes = checks().map(|check| {
        let mut review = Review::new(&subject, check);
        (check.run)(&mut review);
        review.finish()
    });
    Sheet {
        outcomes: outcomes.collect(),
        workloads: subject.deployed().count(),
        containers: subject
            .deployed()
            .map(|workload| workload.containers().filter(|one| !one.init).count())
            .sum(),
        unknown_charts: subject.unknown().count(),
    }
}

/// Lists the exemptions that name no check and no rule.
///
/// `rules` are the codes of the hardening rules, of which the exemptions are looked at there.
pub fn problems(exemptions: &[Exemption], rules: &BTreeSet<&str>) -> Vec<Diagnostic> {
    let known = |code: &str| rules.contains(code) || checks().any(|check| check.code == code);
    let unknown = exemptions
        .iter()
        .filter(|exemption| !known(&exemption.code));
    unknown
        .map(|exemption| {
            let message = format!("there is no check `{}` of the audit", exemption.code);
            Diagnostic::error("exemption-unknown-check", message)
                .with_suggestion(&exemption.code, checks().map(|check| check.code))
                .at_place_if(exemption.place.as_ref())
        })
        .collect()
}

//! The rulebook: how what Flux applies should be, and what would mend it.
//!
//! A rule asks one question. [`Facts`] is what it may look at: applied objects, releases, workloads, budgets. Each
//! answer is a [`Judgement`]: it passes, it fails, nobody can tell and why, or it is exempt with a reason. Some rules
//! have a [`Remedy`], which adds what is missing. `harden` applies remedies, `check` reports what fails, `audit` scores
//! all of it: none of the three reads an object itself.

mod absence;
mod access;
mod app_template_values;
mod applied_state;
mod availability;
mod category;
pub mod codes;
mod containers;
mod exemptions;
mod facts;
mod flux;
mod hygiene;
mod images;
mod judge;
mod judgement;
mod kustomization_patch;
mod leak;
mod listing;
mod manifest_pod;
mod network;
mod node_defaults;
mod object_addition;
mod object_reference;
mod objects;
mod plan;
mod pod_references;
mod pod_security;
pub mod policy;
mod probes;
mod refusals;
mod release_patch;
mod remedies;
mod remedy;
mod resources;
mod secrets;
mod shared_manifest;
mod subject;

pub use applied_state::AppliedState;
pub use category::Category;
pub use exemptions::Exemptions;
pub use facts::{Facts, Measures};
pub use judgement::{Judgement, JudgementCount, RuleOutcome, Verdict};
pub use kustomization_patch::{HeldAddition, KustomizationPatch, WishedPatch};
pub use leak::{Leak, Opening, find_leaks};
pub use plan::{NewFile, Plan, PlannedEdit};
pub use policy::{ClosedNamespaces, DefaultResources, Policy};
pub use release_patch::{GatheredPatch, gather};
pub use remedy::{Pass, REMEDIES, Remedy};
pub use secrets::PLAIN_TEXT;

use crate::diagnostic::{Meaning, Severity};
use judge::Judge;

/// One question to what Flux applies.
pub struct Rule {
    /// What its findings mean: the code, what holds where it passes, what it looks at and why.
    pub meaning: Meaning,
    /// What it counts for.
    pub category: Category,
    /// How bad a failure is for `check`, at worst; `None` where only the score counts it.
    pub severity: Option<Severity>,
    /// How much it counts within its category: 3 for what takes a service down or opens it, 2 for what
    /// hurts, 1 for what is good practice, 0 for what is not counted.
    pub weight: u32,
    /// What makes it pass, for some rules.
    pub remedy: Option<&'static Remedy>,
    judge: fn(&mut Judge<'_, '_>),
}

/// All rules, by category.
static RULEBOOK: [&[Rule]; 11] = [
    probes::RULES,
    availability::RULES,
    resources::RULES,
    pod_security::RULES,
    containers::RULES,
    images::RULES,
    network::RULES,
    access::RULES,
    secrets::RULES,
    hygiene::RULES,
    flux::RULES,
];

/// Lists the rules, category by category.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    RULEBOOK.into_iter().flatten()
}

/// Returns the rule of a code.
pub fn find(code: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.meaning.code == code)
}

impl Rule {
    /// Makes a rule that `check` does not ask, and the score counts.
    const fn scored(
        category: Category,
        code: &'static str,
        summary: &'static str,
        weight: u32,
        text: &'static str,
        judge: fn(&mut Judge<'_, '_>),
    ) -> Self {
        Self {
            meaning: Meaning {
                code,
                summary,
                text,
            },
            category,
            severity: None,
            weight,
            remedy: None,
            judge,
        }
    }

    /// Says what makes it pass.
    const fn mended_by(self, remedy: &'static Remedy) -> Self {
        Self {
            remedy: Some(remedy),
            ..self
        }
    }

    /// Asks what Flux applies.
    pub fn judge(&'static self, facts: &Facts<'_>) -> RuleOutcome {
        let mut judge = Judge::new(facts, self);
        (self.judge)(&mut judge);
        judge.finish()
    }

    /// Returns whether `check` asks it.
    pub const fn is_checked(&self) -> bool {
        self.severity.is_some()
    }
}

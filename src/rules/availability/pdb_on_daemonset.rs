//! Budgets over the pods of a `DaemonSet`.

use crate::diagnostic::{Meaning, Severity};
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Rule};
use crate::workload::budget::Selects;

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "pdb-on-daemonset",
        summary: "No budget is about a DaemonSet",
        text: "\
A drain leaves the pods of DaemonSets alone, so a budget over them protects nothing. Most forms of one do not even
work: a DaemonSet has no number of replicas to take `maxUnavailable` or a percentage of, and the budget then reports
an error in its status and allows nothing.

How many pods of a DaemonSet a rollout may take down at once is a matter of its own `updateStrategy`.",
    },
    category: Category::Availability,
    severity: Some(Severity::Warning),
    weight: 1,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    for workload in facts.deployed().filter(|one| one.kind == "DaemonSet") {
        let budgets = facts.budgets.iter();
        let selecting = budgets.filter(|budget| budget.selects(workload) == Selects::Yes);
        let findings = selecting.map(|budget| {
            let message = format!(
                "a PodDisruptionBudget selects the pods of `{}`, which drains leave alone anyway",
                workload.label()
            );
            facts
                .at(judge.warning(message), &budget.place, "")
                .with_hint("remove it, or narrow its selector to what has replicas")
        });
        let findings = findings.collect();
        judge.found(JudgedSubject::workload(workload), findings);
    }
}

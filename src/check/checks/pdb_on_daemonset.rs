//! Budgets over the pods of a `DaemonSet`.

use crate::check::Check;
use crate::check::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::workload::budget::Selects;

pub(in crate::check) const CHECK: Check = Check {
    code: "pdb-on-daemonset",
    summary: "A PodDisruptionBudget selects the pods of a DaemonSet",
    explanation: "\
A drain leaves the pods of DaemonSets alone, so a budget over them protects nothing. Most forms of one do not even
work: a DaemonSet has no number of replicas to take `maxUnavailable` or a percentage of, and the budget then reports
an error in its status and allows nothing.

How many pods of a DaemonSet a rollout may take down at once is a matter of its own `updateStrategy`.",
    severity: Severity::Warning,
    run,
};

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for workload in context.deployed().filter(|one| one.kind == "DaemonSet") {
        for budget in context.budgets {
            if budget.selects(workload) != Selects::Yes {
                continue;
            }
            let message = format!(
                "a PodDisruptionBudget selects the pods of `{}`, which drains leave alone anyway",
                workload.label()
            );
            let warning = Diagnostic::warning(CHECK.code, message);
            let problem = context.at(warning, &budget.place, "");
            problems
                .push(problem.with_hint("remove it, or narrow its selector to what has replicas"));
        }
    }
    problems
}

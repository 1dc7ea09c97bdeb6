//! Two budgets over the same pods.

use crate::check::Check;
use crate::check::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::workload::Workload;
use crate::workload::budget::{self, Budget, Selects};

pub(in crate::check) const CHECK: Check = Check {
    code: "pdb-overlap",
    summary: "Two PodDisruptionBudgets select the same pods",
    explanation: "\
The eviction API answers with an error when more than one budget selects a pod, whatever the budgets say, so that a
drain never comes to its end. It happens when a chart makes a budget of its own beside the one in the tree, or
when the selector of one is so wide that it covers another's pods.

Both are named. Keep one: switch the chart's off in its values, or narrow or remove the manifest.",
    severity: Severity::Error,
    run,
};

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut told = std::collections::BTreeSet::new();
    let mut problems = Vec::new();
    for workload in context.deployed() {
        let selecting: Vec<&Budget> = context
            .budgets
            .iter()
            .filter(|budget| budget.selects(workload) == Selects::Yes)
            .collect();
        for (first, second) in selecting.iter().zip(selecting.iter().skip(1)) {
            let key = (&first.namespace, &first.name, &second.name);
            if same(first, second) || !told.insert(key) {
                continue;
            }
            let text = "the other one is here";
            let problem = overlap(context, workload, second);
            problems.push(problem.with_related(first.place.clone(), text));
        }
        if let (Some(last), Some(_)) = (selecting.last(), budget::own(workload)) {
            let problem = overlap(context, workload, last);
            let place = workload.member.object.name_place();
            problems.push(beside_chart(workload, problem).with_related(place, "makes its own"));
        }
    }
    problems
}

/// An object that two builds take in is one in the cluster.
fn same(first: &Budget, second: &Budget) -> bool {
    first.place == second.place
}

fn overlap(context: &Context<'_>, workload: &Workload<'_>, budget: &Budget) -> Diagnostic {
    let message = format!(
        "two PodDisruptionBudgets select the pods of `{}`, so that none of them can be evicted",
        workload.label()
    );
    context.at(Diagnostic::error(CHECK.code, message), &budget.place, "")
}

fn beside_chart(workload: &Workload<'_>, problem: Diagnostic) -> Diagnostic {
    let known = workload.known().and_then(|known| known.budget.as_ref());
    match known.and_then(|known| known.disable.as_ref()) {
        Some(off) => problem.with_hint(format!(
            "set the value `{}: {}`, or remove the manifest",
            off.path, off.value
        )),
        None => problem.with_hint("remove the manifest, as the chart's own cannot be switched off"),
    }
}

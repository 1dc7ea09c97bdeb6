//! Pods that their namespace refuses.

use std::collections::BTreeSet;

use crate::check::Check;
use crate::check::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::workload::pod_security::Level;
use crate::workload::standing::judge;
use crate::yaml::Route;

const LABEL: &str = "pod-security.kubernetes.io/enforce";

pub(in crate::check) const CHECK: Check = Check {
    code: "pod-security-forbidden",
    summary: "A namespace enforces a level that one of its pods does not satisfy",
    explanation: "\
The API server refuses a pod that its namespace's `pod-security.kubernetes.io/enforce` label forbids. What makes
the pod, a Deployment or a chart's Job, is accepted, and waits for ever.

Hardening says the same as `pod-security-too-strict` while it labels namespaces. This check holds where it does not look:
with hardening switched off, and in a namespace that is exempt from it. Only what is certain is reported: pods
of manifests, and of charts whose values are all in the tree.",
    severity: Severity::Error,
    run,
};

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let standings = judge(
        context.workloads,
        context.releases,
        context.builds,
        context.kubernetes,
    );
    let route = Route::parse("metadata.labels").then(LABEL);
    let mut seen = BTreeSet::new();
    let mut problems = Vec::new();
    for namespace in context.builds.of_kind("", "Namespace") {
        let object = namespace.object;
        let enforced = object.root.at(&route).and_then(|node| node.text());
        let Some(level) = enforced.and_then(Level::parse) else {
            continue;
        };
        if !seen.insert(object.spot()) {
            continue;
        }
        for standing in standings.get(&namespace.name).into_iter().flatten() {
            let Some(reached) = standing.level.filter(|reached| *reached < level) else {
                continue;
            };
            if !standing.certain {
                continue;
            }
            let message = format!(
                "namespace `{}` refuses the pods of `{}`: it enforces `{level}`, and they satisfy `{reached}`",
                namespace.name, standing.label
            );
            let error = Diagnostic::error(CHECK.code, message);
            let mut problem = context.at(error, &object.place(&route), "");
            for (reason, place) in &standing.obstacles {
                problem = problem.with_related(place.clone(), reason.clone());
            }
            problems.push(problem.with_hint(format!("set what it lacks, or enforce `{reached}`")));
        }
    }
    problems
}

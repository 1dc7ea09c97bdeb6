//! Patches that no object of the chart matches.

use crate::check::Check;
use crate::check::context::{Context, is_substituted};
use crate::diagnostic::{Diagnostic, Severity};
use crate::workload::patch_fit::{self, Fit};
use crate::workload::post_renderer::Patch;

pub(in crate::check) const CHECK: Check = Check {
    code: "patch-no-match",
    summary: "A post-renderer patch targets nothing that the chart makes",
    explanation: "\
kustomize ignores a patch whose `target` matches no object, without a word: the priority, the security context or the
limits in it are not in the cluster. The fields of a target are regular expressions that must match the
whole: `metrics` does not match `metrics-server`.

Only what the chart's profile decides is reported: patches for workloads of a chart that is known, where no values
come from elsewhere and none of them holds workloads of its own.",
    severity: Severity::Error,
    run,
};

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for release in context.releases {
        let workloads = patch_fit::reachable(release, context.workloads);
        for patch in &release.patches.0 {
            let substituted = patch
                .target
                .values()
                .any(|value| is_substituted(&value.to_string()));
            if substituted || patch_fit::target(patch, release, &workloads) != Fit::Misses {
                continue;
            }
            let message = format!(
                "a patch of `{}` targets {}, which its chart does not make",
                release.label(),
                told(patch)
            );
            let error = Diagnostic::error(CHECK.code, message);
            let mut problem = context.at(error, &patch.place, "");
            let name = patch.target.get("name").and_then(|name| name.as_str());
            let names = workloads.iter().map(|workload| workload.name.as_str());
            problem = problem.with_suggestion(name.unwrap_or_default(), names);
            let made: Vec<String> = workloads
                .iter()
                .map(|workload| format!("`{}/{}`", workload.kind, workload.name))
                .collect();
            problems.push(match made.as_slice() {
                [] => problem,
                made => problem.with_hint(format!("it makes {}", made.join(", "))),
            });
        }
    }
    problems
}

fn told(patch: &Patch) -> String {
    let text = |key: &str| patch.target.get(key).and_then(|value| value.as_str());
    match (text("kind"), text("name")) {
        (Some(kind), Some(name)) => format!("`{kind}/{name}`"),
        (Some(kind), None) => format!("any `{kind}`"),
        _ => "an object".to_owned(),
    }
}

//! Patches for containers that are not there.

use crate::check::Check;
use crate::check::context::{Context, is_substituted};
use crate::diagnostic::{Diagnostic, Severity};
use crate::workload::patch_fit;

pub(in crate::check) const CHECK: Check = Check {
    code: "patch-container",
    summary: "A post-renderer patch names a container that the workload does not have",
    explanation: "\
Containers are merged by their names. A patch with a name that is not there adds a container instead of changing one:
a container without an image, with which the API server rejects the workload, and the release fails.

A container that the patch gives an image is meant to be added, and is not reported. Only charts with a profile are
looked at, and a name that the release's values mention is taken to be there.",
    severity: Severity::Error,
    run,
};

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for release in context.releases {
        let workloads = patch_fit::reachable(release, context.workloads);
        for patch in &release.patches.0 {
            for workload in &workloads {
                for name in patch_fit::strangers(patch, workload) {
                    if is_substituted(name) {
                        continue;
                    }
                    let message = format!(
                        "a patch names the container `{name}`, which `{}` does not have",
                        workload.label()
                    );
                    let error = Diagnostic::error(CHECK.code, message);
                    let names = patch_fit::names(workload);
                    let listed: Vec<String> =
                        names.iter().map(|name| format!("`{name}`")).collect();
                    let problem = context
                        .at(error, &patch.place, "")
                        .with_suggestion(name, names.iter().map(String::as_str))
                        .with_hint(format!("its containers are {}", listed.join(", ")));
                    problems.push(problem);
                }
            }
        }
    }
    problems
}

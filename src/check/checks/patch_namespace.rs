//! Patches that are bound to a namespace.

use crate::check::Check;
use crate::check::context::Context;
use crate::diagnostic::{Diagnostic, Severity};

pub(in crate::check) const CHECK: Check = Check {
    code: "patch-namespace",
    summary: "The target of a post-renderer patch names a namespace",
    explanation: "\
kustomize compares `target.namespace` with what the chart wrote into the object. Many charts leave
`metadata.namespace` out, as Helm fills it in later; kustomize then takes the object to be in `default`, and the
patch is ignored without a word. Whether a chart writes the namespace changes from one version to the next.

A release has few objects outside its own namespace, so that kind and name say enough: leave the namespace out.",
    severity: Severity::Warning,
    run,
};

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for release in context.releases {
        for patch in &release.patches.0 {
            let namespace = patch.target.get("namespace").and_then(|name| name.as_str());
            let Some(namespace) = namespace.filter(|_| patch.targeted) else {
                continue;
            };
            let message = format!(
                "a patch of `{}` asks for objects with namespace `{namespace}`, which charts often leave out",
                release.label()
            );
            let warning = Diagnostic::warning(CHECK.code, message);
            let problem = context.at(warning, &patch.place, "");
            problems.push(problem.with_hint("remove `namespace` from the target"));
        }
    }
    problems
}

//! A Flux Kustomization points at a folder that is not there.

use crate::check::Check;
use crate::check::context::{Context, is_substituted};
use crate::diagnostic::{Diagnostic, Severity, closest};
use crate::tree::builds::own_path;

pub(in crate::check) const CHECK: Check = Check {
    code: "flux-path",
    summary: "A Flux Kustomization points at a folder without manifests",
    explanation: "\
The `spec.path` of a Flux Kustomization is a folder of the repository. If there is none, or nothing in it,
Flux reports that the path is not found, and whatever depends on the Kustomization waits for ever.

Only paths in this repository are checked: those of the source `flux-system`.",
    severity: Severity::Error,
    run,
};

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let folders = context.folders();
    let mut problems = Vec::new();
    for member in context.unique("kustomize.toolkit.fluxcd.io", "Kustomization") {
        let object = member.object;
        let written = object.text("spec.path").unwrap_or(".");
        let Some(folder) = own_path(object).filter(|_| !is_substituted(written)) else {
            continue;
        };
        let message = if !folders.contains(folder.as_str()) {
            format!(
                "`{}` points at `{written}`, which is not in the tree",
                member.label()
            )
        } else if !context
            .tree
            .files()
            .any(|file| file.is_yaml() && is_below(&file.path, &folder))
        {
            format!(
                "`{}` points at `{written}`, which has no manifest in it",
                member.label()
            )
        } else {
            continue;
        };
        let problem = context.at(
            Diagnostic::error(CHECK.code, message),
            &object.value_place("spec.path"),
            "",
        );
        problems.push(match closest(&folder, folders.iter().copied()) {
            Some(near) if near != folder => problem.with_hint(format!("did you mean `./{near}`?")),
            _ => problem,
        });
    }
    problems
}

fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty()
        || path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
}

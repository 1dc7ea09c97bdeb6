//! A kustomization names a file that is not there.

use crate::check::Check;
use crate::check::context::Context;
use crate::diagnostic::{Diagnostic, Severity, closest};
use crate::tree::kustomization::{Kustomization, Reference, Use};

pub(in crate::check) const CHECK: Check = Check {
    code: "resource-missing",
    summary: "A kustomization names a file or folder that is not in the tree",
    explanation: "\
kustomize refuses to build a kustomization whose `resources`, `components`, `patches` or generator inputs
are not there, and Flux then stops reconciling everything it lists. The usual reasons are a typing error,
and an app that is switched off but still listed.

A folder among the `resources` needs a `kustomization.yaml` of kind `Kustomization`, one among the
`components` one of kind `Component`. Resources on other machines are not looked at.",
    severity: Severity::Error,
    run,
};

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for kustomization in context.builds.kustomizations.values() {
        for reference in &kustomization.references {
            let Some(path) = &reference.path else {
                continue;
            };
            if let Some(message) = wrong(context, reference, path) {
                let problem =
                    context.at(Diagnostic::error(CHECK.code, message), &reference.place, "");
                problems.push(match suggestion(context, kustomization, reference) {
                    Some(hint) => problem.with_hint(hint),
                    None => problem,
                });
            }
        }
    }
    problems
}

fn wrong(context: &Context<'_>, reference: &Reference<'_>, path: &str) -> Option<String> {
    let Reference { field, written, .. } = reference;
    if context.tree.get(path).is_some() {
        return (reference.used_as == Use::Component).then(|| {
            format!(
                "`{field}` lists `{written}`, which is a file and not the folder of a component"
            )
        });
    }
    let inner = context.builds.kustomizations.get(path);
    match (inner, reference.used_as) {
        (Some(inner), Use::Resource) if inner.component => Some(format!(
            "`{field}` lists `{written}`, which is a component; list it under `components`"
        )),
        (Some(inner), Use::Component) if !inner.component => Some(format!(
            "`{field}` lists `{written}`, which is not a component; list it under `resources`"
        )),
        (Some(_), _) => None,
        (None, _) if context.folders().contains(path) => {
            (reference.field != "generators").then(|| {
                format!("`{field}` lists the folder `{written}`, which has no `kustomization.yaml`")
            })
        }
        (None, _) => Some(format!(
            "`{field}` lists `{written}`, which is not in the tree"
        )),
    }
}

/// Returns what stands nearby and is spelled alike.
fn suggestion(
    context: &Context<'_>,
    kustomization: &Kustomization<'_>,
    reference: &Reference<'_>,
) -> Option<String> {
    let prefix = if kustomization.folder.is_empty() {
        String::new()
    } else {
        format!("{}/", kustomization.folder)
    };
    let near: Vec<String> = context
        .tree
        .files()
        .filter_map(|file| file.path.strip_prefix(&prefix))
        .flat_map(|rest| {
            let folder = rest
                .split_once('/')
                .map(|(folder, _)| format!("./{folder}"));
            [Some(format!("./{rest}")), folder].into_iter().flatten()
        })
        .collect();
    let written = format!("./{}", reference.written.trim_start_matches("./"));
    let found = closest(&written, near.iter().map(String::as_str))?;
    (found != written).then(|| format!("did you mean `{found}`?"))
}

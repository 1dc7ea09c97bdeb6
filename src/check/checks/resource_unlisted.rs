//! A manifest below a kustomization that nothing lists.

use std::collections::BTreeSet;

use crate::check::Check;
use crate::check::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Place, Span};
use crate::tree::builds::{Member, Start};
use crate::tree::kustomization::split;

pub(in crate::check) const CHECK: Check = Check {
    code: "resource-unlisted",
    summary: "A manifest stands below a kustomization, but nothing lists it",
    explanation: "\
A folder with a `kustomization.yaml` is built from what that file lists, and from nothing else. A
manifest that no kustomization lists never reaches the cluster, without a word from Flux. The same
holds for a folder that no kustomization lists and no Flux Kustomization points at.

It is a warning, since a file may be there for `kubectl apply` by hand. What a component lists is fine
whether or not anything uses the component: it is there to be used.",
    severity: Severity::Warning,
    run,
};

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let builds = &context.builds;
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for member in &builds.members {
        let is_loose = !builds.takes_in(member);
        if is_loose && seen.insert(&member.object.file.path) {
            problems.extend(unlisted(context, member));
        }
    }
    let has_start = builds.builds.iter().any(|build| build.reached);
    for build in &builds.builds {
        let is_lost = has_start && !build.reached && matches!(build.start, Start::Folder);
        if let Some(kustomization) = is_lost
            .then(|| builds.kustomizations.get(build.folder.as_str()))
            .flatten()
        {
            let message = format!("nothing builds the folder `{}`", build.folder);
            let place = Place::new(&kustomization.file.source, Span::new(0, 0));
            let problem = context
                .at(Diagnostic::warning(CHECK.code, message), &place, "")
                .with_hint("list it in the `resources` of a kustomization, or point a Flux Kustomization at it");
            problems.push(problem);
        }
    }
    problems
}

fn unlisted(context: &Context<'_>, member: &Member<'_>) -> Option<Diagnostic> {
    let path = &member.object.file.path;
    let (own, _) = split(path);
    let mut folder = own;
    let nearest = loop {
        if let Some(found) = context.builds.kustomizations.get(folder) {
            break found;
        }
        if folder.is_empty() {
            return None;
        }
        folder = split(folder).0;
    };
    let rest = path
        .strip_prefix(nearest.folder)
        .unwrap_or(path)
        .trim_start_matches('/');
    // A component that nothing uses yet is there to be used.
    if nearest.component
        && nearest
            .references
            .iter()
            .any(|reference| reference.path.as_deref() == Some(path))
    {
        return None;
    }
    let message = format!("nothing lists `{path}`, so it never reaches the cluster");
    let start = member.object.root.first_line_span();
    let place = Place::new(&member.object.file.source, start);
    Some(
        context
            .at(Diagnostic::warning(CHECK.code, message), &place, "")
            .with_hint(format!(
                "list `./{rest}` in `{}`, or remove it",
                nearest.file.path
            )),
    )
}

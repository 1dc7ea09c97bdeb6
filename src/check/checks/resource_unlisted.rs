//! A manifest below a kustomization that nothing lists.

use std::collections::BTreeSet;

use crate::check::Check;
use crate::check::context::Context;
use crate::diagnostic::{Diagnostic, Severity};
use crate::flux::Kustomization;
use crate::flux::builds::{Member, Start};
use crate::source::{Place, Span};
use crate::tree::output_path::split;

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
        // Why a refused one does not build is told at its place.
        let is_lost = has_start && build.start == Start::Unreached && !build.refused;
        let folder = build.folder.as_str();
        if is_lost && context.is_rendered_folder(folder) && !may_be_built(context, folder) {
            problems.extend(builds.kustomizations.get(folder).map(|lost| {
                let message = format!("nothing builds the folder `{folder}`");
                let place = Place::new(&lost.file.source, Span::new(0, 0));
                context
                    .at(Diagnostic::warning(CHECK.code, message), &place, "")
                    .with_hint("list it in the `resources` of a kustomization, or point a Flux Kustomization at it")
            }));
        }
    }
    problems
}

/// Returns whether a Flux Kustomization may build a folder whose path holds a variable that is not seen.
fn may_be_built(context: &Context<'_>, folder: &str) -> bool {
    let builds = context.builds.applied.builds.iter();
    let mut unseen = builds.filter(|build| build.is_reached() && build.folder.contains("${"));
    unseen.any(|build| {
        let before = build.folder.split("${").next().unwrap_or_default();
        let after = build.folder.rsplit('}').next().unwrap_or_default();
        folder.starts_with(before) && folder.ends_with(after)
    })
}

fn unlisted(context: &Context<'_>, member: &Member<'_>) -> Option<Diagnostic> {
    let path = &member.object.file.path;
    let inside = context.builds.files.path_of_output(path);
    let mut folder = split(&inside).0;
    let nearest = loop {
        if let Some(found) = context.builds.kustomizations.get(folder) {
            break found;
        }
        if folder.is_empty() {
            return None;
        }
        folder = split(folder).0;
    };
    let rest = inside
        .strip_prefix(nearest.folder)
        .unwrap_or(&inside)
        .trim_start_matches('/');
    if is_in_component(context, nearest, &inside) {
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

/// Returns whether a component has a file, itself or in a folder that it lists: it is there to be used.
fn is_in_component(context: &Context<'_>, nearest: &Kustomization<'_>, path: &str) -> bool {
    let lists = |one: &Kustomization<'_>, path: &str| {
        let mut references = one.references.iter();
        references.any(|reference| reference.path.as_deref() == Some(path))
    };
    if !lists(nearest, path) {
        return false;
    }
    let mut components = vec![nearest];
    let mut seen = BTreeSet::new();
    while let Some(found) = components.pop() {
        if found.component {
            return true;
        }
        if seen.insert(found.folder) {
            let all = context.builds.kustomizations.values();
            components.extend(all.filter(|outer| lists(outer, found.folder)));
        }
    }
    false
}

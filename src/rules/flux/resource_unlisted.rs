//! A manifest below a kustomization that nothing lists.

use std::collections::BTreeSet;

use kustomize::join;

use crate::diagnostic::{Diagnostic, Meaning, Severity, closest};
use crate::flux::builds::{Member, Start};
use crate::flux::{self, Kustomization};
use crate::rules::judge::Judge;
use crate::rules::{Category, Facts, Rule};
use crate::source::{Place, Span};
use crate::tree::object::Object;
use crate::tree::output_path::split;

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "resource-unlisted",
        summary: "Every manifest below a kustomization is listed, and every folder is built",
        text: "\
A folder with a `kustomization.yaml` is built from what that file lists, and from nothing else. A
manifest that no kustomization lists never reaches the cluster, without a word from Flux. The same
holds for a folder that no kustomization lists and no Flux Kustomization points at.

It is a warning, since a file may be there for `kubectl apply` by hand. What a component lists is fine
whether or not anything uses the component: it is there to be used.",
    },
    category: Category::Flux,
    severity: Some(Severity::Warning),
    weight: 0,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    for finding in unlisted_files(judge.facts) {
        judge.report(finding);
    }
}

fn unlisted_files(facts: &Facts<'_>) -> Vec<Diagnostic> {
    let builds = &facts.builds;
    let loose = || builds.members.iter().filter(|one| !builds.takes_in(one));
    // A Kustomization that nothing lists is told, and what it points at is lost with it.
    let written = loose().filter(|member| member.kind() == "Kustomization");
    let pointed_at = written.filter_map(|member| join("", member.text("spec.path")?));
    let pointed_at: BTreeSet<String> = pointed_at.collect();
    let lost: Vec<&str> = lost_folders(facts)
        .filter(|folder| !pointed_at.contains(*folder))
        .collect();

    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for member in loose() {
        if seen.insert(member.path()) {
            problems.extend(unlisted(facts, member, &lost));
        }
    }
    for folder in lost {
        problems.extend(builds.kustomizations.get(folder).map(|lost| {
            let message = format!("nothing builds the folder `{folder}`");
            let place = Place::new(&lost.file.source, Span::new(0, 0));
            facts
                .at(Diagnostic::warning(&RULE.meaning, message), &place, "")
                .with_hint("list it in the `resources` of a kustomization, or point a Flux Kustomization at it")
        }));
    }
    problems
}

/// Lists the folders with a kustomization that nothing builds.
fn lost_folders<'f>(facts: &'f Facts<'_>) -> impl Iterator<Item = &'f str> {
    let builds = &facts.builds;
    let has_start = builds.builds.iter().any(|build| build.reached);
    // Why a refused one does not build is told at its place.
    let unreached = builds
        .builds
        .iter()
        .filter(move |build| has_start && build.start == Start::Unreached && !build.refused);
    let folders = unreached.map(|build| build.folder.as_str());
    folders.filter(|folder| {
        facts.is_rendered_folder(folder)
            && !may_be_built(facts, folder)
            && !is_lost_by_mistake(facts, folder)
    })
}

/// Returns whether a Flux Kustomization may build a folder whose path holds a variable that is not seen.
fn may_be_built(facts: &Facts<'_>, folder: &str) -> bool {
    let builds = facts.builds.applied.builds.iter();
    let mut unseen = builds.filter(|build| build.is_reached() && build.folder.contains("${"));
    unseen.any(|build| {
        let before = build.folder.split("${").next().unwrap_or_default();
        let after = build.folder.rsplit('}').next().unwrap_or_default();
        folder.starts_with(before) && folder.ends_with(after)
    })
}

/// Returns whether nothing builds a folder because of a mistake that is told at its own place: a path that is nearly that
/// of the folder, or a refused build, where a Flux Kustomization of the tree points at the folder.
fn is_lost_by_mistake(facts: &Facts<'_>, folder: &str) -> bool {
    let applied = &facts.builds.applied;
    let mut wrong = applied.problems.iter();
    let is_meant = wrong.any(|problem| {
        let mut builds = problem.builds.iter().map(|build| &applied.builds[*build]);
        *problem.meaning == flux::codes::FLUX_PATH
            && builds
                .any(|build| closest(&build.folder, facts.builds.files.folders()) == Some(folder))
    });
    let mut builds = facts.builds.builds.iter();
    let has_refused = builds.any(|build| build.refused && build.reached);
    is_meant || (has_refused && is_pointed_at(facts, folder))
}

/// Returns whether a Flux Kustomization that is written in the tree points at a folder, applied or not.
fn is_pointed_at(facts: &Facts<'_>, folder: &str) -> bool {
    let mut written = facts.builds.files.rendered();
    written.any(|(_, file)| {
        Object::of(file).any(|object| {
            let path = object.root.find_text("spec.path").unwrap_or_default();
            object.kind() == "Kustomization" && join("", path).as_deref() == Some(folder)
        })
    })
}

/// Tells of a member that nothing lists, unless all of its folder is lost.
fn unlisted(facts: &Facts<'_>, member: &Member<'_>, lost: &[&str]) -> Option<Diagnostic> {
    let written = member.written?;
    let path = &written.file.path;
    let inside = facts.builds.files.path_of_output(path);
    let mut folder = split(&inside).0;
    let nearest = loop {
        if let Some(found) = facts.builds.kustomizations.get(folder) {
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
    if lost.contains(&nearest.folder) || is_in_component(facts, nearest, &inside) {
        return None;
    }
    let message = format!("nothing lists `{path}`, so it never reaches the cluster");
    let start = written.root.first_line_span();
    let place = Place::new(&written.file.source, start);
    Some(
        facts
            .at(Diagnostic::warning(&RULE.meaning, message), &place, "")
            .with_hint(format!(
                "list `./{rest}` in `{}`, or remove it",
                nearest.file.path
            )),
    )
}

/// Returns whether a component has a file, itself or in a folder that it lists: it is there to be used.
fn is_in_component(facts: &Facts<'_>, nearest: &Kustomization<'_>, path: &str) -> bool {
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
            let all = facts.builds.kustomizations.values();
            components.extend(all.filter(|outer| lists(outer, found.folder)));
        }
    }
    false
}

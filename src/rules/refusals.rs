//! What kustomize and Flux refuse to build.

use std::collections::BTreeSet;

use super::Facts;
use crate::diagnostic::{Diagnostic, Severity, closest};
use crate::flux::{self, FluxProblem, shown_place};
use crate::source::Source;
use crate::tree::output_path::split;

/// Reports what is refused, and of each folder that nothing builds the first problem, as a warning.
///
/// What the project exempts by its code is left out.
pub(super) fn refusals(facts: &Facts<'_>) -> Vec<Diagnostic> {
    let exemptions = facts.measures.exemptions;
    let mut found = problems(facts);
    found.retain(|finding| {
        let place = finding.primary.as_ref().map(|label| &label.place);
        let names = place.map(|place| facts.subjects_at(place).1);
        let path = place.map_or("", |place| &place.source.path);
        let covering = exemptions.covering([finding.code()], &names.unwrap_or_default(), path);
        covering.is_none()
    });
    found
}

fn problems(facts: &Facts<'_>) -> Vec<Diagnostic> {
    let applied = &facts.builds.applied;
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for problem in &applied.problems {
        if follows_from_unknown_key(problem, &applied.problems) {
            continue;
        }
        if applied.roots.is_empty()
            || problem
                .builds
                .iter()
                .any(|build| applied.builds[*build].is_reached())
        {
            found.push(refusal(facts, problem));
            continue;
        }
        // A folder that no root reaches stops nothing.
        let mut lost = problem.builds.iter().filter(|build| told.insert(**build));
        if let Some(build) = lost.next() {
            let folder = &applied.builds[*build].folder;
            found.extend(
                facts
                    .is_rendered_folder(folder)
                    .then(|| lost_folder(facts, problem, folder)),
            );
        }
    }
    found
}

/// Returns whether the target of a patch is only missing because Flux passes over the key that lists it.
fn follows_from_unknown_key(problem: &FluxProblem, all: &[FluxProblem]) -> bool {
    let mut others = all.iter();
    *problem.meaning == flux::codes::KUSTOMIZE_NO_TARGET
        && others.any(|other| {
            *other.meaning == flux::codes::KUSTOMIZATION_UNKNOWN_KEY
                && problem.builds.is_subset(&other.builds)
        })
}

fn refusal(facts: &Facts<'_>, problem: &FluxProblem) -> Diagnostic {
    let applied = &facts.builds.applied;
    let owners = applied.owners(&problem.builds);
    let mut diagnostic =
        problem.diagnostic(&|place| shown_place(&facts.builds.trees, place), &owners);
    let place = problem.place.as_ref();
    let template = place
        .and_then(|place| facts.builds.place(place))
        .and_then(|place| facts.template(&place));
    if let Some(mut template) = template {
        let label = diagnostic.primary.as_ref();
        if label.is_some_and(|label| label.place.source.sensitive) {
            let source = &template.source;
            template.source = Source::sensitive(source.path.as_str(), source.text.as_ref());
        }
        diagnostic = diagnostic.with_related(template, "rendered from here");
    }
    match suggestion(facts, problem) {
        Some(near) => diagnostic.with_hint(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}

fn lost_folder(facts: &Facts<'_>, problem: &FluxProblem, folder: &str) -> Diagnostic {
    let warning = FluxProblem {
        severity: Severity::Warning,
        ..problem.clone()
    };
    refusal(facts, &warning).with_hint(format!(
        "nothing builds the folder `{folder}`: remove it, or point a Flux Kustomization at it"
    ))
}

/// Returns what stands beside a kustomization and is spelled like the path that it names and that is not there.
fn suggestion(facts: &Facts<'_>, problem: &FluxProblem) -> Option<String> {
    let place = problem
        .place
        .as_ref()
        .filter(|_| *problem.meaning == flux::codes::RESOURCE_MISSING)?;
    let text = place
        .file
        .text()
        .ok()?
        .get(place.span.start..place.span.end)?;
    let (folder, _) = split(&place.file.path);
    let skip = if folder.is_empty() {
        0
    } else {
        folder.len() + 1
    };
    let below = facts.builds.files.below(folder).map(|path| &path[skip..]);
    let near: BTreeSet<String> = below
        .flat_map(|rest| {
            let folders = rest.match_indices('/').map(|(at, _)| &rest[..at]);
            folders.chain([rest])
        })
        .map(|rest| format!("./{rest}"))
        .collect();
    let written = text.trim_matches(['"', '\'']).trim_start_matches("./");
    let written = format!("./{written}");
    let found = closest(&written, near.iter().map(String::as_str))?;
    (found != written).then(|| found.to_owned())
}

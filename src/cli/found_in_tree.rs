//! What was found while Flux was followed, as reports take it.

use super::report::build::RefusedBuild;
use super::report::place_names::PlaceNames;
use super::report::unseen::UnseenNote;
use crate::cli::report::counted::counted;
use crate::diagnostic::Diagnostic;
use crate::flux::{AppliedObjects, FluxProblem, KustomizationBuild, TreeFiles, place_in};

/// What was found while Flux was followed, of the builds that are asked for.
pub struct FoundInTree<'a> {
    /// All that was found.
    pub applied: &'a AppliedObjects,
    /// The builds; `None` for all that a root reaches.
    pub owners: Option<&'a [usize]>,
}

impl FoundInTree<'_> {
    /// Returns whether a build is one of those asked for.
    pub fn takes(&self, build: usize) -> bool {
        let reached = self
            .applied
            .builds
            .get(build)
            .is_some_and(KustomizationBuild::is_reached);
        reached && self.owners.is_none_or(|owners| owners.contains(&build))
    }

    /// Lists the problems.
    pub fn problems(&self) -> impl Iterator<Item = &FluxProblem> {
        let problems = self.applied.problems.iter();
        problems.filter(|problem| problem.builds.iter().any(|build| self.takes(*build)))
    }

    /// Lists the problems as diagnostics on the files of some trees.
    pub fn diagnostics(&self, trees: &[&TreeFiles<'_>]) -> Vec<Diagnostic> {
        let diagnostic = |problem: &FluxProblem| {
            let owners = self.applied.owners(&problem.builds);
            problem.diagnostic(&|place| place_in(trees, place), &owners)
        };
        self.problems().map(diagnostic).collect()
    }

    /// Lists what is refused.
    pub fn refused(&self) -> Vec<RefusedBuild> {
        let builds = self.applied.builds.iter().enumerate();
        let refused = builds.filter(|(index, build)| build.refused && self.takes(*index));
        refused
            .map(|(index, build)| RefusedBuild {
                owner: Some(format!("Kustomization/{}", build.owner)),
                folder: build.folder.clone(),
                problems: self
                    .problems()
                    .filter(|problem| problem.builds.contains(&index))
                    .map(|problem| problem.message.clone())
                    .collect(),
            })
            .collect()
    }

    /// Names the Kustomizations of which Flux passes over a part.
    pub fn partial(&self) -> Vec<String> {
        let builds = self.applied.builds.iter().enumerate();
        let partial = builds.filter(|(index, build)| build.is_partial && self.takes(*index));
        partial
            .map(|(_, build)| format!("Kustomization/{}", build.owner))
            .collect()
    }

    /// Lists what is not seen.
    pub fn unseen(&self, places: &PlaceNames<'_>) -> Vec<UnseenNote> {
        let unseen = self
            .applied
            .unseen
            .iter()
            .filter(|part| self.takes(part.build));
        unseen
            .map(|part| UnseenNote {
                what: part.what.clone(),
                why: part.why.clone(),
                remedy: part.remedy.clone(),
                owner: self
                    .applied
                    .builds
                    .get(part.build)
                    .map(|build| format!("Kustomization/{}", build.owner)),
                place: part.place.as_ref().map(|place| places.line(place)),
            })
            .collect()
    }

    /// Says how much was found.
    pub fn summary(&self, objects: usize, refused: usize, unseen: usize) -> String {
        let builds = (0..self.applied.builds.len())
            .filter(|index| self.takes(*index))
            .count();
        let mut text = format!(
            "{} of {}",
            counted(objects, "object"),
            counted(builds, "Kustomization")
        );
        if refused > 0 {
            text.extend([", ", &refused.to_string(), " refused"]);
        }
        if unseen > 0 {
            text.extend([", ", &counted(unseen, "part"), " not seen"]);
        }
        text
    }
}

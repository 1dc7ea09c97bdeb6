//! What all kustomizations of one build share.

use std::sync::Arc;

use super::super::config::TransformerConfig;
use super::super::place::Place;
use super::super::problem::{Findings, Problem, ProblemKind};
use super::{Accumulation, AccumulationGaps};

/// How deep kustomizations may nest: symlinks can make a circle that no path shows.
pub(super) const DEEPEST_NESTING: usize = 100;

/// How many times a build may enter a folder: kustomizations that each name two others double the work at each level.
const MOST_FOLDERS: usize = 100_000;

/// How much was said at some point of a build.
#[derive(Clone, Copy)]
pub(super) struct FindingsMark {
    problems: usize,
    targets: usize,
}

/// One build.
pub(crate) struct BuildSession {
    /// What the build has to say.
    pub(crate) findings: Findings,
    /// Whether `buildMetadata` asks for where objects are from.
    pub(crate) notes_provenance: bool,
    built_in: Arc<TransformerConfig>,
    folders: usize,
}

impl BuildSession {
    /// Starts a build of a kustomization at a place.
    pub(crate) fn new(findings: Findings, notes_provenance: bool, place: &Place) -> Self {
        Self {
            findings,
            notes_provenance,
            built_in: TransformerConfig::built_in(place),
            folders: 0,
        }
    }

    /// Adds field specs to those of an accumulation; without any, those that are built in.
    ///
    /// What comes first stands in the way of what is less precise: a file of `configurations` that prefixes one kind
    /// takes the place of the built-in spec that prefixes all.
    pub(super) fn add_config(
        &mut self,
        config: &mut Option<Arc<TransformerConfig>>,
        added: Option<&Arc<TransformerConfig>>,
        place: &Place,
    ) {
        let added = added.unwrap_or(&self.built_in);
        match config {
            None if Arc::ptr_eq(added, &self.built_in) => *config = Some(Arc::clone(added)),
            Some(config) if Arc::ptr_eq(added, config) => {}
            _ => {
                let mut merged = match config {
                    Some(config) => TransformerConfig::clone(config),
                    None => TransformerConfig::empty(),
                };
                merged.merge(added, place, &mut self.findings);
                *config = Some(Arc::new(merged));
            }
        }
    }

    /// Returns the field specs of an accumulation.
    pub(super) fn config_of(&self, accumulation: &Accumulation) -> Arc<TransformerConfig> {
        let config = accumulation.config.as_ref().unwrap_or(&self.built_in);
        Arc::clone(config)
    }

    /// Counts a folder that is entered; one too many is a problem.
    pub(super) fn enters_folder(&mut self, asked: &Place) -> bool {
        self.folders += 1;
        if self.folders == MOST_FOLDERS {
            let message = format!("the build enters folders more than {MOST_FOLDERS} times");
            let help = "Kustomizations that name each other several times multiply: name each once";
            let problem = Problem::new(ProblemKind::Refused, message, asked);
            self.findings.refuse(problem.with_help(help));
        }
        self.folders < MOST_FOLDERS
    }

    /// Returns how much was said so far.
    pub(super) fn mark(&self) -> FindingsMark {
        FindingsMark {
            problems: self.findings.problems.len(),
            targets: self.findings.targets.len(),
        }
    }

    /// Takes back what was said about objects that were looked for in vain, where they may stand in a gap.
    pub(super) fn excuse_since(&mut self, before: FindingsMark, gaps: AccumulationGaps) {
        if gaps == AccumulationGaps::default() {
            return;
        }
        let since = self.findings.targets.split_off(before.targets);
        let matched = since.into_iter().filter(|target| target.matched);
        self.findings.targets.extend(matched);
        let after = self.findings.problems.split_off(before.problems);
        for problem in after {
            if problem.kind != ProblemKind::NoTarget {
                self.findings.refuse(problem);
                continue;
            }
            if let Some(place) = problem.place.filter(|_| gaps.unseen) {
                let why = "it may be among the objects that are not seen";
                self.findings
                    .not_seen("the object that this is for", why, &place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::place::SourceFile;
    use super::*;

    #[test]
    fn says_once_that_a_build_enters_too_many_folders() {
        let file = SourceFile::new("kustomization.yaml", Vec::new());
        let place = Place::new(&file, 0, spanned_yaml::Span::new(0, 0));
        let mut session = BuildSession::new(Findings::default(), false, &place);
        let entered = (0..2 * MOST_FOLDERS).filter(|_| session.enters_folder(&place));
        assert_eq!(entered.count(), MOST_FOLDERS - 1);
        assert_eq!(session.findings.problems.len(), 1);
    }
}

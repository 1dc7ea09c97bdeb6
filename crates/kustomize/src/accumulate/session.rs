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
    /// Starts a build.
    pub(crate) fn new(findings: Findings, notes_provenance: bool) -> Self {
        Self {
            findings,
            notes_provenance,
            built_in: Arc::new(TransformerConfig::default()),
            folders: 0,
        }
    }

    /// Returns the field specs that hold for an accumulation.
    pub(crate) fn config_of(
        &mut self,
        accumulation: &Accumulation,
        place: &Place,
    ) -> Arc<TransformerConfig> {
        if accumulation.configs.is_empty() {
            return Arc::clone(&self.built_in);
        }
        let mut config = TransformerConfig::clone(&self.built_in);
        for added in &accumulation.configs {
            config.merge(added, place, &mut self.findings);
        }
        Arc::new(config)
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

    /// Takes back what was said about objects that were looked for in vain, where they may stand in a gap.
    pub(super) fn excuse_since(&mut self, before: usize, gaps: AccumulationGaps) {
        if gaps == AccumulationGaps::default() {
            return;
        }
        let after = self.findings.problems.split_off(before);
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

//! What the rules measure a project by.

use super::World;
use super::exposure::Exposure;
use super::failure::CompileFailure;
use super::kept::KeptFiles;
use super::surroundings::surroundings_of;
use crate::charts::Profiles;
use crate::config::project::Project;
use crate::flux::BuildMemory;
use crate::rules::{Exemptions, Measures, Policy};
use crate::tree::{Rendered, Tree};

/// A project, and what the rules are to know of it.
pub(super) struct ProjectMeasures {
    pub(super) project: Project,
    pub(super) profiles: Profiles,
    pub(super) policy: Policy,
    pub(super) exemptions: Exemptions,
    /// What depends on secrets and is open.
    pub(super) exposure: Exposure,
}

impl ProjectMeasures {
    /// Hands `look` what it rendered and what that is measured by, the files that are kept beside it among it.
    ///
    /// # Errors
    /// Those of `look`, and what `[flux]` names and is not there.
    pub(super) fn of<R>(
        &self,
        world: &World<'_>,
        tree: Tree<Rendered>,
        look: impl FnOnce(Tree<Rendered>, Measures<'_>) -> Result<R, CompileFailure>,
    ) -> Result<R, CompileFailure> {
        let surroundings = surroundings_of(world, &self.project)?;
        let around = KeptFiles::around(world, &self.project, tree.files());
        let measures = Measures {
            kept: &around.tree(),
            follow: &surroundings.options()?,
            memory: &BuildMemory::default(),
            profiles: &self.profiles,
            policy: &self.policy,
            exemptions: &self.exemptions,
            seals: true,
            apps: &[],
            leaks: &self.exposure.leaks,
            failures: &self.exposure.failures,
            gaps: &[],
        };
        look(tree, measures)
    }
}

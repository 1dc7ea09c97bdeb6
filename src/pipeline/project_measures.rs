//! What the rules measure a project by.

use super::World;
use super::exposure::Exposure;
use super::kept::KeptFiles;
use crate::config::project::Project;
use crate::flux::FollowOptions;
use crate::rules::{Exemptions, Measures, Policy};
use crate::tree::{Rendered, Tree};
use crate::workload::Profiles;

/// Flux as it is by default: what a project renders says itself where Flux starts.
static STRICT: FollowOptions<'static> = FollowOptions::STRICT;

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
    pub(super) fn of<R>(
        &self,
        world: &World<'_>,
        tree: Tree<Rendered>,
        look: impl FnOnce(Tree<Rendered>, Measures<'_>) -> R,
    ) -> R {
        let around = KeptFiles::around(world, &self.project, tree.files());
        let measures = Measures {
            kept: &around.tree(),
            follow: &STRICT,
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

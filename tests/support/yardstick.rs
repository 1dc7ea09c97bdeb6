//! What rules measure against where a test has a tree and no project.

use kiln::charts::Profiles;
use kiln::flux::{BuildMemory, FollowOptions, TreeFiles};
use kiln::rules::{Exemptions, Leak, Measures, Policy};
use kiln::workload::Exemption;

/// What rules measure against, with the profiles of the test and nothing else but what it sets.
pub(crate) struct Yardstick<'p> {
    kept: TreeFiles<'static>,
    follow: FollowOptions<'static>,
    memory: BuildMemory,
    profiles: &'p Profiles,
    policy: Policy,
    exemptions: Exemptions,
    pub(crate) leaks: Vec<Leak>,
}

impl<'p> Yardstick<'p> {
    pub(crate) fn new(profiles: &'p Profiles) -> Self {
        Self {
            kept: TreeFiles::default(),
            follow: FollowOptions::default(),
            memory: BuildMemory::default(),
            profiles,
            policy: Policy::default(),
            exemptions: Exemptions::default(),
            leaks: Vec::new(),
        }
    }

    pub(crate) fn with_policy(self, policy: Policy) -> Self {
        Self { policy, ..self }
    }

    pub(crate) fn with_exemptions(self, list: Vec<Exemption>) -> Self {
        let exemptions = Exemptions::new(list);
        Self { exemptions, ..self }
    }

    pub(crate) fn measures(&self) -> Measures<'_> {
        Measures {
            kept: &self.kept,
            follow: &self.follow,
            memory: &self.memory,
            profiles: self.profiles,
            policy: &self.policy,
            exemptions: &self.exemptions,
            seals: true,
            apps: &[],
            leaks: &self.leaks,
            failures: &[],
            gaps: &[],
        }
    }
}

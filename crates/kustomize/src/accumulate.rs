//! The objects of a kustomization: gathered from files, folders, generators and components, then transformed.

mod folder;
mod session;
mod transformer;

use std::sync::Arc;

use super::config::TransformerConfig;
use super::resources::Resources;
pub(crate) use folder::FolderBuild;
pub(crate) use session::BuildSession;

/// What a kustomization has gathered, from itself and from the kustomizations below it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accumulation {
    /// The objects.
    pub(crate) resources: Resources,
    /// The field specs of `configurations` and `crds`, besides those that kustomize has built in.
    pub(crate) configs: Vec<Arc<TransformerConfig>>,
    /// What is missing among the objects.
    pub(crate) gaps: AccumulationGaps,
}

/// What is missing among the objects, so that whatever looks for an object there may look in vain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AccumulationGaps {
    /// Something cannot be seen from the files at hand.
    pub(crate) unseen: bool,
    /// Something is not there because of a problem.
    pub(crate) broken: bool,
}

impl AccumulationGaps {
    /// Adds the gaps of another accumulation.
    pub(crate) fn add(&mut self, other: Self) {
        self.unseen |= other.unseen;
        self.broken |= other.broken;
    }
}

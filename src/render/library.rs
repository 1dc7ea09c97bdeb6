//! What is read of the folders of templates before anything is known of the config.

use std::collections::BTreeSet;

use super::apps::{self, AppManifest};
use super::layers::{LayerEntry, Layers};
use super::version_reads;
use crate::config::cluster::versions::VersionKey;
use crate::diagnostic::Diagnostic;
use crate::tree::is_secret_path;
use crate::tree::output_path::ReservedPaths;

/// The files on top, and the manifests of the apps among them, read.
#[derive(Debug, Default)]
pub struct Library {
    /// The files, sorted by path.
    pub(super) entries: Vec<LayerEntry>,
    /// The manifests, sorted by namespace and name.
    pub(super) manifests: Vec<AppManifest>,
    /// What is wrong with any of them.
    pub(super) problems: Vec<Diagnostic>,
    /// Where no output may go.
    pub(super) reserved: ReservedPaths,
}

impl Library {
    /// Returns whether an app asks for options of others, on or not.
    pub fn asks_options(&self) -> bool {
        let mut manifests = self.manifests.iter();
        manifests.any(|manifest| manifest.asks.asks_options())
    }

    /// Returns whether something is wrong with a manifest or with what the folders hold.
    pub fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    /// Lists the paths of the outputs that are to be encrypted, whether their apps are on or not.
    pub fn secret_outputs(&self) -> impl Iterator<Item = &str> {
        let outputs = self.entries.iter().filter(|entry| !entry.is_partial());
        outputs
            .map(LayerEntry::output)
            .filter(|path| is_secret_path(path))
    }

    /// Returns the template of an output, as messages name it, and the versions that it reads.
    pub fn reads_of(&self, output: &str) -> Option<(String, BTreeSet<VersionKey>)> {
        let mut templates = self.entries.iter().filter(|entry| entry.is_template());
        let entry = templates.find(|entry| entry.output() == output)?;
        let source = &entry.source;
        Some((source.path.clone(), version_reads::in_text(&source.text)))
    }
}

impl Layers<'_> {
    /// Reads the files on top; what is wrong with them is reported when they are used.
    pub fn read(&self) -> Library {
        let mut problems = Vec::new();
        let entries = self.entries(&mut problems);
        let manifests = apps::manifests(&entries, &mut problems);
        Library {
            entries,
            manifests,
            problems,
            reserved: self.reserved.clone(),
        }
    }
}

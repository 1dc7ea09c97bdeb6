//! What is read of the folders of templates before anything is known of the config.

use super::apps::{self, Manifest};
use super::layers::{Entry, Layers};
use crate::diagnostic::Diagnostic;

/// The files on top, and the manifests of the apps among them, read.
#[derive(Debug, Default)]
pub struct Library {
    /// The files, sorted by path.
    pub(super) entries: Vec<Entry>,
    /// The manifests, sorted by namespace and name.
    pub(super) manifests: Vec<Manifest>,
    /// What is wrong with any of them.
    pub(super) problems: Vec<Diagnostic>,
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
        }
    }
}

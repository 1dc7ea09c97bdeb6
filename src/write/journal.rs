//! What a run is about to do, on disk before it does it.

use serde::{Deserialize, Serialize};

use crate::fs::{Folder, FolderEntry};
use crate::tree::output_path::{LOCK_FILE, ReservedPaths};
use crate::write::digest::Digest;
use crate::write::{HOME, WriteError};

const VERSION: u32 = 2;

/// The journal of a run that goes forward.
pub(super) const JOURNAL: &str = ".kiln/journal.json";
/// The journal while it is written, which does not count.
pub(super) const DRAFT: &str = ".kiln/journal.new";
/// The journal of a run that goes back: the same text under another name, so that turning round is
/// one rename.
pub(super) const UNDO: &str = ".kiln/undo.json";
/// The folder of new content, by the number of the change.
pub(super) const NEW: &str = ".kiln/new";
/// The folder of replaced and removed files, by the number of the change.
pub(super) const OLD: &str = ".kiln/old";

/// What became of a run that was killed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recovery {
    /// No run was killed.
    #[default]
    Nothing,
    /// It was killed before its content was complete, so that the old tree stands, or when only
    /// tidying up was left, so that the new one does; its leftovers are gone.
    Discarded,
    /// It was killed among its changes, and they were completed: the new tree stands.
    Completed,
    /// It could not be completed, or was killed while it put things back: the old tree stands.
    Undone,
}

/// The change of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileChange {
    /// The output.
    pub(super) path: String,
    /// What is there before; `None` for no file.
    pub(super) before: Option<Digest>,
    /// What is there afterwards; `None` for no file.
    pub(super) after: Option<Digest>,
}

impl FileChange {
    /// Whether this is the list of outputs, which is Kiln's whatever it holds.
    pub(super) fn is_lock(&self) -> bool {
        self.path == LOCK_FILE
    }
}

/// The changes of a run, in the order in which they are made.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Journal {
    version: u32,
    /// The fingerprint of the folder that it was written to: one that came with a copy or a checkout is somebody else's.
    home: String,
    pub(super) changes: Vec<FileChange>,
}

impl Journal {
    /// Makes the journal of a run in a folder that is claimed.
    pub(super) fn new(
        folder: &Folder,
        changes: Vec<FileChange>,
    ) -> Result<Self, crate::fs::DiskError> {
        Ok(Self {
            version: VERSION,
            home: folder.fingerprint(HOME)?,
            changes,
        })
    }

    /// Makes the journal count: from here on the run will be completed.
    pub(super) fn commit(&self, folder: &Folder) -> Result<(), crate::fs::DiskError> {
        let text = serde_json::to_vec(self).expect("a journal is strings and numbers");
        folder.write_new(DRAFT, &text, false)?;
        folder.sync(&[DRAFT.to_owned()])?;
        folder.rename(DRAFT, JOURNAL)?;
        folder.sync(&[HOME.to_owned(), String::new()])
    }

    /// Reads the journal that a killed run left.
    ///
    /// # Errors
    /// When it is damaged, of another version, was not written here, or names a path that no output can have: it may
    /// come from a stranger's repository.
    pub(super) fn read(
        folder: &Folder,
        reserved: &ReservedPaths,
        path: &str,
    ) -> Result<Option<Self>, WriteError> {
        if folder.entry(path)? == FolderEntry::Missing {
            return Ok(None);
        }
        let broken = |reason: String| WriteError::Journal {
            path: folder.shown(path),
            reason,
        };
        let bytes = folder.read(path)?.unwrap_or_default();
        let journal: Self =
            serde_json::from_slice(&bytes).map_err(|error| broken(error.to_string()))?;
        if journal.version != VERSION {
            return Err(broken(format!("it is of version {}", journal.version)));
        }
        if journal.home != folder.fingerprint(HOME)? {
            let reason = "it was not written in this folder, and came with a copy or a checkout";
            return Err(broken(reason.to_owned()));
        }
        for change in journal.changes.iter().filter(|change| !change.is_lock()) {
            if let Some(reason) = reserved.refuse(&change.path) {
                return Err(broken(format!(
                    "`{}`: {reason}",
                    change.path.escape_debug()
                )));
            }
        }
        Ok(Some(journal))
    }
}

/// Names the new content of a change.
pub(super) fn new_at(number: usize) -> String {
    format!("{NEW}/{number}")
}

/// Names what a change replaced or removed.
pub(super) fn old_at(number: usize) -> String {
    format!("{OLD}/{number}")
}

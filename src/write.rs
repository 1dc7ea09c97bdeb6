//! Puts a sealed tree on disk: all of it or nothing, and only what Kiln owns.
//!
//! # Steps
//! 1. [`fn@plan`] claims the folder, so that one Kiln writes at a time, and completes or undoes
//!    what a killed run left ([`recover`] does that much alone, and [`claim`] goes on holding the folder).
//! 2. It compares the tree with the disk and with `kiln.lock`, the committed list of the outputs
//!    that Kiln owns and their digests. Unchanged files are not touched, foreign ones are an error,
//!    those edited by hand are kept.
//! 3. [`WritePlan::apply`] writes all new content to `.kiln/new` and syncs it, then a journal of the
//!    changes, and from then on the new tree is a matter of renames, which the next run completes
//!    if this one is killed. A rename that fails is undone with all before it.
//!
//! This module sees only a [`Tree<Sealed>`](crate::tree::Tree), so nothing it writes, staged or
//! final, is a secret in plain text.

mod apply;
pub mod codes;
mod digest;
mod foreign;
mod journal;
mod lock;
mod plan;
mod problem;
mod report;
mod stage;

use std::collections::BTreeSet;

use crate::diagnostic::Diagnostic;
use crate::fs::{self, Disk, Folder, Holder};
use crate::source::Source;
use crate::tree::output_path::ReservedPaths;

pub use crate::tree::output_path::LOCK_FILE;

pub use apply::{Interruption, WriteStep};
pub use digest::Digest;
pub use journal::Recovery;
pub use lock::{KILN, List};
pub use plan::{ClaimedFolder, PlanOptions, WritePlan, plan};
pub use report::WriteReport;

/// The folder in the output folder where changes are staged; there only while Kiln writes, or after
/// it was killed.
pub const HOME: &str = ".kiln";

/// Why outputs could not be written.
///
/// Each message is complete: it has the path, what the system said, and how the tree was left.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The disk failed before anything was staged: also when another Kiln is at it.
    #[error(transparent)]
    Disk(#[from] fs::DiskError),
    /// New content could not be staged.
    #[error("cannot stage `{path}`, so nothing was changed: {cause}")]
    Stage {
        /// The output.
        path: String,
        /// What the disk said.
        cause: fs::DiskError,
    },
    /// A change could not be made.
    #[error("cannot update `{path}`, so all files were put back as they were: {cause}")]
    Apply {
        /// The output.
        path: String,
        /// What the disk said.
        cause: fs::DiskError,
    },
    /// A change could neither be made nor undone.
    #[error("cannot put `{path}` back as it was, which the next run will try again: {cause}")]
    Undo {
        /// The output.
        path: String,
        /// What the disk said.
        cause: fs::DiskError,
    },
    /// The journal of a killed run makes no sense.
    #[error(
        "cannot complete the run that was killed, as its journal `{path}` is broken ({reason}); remove the folder `.kiln` to give it up"
    )]
    Journal {
        /// The journal.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The observer of [`WritePlan::apply_with`] asked to stop as if killed.
    #[error("stopped as if killed")]
    Killed,
}

impl WriteError {
    /// Returns whether another Kiln is writing to the same folder.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Disk(fs::DiskError::Busy { .. }))
    }
}

/// Where to write, and on whose behalf.
#[derive(Clone, Debug)]
pub struct Target<'t> {
    disk: &'t Disk,
    output: &'t str,
    reserved: ReservedPaths,
    taken_over: TakeOver,
    /// The outputs that are left out where a file of somebody else is.
    left: BTreeSet<String>,
    holder: Holder,
}

/// Files that Kiln did not write, and that the user lets it have.
///
/// Paths are those of outputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakeOver {
    /// Those in the places of outputs: they become Kiln's, with what the tree has.
    pub outputs: BTreeSet<String>,
    /// Those that outputs replace under another name: they are removed.
    pub superseded: BTreeSet<String>,
}

impl<'t> Target<'t> {
    /// Names the output folder of a project in which nothing is reserved.
    pub fn new(disk: &'t Disk, output: &'t str) -> Self {
        Self {
            disk,
            output,
            reserved: ReservedPaths::default(),
            taken_over: TakeOver::default(),
            left: BTreeSet::new(),
            holder: Holder {
                pid: std::process::id(),
                ..Holder::default()
            },
        }
    }

    /// Says what the project reads, which is never written, removed or believed to be an output.
    #[must_use]
    pub fn reserving(mut self, reserved: &ReservedPaths) -> Self {
        self.reserved = reserved.clone();
        self
    }

    /// Says which outputs are left out where a file of somebody else is.
    #[must_use]
    pub fn leaving(mut self, outputs: impl IntoIterator<Item = String>) -> Self {
        self.left.extend(outputs);
        self
    }

    /// Says which files become Kiln's.
    #[must_use]
    pub fn taking_over(mut self, files: &TakeOver) -> Self {
        self.taken_over = files.clone();
        self
    }

    /// Says who writes, and since when, for others that have to wait.
    #[must_use]
    pub fn held_by(mut self, command: &str, since: String) -> Self {
        command.clone_into(&mut self.holder.command);
        self.holder.since = since;
        self
    }

    fn folder(&self) -> Result<Folder, fs::DiskError> {
        self.disk.folder(self.output)
    }
}

/// Reads a folder's `kiln.lock`; `None` without one.
///
/// # Errors
/// A list that cannot be read as one, or that names what can be no output.
pub fn list(target: &Target<'_>) -> Result<Option<List>, Vec<Diagnostic>> {
    let unreadable =
        |error: fs::DiskError| vec![Diagnostic::error(&codes::BAD_LOCK, error.to_string())];
    let read = || target.folder()?.read(LOCK_FILE);
    let Some(bytes) = read().map_err(unreadable)? else {
        return Ok(None);
    };
    list_of(target, &bytes).map(Some)
}

/// Reads the text of a `kiln.lock` of the folder, such as an older one.
///
/// # Errors
/// A text that cannot be read as one, or that names what can be no output.
pub fn list_of(target: &Target<'_>, text: &[u8]) -> Result<List, Vec<Diagnostic>> {
    let text = String::from_utf8_lossy(text).into_owned();
    let shown = match target.folder() {
        Ok(folder) => folder.shown(LOCK_FILE),
        Err(_) => LOCK_FILE.to_owned(),
    };
    lock::parse(&Source::new(shown, text), &target.reserved)
}

/// Completes or undoes what a killed run left in the output folder, so that the old or the new tree
/// is there.
///
/// To be called before anything reads the outputs. Costs one look at the disk when there is nothing
/// to do, and then makes nothing.
pub fn recover(target: &Target<'_>) -> Result<Recovery, WriteError> {
    recover_with(target, &mut |_| Ok(()))
}

/// Claims the output folder for as long as what is returned is held, and does as [`recover`].
///
/// For whoever has to read the project as nobody else is writing it. Makes the folder of the claim on the disk, which
/// is removed with the claim.
///
/// # Errors
/// Also when another Kiln holds the folder: [`WriteError::is_busy`].
pub fn claim(target: &Target<'_>) -> Result<ClaimedFolder, WriteError> {
    let folder = target.folder()?;
    let claim = folder.claim(HOME, &target.holder)?;
    let recovery = apply::recover(&folder, &target.reserved, &mut |_| Ok(()))?;
    Ok(ClaimedFolder {
        folder,
        claim,
        recovery,
    })
}

/// Returns whether nothing is at work in the output folder, nor left there for [`recover`].
pub fn is_complete(disk: &Disk, output: &str) -> bool {
    let home = || disk.folder(output)?.entry(HOME);
    home().is_ok_and(|home| home == fs::FolderEntry::Missing)
}

/// Does as [`recover`], with an observer that is called after each step and can interrupt, so that
/// tests can show what a crash leaves.
pub fn recover_with(
    target: &Target<'_>,
    observer: &mut dyn FnMut(WriteStep<'_>) -> Result<(), Interruption>,
) -> Result<Recovery, WriteError> {
    let folder = target.folder()?;
    if folder.entry(HOME)? == fs::FolderEntry::Missing {
        return Ok(Recovery::Nothing);
    }
    let _claim = folder.claim(HOME, &target.holder)?;
    apply::recover(&folder, &target.reserved, observer)
}

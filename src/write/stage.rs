//! Brings all new content to the disk before the first output changes.

use std::borrow::Cow;

use crate::fs::{self, Folder};
use crate::write::WriteError;
use crate::write::apply::{Observer, WriteStep};
use crate::write::journal::{DRAFT, FileChange, JOURNAL, Journal, NEW, OLD, new_at};

/// A change with the content that it brings; `None` for a removal.
#[derive(Debug)]
pub(super) struct Pending<'t> {
    pub(super) change: FileChange,
    pub(super) content: Option<Cow<'t, [u8]>>,
    /// Whether the content may be run as a program.
    pub(super) executable: bool,
}

/// Stages the changes and commits the journal.
///
/// # Errors
/// Nothing is left then, unless the observer stopped as if killed.
pub(super) fn stage(
    folder: &Folder,
    pending: &[Pending<'_>],
    observer: &mut Observer<'_>,
) -> Result<Journal, WriteError> {
    let staged = write(folder, pending, observer);
    if staged
        .as_ref()
        .is_err_and(|error| !matches!(error, WriteError::Killed))
    {
        // The first failure is the one to report; leftovers are discarded by the next run.
        discard(folder).ok();
    }
    staged
}

fn write(
    folder: &Folder,
    pending: &[Pending<'_>],
    observer: &mut Observer<'_>,
) -> Result<Journal, WriteError> {
    folder.make(NEW)?;
    folder.make(OLD)?;
    let mut written = Vec::with_capacity(pending.len() + 1);
    for (number, pending) in pending.iter().enumerate() {
        let Pending {
            change,
            content,
            executable,
        } = pending;
        let failed = |cause| WriteError::Stage {
            path: folder.shown(&change.path),
            cause,
        };
        if let Some(bytes) = content {
            let path = new_at(number);
            folder
                .write_new(&path, bytes, *executable)
                .map_err(failed)?;
            written.push(path);
            observer.after(WriteStep::Staged(&change.path), failed)?;
        }
    }
    let failed = |cause: fs::DiskError| WriteError::Stage {
        path: folder.shown("."),
        cause,
    };
    written.push(NEW.to_owned());
    folder.sync(&written).map_err(failed)?;
    observer.after(WriteStep::Synced, failed)?;
    let changes = pending.iter().map(|pending| pending.change.clone());
    let journal = Journal::new(folder, changes.collect()).map_err(failed)?;
    journal.commit(folder).map_err(failed)?;
    observer.after(WriteStep::Committed, failed)?;
    Ok(journal)
}

/// Removes all that staging made, the journal first; returns whether there was anything.
pub(super) fn discard(folder: &Folder) -> Result<bool, fs::DiskError> {
    let mut found = false;
    for path in [JOURNAL, DRAFT] {
        found |= folder.entry(path)? != fs::FolderEntry::Missing;
        folder.remove(path)?;
    }
    for path in [NEW, OLD] {
        found |= folder.entry(path)? != fs::FolderEntry::Missing;
        folder.remove_all(path)?;
    }
    Ok(found)
}

//! Makes the changes of a journal, or puts back what was there.
//!
//! Both go by what is on the disk and not by memory, so that a run that was killed anywhere can be
//! taken up by another. Of a change that is to bring content, `.kiln/new/N` is there until it is
//! made; what a change replaces or removes is kept as `.kiln/old/N` until the journal is closed.

use std::collections::BTreeSet;
use std::io;

use crate::fs::{self, Folder, FolderEntry, parents};
use crate::tree::output_path::ReservedPaths;
use crate::write::digest::Digest;
use crate::write::journal::{FileChange, JOURNAL, Journal, Recovery, UNDO, new_at, old_at};
use crate::write::stage::discard;
use crate::write::{HOME, WriteError};

/// A moment of a run, after something reached the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteStep<'p> {
    /// The new content of this output is staged.
    Staged(&'p str),
    /// All staged content is synced.
    Synced,
    /// The journal is in force.
    Committed,
    /// This output was created, changed or removed, or `kiln.lock` was.
    Changed(&'p str),
    /// This output is as it was before.
    Undone(&'p str),
    /// All changes are synced.
    Settled,
    /// The journal is gone.
    Closed,
}

/// What an observer can do to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// Stop as if killed: nothing is tidied up.
    Kill,
    /// Go on as if the disk had refused this step.
    Fail,
}

/// Who watches a run.
pub(super) struct Observer<'o>(
    pub(super) &'o mut dyn FnMut(WriteStep<'_>) -> Result<(), Interruption>,
);

impl Observer<'_> {
    pub(super) fn after(
        &mut self,
        step: WriteStep<'_>,
        failed: impl FnOnce(fs::DiskError) -> WriteError,
    ) -> Result<(), WriteError> {
        (self.0)(step).map_err(|interruption| match interruption {
            Interruption::Kill => WriteError::Killed,
            Interruption::Fail => failed(fs::DiskError::Unwritable {
                path: format!("{step:?}"),
                cause: io::Error::other("interrupted"),
            }),
        })
    }
}

/// What stands where an output belongs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FoundEntry {
    Nothing,
    File(Digest),
    Other,
}

impl FoundEntry {
    fn of(expected: Option<Digest>) -> Self {
        expected.map_or(Self::Nothing, Self::File)
    }
}

/// Makes the changes, closes the journal, and returns the outputs that someone else changed since
/// they were planned, which are left alone.
///
/// # Errors
/// [`WriteError::Apply`] when a change could not be made and all were undone.
pub(super) fn complete(
    folder: &Folder,
    journal: &Journal,
    observer: &mut Observer<'_>,
) -> Result<Vec<String>, WriteError> {
    match change_all(folder, journal, observer) {
        Ok(touched) => {
            close(folder, JOURNAL, observer)?;
            Ok(touched)
        }
        Err(WriteError::Apply { path, cause }) => {
            let failed = |cause| WriteError::Undo {
                path: path.clone(),
                cause,
            };
            folder.rename(JOURNAL, UNDO).map_err(failed)?;
            folder.sync(&[HOME.to_owned()]).map_err(failed)?;
            undo_all(folder, journal, observer)?;
            Err(WriteError::Apply { path, cause })
        }
        Err(other) => Err(other),
    }
}

/// Takes up what a killed run left; the claim must be held.
pub(super) fn recover(
    folder: &Folder,
    reserved: &ReservedPaths,
    observer: &mut dyn FnMut(WriteStep<'_>) -> Result<(), Interruption>,
) -> Result<Recovery, WriteError> {
    let mut observer = Observer(observer);
    if let Some(journal) = Journal::read(folder, reserved, UNDO)? {
        undo_all(folder, &journal, &mut observer)?;
        return Ok(Recovery::Undone);
    }
    let Some(journal) = Journal::read(folder, reserved, JOURNAL)? else {
        return Ok(if discard(folder)? {
            Recovery::Discarded
        } else {
            Recovery::Nothing
        });
    };
    match complete(folder, &journal, &mut observer) {
        Ok(_) => Ok(Recovery::Completed),
        Err(WriteError::Apply { .. }) => Ok(Recovery::Undone),
        Err(other) => Err(other),
    }
}

fn change_all(
    folder: &Folder,
    journal: &Journal,
    observer: &mut Observer<'_>,
) -> Result<Vec<String>, WriteError> {
    let mut touched = Vec::new();
    for (number, change) in journal.changes.iter().enumerate() {
        let failed = |cause| WriteError::Apply {
            path: folder.shown(&change.path),
            cause,
        };
        if !make(folder, number, change).map_err(failed)? {
            touched.push(change.path.clone());
        }
        observer.after(WriteStep::Changed(&change.path), failed)?;
    }
    let failed = |cause| WriteError::Apply {
        path: folder.shown("."),
        cause,
    };
    folder.sync(&folders(journal)).map_err(failed)?;
    observer.after(WriteStep::Settled, failed)?;
    Ok(touched)
}

/// Makes one change unless it is made already; returns `false` when someone else changed the file
/// since it was planned.
fn make(folder: &Folder, number: usize, change: &FileChange) -> Result<bool, fs::DiskError> {
    let (new, old, path) = (new_at(number), old_at(number), change.path.as_str());
    let found = look(folder, path)?;
    let expected =
        found == FoundEntry::of(change.before) || (change.is_lock() && found != FoundEntry::Other);
    if change.after.is_none() {
        let removed = folder.entry(&old)? == FolderEntry::File;
        if !removed && found != FoundEntry::Nothing {
            if !expected {
                return Ok(false);
            }
            folder.rename(path, &old)?;
        }
        folder.remove_empty_parents(path)?;
        return Ok(true);
    }
    if folder.entry(&new)? == FolderEntry::Missing {
        return Ok(true);
    }
    // The content may be there already, and be a program or none.
    if !expected && found != FoundEntry::of(change.after) {
        return Ok(false);
    }
    if found == FoundEntry::Nothing {
        folder.make_parents(path)?;
    } else {
        folder.remove(&old)?;
        folder.link(path, &old)?;
        folder.take_permissions(path, &new)?;
    }
    folder.rename(&new, path)?;
    Ok(true)
}

fn undo_all(
    folder: &Folder,
    journal: &Journal,
    observer: &mut Observer<'_>,
) -> Result<(), WriteError> {
    for (number, change) in journal.changes.iter().enumerate().rev() {
        let failed = |cause| WriteError::Undo {
            path: folder.shown(&change.path),
            cause,
        };
        undo(folder, number, change).map_err(failed)?;
        observer.after(WriteStep::Undone(&change.path), failed)?;
    }
    folder.sync(&folders(journal))?;
    close(folder, UNDO, observer)
}

/// Puts one file back as it was, unless it is so already or someone else changed it since.
fn undo(folder: &Folder, number: usize, change: &FileChange) -> Result<(), fs::DiskError> {
    let (new, old, path) = (new_at(number), old_at(number), change.path.as_str());
    let kept = folder.entry(&old)? == FolderEntry::File;
    let made = change.after.is_none() || folder.entry(&new)? == FolderEntry::Missing;
    if !made || look(folder, path)? != FoundEntry::of(change.after) {
        return Ok(());
    }
    if kept {
        folder.make_parents(path)?;
        folder.rename(&old, path)
    } else if change.before.is_none() {
        folder.remove(path)?;
        folder.remove_empty_parents(path)
    } else {
        Ok(())
    }
}

/// Ends a run: once the journal is gone, what is staged no longer counts.
fn close(folder: &Folder, journal: &str, observer: &mut Observer<'_>) -> Result<(), WriteError> {
    folder.remove(journal)?;
    folder.sync(&[HOME.to_owned()])?;
    observer.after(WriteStep::Closed, WriteError::Disk)?;
    discard(folder)?;
    Ok(())
}

fn look(folder: &Folder, path: &str) -> Result<FoundEntry, fs::DiskError> {
    Ok(match folder.read_or_entry(path)? {
        Ok(bytes) => FoundEntry::File(Digest::of(&bytes)),
        Err(FolderEntry::Missing) => FoundEntry::Nothing,
        Err(_) => FoundEntry::Other,
    })
}

/// Lists the folders whose entries a journal changes, the root as `""`.
fn folders(journal: &Journal) -> Vec<String> {
    let above = journal
        .changes
        .iter()
        .flat_map(|change| parents(&change.path));
    let found: BTreeSet<String> = above.map(str::to_owned).chain([String::new()]).collect();
    found.into_iter().collect()
}

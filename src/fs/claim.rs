//! The right to write to a folder, which one process has at a time.

use std::fs;
use std::io::{Read as _, Write as _};

use super::{Entry, Error, Folder};

/// How often a lock may vanish between opening and locking it before that is an error.
const ATTEMPTS: usize = 100;

/// The right to write to a folder, held until dropped.
///
/// It is a system lock on `HOME/lock`, so that it ends with the process however that ends. The file
/// holds the process id. Dropping it removes the home folder if nothing else is left in it, so that
/// a project at rest holds nothing of it.
#[derive(Debug)]
pub struct Claim {
    folder: Folder,
    home: String,
    made_folder: bool,
    file: fs::File,
}

impl Folder {
    /// Claims the right to write here, with bookkeeping in the folder `home`, which git ignores.
    ///
    /// # Errors
    /// [`Error::Busy`] when another process holds it; never waits.
    pub fn claim(&self, home: &str) -> Result<Claim, Error> {
        let made_folder = !self.exists();
        let lock = format!("{home}/lock");
        for _ in 0..ATTEMPTS {
            self.make(home)?;
            if let Some(file) = self.try_claim(&lock)? {
                let claim = Claim {
                    folder: self.clone(),
                    home: home.to_owned(),
                    made_folder,
                    file,
                };
                let ignore = format!("{home}/.gitignore");
                if self.entry(&ignore)? == Entry::Missing {
                    self.write_new(&ignore, b"*\n")?;
                }
                return Ok(claim);
            }
        }
        Err(Error::Busy {
            path: self.shown(&lock),
            pid: None,
        })
    }

    /// Locks the file; `None` when its last holder removed it in the meantime.
    fn try_claim(&self, lock: &str) -> Result<Option<fs::File>, Error> {
        let full = self.place(lock)?;
        if !matches!(self.entry(lock)?, Entry::Missing | Entry::File) {
            return Err(Error::NotAFile {
                path: self.shown(lock),
                found: "something else",
            });
        }
        let opened = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&full);
        let mut file = match opened {
            Ok(file) => file,
            Err(cause) if super::is_absent(&cause) => return Ok(None),
            Err(cause) => return Err(Error::writing(self.shown(lock), cause)),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.read_to_string(&mut text).ok();
                return Err(Error::Busy {
                    path: self.shown(lock),
                    pid: text.trim().parse().ok(),
                });
            }
            Err(fs::TryLockError::Error(cause)) => {
                return Err(Error::writing(self.shown(lock), cause));
            }
        }
        if !is_at(&file, &full) {
            return Ok(None);
        }
        let write = file
            .set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        write.map_err(|cause| Error::writing(self.shown(lock), cause))?;
        Ok(Some(file))
    }
}

/// Whether the open file is still the one at the path: its last holder may have removed it.
#[cfg(unix)]
fn is_at(file: &fs::File, full: &std::path::Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), fs::symlink_metadata(full)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// Elsewhere an open file cannot be removed.
#[cfg(not(unix))]
fn is_at(_: &fs::File, _: &std::path::Path) -> bool {
    true
}

impl Claim {
    /// Removes the home folder unless more than the lock is in it. What cannot be removed stays,
    /// which harms nothing.
    fn tidy_up(&self) {
        let ignore = format!("{}/.gitignore", self.home);
        let lock = format!("{}/lock", self.home);
        let Ok(children) = self.folder.children(&self.home) else {
            return;
        };
        if children
            .iter()
            .all(|(name, _)| *name == ignore || *name == lock)
        {
            self.folder.remove(&ignore).ok();
            self.folder.remove(&lock).ok();
            self.folder.remove_empty_parents(&lock).ok();
            if self.made_folder {
                self.folder.remove_itself();
            }
        }
    }
}

impl Drop for Claim {
    /// Tidies up while the lock is still held, then gives it back in so many words: closing the
    /// file would leave it to a process that is just being started and has inherited it.
    fn drop(&mut self) {
        if cfg!(unix) {
            self.tidy_up();
        }
        self.file.unlock().ok();
    }
}

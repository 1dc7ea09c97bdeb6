//! The right to write to a folder, which one process has at a time.

use std::fs;
use std::io::{Read as _, Write as _};

use super::{DiskError, Folder, FolderEntry};

/// How often a lock may vanish between opening and locking it before that is an error.
const ATTEMPTS: usize = 100;

/// The longest command and time that are believed of a lock.
const LONGEST: usize = 40;

/// Who holds the right to write to a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// What it does: `kiln watch`.
    pub command: String,
    /// Since when, RFC 3339 in UTC.
    pub since: String,
}

impl Holder {
    /// Reads what a holder wrote; `None` when it has not done so yet, or when it is no such text.
    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok()?;
        let plain = |line: &&str| {
            line.len() <= LONGEST
                && line
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() || byte == b' ')
        };
        let mut rest = lines.map(|line| Some(line).filter(plain).unwrap_or_default().to_owned());
        Some(Self {
            pid,
            command: rest.next().unwrap_or_default(),
            since: rest.next().unwrap_or_default(),
        })
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            pid,
            command,
            since,
        } = self;
        if command.is_empty() {
            write!(formatter, "process {pid}")?;
        } else {
            write!(formatter, "`{command}`, process {pid}")?;
        }
        if since.is_empty() {
            return Ok(());
        }
        write!(formatter, ", since {since}")
    }
}

/// The right to write to a folder, held until dropped.
///
/// It is a system lock on `HOME/lock`, so that it ends with the process however that ends. The file
/// says who holds it. Dropping it removes the home folder if nothing else is left in it, so that
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
    /// [`DiskError::Busy`] when another process holds it; never waits.
    pub fn claim(&self, home: &str, holder: &Holder) -> Result<Claim, DiskError> {
        let made_folder = !self.exists();
        let lock = format!("{home}/lock");
        for _ in 0..ATTEMPTS {
            self.make(home)?;
            if let Some(file) = self.try_claim(&lock, holder)? {
                let claim = Claim {
                    folder: self.clone(),
                    home: home.to_owned(),
                    made_folder,
                    file,
                };
                let ignore = format!("{home}/.gitignore");
                if self.entry(&ignore)? == FolderEntry::Missing {
                    self.write_new(&ignore, b"*\n", false)?;
                }
                return Ok(claim);
            }
        }
        Err(DiskError::Busy {
            path: self.shown(&lock),
            holder: None,
        })
    }

    /// Locks the file; `None` when its last holder removed it in the meantime.
    fn try_claim(&self, lock: &str, holder: &Holder) -> Result<Option<fs::File>, DiskError> {
        let full = self.place(lock)?;
        if !matches!(self.entry(lock)?, FolderEntry::Missing | FolderEntry::File) {
            return Err(DiskError::NotAFile {
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
            Err(cause) => return Err(DiskError::writing(self.shown(lock), cause)),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                let mut text = String::new();
                file.take(1024).read_to_string(&mut text).ok();
                return Err(DiskError::Busy {
                    path: self.shown(lock),
                    holder: Holder::read(&text),
                });
            }
            Err(fs::TryLockError::Error(cause)) => {
                return Err(DiskError::writing(self.shown(lock), cause));
            }
        }
        if !is_at(&file, &full) {
            return Ok(None);
        }
        let Holder {
            pid,
            command,
            since,
        } = holder;
        let text = format!("{pid}\n{command}\n{since}\n");
        let write = file
            .set_len(0)
            .and_then(|()| file.write_all(text.as_bytes()));
        write.map_err(|cause| DiskError::writing(self.shown(lock), cause))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_says_who_holds_it_and_nothing_else() {
        let shown = |text: &str| Holder::read(text).map(|holder| holder.to_string());
        assert_eq!(
            shown("12\nkiln watch\n2026-11-30T00:00:00Z\n").as_deref(),
            Some("`kiln watch`, process 12, since 2026-11-30T00:00:00Z")
        );
        assert_eq!(shown("12\n").as_deref(), Some("process 12"));
        assert_eq!(
            shown("12\n\u{1b}[31m\n\u{202e}x\n").as_deref(),
            Some("process 12")
        );
        for text in ["", "\n", "x\nkiln render\n"] {
            assert_eq!(shown(text), None, "{text:?}");
        }
    }
}

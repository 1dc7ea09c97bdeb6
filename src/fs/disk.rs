//! A project folder on disk, as stages read it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::inventory::take_inventory;
use super::mark::{FileContent, PathMark};
use super::walk::FolderWalk;
use super::{DiskError, Folder, GitError, Repository, is_absent, path};
use crate::source::{FileListing, Files, ReadError};

/// A project folder, with a record of all that was read from it.
///
/// Reads follow symlinks as long as they end inside the project.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    seen: Mutex<BTreeMap<String, PathMark>>,
    keeps_modes: bool,
}

/// The file that no disk has reason to take for a program.
const PROBE: &str = "kiln.toml";

fn is_executable(full: &Path) -> bool {
    fs::metadata(full).is_ok_and(|found| super::may_run(&found))
}

/// Who may read a file that [`Disk::create`] makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whoever the system lets by default.
    Usual,
    /// The user alone, where the system knows that (mode 0600): for private keys.
    Private,
}

impl Disk {
    /// Opens a project folder.
    pub fn open(root: &Path) -> Result<Self, DiskError> {
        let shown = root.display().to_string();
        let real = fs::canonicalize(root).map_err(|cause| DiskError::reading(&shown, cause))?;
        if !real.is_dir() {
            return Err(DiskError::NotAFolder { path: shown });
        }
        Ok(Self {
            keeps_modes: !is_executable(&real.join(PROBE)),
            root: real,
            seen: Mutex::default(),
        })
    }

    /// Returns the folder, absolute and without symlinks.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns whether the disk can tell a program from other files.
    ///
    /// Where it cannot, as on a USB stick or a folder of Windows, all files look alike: also `kiln.toml`, which is no
    /// program.
    pub fn keeps_modes(&self) -> bool {
        cfg!(unix) && self.keeps_modes
    }

    /// Returns all that was read, listed or looked for and what was found, so that `watch` knows what
    /// to wait for.
    ///
    /// A file is its path, whether or not it was there; a listed folder ends in `/`, the root
    /// being `./`.
    pub fn seen(&self) -> BTreeMap<String, PathMark> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Looks at a path as [`seen`](Self::seen) names it, without noting it.
    pub fn mark(&self, seen: &str) -> PathMark {
        match seen.strip_suffix('/') {
            Some(folder) => match path::normal(folder) {
                Ok(folder) => PathMark::of_listing(&self.list_normal(&folder)),
                Err(error) => PathMark::Failed(error.to_string()),
            },
            None => PathMark::of_file(&path::normal(seen).and_then(|path| self.read_normal(&path))),
        }
    }

    /// Reads a file without noting it: for outputs, which are no inputs to wait for.
    pub fn peek(&self, path: &str) -> Result<Option<Vec<u8>>, DiskError> {
        let found = self.read_normal(&path::normal(path)?)?;
        Ok(found.map(|found| found.bytes))
    }

    /// Returns when a file was last changed, in seconds since 1970, if that can be told.
    pub fn modified(&self, path: &str) -> Option<u64> {
        let full = self.root.join(path::normal(path).ok()?);
        let at = fs::metadata(full).ok()?.modified().ok()?;
        Some(at.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs())
    }

    /// Lists what is directly in a folder, by name, with whether it is a folder, symlinks followed; empty where it cannot
    /// be read.
    pub fn children(&self, folder: &str) -> Vec<(String, bool)> {
        let real = path::normal(folder).and_then(|relative| self.real(&relative));
        let entries = real.ok().flatten().and_then(|real| fs::read_dir(real).ok());
        let mut names: Vec<(String, bool)> = entries
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let entry = entry.ok()?;
                Some((entry.file_name().into_string().ok()?, entry.path().is_dir()))
            })
            .collect();
        names.sort();
        names
    }

    /// Returns whether a path leads to a folder, symlinks followed.
    pub fn is_folder(&self, path: &str) -> bool {
        let real = path::normal(path).and_then(|relative| self.real(&relative));
        real.ok().flatten().is_some_and(|real| real.is_dir())
    }

    /// Makes a new file and the folders above it, synced to the disk.
    ///
    /// # Errors
    /// When the file exists: it is never replaced.
    pub fn create(&self, path: &str, bytes: &[u8], access: Access) -> Result<(), DiskError> {
        let folder = self.folder(".")?;
        folder.make_parents(path)?;
        let full = folder.place(path)?;
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        if access == Access::Private {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        let mut file = options.open(&full).map_err(|cause| match cause.kind() {
            std::io::ErrorKind::AlreadyExists => DiskError::Exists {
                path: path.to_owned(),
            },
            _ => DiskError::writing(path, cause),
        })?;
        if let Err(cause) = file.write_all(bytes).and_then(|()| file.sync_all()) {
            drop(file);
            folder.remove(path).ok();
            return Err(DiskError::writing(path, cause));
        }
        Ok(())
    }

    /// Replaces a file that the user wrote as [`replace`](Self::replace) does, or makes it if it is not there.
    pub fn put(&self, path: &str, bytes: &[u8]) -> Result<(), DiskError> {
        match self.peek(path)? {
            Some(_) => self.replace(path, bytes),
            None => self.create(path, bytes, Access::Usual),
        }
    }

    /// Replaces a file that the user wrote, in one step; its permissions stay, and a symlink stays a symlink.
    ///
    /// # Errors
    /// When there is no such file in the project, or it cannot be replaced.
    pub fn replace(&self, path: &str, bytes: &[u8]) -> Result<(), DiskError> {
        let normal = path::normal(path)?;
        let unwritable = |cause| DiskError::writing(path, cause);
        let absent = || unwritable(std::io::ErrorKind::NotFound.into());
        let full = self.real(&normal)?.ok_or_else(absent)?;
        let permissions = fs::metadata(&full).map_err(unwritable)?.permissions();
        let folder = full.parent().ok_or_else(absent)?;
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(unwritable)?;
        file.write_all(bytes).map_err(unwritable)?;
        file.as_file()
            .set_permissions(permissions)
            .and_then(|()| file.as_file().sync_all())
            .map_err(unwritable)?;
        file.persist(&full)
            .map_err(|error| unwritable(error.error))?;
        Ok(())
    }

    /// Opens a folder of the project for writing; it need not exist yet.
    ///
    /// # Errors
    /// When the path leaves the project, or a symlink or a file stands on the way.
    pub fn folder(&self, path: &str) -> Result<Folder, DiskError> {
        Folder::below(&self.root, path::normal(path)?, self.keeps_modes())
    }

    /// Lists the folders of which [`Files::list`] walks the files, itself included, absolute and without symlinks; what
    /// cannot be read is passed over.
    pub fn folders(&self, folder: &str) -> Vec<PathBuf> {
        self.walk(folder).folders
    }

    /// Walks a folder; what is none is empty.
    fn walk(&self, folder: &str) -> FolderWalk {
        let real = path::normal(folder).and_then(|relative| self.real(&relative));
        match real {
            Ok(Some(real)) if real.is_dir() => FolderWalk::of(&self.root, real, folder),
            _ => FolderWalk::default(),
        }
    }

    fn note(&self, path: String, found: PathMark) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.entry(path)
            .and_modify(|first| first.join(&found))
            .or_insert(found);
    }

    /// Follows symlinks to the real path; `None` when nothing is there.
    fn real(&self, relative: &str) -> Result<Option<PathBuf>, DiskError> {
        let full = self.root.join(relative);
        // Most paths that are asked for are not there, and one look says so.
        if fs::symlink_metadata(&full).is_err_and(|cause| is_absent(&cause)) {
            return Ok(None);
        }
        let real = match fs::canonicalize(&full) {
            Ok(real) => real,
            Err(cause) if is_absent(&cause) => {
                return if fs::symlink_metadata(&full).is_ok() {
                    Err(DiskError::DanglingSymlink {
                        path: relative.to_owned(),
                    })
                } else {
                    Ok(None)
                };
            }
            Err(cause) => return Err(DiskError::reading(relative, cause)),
        };
        if !real.starts_with(&self.root) {
            return Err(DiskError::SymlinkOutside {
                path: relative.to_owned(),
                target: real.display().to_string(),
            });
        }
        Ok(Some(real))
    }

    fn read_normal(&self, relative: &str) -> Result<Option<FileContent>, DiskError> {
        let Some(real) = self.real(relative)? else {
            return Ok(None);
        };
        // A pipe would block for ever, so the kind is looked at before the file is opened.
        let kind = fs::metadata(&real).map_err(|cause| DiskError::reading(relative, cause))?;
        if !kind.is_file() {
            return Err(DiskError::NotAFile {
                path: relative.to_owned(),
                found: if kind.is_dir() {
                    "a folder"
                } else {
                    "a special file"
                },
            });
        }
        let bytes = fs::read(&real).map_err(|cause| DiskError::reading(relative, cause))?;
        Ok(Some(FileContent {
            bytes,
            executable: self.keeps_modes() && super::may_run(&kind),
        }))
    }

    fn list_normal(&self, relative: &str) -> Result<Vec<String>, DiskError> {
        let Some(real) = self.real(relative)? else {
            return Ok(Vec::new());
        };
        if !real.is_dir() {
            return Err(DiskError::NotAFolder {
                path: relative.to_owned(),
            });
        }
        let FolderWalk {
            mut files, error, ..
        } = FolderWalk::of(&self.root, real, relative);
        files.sort_unstable();
        error.map_or(Ok(files), Err)
    }
}

/// Listings hold everything that is not a folder. A symlink to another folder of the project is walked like a folder;
/// any other symlink is listed, and a later read follows or refuses it. `.git` and `.kiln`, folders or files, are
/// bookkeeping, not input, and are left out at any depth; so is the [clutter](super::CLUTTER) of editors and systems.
impl Files for Disk {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        let relative = path::normal(path)?;
        let found = self.read_normal(&relative);
        self.note(relative, PathMark::of_file(&found));
        Ok(found?.map(|found| found.bytes))
    }

    fn read_output(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        Ok(self.peek(path)?)
    }

    fn real_path(&self, path: &str) -> Result<String, ReadError> {
        let relative = path::normal(path)?;
        let real = self.real(&relative)?;
        let below = real
            .as_deref()
            .and_then(|real| real.strip_prefix(&self.root).ok());
        let below = below.and_then(Path::to_str).map(str::to_owned);
        Ok(below.unwrap_or(relative))
    }

    fn linked(&self, folder: &str) -> Vec<String> {
        self.walk(folder).linked
    }

    fn is_executable(&self, path: &str) -> bool {
        let relative = path::normal(path);
        self.keeps_modes() && relative.is_ok_and(|path| is_executable(&self.root.join(path)))
    }

    fn is_ignored(&self, path: &str) -> bool {
        match Repository::of(&self.root) {
            Ok(repository) => repository.ignores(path) != Some(false),
            // Without a repository, or without git, nobody said so.
            Err(GitError::NoRepository { .. } | GitError::Missing { .. }) => false,
            // Whoever has git refuse the folder must not open what git ignores.
            Err(_) => true,
        }
    }

    fn ignored_files(&self) -> Option<BTreeSet<String>> {
        match Repository::ignored_files(&self.root) {
            Ok(ignored) => Some(ignored),
            Err(GitError::NoRepository { .. } | GitError::Missing { .. }) => Some(BTreeSet::new()),
            Err(_) => None,
        }
    }

    fn list_outputs(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        Ok(self.list_normal(&path::normal(folder)?)?)
    }

    fn listing(&self) -> Result<FileListing, ReadError> {
        let ignored = self.ignored_files().ok_or_else(|| ReadError {
            path: self.root.display().to_string(),
            reason: "git cannot tell which of its files it ignores".to_owned(),
        })?;
        Ok(take_inventory(&self.root, &ignored))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        let relative = path::normal(folder)?;
        let found = self.list_normal(&relative);
        let name = if relative.is_empty() { "." } else { &relative };
        self.note(format!("{name}/"), PathMark::of_listing(&found));
        Ok(found?)
    }
}

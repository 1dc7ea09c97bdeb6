//! A folder that Kiln writes to, without ever going through a symlink.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{DiskError, path};

/// Folders that belong to git and to Kiln itself: neither input nor output.
pub(super) const BOOKKEEPING: [&str; 2] = [".git", ".kiln"];

/// How many files are synced or removed at once: a journalling file system puts them into one commit, and the
/// threads only wait. To remove a file that was synced costs a millisecond and more.
const WAITING: usize = 16;

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FolderEntry {
    /// Nothing.
    Missing,
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symlink, wherever it points.
    Symlink,
    /// A pipe, a socket or a device.
    Special,
    /// Nothing can stand there, for one of its parents is no folder.
    Below {
        /// The parent in the way.
        parent: String,
        /// Whether that is a symlink, rather than a file.
        symlink: bool,
    },
}

/// A folder that Kiln writes to.
///
/// Every path is relative, strict (no `.`, `..`, backslash or control character) and looked at
/// part by part before it is touched: a symlink on the way is an error. A folder on the way is looked at once, and
/// again when it was removed.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
    name: String,
    /// Whether a program can be told from other files.
    keeps_modes: bool,
    /// The folders that were looked at, and are folders.
    real: Arc<Mutex<BTreeSet<String>>>,
}

impl Folder {
    pub(super) fn below(
        project: &Path,
        name: String,
        keeps_modes: bool,
    ) -> Result<Self, DiskError> {
        let project = Self::at(project.to_path_buf(), String::new(), keeps_modes);
        if name.is_empty() {
            return Ok(project);
        }
        let root = project.place(&name)?;
        match project.entry(&name)? {
            FolderEntry::Missing | FolderEntry::Folder => Ok(Self::at(root, name, keeps_modes)),
            FolderEntry::Symlink => Err(DiskError::Symlink { path: name }),
            _ => Err(DiskError::NotAFolder { path: name }),
        }
    }

    /// Returns what tells a folder in this one from any other, here or on another disk, that may take its name.
    ///
    /// It cannot be known before the folder is made; empty where the system tells nothing.
    pub fn fingerprint(&self, path: &str) -> Result<String, DiskError> {
        let full = self.place(path)?;
        let found = fs::symlink_metadata(full)
            .map_err(|cause| DiskError::reading(self.shown(path), cause))?;
        #[cfg(unix)]
        let number = std::os::unix::fs::MetadataExt::ino(&found).to_string();
        #[cfg(not(unix))]
        let number = String::new();
        let made = found.created().ok();
        let made = made.and_then(|made| made.duration_since(std::time::UNIX_EPOCH).ok());
        let made = made.map_or_else(String::new, |made| made.as_nanos().to_string());
        Ok(format!("{number}:{made}"))
    }

    /// Returns how the project names a path in this folder.
    pub fn shown(&self, path: &str) -> String {
        path::join(&self.name, path)
    }

    /// Looks at what stands at a path, following no symlink.
    pub fn entry(&self, path: &str) -> Result<FolderEntry, DiskError> {
        path::strict(path)?;
        let mut full = self.root.clone();
        let mut end = 0;
        let looked_at = parents(path).next();
        let looked_at = looked_at.filter(|parent| self.real().contains(*parent));
        if let Some(parent) = looked_at {
            full.push(parent);
            end = parent.len() + 1;
        }
        for part in path[end..].split('/') {
            full.push(part);
            end += part.len();
            let kind = match fs::symlink_metadata(&full) {
                Ok(found) => found.file_type(),
                Err(cause) if super::is_absent(&cause) => return Ok(FolderEntry::Missing),
                Err(cause) => return Err(DiskError::reading(self.shown(&path[..end]), cause)),
            };
            if end == path.len() {
                if looked_at.is_none() {
                    self.real().extend(parents(path).map(str::to_owned));
                }
                return Ok(entry_of(kind));
            }
            if !kind.is_dir() {
                return Ok(FolderEntry::Below {
                    parent: path[..end].to_owned(),
                    symlink: kind.is_symlink(),
                });
            }
            end += 1;
        }
        Ok(FolderEntry::Missing)
    }

    /// Returns the same folder, of which nothing was looked at yet.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self::at(self.root.clone(), self.name.clone(), self.keeps_modes)
    }

    fn at(root: PathBuf, name: String, keeps_modes: bool) -> Self {
        Self {
            root,
            name,
            keeps_modes,
            real: Arc::default(),
        }
    }

    fn real(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.real.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at a folder that was removed, and at those that were in it, anew.
    fn forget(&self, removed: &str) {
        self.real()
            .retain(|folder| folder != removed && parents(folder).all(|parent| parent != removed));
    }

    /// Lists the names in a folder with what they are, sorted.
    pub fn children(&self, path: &str) -> Result<Vec<(String, FolderEntry)>, DiskError> {
        let unreadable = |cause| DiskError::reading(self.shown(path), cause);
        let mut found = Vec::new();
        for entry in fs::read_dir(self.place(path)?).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = path::join(path, &entry.file_name().to_string_lossy());
            found.push((name, entry_of(entry.file_type().map_err(unreadable)?)));
        }
        found.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        Ok(found)
    }

    /// Reads a regular file, or says what stands there instead.
    pub fn read_or_entry(&self, path: &str) -> Result<Result<Vec<u8>, FolderEntry>, DiskError> {
        match self.entry(path)? {
            FolderEntry::File => match fs::read(self.place_unchecked(path)) {
                Ok(bytes) => Ok(Ok(bytes)),
                Err(cause) if super::is_absent(&cause) => Ok(Err(FolderEntry::Missing)),
                Err(cause) => Err(DiskError::reading(self.shown(path), cause)),
            },
            other => Ok(Err(other)),
        }
    }

    /// Reads a regular file; `None` when there is nothing.
    ///
    /// # Errors
    /// Also when something other than a file is there.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>, DiskError> {
        match self.read_or_entry(path)? {
            Ok(bytes) => Ok(Some(bytes)),
            Err(FolderEntry::Missing) => Ok(None),
            Err(other) => Err(self.not_a_file(path, &other)),
        }
    }

    /// Returns whether a file is a program or none, as wanted; true where the disk cannot tell.
    pub fn has_mode(&self, path: &str, executable: bool) -> Result<bool, DiskError> {
        if !self.keeps_modes {
            return Ok(true);
        }
        match fs::symlink_metadata(self.place(path)?) {
            Ok(found) => Ok(super::may_run(&found) == executable),
            Err(cause) if super::is_absent(&cause) => Ok(true),
            Err(cause) => Err(DiskError::reading(self.shown(path), cause)),
        }
    }

    /// Writes a file that is not there yet, as the umask has it; a failure leaves none. Not synced.
    pub fn write_new(&self, path: &str, bytes: &[u8], executable: bool) -> Result<(), DiskError> {
        let full = self.place(path)?;
        let unwritable = |cause| DiskError::writing(self.shown(path), cause);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        if executable {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o777);
        }
        let mut file = options.open(&full).map_err(unwritable)?;
        file.write_all(bytes).map_err(|cause| {
            fs::remove_file(&full).ok();
            unwritable(cause)
        })
    }

    /// Waits until the bytes of these files, or the entries of these folders, are on the disk.
    ///
    /// `""` is this folder itself. A path that is gone has nothing to wait for.
    pub fn sync(&self, paths: &[String]) -> Result<(), DiskError> {
        side_by_side(paths, |path| self.sync_one(path))
    }

    fn sync_one(&self, path: &str) -> Result<(), DiskError> {
        let full = match path {
            "" => self.root.clone(),
            _ if matches!(self.entry(path)?, FolderEntry::File | FolderEntry::Folder) => {
                self.place_unchecked(path)
            }
            _ => return Ok(()),
        };
        match sync_full(&full) {
            Err(cause) if !super::is_absent(&cause) => {
                Err(DiskError::writing(self.shown(path), cause))
            }
            _ => Ok(()),
        }
    }

    /// Moves a file, replacing a file at the target in one step.
    pub fn rename(&self, from: &str, to: &str) -> Result<(), DiskError> {
        fs::rename(self.place(from)?, self.place(to)?)
            .map_err(|cause| DiskError::writing(self.shown(to), cause))
    }

    /// Gives a file a second name, or makes a copy where the file system has no hard links.
    ///
    /// # Errors
    /// When `to` exists.
    pub fn link(&self, from: &str, to: &str) -> Result<(), DiskError> {
        match fs::hard_link(self.place(from)?, self.place(to)?) {
            Ok(()) => Ok(()),
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Err(DiskError::Exists {
                path: self.shown(to),
            }),
            Err(_) => {
                let bytes = self.read(from)?.unwrap_or_default();
                self.write_new(to, &bytes, false)?;
                let found = fs::symlink_metadata(self.place(from)?)
                    .map_err(|cause| DiskError::reading(self.shown(from), cause))?;
                fs::set_permissions(self.place(to)?, found.permissions())
                    .map_err(|cause| DiskError::writing(self.shown(to), cause))
            }
        }
    }

    /// Gives `to` the permissions of `from`, except for whether it is a program.
    pub fn take_permissions(&self, from: &str, to: &str) -> Result<(), DiskError> {
        let look = |path: &str| {
            fs::symlink_metadata(self.place(path)?)
                .map_err(|cause| DiskError::reading(self.shown(path), cause))
        };
        let (old, new) = (look(from)?, look(to)?);
        let permissions = if self.keeps_modes {
            with_mode(old.permissions(), super::may_run(&new))
        } else {
            old.permissions()
        };
        fs::set_permissions(self.place(to)?, permissions)
            .map_err(|cause| DiskError::writing(self.shown(to), cause))
    }

    /// Removes a file; one that is gone is fine.
    pub fn remove(&self, path: &str) -> Result<(), DiskError> {
        match fs::remove_file(self.place(path)?) {
            Err(cause) if !super::is_absent(&cause) => {
                Err(DiskError::writing(self.shown(path), cause))
            }
            _ => Ok(()),
        }
    }

    /// Removes a folder with all that is in it; one that is gone is fine.
    pub fn remove_all(&self, path: &str) -> Result<(), DiskError> {
        if self.entry(path)? == FolderEntry::Folder {
            let children = self.children(path)?.into_iter();
            let files = children.filter(|(_, entry)| *entry == FolderEntry::File);
            let files: Vec<String> = files.map(|(path, _)| path).collect();
            side_by_side(&files, |path| self.remove(path))?;
        }
        self.forget(path);
        match fs::remove_dir_all(self.place(path)?) {
            Err(cause) if !super::is_absent(&cause) => {
                Err(DiskError::writing(self.shown(path), cause))
            }
            _ => Ok(()),
        }
    }

    /// Removes the folders above a path that are empty, from the innermost outwards.
    pub fn remove_empty_parents(&self, path: &str) -> Result<(), DiskError> {
        for parent in parents(path) {
            if self.entry(parent)? != FolderEntry::Folder {
                continue;
            }
            match fs::remove_dir(self.place_unchecked(parent)) {
                Ok(()) => self.forget(parent),
                Err(cause) if cause.kind() == io::ErrorKind::DirectoryNotEmpty => return Ok(()),
                Err(cause) => return Err(DiskError::writing(self.shown(parent), cause)),
            }
        }
        Ok(())
    }

    /// Makes the folders above a path that are missing, this folder included.
    pub fn make_parents(&self, path: &str) -> Result<(), DiskError> {
        path::strict(path)?;
        let mut missing = Vec::new();
        for parent in parents(path) {
            if self.entry(parent)? == FolderEntry::Folder {
                break;
            }
            missing.push(parent);
        }
        if missing.len() == parents(path).count() {
            fs::create_dir_all(&self.root)
                .map_err(|cause| DiskError::writing(self.shown("."), cause))?;
        }
        for parent in missing.into_iter().rev() {
            match fs::create_dir(self.place(parent)?) {
                Ok(()) => {
                    self.real().insert(parent.to_owned());
                }
                Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => {
                    return Err(DiskError::writing(self.shown(parent), cause));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Makes a folder and those above it.
    pub fn make(&self, path: &str) -> Result<(), DiskError> {
        self.make_parents(&path::join(path, "x"))
    }

    /// Removes this folder itself if it is empty.
    pub(super) fn remove_itself(&self) {
        fs::remove_dir(&self.root).ok();
    }

    /// Returns whether this folder is there.
    pub fn exists(&self) -> bool {
        self.root.is_dir()
    }

    /// Returns the full path, once every parent is known to be a real folder or missing.
    pub(super) fn place(&self, path: &str) -> Result<PathBuf, DiskError> {
        path::strict(path)?;
        if parents(path)
            .next()
            .is_none_or(|parent| self.real().contains(parent))
        {
            return Ok(self.place_unchecked(path));
        }
        match self.entry(path)? {
            FolderEntry::Below {
                parent,
                symlink: true,
            } => Err(DiskError::Symlink {
                path: self.shown(&parent),
            }),
            FolderEntry::Below { parent, .. } => Err(DiskError::NotAFolder {
                path: self.shown(&parent),
            }),
            _ => Ok(self.place_unchecked(path)),
        }
    }

    fn place_unchecked(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    fn not_a_file(&self, path: &str, found: &FolderEntry) -> DiskError {
        let path = self.shown(path);
        match found {
            FolderEntry::Symlink => DiskError::Symlink { path },
            FolderEntry::Below {
                parent,
                symlink: true,
            } => DiskError::Symlink {
                path: self.shown(parent),
            },
            FolderEntry::Below { parent, .. } => DiskError::NotAFolder {
                path: self.shown(parent),
            },
            FolderEntry::Folder => DiskError::NotAFile {
                path,
                found: "a folder",
            },
            _ => DiskError::NotAFile {
                path,
                found: "a special file",
            },
        }
    }
}

/// Does the same with each of some paths on several threads.
fn side_by_side(
    paths: &[String],
    each: impl Fn(&str) -> Result<(), DiskError> + Sync,
) -> Result<(), DiskError> {
    let share = paths.len().div_ceil(WAITING).max(1);
    let each = &each;
    std::thread::scope(|scope| {
        let waiting: Vec<_> = paths
            .chunks(share)
            .map(|paths| scope.spawn(move || paths.iter().try_for_each(|path| each(path))))
            .collect();
        waiting.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })
}

/// Lists the folders above a path, from the innermost outwards, the root left out.
pub fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.rmatch_indices('/').map(|(at, _)| &path[..at])
}

fn entry_of(kind: fs::FileType) -> FolderEntry {
    if kind.is_symlink() {
        FolderEntry::Symlink
    } else if kind.is_dir() {
        FolderEntry::Folder
    } else if kind.is_file() {
        FolderEntry::File
    } else {
        FolderEntry::Special
    }
}

/// Lets those run a file who may read it, or nobody.
fn with_mode(mut permissions: fs::Permissions, executable: bool) -> fs::Permissions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = permissions.mode();
        let runs = mode & 0o111 != 0;
        if executable && !runs {
            permissions.set_mode(mode | 0o100 | (mode & 0o444) >> 2);
        } else if executable {
            permissions.set_mode(mode | 0o100);
        } else {
            permissions.set_mode(mode & !0o111);
        }
    }
    #[cfg(not(unix))]
    let _ = executable;
    permissions
}

#[cfg(unix)]
fn sync_full(full: &Path) -> io::Result<()> {
    fs::File::open(full)?.sync_all()
}

/// Elsewhere a folder cannot be opened, and a file must be writable to be synced.
#[cfg(not(unix))]
fn sync_full(full: &Path) -> io::Result<()> {
    if full.is_dir() {
        return Ok(());
    }
    fs::OpenOptions::new().write(true).open(full)?.sync_all()
}

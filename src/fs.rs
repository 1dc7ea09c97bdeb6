//! The only user of `std::fs`.
//!
//! [`Disk`] is where stages read a project from, [`Revision`] where they read it from in a git commit;
//! [`Folder`] is where `write` puts the outputs.
//! Paths are relative with `/`, listings are sorted, every error names its path, and nothing leaves
//! the project: not by `..`, not by an absolute path, not by a symlink.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this is the module that touches the disk"
)]

mod around;
mod claim;
mod clutter;
mod disk;
mod folder;
mod git;
mod inventory;
mod mark;
mod memory_folder;
mod mirrored_folder;
mod path;
mod revision;
mod scratch;
mod walk;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::source::ReadError;

pub use around::{FileIdentity, WatchedSurroundings, identity};
pub use claim::{Claim, Holder};
pub use clutter::{CLUTTER, is_clutter};
pub use disk::{Access, Disk};
pub use folder::{Folder, FolderEntry, parents};
pub use git::{GitError, Repository};
pub use mark::PathMark;
pub use memory_folder::MemoryFolder;
pub use mirrored_folder::MirroredFolder;
pub use revision::Revision;
pub use scratch::Scratch;

/// Why the disk did not do what it was asked to.
///
/// Each message is complete: it has the path and what the system said.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// The system refused to read.
    #[error("cannot read `{path}`: {cause}")]
    Unreadable {
        /// The path as the project names it.
        path: String,
        /// What the system said.
        cause: io::Error,
    },
    /// The system refused to write: a full disk, a read-only file system.
    #[error("cannot write `{path}`: {cause}")]
    Unwritable {
        /// The path as the project names it.
        path: String,
        /// What the system said.
        cause: io::Error,
    },
    /// The user lacks the permission.
    #[error("no permission to {wanted} `{path}`")]
    Denied {
        /// The path as the project names it.
        path: String,
        /// `read` or `write`.
        wanted: &'static str,
    },
    /// A file is wanted where something else stands.
    #[error("`{path}` is {found}, not a file")]
    NotAFile {
        /// The path as the project names it.
        path: String,
        /// What stands there, with its article.
        found: &'static str,
    },
    /// A folder is wanted where something else stands.
    #[error("`{path}` is not a folder")]
    NotAFolder {
        /// The path as the project names it.
        path: String,
    },
    /// A new file is wanted where one stands.
    #[error("`{path}` exists already")]
    Exists {
        /// The path as the project names it.
        path: String,
    },
    /// The path is absolute, or climbs out with `..`.
    #[error("`{path}` leaves the project")]
    Outside {
        /// The path as it was given.
        path: String,
    },
    /// A symlink on the way points out of the project.
    #[error("`{path}` is a symlink that leaves the project, to `{target}`")]
    SymlinkOutside {
        /// The path as the project names it.
        path: String,
        /// Where it ends.
        target: String,
    },
    /// A symlink points at nothing.
    #[error("`{path}` is a symlink to nothing")]
    DanglingSymlink {
        /// The path as the project names it.
        path: String,
    },
    /// A symlink stands where Kiln would write through it.
    #[error("`{path}` is a symlink, and Kiln does not write through symlinks")]
    Symlink {
        /// The symlink's path as the project names it.
        path: String,
    },
    /// Symlinks to folders lead to one another too often.
    #[error("`{path}` has more than {limit} folders behind symlinks")]
    TooManyLinks {
        /// The folder as the project names it.
        path: String,
        /// How many are walked into.
        limit: usize,
    },
    /// The name of a file is not Unicode.
    #[error("the name of `{path}` is not Unicode")]
    NotUnicode {
        /// The path with the odd bytes replaced.
        path: String,
    },
    /// The path is no plain relative path.
    #[error("`{path}` is no path for a file: {reason}")]
    BadPath {
        /// The path as it was given.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Another process holds the claim.
    #[error("another kiln is writing here{}: `{path}` is locked", holder.as_ref().map(|holder| format!(" ({holder})")).unwrap_or_default())]
    Busy {
        /// The lock's path as the project names it.
        path: String,
        /// Who holds it, if it has said so yet.
        holder: Option<Holder>,
    },
}

impl DiskError {
    fn reading(path: impl Into<String>, cause: io::Error) -> Self {
        let path = path.into();
        match cause.kind() {
            io::ErrorKind::PermissionDenied => Self::Denied {
                path,
                wanted: "read",
            },
            io::ErrorKind::NotADirectory => Self::NotAFolder { path },
            _ => Self::Unreadable { path, cause },
        }
    }

    fn writing(path: impl Into<String>, cause: io::Error) -> Self {
        let path = path.into();
        match cause.kind() {
            io::ErrorKind::PermissionDenied => Self::Denied {
                path,
                wanted: "write",
            },
            io::ErrorKind::NotADirectory => Self::NotAFolder { path },
            _ => Self::Unwritable { path, cause },
        }
    }

    /// Returns the path that the error is about.
    pub fn path(&self) -> &str {
        match self {
            Self::Unreadable { path, .. }
            | Self::Unwritable { path, .. }
            | Self::Denied { path, .. }
            | Self::NotAFile { path, .. }
            | Self::NotAFolder { path }
            | Self::Exists { path }
            | Self::Outside { path }
            | Self::SymlinkOutside { path, .. }
            | Self::DanglingSymlink { path }
            | Self::Symlink { path }
            | Self::TooManyLinks { path, .. }
            | Self::NotUnicode { path }
            | Self::BadPath { path, .. }
            | Self::Busy { path, .. } => path,
        }
    }
}

impl From<DiskError> for ReadError {
    fn from(error: DiskError) -> Self {
        let path = error.path().to_owned();
        let reason = match error {
            DiskError::Unreadable { cause, .. } => cause.to_string(),
            DiskError::Denied { .. } => "no permission".to_owned(),
            DiskError::NotAFile { found, .. } => format!("it is {found}, not a file"),
            DiskError::NotAFolder { .. } => "it is not a folder".to_owned(),
            DiskError::Outside { .. } => "the path leaves the project".to_owned(),
            DiskError::SymlinkOutside { target, .. } => {
                format!("it is a symlink that leaves the project, to `{target}`")
            }
            DiskError::DanglingSymlink { .. } => "it is a symlink to nothing".to_owned(),
            DiskError::TooManyLinks { limit, .. } => {
                format!("it has more than {limit} folders behind symlinks")
            }
            DiskError::NotUnicode { .. } => "its name is not Unicode".to_owned(),
            other => other.to_string(),
        };
        Self { path, reason }
    }
}

/// Finds the nearest folder, from `start` upwards, that holds a file of one of these names.
///
/// Used to find the project from anywhere inside it. Folders that cannot be read are passed over.
pub fn find_upwards(start: &Path, names: &[&str]) -> Option<PathBuf> {
    let start = fs::canonicalize(start).ok()?;
    start
        .ancestors()
        .find(|folder| names.iter().any(|name| folder.join(name).is_file()))
        .map(Path::to_path_buf)
}

/// Returns the folder above a folder that holds its `.git`, and the path from there; `None` where the folder itself or
/// none does.
pub fn repository_above(folder: &Path) -> Option<(PathBuf, String)> {
    let real = fs::canonicalize(folder).ok()?;
    let has_git = |folder: &&Path| fs::symlink_metadata(folder.join(".git")).is_ok();
    let root = real.ancestors().find(has_git)?;
    let steps = real.strip_prefix(root).ok()?.iter();
    let steps: Option<Vec<&str>> = steps.map(std::ffi::OsStr::to_str).collect();
    let path = steps?.join("/");
    (!path.is_empty()).then(|| (root.to_path_buf(), path))
}

/// Returns whether a folder may be in a git repository: whether it, or one above it, holds a `.git`.
pub fn may_be_versioned(folder: &Path) -> bool {
    folder
        .ancestors()
        .any(|folder| fs::symlink_metadata(folder.join(".git")).is_ok())
}

/// Returns whether a file may be run as a program, as git decides it: by its owner.
fn may_run(found: &fs::Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        found.is_file() && found.permissions().mode() & 0o100 != 0
    }
    #[cfg(not(unix))]
    {
        let _ = found;
        false
    }
}

/// Returns whether other users of this machine may read a file, as far as its permissions tell.
pub fn is_readable_by_others(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::metadata(path)
            .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o044 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}

/// Reads a file outside any project, which the user named; `None` when there is none.
pub fn read_anywhere(path: &Path) -> Result<Option<Vec<u8>>, DiskError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(cause) if is_absent(&cause) => Ok(None),
        Err(cause) if cause.kind() == io::ErrorKind::IsADirectory => Err(DiskError::NotAFile {
            path: path.display().to_string(),
            found: "a folder",
        }),
        Err(cause) => Err(DiskError::reading(path.display().to_string(), cause)),
    }
}

/// Reads a file of keys, wherever it is, into memory that is wiped; `None` when there is no such file.
///
/// # Errors
/// A file that is there and cannot be read.
pub fn read_keys_anywhere(path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
        Err(cause) if is_absent(&cause) || cause.kind() == io::ErrorKind::IsADirectory => Ok(None),
        Err(cause) => Err(cause),
    }
}

/// Writes a file that the user named, wherever it is, with the folders above it; one that is there is
/// replaced in one step.
pub fn replace_anywhere(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let shown = path.display().to_string();
    let unwritable = |cause| DiskError::writing(&shown, cause);
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(unwritable)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder).map_err(unwritable)?;
    io::Write::write_all(&mut file, bytes).map_err(unwritable)?;
    file.persist(path)
        .map_err(|error| unwritable(error.error))?;
    Ok(())
}

/// Makes a new file that only the user can read (mode 0600), wherever it is.
///
/// # Errors
/// When something is there: it is never replaced.
pub fn create_private_anywhere(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let shown = path.display().to_string();
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|cause| match cause.kind() {
        io::ErrorKind::AlreadyExists => DiskError::Exists {
            path: shown.clone(),
        },
        _ => DiskError::writing(&shown, cause),
    })?;
    io::Write::write_all(&mut file, bytes)
        .and_then(|()| file.sync_all())
        .map_err(|cause| DiskError::writing(&shown, cause))
}

/// Adds to the end of a file that the user named, wherever it is; one that is not there is made.
pub fn append_anywhere(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let unwritable = |cause| DiskError::writing(path.display().to_string(), cause);
    let mut options = fs::OpenOptions::new();
    let mut file = options
        .append(true)
        .create(true)
        .open(path)
        .map_err(unwritable)?;
    io::Write::write_all(&mut file, bytes).map_err(unwritable)
}

/// Whether an error only says that there is nothing of that name.
fn is_absent(cause: &io::Error) -> bool {
    matches!(
        cause.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

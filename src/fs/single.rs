//! Single files by absolute path: keys that lie outside the project, and files made once.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Who may read a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// As the umask says.
    Shared,
    /// Its owner only (mode 0600), from the first byte on.
    Private,
}

/// Why a single file could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum SingleError {
    /// The system refuses to read it.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not text.
    #[error("`{}` is not UTF-8 text", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// The system refuses to make it.
    #[error("cannot create `{}`", path.display())]
    Create {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Reads a text file anywhere; `None` when there is none of that name.
pub fn read_text(path: &Path) -> Result<Option<String>, SingleError> {
    match fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| SingleError::NotText {
                path: path.to_owned(),
            }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SingleError::Read {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Makes a file with its whole content, and the folders above it, unless something of that name is
/// there; returns whether it was made.
///
/// The content is on disk before the name appears, so a crash leaves the whole file or none.
pub fn create_new(path: &Path, content: &[u8], access: Access) -> Result<bool, SingleError> {
    let failed = |source| SingleError::Create {
        path: path.to_owned(),
        source,
    };
    if fs::symlink_metadata(path).is_ok() {
        return Ok(false);
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    create_folder(folder)?;
    let mut draft = draft(folder, access).map_err(failed)?;
    draft.write_all(content).map_err(failed)?;
    draft.as_file().sync_all().map_err(failed)?;
    match draft.persist_noclobber(path) {
        Ok(_) => Ok(true),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error.error)),
    }
}

/// Makes a folder and those above it.
pub fn create_folder(path: &Path) -> Result<(), SingleError> {
    fs::create_dir_all(path).map_err(|source| SingleError::Create {
        path: path.to_owned(),
        source,
    })
}

/// Adds to the end of a text file, after a line break if its last line has none.
pub fn append(path: &Path, addition: &str) -> Result<(), SingleError> {
    let text = read_text(path)?.unwrap_or_default();
    let gap = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    fs::OpenOptions::new()
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(format!("{gap}{addition}").as_bytes()))
        .map_err(|source| SingleError::Create {
            path: path.to_owned(),
            source,
        })
}

fn draft(folder: &Path, access: Access) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".kiln-new-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = match access {
            Access::Shared => 0o666,
            Access::Private => 0o600,
        };
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    drop(access);
    builder.tempfile_in(folder)
}

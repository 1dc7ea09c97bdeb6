//! A folder that looks like a project to another program, some of its files aside.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{DiskError, path};

/// A private folder (mode 0700) in the system's place for temporary files: some files are written into it, all else in it
/// are symlinks to the project. Removed when dropped; what the symlinks lead to stays.
#[derive(Debug)]
pub struct MirroredFolder {
    folder: tempfile::TempDir,
}

impl MirroredFolder {
    /// Mirrors a folder, with another content of some files; what these hold must be no secret.
    ///
    /// # Errors
    /// The folder cannot be read, or the system makes no symlinks.
    pub fn make(root: &Path, replaced: &BTreeMap<String, Vec<u8>>) -> Result<Self, DiskError> {
        let mirrored = Self::empty()?;
        mirrored.link_all(root, "", replaced)?;
        mirrored.write_all(replaced)?;
        Ok(mirrored)
    }

    /// Makes a folder of files, and of symlinks to some of another folder; what the files hold must be no secret.
    ///
    /// # Errors
    /// As of [`make`](Self::make).
    pub fn of_files(
        files: &BTreeMap<String, Vec<u8>>,
        root: &Path,
        linked: impl IntoIterator<Item = String>,
    ) -> Result<Self, DiskError> {
        let mirrored = Self::empty()?;
        mirrored.write_all(files)?;
        for path in linked {
            let path = path.trim_end_matches('/');
            mirrored.link(&root.join(path), &path::normal(path)?)?;
        }
        Ok(mirrored)
    }

    fn empty() -> Result<Self, DiskError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("kiln-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let folder = builder.tempdir();
        let folder = folder.map_err(|cause| DiskError::writing("a temporary folder", cause))?;
        Ok(Self { folder })
    }

    /// Returns where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Links all that is in a folder; a folder with a replaced file in it is made, and what is in it linked.
    fn link_all(
        &self,
        root: &Path,
        below: &str,
        replaced: &BTreeMap<String, Vec<u8>>,
    ) -> Result<(), DiskError> {
        let full = root.join(below);
        let unreadable = |cause| DiskError::reading(full.display().to_string(), cause);
        for entry in fs::read_dir(&full).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let path = match below {
                "" => name,
                below => format!("{below}/{name}"),
            };
            let inside = format!("{path}/");
            if replaced.contains_key(&path) {
                continue;
            }
            if replaced.keys().any(|other| other.starts_with(&inside)) {
                self.link_all(root, &path, replaced)?;
            } else {
                self.link(&entry.path(), &path)?;
            }
        }
        Ok(())
    }

    fn link(&self, target: &Path, path: &str) -> Result<(), DiskError> {
        let place = self.place(path)?;
        symlink(target, &place).map_err(|cause| DiskError::writing(path, cause))
    }

    fn write_all(&self, files: &BTreeMap<String, Vec<u8>>) -> Result<(), DiskError> {
        for (path, bytes) in files {
            let place = self.place(&path::normal(path)?)?;
            let mut options = fs::OpenOptions::new();
            options.write(true).create_new(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let written = options
                .open(&place)
                .and_then(|mut file| file.write_all(bytes));
            written.map_err(|cause| DiskError::writing(path.as_str(), cause))?;
        }
        Ok(())
    }

    /// Makes the folders around a path, and returns where it is.
    fn place(&self, path: &str) -> Result<PathBuf, DiskError> {
        let place = self.path().join(path);
        let above = place.parent().unwrap_or(self.path());
        fs::create_dir_all(above).map_err(|cause| DiskError::writing(path, cause))?;
        Ok(place)
    }
}

#[cfg(unix)]
fn symlink(target: &Path, place: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, place)
}

#[cfg(not(unix))]
fn symlink(_target: &Path, _place: &Path) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_shows_the_project_but_for_what_is_replaced() {
        let project = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("age.key", "real"),
            ("a/key", "real"),
            ("a/other", "o"),
            ("b/c/d", "d"),
        ] {
            let full = project.path().join(path);
            fs::create_dir_all(full.parent().unwrap()).unwrap();
            fs::write(full, text).unwrap();
        }
        let replaced =
            ["age.key", "a/key", "new/key"].map(|path| (path.to_owned(), b"stand-in".to_vec()));
        let mirrored = MirroredFolder::make(project.path(), &replaced.into()).unwrap();
        let read = |path: &str| fs::read_to_string(mirrored.path().join(path)).unwrap();
        for path in ["age.key", "a/key", "new/key"] {
            assert_eq!(read(path), "stand-in");
        }
        assert_eq!(
            (read("a/other"), read("b/c/d")),
            ("o".to_owned(), "d".to_owned())
        );
        let place = mirrored.path().to_owned();
        drop(mirrored);
        assert!(!place.exists());
        let kept = fs::read_to_string(project.path().join("age.key")).unwrap();
        assert_eq!(kept, "real");
        assert!(project.path().join("b/c/d").exists());
    }
}

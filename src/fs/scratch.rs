//! A folder for other programs to read, gone when dropped.

use std::fs;
use std::path::Path;

use super::{DiskError, path};
use crate::source::MemoryFiles;

/// A folder in the system's place for temporary files, removed when dropped.
#[derive(Debug)]
pub struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    /// Makes a folder with these files.
    ///
    /// # Errors
    /// Also when a path leaves the folder.
    pub fn new(files: &MemoryFiles) -> Result<Self, DiskError> {
        let unwritable = |cause| DiskError::writing("a temporary folder", cause);
        let folder = tempfile::tempdir().map_err(unwritable)?;
        for (name, bytes) in &files.0 {
            let full = folder.path().join(path::normal(name)?);
            let write = |cause| DiskError::writing(name, cause);
            fs::create_dir_all(full.parent().unwrap_or(folder.path())).map_err(write)?;
            fs::write(&full, bytes).map_err(write)?;
        }
        Ok(Self { folder })
    }

    /// Returns where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

//! The window through which a project is read.

use std::collections::BTreeMap;

use crate::path;

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathKind {
    /// A file.
    File,
    /// A folder.
    Folder,
}

/// The files of a project: a folder on disk, a git revision, a map in memory.
///
/// Paths count from the project's folder, use `/` and hold no `.`; the project's folder is the empty path. What leads
/// out of the project starts with `..` or `/`: whether that is read is for the implementation to decide.
pub trait ProjectFiles: Sync {
    /// Reads a file; `None` where there is none.
    ///
    /// # Errors
    /// Why it cannot be read, in one sentence without a final period.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String>;

    /// Lists the paths of all files below a folder, links to files among them, without looking into linked folders.
    ///
    /// The paths count from the project's folder, in any order; there are none where there is no such folder.
    ///
    /// # Errors
    /// Why it cannot be listed, in one sentence without a final period.
    fn list(&self, folder: &str) -> Result<Vec<String>, String>;

    /// Returns what stands at a path; a folder without files may be none.
    ///
    /// # Errors
    /// As of [`read`](Self::read) and [`list`](Self::list).
    fn kind(&self, path: &str) -> Result<Option<PathKind>, String> {
        if !self.list(path)?.is_empty() {
            return Ok(Some(PathKind::Folder));
        }
        Ok(self.read(path)?.map(|_| PathKind::File))
    }
}

/// Files held in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemoryFiles {
    /// Adds a file, in the place of one of the same path.
    pub fn add(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        self.files.insert(path::normalize(path), content.into());
    }
}

impl ProjectFiles for MemoryFiles {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        Ok(self.files.get(path).cloned())
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        let below = self.files.keys().filter(|path| {
            path::relative_to(path, folder).is_some_and(|relative| !relative.is_empty())
        });
        Ok(below.cloned().collect())
    }

    fn kind(&self, path: &str) -> Result<Option<PathKind>, String> {
        if self.files.contains_key(path) {
            return Ok(Some(PathKind::File));
        }
        let is_folder = !self.list(path)?.is_empty();
        Ok(is_folder.then_some(PathKind::Folder))
    }
}

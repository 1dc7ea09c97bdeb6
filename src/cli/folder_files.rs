//! A folder on disk as kustomize reads it: on demand, without a listing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use kustomize::{Files, PathEntry, Place, SourceFile};

use crate::flux::veiled_source;
use crate::fs::Disk;
use crate::source::{self, Files as _};

/// The files below a folder; nothing outside of it is read.
pub struct FolderFiles {
    disk: Disk,
    read: Mutex<BTreeMap<String, Arc<SourceFile>>>,
}

impl FolderFiles {
    /// Takes a folder.
    pub fn new(disk: Disk) -> Self {
        Self {
            disk,
            read: Mutex::default(),
        }
    }

    /// Returns a place as one in a message, under the path that a function gives the file.
    pub fn place(place: &Place, shown: &dyn Fn(&str) -> String) -> source::Place {
        let source = veiled_source(&place.file, &shown(&place.file.path));
        source::Place::new(&source, place.span)
    }

    fn read(&self, path: &str) -> PathEntry {
        match self.disk.read_output(path) {
            Ok(Some(bytes)) => PathEntry::File(SourceFile::new(path, bytes)),
            Ok(None) => PathEntry::Missing,
            Err(error) => PathEntry::Unreadable(error.reason),
        }
    }
}

impl Files for FolderFiles {
    fn entry(&self, path: &str) -> PathEntry {
        if self.disk.is_folder(path) {
            return PathEntry::Folder;
        }
        // A file that several symlinks lead to is one file.
        let path = self
            .disk
            .real_path(path)
            .unwrap_or_else(|_| path.to_owned());
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = read.get(&path) {
            return PathEntry::File(Arc::clone(file));
        }
        let entry = self.read(&path);
        if let PathEntry::File(file) = &entry {
            read.insert(path, Arc::clone(file));
        }
        entry
    }

    fn children(&self, folder: &str) -> Vec<(String, bool)> {
        self.disk.children(folder)
    }
}

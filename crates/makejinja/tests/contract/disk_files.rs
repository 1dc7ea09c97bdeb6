//! A project on disk.

use std::fs;
use std::path::{Path, PathBuf};

use makejinja::{PathKind, ProjectFiles};

pub(crate) struct DiskFiles(pub(crate) PathBuf);

impl ProjectFiles for DiskFiles {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        let path = self.0.join(path);
        if path.is_file() {
            fs::read(path).map(Some).map_err(|error| error.to_string())
        } else {
            Ok(None)
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        if self.0.join(folder).is_dir() {
            self.add_below(&self.0.join(folder), &mut found);
        }
        Ok(found)
    }

    fn kind(&self, path: &str) -> Result<Option<PathKind>, String> {
        let path = self.0.join(path);
        Ok(if path.is_file() {
            Some(PathKind::File)
        } else {
            path.is_dir().then_some(PathKind::Folder)
        })
    }
}

impl DiskFiles {
    fn add_below(&self, folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                self.add_below(&path, found);
            } else if path.is_file() {
                let relative = path.strip_prefix(&self.0).unwrap();
                found.push(relative.to_str().unwrap().to_owned());
            }
        }
    }
}

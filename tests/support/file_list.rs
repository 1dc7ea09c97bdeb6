//! The files of a folder.

use std::fs;
use std::path::{Path, PathBuf};

/// Lists the files below a folder, sorted; none where there is no folder.
pub(super) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_path_buf()];
    while let Some(next) = pending.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Lists those of the files below a folder whose names end in an extension.
pub(crate) fn files_with_extension(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let files = files_below(folder).into_iter();
    files
        .filter(|path| path.extension().is_some_and(|end| end == extension))
        .collect()
}

//! What lies below an input.

use std::collections::BTreeSet;

use crate::files::ProjectFiles;
use crate::path;

/// A file or folder below an input.
pub(super) struct TreeEntry {
    /// The path from the input.
    pub(super) relative: String,
    pub(super) is_folder: bool,
}

impl TreeEntry {
    /// Lists all files and folders below an input, sorted as Python sorts paths.
    pub(super) fn list(files: &dyn ProjectFiles, input: &str) -> Result<Vec<Self>, String> {
        let mut folders = BTreeSet::new();
        let mut entries = Vec::new();
        for path in files.list(input)? {
            let Some(relative) = path::relative_to(&path, input) else {
                continue;
            };
            let mut folder = path::folder_of(relative);
            while let Some(name) = folder.filter(|name| !name.is_empty()) {
                if !folders.insert(name.to_owned()) {
                    break;
                }
                folder = path::folder_of(name);
            }
            entries.push(Self {
                relative: relative.to_owned(),
                is_folder: false,
            });
        }
        entries.extend(folders.into_iter().map(|relative| Self {
            relative,
            is_folder: true,
        }));
        entries.sort_by(|left, right| left.relative.split('/').cmp(right.relative.split('/')));
        Ok(entries)
    }
}

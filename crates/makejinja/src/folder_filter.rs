//! `.mjfilter.py`: the folder filters of cluster-template's plugins of 2024.

use crate::files::{PathKind, ProjectFiles};
use crate::path;
use crate::problem::Problem;
use crate::settings::Settings;

const FILTER_FILE: &str = ".mjfilter.py";

/// A Python file whose `main(data)` says whether its folder is rendered: only `False` leaves it out.
///
/// These files mean nothing to makejinja itself. The plugins that look for them make one path filter of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderFilter {
    /// The folder that it decides on, with all below.
    pub folder: String,
    /// The path of the file.
    pub path: String,
}

impl FolderFilter {
    /// Returns whether a path is the folder or lies below it.
    pub fn covers(&self, path: &str) -> bool {
        path::relative_to(path, &self.folder).is_some()
    }
}

/// Finds the folder filters in all folders of `inputs`, in the order of the inputs and sorted in each.
///
/// # Errors
/// The inputs that cannot be read.
pub fn find_folder_filters(
    settings: &Settings,
    files: &dyn ProjectFiles,
) -> Result<Vec<FolderFilter>, Vec<Problem>> {
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for (index, input) in settings.inputs.iter().enumerate() {
        let listed = files.kind(input).and_then(|kind| match kind {
            Some(PathKind::Folder) => files.list(input),
            _ => Ok(Vec::new()),
        });
        match listed {
            Ok(mut paths) => {
                path::sort_by_parts(&mut paths);
                let filters = paths
                    .into_iter()
                    .filter(|path| path::name_of(path) == FILTER_FILE);
                found.extend(filters.map(|path| FolderFilter {
                    folder: path::folder_of(&path).unwrap_or_default().to_owned(),
                    path,
                }));
            }
            Err(why) => problems.push(settings.unreadable_input(index, &why)),
        }
    }
    if problems.is_empty() {
        Ok(found)
    } else {
        Err(problems)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::MemoryFiles;

    #[test]
    fn folder_filters_are_found_in_all_inputs() {
        let mut files = MemoryFiles::default();
        for path in [
            "templates/b/.mjfilter.py",
            "templates/b/x.j2",
            "templates/a/deep/.mjfilter.py",
            "templates/.mjfilter.py",
            "templates/a/mjfilter.py",
            "elsewhere/.mjfilter.py",
        ] {
            files.add(path, "");
        }
        let arguments = ["-i", "templates", "-o", "out"].map(str::to_owned);
        let settings = Settings::read(&[], &[], &arguments).unwrap().value;
        let found = find_folder_filters(&settings, &files).unwrap();
        let folders: Vec<&str> = found.iter().map(|filter| filter.folder.as_str()).collect();
        assert_eq!(folders, ["templates", "templates/a/deep", "templates/b"]);
        assert!(found[2].covers("templates/b/x.j2") && found[2].covers("templates/b"));
        assert!(!found[2].covers("templates/bc/x.j2"));
    }
}

//! The window through which a build reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::place::SourceFile;

/// What stands at a path.
#[derive(Clone, Debug)]
pub enum PathEntry {
    /// A file.
    File(Arc<SourceFile>),
    /// A folder.
    Folder,
    /// Nothing.
    Missing,
    /// Something that cannot be read, and why.
    Unreadable(String),
}

/// A tree of files: a map in memory, a git revision, a folder on disk.
///
/// Paths are relative to the root of the tree, use `/`, and hold no `.` or `..`; the root itself is the empty path. A
/// path leads where symlinks in the tree lead. The same path gives the same [`SourceFile`], so that a file is parsed
/// once for all builds.
pub trait Files: Sync {
    /// Returns what stands at a path.
    fn entry(&self, path: &str) -> PathEntry;

    /// Lists the names in a folder, sorted, with whether each is a folder; empty where there is no such folder.
    fn children(&self, folder: &str) -> Vec<(String, bool)>;
}

/// Files held in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryFiles {
    files: BTreeMap<String, Arc<SourceFile>>,
}

impl MemoryFiles {
    /// Adds a file, in the place of one of the same path.
    pub fn add(&mut self, file: Arc<SourceFile>) {
        self.files.insert(file.path.clone(), file);
    }

    /// Lists the files, by path.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<SourceFile>> {
        self.files.values()
    }

    fn below(&self, folder: &str) -> impl Iterator<Item = (&str, &Arc<SourceFile>)> {
        let prefix = match folder {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        self.files
            .range(prefix.clone()..)
            .map_while(move |(path, file)| Some((path.strip_prefix(&prefix)?, file)))
    }
}

impl FromIterator<(String, String)> for MemoryFiles {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        let mut files = Self::default();
        for (path, text) in pairs {
            files.add(SourceFile::new(path, text.into_bytes()));
        }
        files
    }
}

impl Files for MemoryFiles {
    fn entry(&self, path: &str) -> PathEntry {
        match self.files.get(path) {
            Some(file) => PathEntry::File(Arc::clone(file)),
            None if self.below(path).next().is_some() => PathEntry::Folder,
            None => PathEntry::Missing,
        }
    }

    fn children(&self, folder: &str) -> Vec<(String, bool)> {
        let mut names: Vec<(String, bool)> = Vec::new();
        for (rest, _) in self.below(folder) {
            let (name, is_folder) = match rest.split_once('/') {
                Some((name, _)) => (name, true),
                None => (rest, false),
            };
            if names.last().is_none_or(|(last, _)| last != name) {
                names.push((name.to_owned(), is_folder));
            }
        }
        names.sort();
        names
    }
}

/// Joins a path that somebody wrote to a folder; `None` where it leads out of the tree.
pub fn join(folder: &str, path: &str) -> Option<String> {
    let mut steps: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop()?;
            }
            step => steps.push(step),
        }
    }
    Some(steps.join("/"))
}

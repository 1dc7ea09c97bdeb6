//! What the last compile saw and left.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Paths;
use crate::fs::{self, Disk, PathMark, WatchedSurroundings};

/// What the last compile saw and left; as long as it stands, nothing is to be done.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    inputs: BTreeMap<String, PathMark>,
    outside: BTreeMap<PathBuf, PathMark>,
    outputs: BTreeMap<String, PathMark>,
}

/// What is not as it was, by path; each list is sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Inputs, below the project where they are in it.
    pub inputs: Vec<String>,
    /// Outputs that someone else changed or removed.
    pub outputs: Vec<String>,
}

impl Difference {
    /// Returns whether all is as it was.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty() && self.outputs.is_empty()
    }
}

impl Expected {
    /// Adds inputs as [`Disk::seen`] gives them; what is there twice must be the same.
    pub fn add_inputs(&mut self, seen: impl IntoIterator<Item = (String, PathMark)>) {
        for (path, mark) in seen {
            let known = self.inputs.entry(path).or_insert_with(|| mark.clone());
            if !known.is_same(&mark) {
                *known = PathMark::Torn;
            }
        }
    }

    /// Adds a file that may lie outside of the project.
    pub fn add_outside(&mut self, path: PathBuf, mark: PathMark) {
        self.outside.insert(path, mark);
    }

    /// Adds an output, by its path in the project.
    pub fn add_output(&mut self, path: String, mark: PathMark) {
        self.outputs.insert(path, mark);
    }

    pub(super) fn inputs(&self) -> usize {
        self.inputs.len() + self.outside.len()
    }

    /// Looks at everything, and returns what is not as it was with what it is now.
    pub(super) fn differences(&self, disk: &Disk) -> FoundMark {
        let mut found = FoundMark::default();
        for (path, before) in &self.inputs {
            let now = disk.mark(path);
            if before.is_same(&now) {
                continue;
            }
            match (before, &now) {
                (PathMark::Listing(before), PathMark::Listing(after)) => {
                    found
                        .inputs
                        .extend(before.symmetric_difference(after).cloned());
                }
                _ => drop(found.inputs.insert(path.clone())),
            }
            found.marks.push(now);
        }
        for (path, before) in &self.outside {
            let now = PathMark::anywhere(path);
            if !before.is_same(&now) {
                let shown = path.strip_prefix(disk.root()).unwrap_or(path);
                found.inputs.insert(shown.display().to_string());
                found.marks.push(now);
            }
        }
        for (path, before) in &self.outputs {
            let now = disk.mark(path);
            if !before.is_same(&now) {
                found.outputs.insert(path.clone());
                found.marks.push(now);
            }
        }
        found
    }

    /// Finds the folders to watch.
    pub(super) fn surround(&self, disk: &Disk, base: &Path, around: &mut WatchedSurroundings) {
        let root = disk.root();
        for path in self.inputs.keys() {
            match path.strip_suffix('/') {
                None => around.add_file(&root.join(path), base),
                Some(folder) => {
                    let full = if folder == "." {
                        root.to_owned()
                    } else {
                        root.join(folder)
                    };
                    around.add(&full, base);
                    for below in disk.folders(folder) {
                        around.add_folder(&below);
                    }
                }
            }
        }
        for path in self.outside.keys() {
            around.add_file(path, base);
        }
        // Every folder on the way to an output; the outputs themselves are no symlinks.
        let mut parents: std::collections::BTreeSet<&str> = std::collections::BTreeSet::new();
        for path in self.outputs.keys() {
            parents.extend(fs::parents(path));
        }
        for parent in parents {
            around.add_folder(&root.join(parent));
        }
        around.add(root, base);
        around.add_folder(root);
    }
}

/// What differs, and what is there instead.
#[derive(Clone, Debug, Default)]
pub(super) struct FoundMark {
    inputs: Paths,
    outputs: Paths,
    marks: Vec<PathMark>,
}

impl FoundMark {
    pub(super) fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    pub(super) fn named(self) -> Difference {
        Difference {
            inputs: self.inputs.into_iter().collect(),
            outputs: self.outputs.into_iter().collect(),
        }
    }
}

impl PartialEq for FoundMark {
    /// Two looks saw the same differences.
    fn eq(&self, other: &Self) -> bool {
        self.inputs == other.inputs
            && self.outputs == other.outputs
            && self.marks.len() == other.marks.len()
            && self
                .marks
                .iter()
                .zip(&other.marks)
                .all(|(one, other)| one.is_same(other))
    }
}

//! What a build asks of the files of its source, and what it is told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use kustomize::{Files, PathEntry, SourceFile};

/// What `flux bootstrap` writes into a repository; a template repository may only list it.
const BOOTSTRAP_FILES: [&str; 2] = ["gotk-components.yaml", "gotk-sync.yaml"];

/// Files that remember what was asked of them.
pub(super) struct RecordedFiles<'f> {
    files: &'f dyn Files,
    answers: Mutex<FileAnswers>,
}

/// What files answered: all that a build knows of them.
#[derive(Default)]
pub(super) struct FileAnswers {
    entries: BTreeMap<String, PathEntry>,
    children: BTreeMap<String, Vec<(String, bool)>>,
}

impl<'f> RecordedFiles<'f> {
    pub(super) fn new(files: &'f dyn Files) -> Self {
        Self {
            files,
            answers: Mutex::default(),
        }
    }

    /// Returns what was answered.
    pub(super) fn into_answers(self) -> FileAnswers {
        let answers = self.answers.into_inner();
        answers.unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, note: impl FnOnce(&mut FileAnswers)) {
        note(&mut self.answers.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Files for RecordedFiles<'_> {
    fn entry(&self, path: &str) -> PathEntry {
        let entry = self.files.entry(path);
        self.note(|answers| {
            answers.entries.insert(path.to_owned(), entry.clone());
        });
        match entry {
            PathEntry::Missing if is_awaited(path) => {
                PathEntry::File(SourceFile::new(path, Vec::new()))
            }
            entry => entry,
        }
    }

    fn children(&self, folder: &str) -> Vec<(String, bool)> {
        let children = self.files.children(folder);
        self.note(|answers| {
            answers.children.insert(folder.to_owned(), children.clone());
        });
        children
    }
}

impl FileAnswers {
    /// Returns whether files still answer the same.
    pub(super) fn hold_for(&self, files: &dyn Files) -> bool {
        let mut entries = self.entries.iter();
        entries.all(|(path, entry)| is_same_entry(entry, &files.entry(path)))
            && self
                .children
                .iter()
                .all(|(folder, children)| *children == files.children(folder))
    }

    /// Lists the paths of the files that were read.
    pub(super) fn read(&self) -> impl Iterator<Item = &str> {
        self.entries.values().filter_map(|entry| match entry {
            PathEntry::File(file) => Some(&*file.path),
            PathEntry::Folder | PathEntry::Missing | PathEntry::Unreadable(_) => None,
        })
    }

    /// Lists the paths of the files that `flux bootstrap` will write.
    pub(super) fn awaited(&self) -> impl Iterator<Item = &str> {
        let entries = self.entries.iter();
        let missing = entries.filter(|(_, entry)| matches!(entry, PathEntry::Missing));
        missing
            .map(|(path, _)| path.as_str())
            .filter(|path| is_awaited(path))
    }
}

fn is_awaited(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    BOOTSTRAP_FILES.contains(&name)
}

fn is_same_entry(one: &PathEntry, other: &PathEntry) -> bool {
    match (one, other) {
        (PathEntry::File(one), PathEntry::File(other)) => is_same_file(one, other),
        (PathEntry::Unreadable(one), PathEntry::Unreadable(other)) => one == other,
        (PathEntry::Folder, PathEntry::Folder) | (PathEntry::Missing, PathEntry::Missing) => true,
        _ => false,
    }
}

/// Returns whether two files have the same path and the same bytes.
pub(super) fn is_same_file(one: &Arc<SourceFile>, other: &Arc<SourceFile>) -> bool {
    Arc::ptr_eq(one, other) || (one.path == other.path && one.bytes() == other.bytes())
}

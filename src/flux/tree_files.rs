//! The files of a tree, as builds read them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use kustomize::{PathEntry, SourceFile};

use crate::source::{self, Source};
use crate::tree::File;

/// What `flux bootstrap` writes into a repository; a template repository may only list it.
const BOOTSTRAP_FILES: [&str; 2] = ["gotk-components.yaml", "gotk-sync.yaml"];

/// A file, once it was read.
#[derive(Clone)]
struct LoadedFile {
    file: Arc<SourceFile>,
    source: Arc<Source>,
}

/// The files of one source of Flux': a rendered tree, a folder, a git revision.
///
/// A file is read and parsed once for all builds, when the first of them asks for it.
pub struct TreeFiles<'f> {
    paths: BTreeMap<String, OnceLock<Result<LoadedFile, String>>>,
    folders: BTreeSet<String>,
    below: Option<&'f dyn source::Files>,
    /// What stands before a path in messages: the folder of another source.
    prefix: String,
}

impl<'f> TreeFiles<'f> {
    /// Takes the files of a rendered tree, whose YAML is parsed already.
    pub fn of_tree<'t>(files: impl Iterator<Item = &'t File>) -> Self {
        let mut tree = Self::empty("");
        for file in files {
            tree.add_file(file);
        }
        tree
    }

    /// Takes the files below a folder of a project, but for those that Flux' source leaves out.
    ///
    /// # Errors
    /// The folder cannot be listed.
    pub fn of_files(
        files: &'f dyn source::Files,
        prefix: &str,
        is_left_out: &dyn Fn(&str) -> bool,
    ) -> Result<Self, source::ReadError> {
        let mut tree = Self::empty(prefix);
        tree.below = Some(files);
        for path in files.list("")? {
            if !is_left_out(&path) {
                tree.add_path(path, OnceLock::new());
            }
        }
        Ok(tree)
    }

    fn empty(prefix: &str) -> Self {
        Self {
            paths: BTreeMap::new(),
            folders: BTreeSet::new(),
            below: None,
            prefix: prefix.to_owned(),
        }
    }

    /// Adds a file of a rendered tree, in the place of one of the same path.
    pub fn add_file(&mut self, file: &File) {
        let loaded = if file.binary.is_some() || !has_documents(file) {
            SourceFile::new(file.path.clone(), file.bytes().to_vec())
        } else {
            let documents = Arc::clone(&file.documents);
            SourceFile::parsed(file.path.clone(), &file.source.text, documents)
        };
        let loaded = LoadedFile {
            file: loaded,
            source: Arc::clone(&file.source),
        };
        self.add_path(file.path.clone(), OnceLock::from(Ok(loaded)));
    }

    fn add_path(&mut self, path: String, file: OnceLock<Result<LoadedFile, String>>) {
        let folders = path.match_indices('/').map(|(at, _)| path[..at].to_owned());
        self.folders.extend(folders);
        self.paths.insert(path, file);
    }

    /// Lists the paths of the files, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.keys().map(String::as_str)
    }

    /// Lists the paths of the files below a folder, sorted.
    pub fn below(&self, folder: &str) -> impl Iterator<Item = &str> {
        let prefix = match folder {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        self.paths
            .range(prefix.clone()..)
            .map(|(path, _)| path.as_str())
            .take_while(move |path| path.starts_with(&prefix))
    }

    /// Returns whether there is such a folder; the root is one.
    pub fn has_folder(&self, path: &str) -> bool {
        path.is_empty() || self.folders.contains(path)
    }

    /// Lists the folders that hold files, with all folders above them; the root is not among them.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.folders.iter().map(String::as_str)
    }

    /// Reads a file; `None` when there is none of that path, or nobody can read it.
    pub fn file(&self, path: &str) -> Option<&Arc<SourceFile>> {
        Some(&self.load(path)?.as_ref().ok()?.file)
    }

    /// Returns the text of a file that was read, for messages.
    pub fn source(&self, path: &str) -> Option<&Arc<Source>> {
        Some(&self.load(path)?.as_ref().ok()?.source)
    }

    fn load(&self, path: &str) -> Option<&Result<LoadedFile, String>> {
        let slot = self.paths.get(path)?;
        Some(slot.get_or_init(|| self.read(path)))
    }

    fn read(&self, path: &str) -> Result<LoadedFile, String> {
        let below = self.below.ok_or("it is not there")?;
        let bytes = below
            .read_output(path)
            .map_err(|error| error.reason)?
            .ok_or("it is not there")?;
        let shown = format!("{}{path}", self.prefix);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let source = if is_sealed(&text) || !crate::tree::is_secret_path(path) {
            Source::new(shown.clone(), text)
        } else {
            Source::sensitive(shown.clone(), text)
        };
        Ok(LoadedFile {
            file: SourceFile::new(shown, bytes),
            source,
        })
    }
}

/// Returns whether a file was parsed when it was rendered.
fn has_documents(file: &File) -> bool {
    file.is_yaml() || !file.documents.is_empty()
}

/// Returns whether a text is one that SOPS sealed: nothing in it is a secret in the open.
fn is_sealed(text: &str) -> bool {
    text.contains("ENC[AES256_GCM,")
}

impl kustomize::Files for TreeFiles<'_> {
    fn entry(&self, path: &str) -> PathEntry {
        match self.load(path) {
            Some(Ok(loaded)) => PathEntry::File(Arc::clone(&loaded.file)),
            Some(Err(reason)) => PathEntry::Unreadable(reason.clone()),
            None if self.has_folder(path) => PathEntry::Folder,
            None => PathEntry::Missing,
        }
    }

    fn children(&self, folder: &str) -> Vec<(String, bool)> {
        let skip = if folder.is_empty() {
            0
        } else {
            folder.len() + 1
        };
        let mut names: BTreeSet<(String, bool)> = BTreeSet::new();
        for path in self.below(folder) {
            let rest = &path[skip..];
            names.insert(match rest.split_once('/') {
                Some((name, _)) => (name.to_owned(), true),
                None => (rest.to_owned(), false),
            });
        }
        names.into_iter().collect()
    }
}

/// Files that remember which of them were read.
pub(super) struct RecordedFiles<'f> {
    files: &'f dyn kustomize::Files,
    read: Mutex<BTreeSet<String>>,
    awaited: Mutex<BTreeSet<String>>,
}

impl<'f> RecordedFiles<'f> {
    pub(super) fn new(files: &'f dyn kustomize::Files) -> Self {
        Self {
            files,
            read: Mutex::default(),
            awaited: Mutex::default(),
        }
    }

    /// Returns the paths of the files that were read, and of those that `flux bootstrap` will write.
    pub(super) fn into_paths(self) -> (BTreeSet<String>, BTreeSet<String>) {
        let inner =
            |set: Mutex<BTreeSet<String>>| set.into_inner().unwrap_or_else(PoisonError::into_inner);
        (inner(self.read), inner(self.awaited))
    }
}

fn note(paths: &Mutex<BTreeSet<String>>, path: String) {
    paths
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(path);
}

impl kustomize::Files for RecordedFiles<'_> {
    fn entry(&self, path: &str) -> PathEntry {
        let entry = self.files.entry(path);
        match &entry {
            PathEntry::File(file) => note(&self.read, file.path.clone()),
            PathEntry::Missing => {
                let name = path.rsplit('/').next().unwrap_or(path);
                if BOOTSTRAP_FILES.contains(&name) {
                    note(&self.awaited, path.to_owned());
                    return PathEntry::File(SourceFile::new(path, Vec::new()));
                }
            }
            PathEntry::Folder | PathEntry::Unreadable(_) => {}
        }
        entry
    }

    fn children(&self, folder: &str) -> Vec<(String, bool)> {
        self.files.children(folder)
    }
}

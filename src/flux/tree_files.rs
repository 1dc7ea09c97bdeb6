//! The files of a tree, as builds read them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use kustomize::{PathEntry, Place, SourceFile};

use super::ignored_files::{IGNORE_FILE, IgnorePatterns};
use super::roots::{GitSources, find_roots};
use super::veiled_secrets::veiled_source;
use crate::source::{self, LeftOut, Source};
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
    /// What is there and no part of the source; a folder ends in a slash.
    left_out: BTreeMap<String, LeftOut>,
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

    /// Takes the files of a repository, but for those that Flux' source leaves out.
    ///
    /// # Errors
    /// The repository cannot be listed.
    pub fn of_repository(
        files: &'f dyn source::Files,
        prefix: &str,
    ) -> Result<Self, source::ReadError> {
        let listing = files.listing()?;
        let mut tree = Self::empty(prefix);
        tree.below = Some(files);
        tree.left_out = listing.left_out;
        for path in listing.files {
            tree.add_path(path, OnceLock::new());
        }
        tree.leave_out(None);
        if let Some(patterns) = ignored_by_source(&tree) {
            tree.leave_out(Some(&patterns));
        }
        Ok(tree)
    }

    /// Takes out what the source-controller leaves out: by the ignore files, and by what the source itself says.
    fn leave_out(&mut self, of_source: Option<&str>) {
        let of_files: Vec<(String, String)> = self
            .paths
            .keys()
            .filter(|path| path.rsplit('/').next() == Some(IGNORE_FILE))
            .filter_map(|path| {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let bytes = self.file(path)?.bytes();
                Some((
                    folder.to_owned(),
                    String::from_utf8_lossy(bytes).into_owned(),
                ))
            })
            .collect();
        let of_files = of_files
            .iter()
            .map(|(folder, text)| (folder.as_str(), text.as_str()));
        let patterns = IgnorePatterns::new(of_files, of_source);
        // What the defaults left out comes back where patterns take their place.
        let before = self.left_out.extract_if(.., |path, why| {
            *why == LeftOut::ByFlux && !patterns.leave_out(path)
        });
        for (path, _) in before.collect::<Vec<_>>() {
            self.add_path(path, OnceLock::new());
        }
        let out = self
            .paths
            .extract_if(.., |path, _| patterns.leave_out(path));
        for (path, _) in out.collect::<Vec<_>>() {
            self.left_out.insert(path, LeftOut::ByFlux);
        }
        self.folders.clear();
        let folders = self.paths.keys().flat_map(|path| folders_above(path));
        self.folders.extend(folders);
    }

    /// Returns why a file or folder that is there is no part of the source; `None` where there is none, or it is.
    pub fn left_out(&self, path: &str) -> Option<&LeftOut> {
        let folder = format!("{path}/");
        let below = self.left_out.range(folder.clone()..).next();
        let below = below.filter(|(inner, _)| inner.starts_with(&folder));
        let above = path.match_indices('/').map(|(at, _)| &path[..=at]);
        self.left_out
            .get(path)
            .or_else(|| above.rev().find_map(|folder| self.left_out.get(folder)))
            .or(below.map(|(_, why)| why))
    }

    fn empty(prefix: &str) -> Self {
        Self {
            paths: BTreeMap::new(),
            folders: BTreeSet::new(),
            below: None,
            left_out: BTreeMap::new(),
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
        self.folders.extend(folders_above(&path));
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

    /// Returns the path in the tree of the file that holds a place; `None` where it is one of another source.
    pub fn path_of<'p>(&self, place: &'p Place) -> Option<&'p str> {
        place.file.path.strip_prefix(&self.prefix)
    }

    /// Returns the text of the file that holds a place, for messages.
    pub fn source_of(&self, place: &Place) -> Option<&Arc<Source>> {
        self.source(self.path_of(place)?)
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
        let file = SourceFile::new(shown, bytes);
        Ok(LoadedFile {
            source: veiled_source(&file, &file.path),
            file,
        })
    }
}

/// Returns whether a file was parsed when it was rendered.
fn has_documents(file: &File) -> bool {
    file.is_yaml() || !file.documents.is_empty()
}

fn folders_above(path: &str) -> impl Iterator<Item = String> {
    path.match_indices('/').map(|(at, _)| path[..at].to_owned())
}

/// Returns what the source of a tree says to leave out.
///
/// Where clusters read the tree through sources that say different things, nothing: a file that one of them sees is part
/// of the tree.
fn ignored_by_source(tree: &TreeFiles<'_>) -> Option<String> {
    let roots = find_roots(tree, &[]);
    let sources = GitSources::read(tree);
    let mut said = roots
        .iter()
        .map(|root| sources.ignored_by(root.source.as_ref()?));
    let first = said.next()??;
    said.all(|other| other == Some(first))
        .then(|| first.to_owned())
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

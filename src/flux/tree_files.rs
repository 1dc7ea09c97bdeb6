//! The files of a tree, as builds read them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use kustomize::{PathEntry, Place, SourceFile};

use super::ignored_files::{IGNORE_FILE, IgnorePatterns};
use super::roots::{GitSources, find_roots};
use super::veiled_secrets::veiled_source;
use crate::source::{self, LeftOut, Source};
use crate::tree::File;

/// A file, once it was read.
#[derive(Clone)]
struct LoadedFile {
    file: Arc<SourceFile>,
    source: Arc<Source>,
}

/// A file that was read from below, as an output.
struct KeptFile {
    loaded: LoadedFile,
    output: OnceLock<File>,
}

/// A file of a tree, and where it is.
enum TreeFile<'f> {
    /// It was rendered.
    Rendered(&'f File, LoadedFile),
    /// It is read when somebody asks for it.
    Kept(OnceLock<Result<KeptFile, String>>),
    /// Another tree has it, under the same path.
    Shared(&'f TreeFiles<'f>),
}

/// The files of one source of Flux': a rendered tree, a folder, a git revision.
///
/// A file is read and parsed once for all builds, when the first of them asks for it.
#[derive(Default)]
pub struct TreeFiles<'f> {
    paths: BTreeMap<String, TreeFile<'f>>,
    folders: BTreeSet<String>,
    below: Option<&'f dyn source::Files>,
    /// What is there and no part of the source; a folder ends in a slash.
    left_out: BTreeMap<String, LeftOut>,
    /// What stands before a path in messages: the folder of another source.
    prefix: String,
    /// The folder that rendered files are in, and from which messages count.
    output: String,
}

impl<'f> TreeFiles<'f> {
    /// Takes the files of a rendered tree, whose YAML is parsed already.
    pub fn of_tree(files: impl Iterator<Item = &'f File>) -> Self {
        let mut tree = Self::empty("", "");
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
        let mut tree = Self::empty(prefix, "");
        tree.below = Some(files);
        tree.left_out = listing.left_out;
        for path in listing.files {
            tree.add_path(path, TreeFile::Kept(OnceLock::new()));
        }
        tree.leave_out(None);
        if let Some(patterns) = ignored_by_source(&tree) {
            tree.leave_out(Some(&patterns));
        }
        Ok(tree)
    }

    /// Takes files out, as if they were not there.
    pub fn forget(&mut self, is_forgotten: &dyn Fn(&str) -> bool) {
        self.paths.retain(|path, _| !is_forgotten(path));
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
            self.add_path(path, TreeFile::Kept(OnceLock::new()));
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

    /// Takes some files of a repository, beside which a tree is rendered into the folder `output`.
    ///
    /// Messages name them as they are seen from there.
    pub fn kept(
        files: &'f dyn source::Files,
        paths: impl IntoIterator<Item = String>,
        output: &str,
    ) -> Self {
        let mut tree = Self::empty("", output);
        tree.below = Some(files);
        for path in paths {
            tree.add_path(path, TreeFile::Kept(OnceLock::new()));
        }
        tree
    }

    /// Notes files that are there and that git ignores, so that one who names them is told.
    #[must_use]
    pub fn beside_ignored(mut self, paths: impl IntoIterator<Item = String>) -> Self {
        let ignored = paths.into_iter().map(|path| (path, LeftOut::ByGit));
        self.left_out.extend(ignored);
        self
    }

    /// Lays a rendered tree over files that are kept beside it.
    pub fn over(kept: &'f Self, files: impl Iterator<Item = &'f File>) -> Self {
        let mut tree = Self::empty("", &kept.output);
        tree.folders.clone_from(&kept.folders);
        tree.left_out.clone_from(&kept.left_out);
        for path in kept.paths.keys() {
            tree.paths.insert(path.clone(), TreeFile::Shared(kept));
        }
        for file in files {
            tree.add_file(file);
        }
        tree
    }

    fn empty(prefix: &str, output: &str) -> Self {
        Self {
            paths: BTreeMap::new(),
            folders: BTreeSet::new(),
            below: None,
            left_out: BTreeMap::new(),
            prefix: prefix.to_owned(),
            output: output.to_owned(),
        }
    }

    /// Adds a file of a rendered tree, in the place of one of the same path.
    pub fn add_file(&mut self, file: &'f File) {
        let path = self.path_of_output(&file.path);
        let source_file = if file.binary.is_some() || !has_documents(file) {
            SourceFile::new(path.clone(), file.bytes().to_vec())
        } else {
            let documents = Arc::clone(&file.documents);
            SourceFile::parsed(path.clone(), &file.source.text, documents)
        };
        let loaded = LoadedFile {
            file: source_file,
            source: Arc::clone(&file.source),
        };
        self.add_path(path, TreeFile::Rendered(file, loaded));
    }

    fn add_path(&mut self, path: String, file: TreeFile<'f>) {
        for (at, _) in path.match_indices('/').rev() {
            // The folders above one that is known are known.
            if !self.folders.insert(path[..at].to_owned()) {
                break;
            }
        }
        self.paths.insert(path, file);
    }

    /// Returns the path in the tree of an output.
    pub fn path_of_output(&self, output: &str) -> String {
        match self.output.as_str() {
            "" => output.to_owned(),
            folder => format!("{folder}/{output}"),
        }
    }

    /// Returns how a path of the tree is seen from the folder that rendered files are in.
    pub fn seen_from_output(&self, path: &str) -> String {
        let steps = self.output.split('/').filter(|step| !step.is_empty());
        let mut rest = path;
        let mut up = 0;
        for step in steps {
            let inner = match rest.strip_prefix(step) {
                Some("") => Some(""),
                Some(inner) => inner.strip_prefix('/'),
                None => None,
            };
            match inner {
                Some(inner) if up == 0 => rest = inner,
                _ => up += 1,
            }
        }
        format!("{}{rest}", "../".repeat(up))
    }

    /// Lists the paths of the files, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.keys().map(String::as_str)
    }

    /// Lists the rendered files with their paths in the tree, sorted.
    pub fn rendered(&self) -> impl Iterator<Item = (&str, &'f File)> {
        self.paths.iter().filter_map(|(path, file)| match file {
            TreeFile::Rendered(file, _) => Some((path.as_str(), *file)),
            TreeFile::Kept(_) | TreeFile::Shared(_) => None,
        })
    }

    /// Returns whether the file of a path is rendered.
    pub fn is_rendered(&self, path: &str) -> bool {
        matches!(self.paths.get(path), Some(TreeFile::Rendered(..)))
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
        Some(&self.load(path)?.ok()?.file)
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
        Some(&self.load(path)?.ok()?.source)
    }

    /// Returns a file as an output: the rendered one, or one that is kept beside the rendered ones.
    pub fn output(&self, path: &str) -> Option<&File> {
        match self.paths.get(path)? {
            TreeFile::Rendered(file, _) => Some(file),
            TreeFile::Shared(tree) => tree.output(path),
            TreeFile::Kept(file) => {
                let kept = file.get_or_init(|| self.read(path)).as_ref().ok()?;
                Some(kept.output.get_or_init(|| kept.as_output()))
            }
        }
    }

    fn load(&self, path: &str) -> Option<Result<&LoadedFile, &String>> {
        match self.paths.get(path)? {
            TreeFile::Rendered(_, loaded) => Some(Ok(loaded)),
            TreeFile::Shared(tree) => tree.load(path),
            TreeFile::Kept(file) => {
                let kept = file.get_or_init(|| self.read(path));
                Some(kept.as_ref().map(|kept| &kept.loaded))
            }
        }
    }

    fn read(&self, path: &str) -> Result<KeptFile, String> {
        let below = self.below.ok_or("it is not there")?;
        let bytes = below
            .read_output(path)
            .map_err(|error| error.reason)?
            .ok_or("it is not there")?;
        let shown = format!("{}{}", self.prefix, self.seen_from_output(path));
        let file = SourceFile::new(format!("{}{path}", self.prefix), bytes);
        let source = veiled_source(&file, &shown);
        Ok(KeptFile {
            loaded: LoadedFile { file, source },
            output: OnceLock::new(),
        })
    }
}

impl KeptFile {
    fn as_output(&self) -> File {
        let LoadedFile { file, source } = &self.loaded;
        File {
            path: source.path.clone(),
            source: Arc::clone(source),
            documents: file.documents().map(Arc::clone).unwrap_or_default(),
            origins: Vec::new(),
            executable: false,
            binary: None,
        }
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

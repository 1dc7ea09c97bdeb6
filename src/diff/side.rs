//! One side of a comparison: rendered files, and what is known of how they came about.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use kustomize::{Place, SourceFile};
use serde_json::Value;

use super::guards::Guards;
use crate::diagnostic::{self, Diagnostic};
use crate::flux::{AppliedObjects, FollowOptions, FollowedTree, TreeFiles};
use crate::secret::{SealTerms, Secrets};
use crate::source::Source;
use crate::tree::{File, Origin, Tree, is_secret_path, is_yaml_path};
use crate::yaml::{self, Document};

/// How much of a file can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// Everything, and it may be shown.
    Open,
    /// Everything, for comparison only.
    Secret,
    /// The keys; the values are ciphertext.
    Sealed,
    /// The keys; some of the values are made up, and tell something only beside another side that made them up as well.
    MadeUp,
}

/// The text of a file that a side is made of.
#[derive(Clone)]
pub enum SideText {
    /// It may be shown.
    Open(String),
    /// It is a secret that was opened: values are compared, never shown.
    Opened(String),
    /// It is ciphertext in SOPS' format that nobody here can open: keys are compared.
    Sealed(String),
}

/// A file of a side.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) file: File,
    pub(super) sight: Sight,
    /// Whether something in it is made up.
    pub(super) made_up: bool,
}

/// What is known of how rendered files came to where they are.
#[derive(Clone, Debug, Default)]
pub struct OutputRecord {
    /// The version of the Kiln that wrote them.
    pub kiln: Option<String>,
    /// The paths of those that someone edited or removed since.
    pub edited: BTreeSet<String>,
    /// What this Kiln makes of the inputs from which they were made, if these are known.
    pub remade: Option<Box<Side>>,
}

/// One side of a comparison.
///
/// Clones share their texts. `Debug` shows the label and the number of files only.
#[derive(Clone, Default)]
pub struct Side {
    /// What it is, for people: `main (1a2b3c4)`, `the working tree`.
    pub label: String,
    pub(super) files: BTreeMap<String, Held>,
    pub(super) config: Option<Value>,
    pub(super) written: OutputRecord,
    pub(super) secrets: Secrets,
    pub(super) guards: Option<Guards>,
    pub(super) sealed: BTreeMap<String, SealTerms>,
    stand_ins: BTreeSet<String>,
    output: String,
    /// What Flux applies of all files; followed when somebody asks.
    followed: OnceLock<Arc<FollowedSide>>,
}

/// What Flux applies of a side.
#[derive(Debug)]
struct FollowedSide {
    tree: FollowedTree,
    /// The files whose content must not be shown.
    closed: BTreeMap<String, Sight>,
}

impl FollowedSide {
    fn of(tree: FollowedTree, files: &BTreeMap<String, Held>) -> Self {
        let mut closed = BTreeMap::new();
        for path in tree.kept.keys().chain(&tree.read) {
            if tree.sealed.contains(path) {
                closed.insert(path.clone(), Sight::Sealed);
            } else if is_secret_path(path) {
                closed.insert(path.clone(), Sight::Secret);
            }
        }
        for (path, held) in files {
            match held.sight {
                Sight::Open => closed.remove(path),
                sight => closed.insert(path.clone(), sight),
            };
        }
        Self { tree, closed }
    }
}

/// A file of a side, whoever owns it.
#[derive(Clone, Copy, Debug)]
pub(super) struct SideFile<'s> {
    pub(super) path: &'s str,
    pub(super) text: &'s str,
    pub(super) documents: &'s [Document],
    /// The origin of each line, if it was rendered.
    pub(super) origins: &'s [Origin],
    pub(super) sight: Sight,
    pub(super) made_up: bool,
}

impl fmt::Debug for Side {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Side({}, {} files)",
            self.label,
            self.files.len()
        )
    }
}

impl Side {
    /// Makes a side on which nothing is there yet.
    pub fn empty(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            ..Self::default()
        }
    }

    /// Takes the files of a compiled tree in any stage; the secret ones with their plain text.
    ///
    /// `made_up` names the files that hold something made up.
    pub fn of_tree<S>(
        label: impl Into<String>,
        tree: &Tree<S>,
        made_up: &BTreeSet<String>,
    ) -> Self {
        let held = |file: &File| Held {
            file: file.clone(),
            sight: match (file.is_secret(), made_up.contains(&file.path)) {
                (true, true) => Sight::MadeUp,
                (true, false) => Sight::Secret,
                (false, _) => Sight::Open,
            },
            made_up: made_up.contains(&file.path),
        };
        Self {
            label: label.into(),
            files: tree
                .files()
                .map(|file| (file.path.clone(), held(file)))
                .collect(),
            ..Self::default()
        }
    }

    /// Takes files by path, as they were found in an output folder.
    ///
    /// # Errors
    /// A file that is YAML by its name and not by its text.
    pub fn of_texts(
        label: impl Into<String>,
        texts: BTreeMap<String, SideText>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut side = Self {
            label: label.into(),
            ..Self::default()
        };
        let mut problems = Vec::new();
        for (path, text) in texts {
            let (text, sight) = match text {
                SideText::Open(text) => (text, Sight::Open),
                SideText::Opened(text) => (text, Sight::Secret),
                SideText::Sealed(text) => (text, Sight::Sealed),
            };
            let source = match sight {
                Sight::Secret | Sight::MadeUp => Source::sensitive(path.clone(), text),
                Sight::Open | Sight::Sealed => Source::new(path.clone(), text),
            };
            match held(path, &source, sight) {
                Ok(held) => drop(side.files.insert(held.file.path.clone(), held)),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            Ok(side)
        } else {
            Err(problems)
        }
    }

    /// Adds what Flux applies of it together with the files around it that Kiln does not own.
    ///
    /// Of those around it the YAML outside of hidden folders is compared by itself; everything else counts as far as a
    /// build reads it.
    #[must_use]
    pub fn in_tree(mut self, tree: FollowedTree) -> Self {
        let place = |path: String| match tree.output.as_str() {
            "" => path,
            folder => format!("{folder}/{path}"),
        };
        let files = std::mem::take(&mut self.files).into_values();
        let files = files.map(|mut held| {
            held.file.path = place(held.file.path);
            (held.file.path.clone(), held)
        });
        self.files = files.collect();
        let sealed = std::mem::take(&mut self.sealed).into_iter();
        self.sealed = sealed.map(|(path, terms)| (place(path), terms)).collect();
        let edited = std::mem::take(&mut self.written.edited).into_iter();
        self.written.edited = edited.map(place).collect();
        self.output.clone_from(&tree.output);
        self.followed = OnceLock::from(Arc::new(FollowedSide::of(tree, &self.files)));
        self
    }

    /// Lists its own files.
    pub fn own_files(&self) -> impl Iterator<Item = &File> + Clone {
        self.files.values().map(|held| &held.file)
    }

    /// Returns the folder that its own files are in, seen from where paths count.
    pub(super) fn output(&self) -> &str {
        &self.output
    }

    fn followed(&self) -> &FollowedSide {
        self.followed.get_or_init(|| {
            let files = TreeFiles::of_tree(self.files.values().map(|held| &held.file));
            let tree = FollowedTree::of(&files, &FollowOptions::default());
            Arc::new(FollowedSide::of(tree, &self.files))
        })
    }

    /// Returns what Flux applies of it.
    pub(super) fn applied(&self) -> &AppliedObjects {
        &self.followed().tree.applied
    }

    /// Returns whether a build reads a file.
    pub(super) fn is_read(&self, path: &str) -> bool {
        self.followed().tree.read.contains(path)
    }

    /// Returns how much of what stands at a place may be shown.
    pub(super) fn sight(&self, place: &Place) -> Sight {
        let closed = &self.followed().closed;
        closed.get(&place.file.path).copied().unwrap_or(Sight::Open)
    }

    /// Returns whether all content may be shown, so that nobody needs to look at places.
    pub(super) fn is_open(&self) -> bool {
        self.followed().closed.is_empty()
    }

    /// Returns whether something in the file of a place is made up.
    pub(super) fn is_made_up(&self, place: &Place) -> bool {
        let held = self.files.get(&place.file.path);
        held.is_some_and(|held| held.made_up)
    }

    /// Returns whether something in any of its files is made up.
    pub(super) fn has_made_up(&self) -> bool {
        self.files.values().any(|held| held.made_up)
    }

    /// Lists all files that are compared by themselves as far as no build reads them.
    pub(super) fn all_files(&self) -> impl Iterator<Item = SideFile<'_>> {
        let own = self.files.values().map(Held::view);
        let around = self.followed().tree.kept.values();
        let around = around.filter(|file| !is_hidden(&file.path));
        own.chain(around.map(|file| self.kept(file)))
    }

    /// Finds a file.
    pub(super) fn file(&self, path: &str) -> Option<SideFile<'_>> {
        let own = self.files.get(path).map(Held::view);
        own.or_else(|| Some(self.kept(self.followed().tree.kept.get(path)?)))
    }

    fn kept<'s>(&'s self, file: &'s Arc<SourceFile>) -> SideFile<'s> {
        let sight = self.followed().closed.get(&file.path);
        SideFile {
            path: &file.path,
            text: file.text().unwrap_or_default(),
            documents: file.documents().map_or(&[], |documents| documents),
            origins: &[],
            sight: sight.copied().unwrap_or(Sight::Open),
            made_up: false,
        }
    }

    /// Returns whether another side has the same file, and no build of either reads it.
    pub(super) fn shares(&self, file: &SideFile<'_>, other: &Self) -> bool {
        let sides = [self, other].map(|side| side.followed().tree.kept.get(file.path));
        let [Some(one), Some(another)] = sides else {
            return false;
        };
        one.bytes() == another.bytes() && !self.is_read(file.path) && !other.is_read(file.path)
    }

    /// Says which of its files may be run as programs.
    #[must_use]
    pub fn with_executables(mut self, paths: &BTreeSet<String>) -> Self {
        for (path, held) in &mut self.files {
            held.file.executable = paths.contains(path);
        }
        self
    }

    /// Adds the config it was compiled from, defaults filled in, so that causes can be told.
    ///
    /// Of its values nothing is ever shown, only where they differ.
    #[must_use]
    pub fn with_config(mut self, values: Value) -> Self {
        self.config = Some(values);
        self
    }

    /// Adds what is known of how the files came to where they are, so that causes can be told.
    #[must_use]
    pub fn with_written(mut self, written: OutputRecord) -> Self {
        if let Some(remade) = &written.remade {
            self.secrets.extend(remade.secrets.clone());
        }
        self.written = written;
        self
    }

    /// Adds the secrets that its compile met, which are taken out of whatever is shown.
    #[must_use]
    pub fn with_secrets(mut self, secrets: Secrets) -> Self {
        self.secrets.extend(secrets);
        self
    }

    /// Adds what its project says of how it is judged and sealed.
    #[must_use]
    pub fn with_guards(mut self, guards: Guards) -> Self {
        self.guards = Some(guards);
        self
    }

    /// Adds for whom its files are sealed, by path.
    #[must_use]
    pub fn with_sealed(mut self, sealed: BTreeMap<String, SealTerms>) -> Self {
        self.sealed = sealed;
        self
    }

    /// Returns what its project says of how it is judged and sealed, if it was compiled from one.
    pub fn guards(&self) -> Option<&Guards> {
        self.guards.as_ref()
    }

    /// Adds what was made up in its compile.
    #[must_use]
    pub fn with_stand_ins(mut self, names: BTreeSet<String>) -> Self {
        self.stand_ins = names;
        self
    }

    /// Lists what was made up in its compile.
    pub fn stand_ins(&self) -> impl Iterator<Item = &str> {
        self.stand_ins.iter().map(String::as_str)
    }

    /// Returns in how many files the values of secrets cannot be seen.
    pub fn unseen(&self) -> usize {
        let unseen = |held: &&Held| held.made_up || held.sight == Sight::Sealed;
        self.files.values().filter(unseen).count()
    }

    /// Returns whether it has no file.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.followed().tree.kept.is_empty()
    }

    pub(super) fn get(&self, path: &str) -> Option<&Held> {
        self.files.get(path)
    }
}

impl Held {
    fn view(&self) -> SideFile<'_> {
        SideFile {
            path: &self.file.path,
            text: &self.file.source.text,
            documents: &self.file.documents,
            origins: &self.file.origins,
            sight: self.sight,
            made_up: self.made_up,
        }
    }
}

/// Returns whether a file lies in a folder that is hidden.
fn is_hidden(path: &str) -> bool {
    let (folder, _) = path.rsplit_once('/').unwrap_or(("", path));
    folder.split('/').any(|step| step.starts_with('.'))
}

fn held(path: String, source: &Arc<Source>, sight: Sight) -> Result<Held, Diagnostic> {
    let documents = if is_yaml_path(&path) {
        yaml::load(&source.text).map_err(|error| {
            yaml::diagnose(&error, &diagnostic::codes::YAML_SYNTAX, &source.keys_only())
        })?
    } else {
        Vec::new()
    };
    let file = File {
        path,
        source: Arc::clone(source),
        documents: Arc::new(documents),
        origins: Vec::new(),
        executable: false,
        binary: None,
    };
    Ok(Held {
        file,
        sight,
        made_up: false,
    })
}

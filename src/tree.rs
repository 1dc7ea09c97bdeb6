//! The tree of output files, and the order in which stages may touch it.
//!
//! `Tree<Rendered>` → [`Tree<Hardened>`](Hardened) → [`Tree<Checked>`](Checked) →
//! [`Tree<Sealed>`](Sealed): each transition is one method, and `write` takes nothing but a sealed
//! tree, so that a stage out of order, or a secret in plain text on disk, does not compile.

pub mod images;
pub mod object;
mod open_part;
pub mod output_path;
mod plain_file;
pub mod reference;
pub mod secret_manifest;
pub mod version_number;

pub use open_part::OpenPart;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use base16ct::HexDisplay;
use sha2::{Digest as _, Sha256};

use crate::source::{Source, Span};
use crate::yaml;

/// A tree as the templates made it.
#[derive(Clone, Copy, Debug)]
pub struct Rendered;
/// A tree with the security defaults added.
#[derive(Clone, Copy, Debug)]
pub struct Hardened;
/// A tree in which every check passed.
#[derive(Clone, Copy, Debug)]
pub struct Checked;
/// A tree whose secret files are ciphertext.
#[derive(Clone, Copy, Debug)]
pub struct Sealed;

/// Where an output line came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A line of a template, counted from 1.
    Template {
        /// The template.
        template: Arc<Source>,
        /// The line in it.
        line: usize,
    },
    /// A rule of `harden`, by its code.
    Rule(&'static str),
}

/// One output file.
///
/// `Debug` shows path and length only: the text may hold secrets.
#[derive(Clone)]
pub struct File {
    /// The path below the output folder, with `/`.
    pub path: String,
    /// The text and its name; `sensitive` for the files that will be sealed, and only for these.
    pub source: Arc<Source>,
    /// The parsed documents of a YAML file; empty for any other file.
    pub documents: Arc<Vec<yaml::Document>>,
    /// The origin of each line, from the first; shorter than the text when unknown.
    pub origins: Vec<Origin>,
    /// Whether it may be run as a program.
    pub executable: bool,
    /// The bytes of a file that is no text; its `source` only describes them.
    pub binary: Option<Arc<[u8]>>,
}

impl File {
    /// Returns what goes to disk when it is not encrypted.
    pub fn bytes(&self) -> &[u8] {
        self.binary
            .as_deref()
            .unwrap_or(self.source.text.as_bytes())
    }

    /// Returns whether the file is to be encrypted: its name has `.sops.` in it, or a creation rule
    /// names it.
    ///
    /// The tree decides that, once, and marks the source as sensitive.
    pub fn is_secret(&self) -> bool {
        self.source.sensitive
    }

    /// Returns whether the file is YAML by its name.
    pub fn is_yaml(&self) -> bool {
        is_yaml_path(&self.path)
    }

    /// Returns whether the file is JSON by its name.
    pub fn is_json(&self) -> bool {
        self.path.ends_with(".json")
    }

    /// Returns the origin of the line that holds a byte offset.
    pub fn origin(&self, offset: usize) -> Option<&Origin> {
        let (line, _) = self.source.line_column(offset);
        self.origins.get(line - 1)
    }

    /// Returns the template place behind a byte offset of the output, for a related label.
    pub fn template_place(&self, offset: usize) -> Option<crate::source::Place> {
        match self.origin(offset)? {
            Origin::Template { template, line } => Some(crate::source::Place::new(
                template,
                template.line_span(*line),
            )),
            Origin::Rule(_) => None,
        }
    }
}

impl fmt::Debug for File {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "File({}, {} bytes)",
            self.path,
            self.source.text.len()
        )
    }
}

/// Returns whether a path by itself names a file to be encrypted (`secret.sops.yaml`).
///
/// The project's own `.sops.yaml` is the rule file and stays plain. Of a file in a tree,
/// [`File::is_secret`] knows more.
pub fn is_secret_path(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.find(".sops.").is_some_and(|at| at > 0)
}

/// Returns whether a path names a YAML file.
pub fn is_yaml_path(path: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml")
}

/// Describes bytes that are no text, so that two files differ in it if they differ.
pub fn binary_description(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    format!(
        "binary file of {} bytes, SHA-256 {:x}\n",
        bytes.len(),
        HexDisplay(&digest)
    )
}

/// One thing that a hardening rule added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injection {
    /// The code of the rule.
    pub rule: &'static str,
    /// The file it was added to.
    pub path: String,
    /// The object: `Namespace/network`, `HelmRelease/network/echo`.
    pub object: String,
    /// The route of what was added: `metadata.labels`.
    pub route: String,
    /// Why, in one sentence without a final period.
    pub reason: String,
    /// The bytes that were added, in the hardened text; kept when later edits move them.
    pub span: Span,
}

/// One thing that a hardening rule would have added and could not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The code of the rule.
    pub rule: &'static str,
    /// The file that makes the workload.
    pub path: String,
    /// The workload: `Deployment/network/echo`.
    pub object: String,
    /// The field: `containers[echo].readinessProbe`.
    pub route: String,
    /// Why it is not there, in one sentence without a final period.
    pub reason: String,
}

/// The bytes of a file as they go to disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedFile {
    /// The bytes: ciphertext for secret files, the text for all others.
    pub bytes: Vec<u8>,
    /// Whether this is ciphertext.
    pub sealed: bool,
    /// Whether the bytes on disk were kept, since nothing in them changed as far as can be known.
    pub kept: bool,
    /// Whether it may be run as a program.
    pub executable: bool,
}

/// An app of the catalogue or the project: a folder of templates with an `app.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// The folder's name, which is also the name of its Flux Kustomization.
    pub name: String,
    /// The namespace it is deployed to.
    pub namespace: String,
    /// What it does, in one line.
    pub summary: String,
    /// How important its pods are: `critical`, `high`, `standard` or `low`.
    pub tier: String,
    /// The condition in CEL; without one it is always on.
    pub when: Option<String>,
    /// The apps that must be on for it to work.
    pub needs: Vec<String>,
    /// Whether its condition holds in this project.
    pub enabled: bool,
}

/// A tree of output files in stage `S`.
#[derive(Clone, Debug)]
pub struct Tree<S> {
    files: BTreeMap<String, File>,
    apps: Vec<App>,
    injections: Vec<Injection>,
    gaps: Vec<Gap>,
    sealed: BTreeMap<String, SealedFile>,
    stage: PhantomData<S>,
}

impl<S> Tree<S> {
    /// Lists the files, sorted by path.
    pub fn files(&self) -> impl ExactSizeIterator<Item = &File> + Clone {
        self.files.values()
    }

    /// Finds a file by its path.
    pub fn get(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// Lists the apps that the project knows, enabled or not, sorted by namespace and name.
    pub fn apps(&self) -> &[App] {
        &self.apps
    }

    /// Lists what hardening added, by path and place.
    pub fn injections(&self) -> &[Injection] {
        &self.injections
    }

    /// Lists what hardening could not add, by path.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    fn into_stage<T>(self) -> Tree<T> {
        Tree {
            files: self.files,
            apps: self.apps,
            injections: self.injections,
            gaps: self.gaps,
            sealed: self.sealed,
            stage: PhantomData,
        }
    }
}

impl Tree<Rendered> {
    /// Makes the tree that the templates rendered; files with `.sops.` in their name will be sealed.
    pub fn rendered(files: impl IntoIterator<Item = File>, apps: Vec<App>) -> Self {
        let keyed = |mut file: File| {
            if is_secret_path(&file.path) {
                conceal(&mut file);
            }
            (file.path.clone(), file)
        };
        Self {
            files: files.into_iter().map(keyed).collect(),
            apps,
            injections: Vec::new(),
            gaps: Vec::new(),
            sealed: BTreeMap::new(),
            stage: PhantomData,
        }
    }

    /// Marks more files as to be encrypted: those that a creation rule names.
    #[must_use]
    pub fn with_secrets(mut self, paths: &BTreeSet<String>) -> Self {
        let named = self.files.values_mut();
        for file in named.filter(|file| paths.contains(&file.path)) {
            conceal(file);
        }
        self
    }

    /// Moves on with the files that hardening changed or added, and the record of it.
    pub fn hardened(
        mut self,
        changed: impl IntoIterator<Item = File>,
        injections: Vec<Injection>,
        gaps: Vec<Gap>,
    ) -> Tree<Hardened> {
        for file in changed {
            self.files.insert(file.path.clone(), file);
        }
        self.injections = injections;
        self.gaps = gaps;
        self.into_stage()
    }
}

/// Marks a file as one whose text is a secret.
fn conceal(file: &mut File) {
    if !file.source.sensitive {
        file.source = Source::of(file.source.path.as_str(), file.source.text.clone(), true);
    }
}

impl Tree<Hardened> {
    /// Moves on once every check passed.
    pub fn checked(self) -> Tree<Checked> {
        self.into_stage()
    }
}

impl Tree<Checked> {
    /// Moves on with the ciphertexts of the secret files, by path.
    ///
    /// # Panics
    /// When a secret file has no ciphertext: sealing hands over all of them or fails.
    pub fn sealed(mut self, mut ciphertexts: BTreeMap<String, SealedFile>) -> Tree<Sealed> {
        for file in self.files.values() {
            let bytes = if file.is_secret() {
                ciphertexts
                    .remove(&file.path)
                    .expect("sealing hands over a ciphertext for every secret file")
            } else {
                SealedFile {
                    bytes: file.bytes().to_vec(),
                    sealed: false,
                    kept: false,
                    executable: false,
                }
            };
            let executable = file.executable;
            let bytes = SealedFile {
                executable,
                ..bytes
            };
            self.sealed.insert(file.path.clone(), bytes);
        }
        self.into_stage()
    }
}

impl Tree<Sealed> {
    /// Keeps the bytes that are on disk for an open output of which nothing here knows how it is.
    pub fn keep(&mut self, path: &str, bytes: Vec<u8>) {
        if let Some(file) = self.sealed.get_mut(path).filter(|file| !file.sealed) {
            file.bytes = bytes;
            file.kept = true;
        }
    }

    /// Lists what goes to disk, sorted by path.
    pub fn outputs(&self) -> impl ExactSizeIterator<Item = (&str, &SealedFile)> {
        self.sealed.iter().map(|(path, file)| (path.as_str(), file))
    }
}

//! Artifacts that an `ArtifactGenerator` puts together from parts of a tree.

use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobMatcher};
use kustomize::{Field, Files, PathEntry, join};

use super::applied_object::{ObjectKey, is_of, key_of};
use super::source_reference::SourceReference;

/// The API group of artifact generators.
const GROUP: &str = "source.extensions.fluxcd.io";

/// The files of an `ExternalArtifact`, each at its place in the artifact.
#[derive(Clone, Debug, Default)]
pub(super) struct ArtifactFiles {
    /// The path in the artifact, and the path in the tree that it is copied from.
    paths: BTreeMap<String, String>,
}

/// An artifact that a generator makes, and what it is made of.
#[derive(Clone, Debug)]
pub(super) struct ArtifactPlan {
    pub(super) key: ObjectKey,
    /// The sources by alias.
    sources: BTreeMap<String, SourceReference>,
    copies: Vec<ArtifactCopy>,
}

#[derive(Clone, Debug)]
struct ArtifactCopy {
    /// The alias of the source.
    alias: String,
    /// What is copied, in the source.
    from: String,
    /// `from` as a pattern, where it is one.
    pattern: Option<GlobMatcher>,
    /// Where it goes, in the artifact.
    to: String,
    excluded: Vec<GlobMatcher>,
}

impl ArtifactPlan {
    /// Reads the artifacts that an object makes, if it is a generator.
    pub(super) fn read(object: &Field) -> Vec<Self> {
        if !is_of(object, GROUP, "ArtifactGenerator") {
            return Vec::new();
        }
        let namespace = key_of(object).namespace;
        let list = |key| {
            let found = object.find(&["spec", key]);
            found.and_then(Field::items).unwrap_or_default()
        };
        let sources: BTreeMap<String, SourceReference> = list("sources")
            .iter()
            .filter_map(|source| {
                let alias = source.find_text(&["alias"])?.to_owned();
                Some((alias, SourceReference::read(source, &namespace)?))
            })
            .collect();
        let plan = |artifact: &Field| {
            let copies = artifact.get("copy").and_then(Field::items);
            Some(Self {
                key: ObjectKey::new(namespace.clone(), artifact.find_text(&["name"])?),
                sources: sources.clone(),
                copies: copies
                    .unwrap_or_default()
                    .iter()
                    .filter_map(ArtifactCopy::read)
                    .collect(),
            })
        };
        list("artifacts").iter().filter_map(plan).collect()
    }

    /// Lists the sources that the artifact is made of.
    pub(super) fn sources(&self) -> impl Iterator<Item = &SourceReference> {
        self.copies
            .iter()
            .filter_map(|copy| self.sources.get(&copy.alias))
    }

    /// Puts the artifact together from the paths of a tree that all its sources hold.
    pub(super) fn gather(&self, paths: &[&str]) -> ArtifactFiles {
        let mut files = ArtifactFiles::default();
        for copy in &self.copies {
            for path in paths {
                if let Some(target) = copy.target(path) {
                    files.paths.insert(target, (*path).to_owned());
                }
            }
        }
        files
    }
}

impl ArtifactCopy {
    fn read(copy: &Field) -> Option<Self> {
        let excluded = copy
            .get("exclude")
            .and_then(Field::items)
            .unwrap_or_default();
        let from = copy.find_text(&["from"])?.strip_prefix('@')?;
        let (alias, from) = from.split_once('/').unwrap_or((from, ""));
        let is_pattern = from.contains(['*', '?', '[']);
        Some(Self {
            alias: alias.to_owned(),
            from: from.to_owned(),
            pattern: is_pattern.then(|| glob(from)).flatten(),
            to: copy
                .find_text(&["to"])?
                .strip_prefix("@artifact")?
                .to_owned(),
            excluded: excluded
                .iter()
                .filter_map(|pattern| glob(pattern.as_text()?))
                .collect(),
        })
    }

    /// Returns where a file of the source goes in the artifact, if it goes there.
    ///
    /// A pattern copies what lies below its fixed part; a folder without a pattern is copied as itself, or into a target
    /// that ends in a slash.
    fn target(&self, path: &str) -> Option<String> {
        if self.excluded.iter().any(|pattern| pattern.is_match(path)) {
            return None;
        }
        let from = self.from.as_str();
        if let Some(pattern) = &self.pattern {
            let rest = path.strip_prefix(fixed_part(from))?;
            return pattern.is_match(path).then(|| join(&self.to, rest))?;
        }
        if path == from {
            let name = path.rsplit('/').next().unwrap_or(path);
            let target = if self.to.ends_with('/') { name } else { "" };
            return join(&self.to, target);
        }
        let folder = from.trim_end_matches('/');
        let rest = match folder {
            "" => path,
            folder => path.strip_prefix(folder)?.strip_prefix('/')?,
        };
        // `cp -r from to/` makes `to/from`, `cp -r from/. to/` does not.
        if self.to.ends_with('/') && !from.is_empty() && !from.ends_with('/') {
            let name = folder.rsplit('/').next().unwrap_or(folder);
            return join(&format!("{}{name}", self.to), rest);
        }
        join(&self.to, rest)
    }
}

/// Returns what of a pattern stands before the first step with a sign in it, with the slash.
fn fixed_part(pattern: &str) -> &str {
    let first = pattern.find(['*', '?', '[']).unwrap_or(pattern.len());
    &pattern[..pattern[..first].rfind('/').map_or(0, |slash| slash + 1)]
}

/// Compiles a pattern with `*`, `?` and `**`, in which only `**` goes over slashes; `None` where it is no pattern.
fn glob(pattern: &str) -> Option<GlobMatcher> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    Some(glob.ok()?.compile_matcher())
}

/// Lists the artifacts that an object makes, if it is an `ArtifactGenerator`.
pub fn made_artifacts(object: &Field) -> impl Iterator<Item = SourceReference> {
    let plans = ArtifactPlan::read(object).into_iter();
    plans.map(|plan| SourceReference {
        kind: "ExternalArtifact".to_owned(),
        key: plan.key,
    })
}

/// An artifact over the tree that it is copied from.
pub(super) struct ArtifactView<'f> {
    pub(super) tree: &'f dyn Files,
    pub(super) artifact: &'f ArtifactFiles,
}

impl Files for ArtifactView<'_> {
    fn entry(&self, path: &str) -> PathEntry {
        match self.artifact.paths.get(path) {
            Some(from) => self.tree.entry(from),
            None if path.is_empty() || self.below(path).next().is_some() => PathEntry::Folder,
            None => PathEntry::Missing,
        }
    }

    fn children(&self, folder: &str) -> Vec<(String, bool)> {
        let mut names: Vec<(String, bool)> = self
            .below(folder)
            .map(|rest| match rest.split_once('/') {
                Some((name, _)) => (name.to_owned(), true),
                None => (rest.to_owned(), false),
            })
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

impl ArtifactView<'_> {
    fn below(&self, folder: &str) -> impl Iterator<Item = &str> {
        let prefix = match folder {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        self.artifact
            .paths
            .range(prefix.clone()..)
            .map_while(move |(path, _)| path.strip_prefix(&prefix))
    }
}

//! A tree that Flux was followed through, with what is left to look at besides its objects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kustomize::SourceFile;

use super::applied_objects::AppliedObjects;
use super::follow::{FollowOptions, follow};
use super::tree_files::TreeFiles;
use crate::tree::is_yaml_path;

/// What Flux applies of a tree, without the files that it was read from.
#[derive(Clone, Debug, Default)]
pub struct FollowedTree {
    /// The folder that rendered files are in; empty for the root of the tree.
    pub output: String,
    /// What Flux applies.
    pub applied: AppliedObjects,
    /// The YAML files that are not rendered, by path.
    pub kept: BTreeMap<String, Arc<SourceFile>>,
    /// The files that some build reads.
    pub read: BTreeSet<String>,
    /// The files among both that hold ciphertext.
    pub sealed: BTreeSet<String>,
}

impl FollowedTree {
    /// Follows Flux through the files of a tree.
    pub fn of(files: &TreeFiles<'_>, options: &FollowOptions<'_>) -> Self {
        let applied = follow(files, options);
        let builds = applied.builds.iter();
        let read: BTreeSet<String> = builds.flat_map(|build| build.files.clone()).collect();
        let rendered: BTreeSet<&str> = files.rendered().map(|(path, _)| path).collect();
        let kept: BTreeMap<String, Arc<SourceFile>> = files
            .paths()
            .filter(|path| is_yaml_path(path) && !rendered.contains(path))
            .filter_map(|path| Some((path.to_owned(), Arc::clone(files.file(path)?))))
            .collect();
        let looked_at = kept.keys().chain(&read);
        let sealed = looked_at
            .filter(|path| files.file(path).is_some_and(|file| is_sealed(file)))
            .cloned()
            .collect();
        Self {
            output: files.path_of_output("").trim_end_matches('/').to_owned(),
            applied,
            kept,
            read,
            sealed,
        }
    }
}

fn is_sealed(file: &SourceFile) -> bool {
    file.text()
        .is_ok_and(|text| text.contains("ENC[AES256_GCM,"))
}

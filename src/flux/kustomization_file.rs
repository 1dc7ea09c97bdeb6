//! A `kustomization.yaml` and the files it names.

use std::collections::BTreeMap;

use kustomize::{Field, KUSTOMIZATION_FILES, PathRole, join, named_paths};

use super::finding::place_in;
use super::tree_files::TreeFiles;
use crate::source::Place;
use crate::tree::File;
use crate::tree::output_path::split;

/// A path that a kustomization names.
#[derive(Clone, Debug)]
pub struct Reference {
    /// What for.
    pub role: PathRole,
    /// The path as written, without the key of a generator's input.
    pub written: String,
    /// The path in the tree; `None` when it leads out of it or to another machine.
    pub path: Option<String>,
    /// Where it is written.
    pub place: Place,
}

/// A `kustomization.yaml` of kustomize, not to be taken for Flux's objects of that kind.
#[derive(Clone, Debug)]
pub struct Kustomization<'t> {
    /// The folder it builds, without a final slash.
    pub folder: &'t str,
    /// The file.
    pub file: &'t File,
    /// Whether it is a component, which is only ever built as part of a kustomization.
    pub component: bool,
    /// The namespace it gives to everything it builds.
    pub namespace: Option<String>,
    /// What it names, field by field.
    pub references: Vec<Reference>,
}

impl<'t> Kustomization<'t> {
    /// Finds the kustomizations among the files of a tree, by folder.
    pub fn all(files: &'t TreeFiles<'t>) -> BTreeMap<&'t str, Self> {
        files
            .paths()
            .filter_map(|path| Self::read(files, path))
            .map(|found| (found.folder, found))
            .collect()
    }

    fn read(files: &'t TreeFiles<'t>, path: &'t str) -> Option<Self> {
        let (folder, name) = split(path);
        if !KUSTOMIZATION_FILES.contains(&name) {
            return None;
        }
        let file = files.file(path)?;
        let root = &file.documents().ok()?.first()?.root;
        let field = Field::of_node(root, file, 0);
        let references = named_paths(&field).into_iter().filter_map(|named| {
            let is_elsewhere = named.is_remote || named.path.starts_with('/');
            Some(Reference {
                role: named.role,
                path: join(folder, &named.path).filter(|_| !is_elsewhere),
                written: named.path,
                place: place_in(&[files], &named.place)?,
            })
        });
        let namespace = field.find_text(&["namespace"]);
        Some(Self {
            folder,
            file: files.output(path)?,
            component: field.find_text(&["kind"]) == Some("Component"),
            namespace: namespace.filter(|name| !name.is_empty()).map(str::to_owned),
            references: references.collect(),
        })
    }

    /// Returns the object that the file holds.
    pub fn root(&self) -> Option<&'t crate::yaml::Node> {
        self.file.documents.first().map(|document| &document.root)
    }
}

//! A `kustomization.yaml` and the files it names.

use std::collections::BTreeMap;

use crate::source::Place;
use crate::yaml::Node;

use super::File;

/// The names under which kustomize looks for its file in a folder.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// What a kustomization uses a file for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// `resources` (and the old `bases`): a file of objects, or a folder with a kustomization.
    Resource,
    /// `components`: a folder with a component.
    Component,
    /// A patch, generator input, configuration or anything else that must be there.
    Input,
}

/// A path that a kustomization names.
#[derive(Clone, Debug)]
pub struct Reference<'t> {
    /// What for.
    pub used_as: Use,
    /// The field it stands in: `resources`, `patches`.
    pub field: &'static str,
    /// The path as written.
    pub written: &'t str,
    /// The path below the output folder; `None` when it leads out of it or to another machine.
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
    /// The namespace it gives to everything it builds, and where that is said.
    pub namespace: Option<(&'t str, Place)>,
    /// What it names, in the order written.
    pub references: Vec<Reference<'t>>,
}

impl<'t> Kustomization<'t> {
    /// Finds the kustomizations among files, by folder.
    pub fn all(files: impl Iterator<Item = &'t File>) -> BTreeMap<&'t str, Self> {
        files
            .filter_map(Self::read)
            .map(|found| (found.folder, found))
            .collect()
    }

    fn read(file: &'t File) -> Option<Self> {
        let (folder, name) = split(&file.path);
        if !is_kustomization_name(name) {
            return None;
        }
        let root = &file.documents.first()?.root;
        let namespace = root
            .get("namespace")
            .and_then(|node| Some((node.text()?, Place::new(&file.source, node.span))))
            .filter(|(name, _)| !name.is_empty());
        Some(Self {
            folder,
            file,
            component: root.find_text("kind") == Some("Component"),
            namespace,
            references: References { file, folder }.read(root),
        })
    }
}

/// Returns whether kustomize takes a file of this name for its own.
pub fn is_kustomization_name(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Returns folder and name of a path.
pub fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// Resolves `.` and `..` of a path that is relative to a folder; `None` when it leads out of the tree.
pub fn join(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Reads the fields of a kustomization that name files.
struct References<'t> {
    file: &'t File,
    folder: &'t str,
}

impl<'t> References<'t> {
    fn read(&self, root: &'t Node) -> Vec<Reference<'t>> {
        let mut found = Vec::new();
        for (field, used_as) in [
            ("resources", Use::Resource),
            ("bases", Use::Resource),
            ("components", Use::Component),
            ("crds", Use::Input),
            ("configurations", Use::Input),
            ("generators", Use::Input),
            ("transformers", Use::Input),
            ("validators", Use::Input),
            ("patchesStrategicMerge", Use::Input),
        ] {
            for item in items(root, field) {
                found.extend(self.reference(used_as, field, item));
            }
        }
        for field in ["patches", "patchesJson6902", "replacements"] {
            for item in items(root, field) {
                found.extend(
                    item.get("path")
                        .and_then(|path| self.reference(Use::Input, field, path)),
                );
            }
        }
        for field in ["configMapGenerator", "secretGenerator"] {
            for item in items(root, field) {
                for list in ["files", "envs"] {
                    for path in items(item, list) {
                        found.extend(self.reference(Use::Input, field, path));
                    }
                }
            }
        }
        found
    }

    fn reference(
        &self,
        used_as: Use,
        field: &'static str,
        node: &'t Node,
    ) -> Option<Reference<'t>> {
        let written = node.text()?;
        // Inline patches and generators, and `key=path` of generated files.
        if written.is_empty() || written.contains('\n') {
            return None;
        }
        let path = match field {
            "configMapGenerator" | "secretGenerator" => {
                written.split_once('=').map_or(written, |(_, path)| path)
            }
            _ => written,
        };
        Some(Reference {
            used_as,
            field,
            written,
            path: if is_remote(path) {
                None
            } else {
                join(self.folder, path)
            },
            place: Place::new(&self.file.source, node.span),
        })
    }
}

fn items<'t>(node: &'t Node, key: &str) -> &'t [Node] {
    node.get(key).and_then(Node::items).unwrap_or_default()
}

/// Returns whether kustomize would fetch this from elsewhere.
fn is_remote(path: &str) -> bool {
    path.contains("://")
        || path.contains('?')
        || path.starts_with("git@")
        || path.starts_with("github.com/")
}

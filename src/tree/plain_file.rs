//! Files that others read as they stand in the repository, so that they cannot be sealed.

use super::File;
use super::object::Object;
use super::output_path::split;
use super::secret_manifest::with_items;

/// Files that a program finds by their name, and reads before anything could decrypt them.
const NAMES: [(&str, &str); 5] = [
    ("talconfig.yaml", "talhelper"),
    ("talconfig.yml", "talhelper"),
    ("helmfile.yaml", "helmfile"),
    ("Taskfile.yaml", "Task"),
    ("Taskfile.yml", "Task"),
];

impl File {
    /// Returns the program that reads the file in plain text: a kustomization, an object of Flux, a
    /// namespace, a custom resource definition, or a program's own file.
    ///
    /// A file whose name says that it is to be encrypted has no such reader.
    pub fn plain_reader(&self) -> Option<&'static str> {
        if super::is_secret_path(&self.path) {
            return None;
        }
        let (_, name) = split(&self.path);
        if kustomize::KUSTOMIZATION_FILES.contains(&name) {
            return Some("Kustomize");
        }
        if self.path.starts_with(".github/") {
            return Some("GitHub");
        }
        let named = NAMES.iter().find(|(known, _)| *known == name);
        named
            .map(|(_, program)| *program)
            .or_else(|| Object::of(self).find_map(reader))
    }
}

fn reader(object: Object<'_>) -> Option<&'static str> {
    with_items(object.root).into_iter().find_map(|(_, node)| {
        let item = Object {
            root: node,
            ..object
        };
        let group = item.group();
        if group.ends_with("toolkit.fluxcd.io") || group == "fluxcd.controlplane.io" {
            return Some("Flux");
        }
        let plain =
            item.is("", "Namespace") || item.is("apiextensions.k8s.io", "CustomResourceDefinition");
        plain.then_some("Kubernetes")
    })
}

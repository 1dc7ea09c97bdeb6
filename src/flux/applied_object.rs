//! Objects as Flux hands them to the API server.

use std::collections::BTreeSet;
use std::sync::Arc;

use kustomize::{Field, Place};

/// Namespace and name of a Flux object.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey {
    /// The namespace; empty where none is said.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl ObjectKey {
    /// Names an object.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl std::fmt::Display for ObjectKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.namespace.is_empty() {
            write!(formatter, "{}/", self.namespace)?;
        }
        formatter.write_str(&self.name)
    }
}

/// What makes Flux build a folder.
#[derive(Clone, Debug)]
pub enum BuildStart {
    /// The sync of a `FluxInstance`, of `flux bootstrap`, or a root that the user names.
    Sync,
    /// A Flux Kustomization, as it is applied.
    Kustomization(Arc<Field>),
    /// Nothing: the folder has a kustomization that no root reaches.
    Unreached,
}

/// One folder that is built, and what comes of it.
#[derive(Clone, Debug)]
pub struct KustomizationBuild {
    /// What starts it.
    pub start: BuildStart,
    /// The name of the Flux Kustomization; of a sync, the name that the `FluxInstance` gives to its own; empty where
    /// nothing starts it.
    pub owner: ObjectKey,
    /// The folder, in the tree that its source holds; empty for its root.
    pub folder: String,
    /// The root that it belongs to, as an index of [`super::AppliedObjects::roots`]; `None` where no root reaches it.
    pub root: Option<usize>,
    /// The build that applies its Kustomization.
    pub parent: Option<usize>,
    /// Whether Flux leaves it alone at the moment, because it or one above it is suspended.
    pub suspended: bool,
    /// Whether its objects go to another cluster (`spec.kubeConfig`).
    pub elsewhere: bool,
    /// The files that it reads.
    pub files: BTreeSet<String>,
    /// Whether it is refused, so that it has no objects.
    pub refused: bool,
    /// Whether Flux passes over a part of its kustomization, so that it may have fewer objects than are meant.
    pub is_partial: bool,
}

impl KustomizationBuild {
    /// Returns whether Flux gets here from one of its roots.
    pub fn is_reached(&self) -> bool {
        self.root.is_some()
    }

    /// Returns the Flux Kustomization that starts it.
    pub fn kustomization(&self) -> Option<&Field> {
        match &self.start {
            BuildStart::Kustomization(object) => Some(object),
            BuildStart::Sync | BuildStart::Unreached => None,
        }
    }

    /// Returns whether Flux removes what the build no longer has.
    pub fn prunes(&self) -> bool {
        match &self.start {
            BuildStart::Sync => true,
            BuildStart::Kustomization(object) => {
                object.find_text(&["spec", "prune"]) == Some("true")
            }
            BuildStart::Unreached => false,
        }
    }
}

/// An object as Flux hands it to the API server; sealed values stay ciphertext, and values that are not seen stay
/// variables.
#[derive(Clone, Debug)]
pub struct AppliedObject {
    /// The object; each field knows where it comes from.
    pub field: Arc<Field>,
    /// The folders of the kustomizations that brought it, from that of the build to the one that lists its file.
    pub way: Arc<[String]>,
    /// The build that has it, as an index of [`super::AppliedObjects::builds`].
    pub build: usize,
}

impl AppliedObject {
    /// Returns the place where the object is written, or that of its generator.
    pub fn place(&self) -> &Place {
        self.field.place()
    }

    /// Returns the kind.
    pub fn kind(&self) -> &str {
        self.field.find_text(&["kind"]).unwrap_or_default()
    }

    /// Returns the API group; empty for the core group.
    pub fn group(&self) -> &str {
        group_of(&self.field)
    }

    /// Returns whether this is of a group and kind, in any version.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.kind() == kind && self.group() == group
    }

    /// Returns namespace and name.
    pub fn key(&self) -> ObjectKey {
        key_of(&self.field)
    }

    /// Returns the name without the hash of its content, if a generator put one at the end.
    pub fn name_without_hash(&self) -> Option<&str> {
        super::generated_name::name_without_hash(&self.field)
    }
}

/// Returns the API group of an object; empty for the core group.
pub(super) fn group_of(object: &Field) -> &str {
    let version = object.find_text(&["apiVersion"]).unwrap_or_default();
    version.split_once('/').map_or("", |(group, _)| group)
}

/// Returns whether an object is of a group and kind, in any version.
pub(super) fn is_of(object: &Field, group: &str, kind: &str) -> bool {
    object.find_text(&["kind"]) == Some(kind) && group_of(object) == group
}

/// Returns namespace and name of an object.
pub(super) fn key_of(object: &Field) -> ObjectKey {
    let text = |key| object.find_text(&["metadata", key]).unwrap_or_default();
    ObjectKey::new(text("namespace"), text("name"))
}

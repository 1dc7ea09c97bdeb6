//! The source that a Flux object takes its files from.

use kustomize::Field;

use super::applied_object::{ObjectKey, key_of};

/// Kind, namespace and name of a source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceReference {
    /// The kind: `GitRepository`, `OCIRepository`, `Bucket`, `ExternalArtifact`.
    pub kind: String,
    /// Namespace and name.
    pub key: ObjectKey,
}

impl SourceReference {
    /// Reads `spec.sourceRef` of a Flux object; the namespace is that of the object where none is said.
    pub fn of(object: &Field) -> Option<Self> {
        Self::read(
            object.find(&["spec", "sourceRef"])?,
            &key_of(object).namespace,
        )
    }

    /// Reads a reference that stands in an object of a namespace.
    pub fn read(reference: &Field, namespace: &str) -> Option<Self> {
        let named = reference.find_text(&["namespace"]);
        Some(Self {
            kind: reference.find_text(&["kind"])?.to_owned(),
            key: ObjectKey::new(
                named.filter(|name| !name.is_empty()).unwrap_or(namespace),
                reference.find_text(&["name"])?,
            ),
        })
    }

    /// Reads `KIND/NAMESPACE/NAME`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let (kind, namespace, name) = (parts.next()?, parts.next()?, parts.next()?);
        let whole = parts.next().is_none() && ![kind, namespace, name].contains(&"");
        whole.then(|| Self {
            kind: kind.to_owned(),
            key: ObjectKey::new(namespace, name),
        })
    }
}

impl std::fmt::Display for SourceReference {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.kind, self.key)
    }
}

//! Objects on their way through a build.

use std::sync::Arc;

use super::field::Field;
use super::place::Place;
use super::provenance::Provenance;
use super::scope::is_cluster_scoped;
use super::shared::SharedField;

/// What makes an object the same one: group, version, kind, name and namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId {
    /// The API group; empty for the core group.
    pub group: String,
    /// The version of the API.
    pub version: String,
    /// The kind.
    pub kind: String,
    /// The name.
    pub name: String,
    /// The namespace; empty where none is said.
    pub namespace: String,
}

/// What a generator does where an object of its name is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GeneratorBehavior {
    /// The object is no generator's, or the generator says nothing: another one of its name is an error.
    #[default]
    Unspecified,
    /// Another object of its name is an error.
    Create,
    /// The object takes the place of the other.
    Replace,
    /// The data of both are merged.
    Merge,
}

/// An object in a build, and what kustomize remembers of its way.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The object as it stands now.
    pub root: Field,
    /// The folders of the kustomizations that brought it, the one that is built first; empty for what no list names.
    pub way: Arc<[String]>,
    /// The ids it had, oldest first: one for each change of name, namespace or kind.
    pub(crate) former: Vec<ResourceId>,
    /// The prefixes it got, in order.
    pub(crate) prefixes: Vec<String>,
    /// The suffixes it got, in order; the hash is none.
    pub(crate) suffixes: Vec<String>,
    /// The scalars in it that are one and the same to kustomize.
    pub(crate) shared: Vec<SharedField>,
    /// Whether its name gets a hash of its content at the end.
    pub(crate) needs_hash: bool,
    /// What its generator does where an object of its name is there.
    pub(crate) behavior: GeneratorBehavior,
    /// The names of the `vars` that take their value from it.
    pub(crate) variables: Vec<String>,
    /// What `buildMetadata` says about it.
    pub(crate) provenance: Provenance,
}

impl ResourceId {
    /// Returns the id by which kustomize compares: the empty namespace is `default`, and a kind that is certainly not
    /// namespaced has none.
    #[must_use]
    pub(crate) fn effective(mut self) -> Self {
        if is_cluster_scoped(&self.group, &self.version, &self.kind) {
            self.namespace.clear();
        } else if self.namespace.is_empty() {
            "default".clone_into(&mut self.namespace);
        }
        self
    }

    /// Returns kind, namespace and name, as messages show an object.
    pub(crate) fn shown(&self) -> String {
        let Self {
            kind,
            namespace,
            name,
            ..
        } = self;
        if namespace.is_empty() {
            format!("`{kind}/{name}`")
        } else {
            format!("`{kind}/{namespace}/{name}`")
        }
    }
}

impl Resource {
    /// Takes an object as it was written.
    pub fn new(root: Field) -> Self {
        Self {
            root,
            way: Arc::default(),
            former: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            shared: Vec::new(),
            needs_hash: false,
            behavior: GeneratorBehavior::Unspecified,
            variables: Vec::new(),
            provenance: Provenance::default(),
        }
    }

    /// Returns the place where the object was written.
    pub fn place(&self) -> &Place {
        self.root.place()
    }

    /// Returns the API group; empty for the core group.
    pub fn group(&self) -> &str {
        let version = self.root.find_text(&["apiVersion"]).unwrap_or_default();
        version.split_once('/').map_or("", |(group, _)| group)
    }

    /// Returns the version of the API.
    pub fn version(&self) -> &str {
        let version = self.root.find_text(&["apiVersion"]).unwrap_or_default();
        version
            .split_once('/')
            .map_or(version, |(_, version)| version)
    }

    /// Returns the kind.
    pub fn kind(&self) -> &str {
        self.root.find_text(&["kind"]).unwrap_or_default()
    }

    /// Returns the name; empty where there is none.
    pub fn name(&self) -> &str {
        self.root
            .find_text(&["metadata", "name"])
            .unwrap_or_default()
    }

    /// Returns the namespace as it is written; empty where there is none.
    pub fn namespace(&self) -> &str {
        self.root
            .find_text(&["metadata", "namespace"])
            .unwrap_or_default()
    }

    /// Returns the id as it is now.
    pub fn id(&self) -> ResourceId {
        ResourceId {
            group: self.group().to_owned(),
            version: self.version().to_owned(),
            kind: self.kind().to_owned(),
            name: self.name().to_owned(),
            namespace: self.namespace().to_owned(),
        }
    }

    /// Returns the ids it has and had, by which a generator or patch may find it: the current one first.
    pub(crate) fn any_ids(&self) -> Vec<ResourceId> {
        let mut ids = vec![self.id().effective()];
        for former in &self.former {
            // kustomize remembers no apiVersion.
            let id = ResourceId {
                group: self.group().to_owned(),
                version: self.version().to_owned(),
                ..former.clone()
            };
            let id = id.effective();
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }

    /// Returns the place of its name, to underline for the object as a whole.
    pub(crate) fn name_place(&self) -> &Place {
        let name = self.root.find(&["metadata", "name"]);
        name.map_or_else(|| self.place(), Field::place)
    }

    /// Adds the id as it is now to the former ones, before a name, namespace or kind is changed.
    pub(crate) fn remember_id(&mut self) {
        self.former.push(self.id().effective());
    }

    /// Returns the id that it was written with.
    pub fn original_id(&self) -> ResourceId {
        self.former.first().cloned().unwrap_or_else(|| self.id())
    }
}

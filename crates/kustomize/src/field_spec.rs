//! Field specs: which fields of which kinds a transformer is for.

mod conflict;
mod path;
mod visit;

use path::split_path;
pub(crate) use visit::{CreatedField, CreatedKind, FieldMismatch, rewrite_scalar};

use super::place::Place;
use super::resource::Resource;

/// A choice of kinds; an empty text stands for any.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KindSelector {
    /// The API group.
    pub(crate) group: String,
    /// The version of the API.
    pub(crate) version: String,
    /// The kind.
    pub(crate) kind: String,
}

impl KindSelector {
    /// Makes a choice; an empty text stands for any.
    pub(crate) fn new(group: &str, version: &str, kind: &str) -> Self {
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
        }
    }

    /// Returns whether a kind is among the chosen ones.
    pub(crate) fn selects(&self, group: &str, version: &str, kind: &str) -> bool {
        let fits = |wanted: &str, given: &str| wanted.is_empty() || wanted == given;
        fits(&self.group, group) && fits(&self.version, version) && fits(&self.kind, kind)
    }

    /// Returns whether the object is of a chosen kind as it stands now.
    pub(crate) fn selects_resource(&self, resource: &Resource) -> bool {
        self.selects(resource.group(), resource.version(), resource.kind())
    }

    /// Returns whether the object was of a chosen kind when it was written.
    pub(crate) fn selects_original(&self, resource: &Resource) -> bool {
        self.selects(
            resource.group(),
            resource.version(),
            original_kind(resource),
        )
    }
}

/// Returns the kind that an object was written with; its group and version are those of now, as kustomize has it.
pub(crate) fn original_kind(resource: &Resource) -> &str {
    match resource.former.first() {
        Some(former) => &former.kind,
        None => resource.kind(),
    }
}

/// Fields that a transformer is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldSpec {
    /// The kinds of the objects.
    pub(crate) selector: KindSelector,
    /// The path as it is written: keys with `/` between them, `\/` for a slash in a key, `[]` after a list.
    pub(crate) path: String,
    /// Whether the field is made where there is none.
    pub(crate) create: bool,
    /// Where it is written; `None` for one that is built in.
    pub(crate) place: Option<Place>,
    steps: Vec<String>,
}

impl FieldSpec {
    /// Makes a field spec that is built in.
    pub(crate) fn built_in(selector: KindSelector, path: impl Into<String>, create: bool) -> Self {
        Self::new(selector, path.into(), create, None)
    }

    /// Makes a field spec that is written somewhere.
    pub(crate) fn new(
        selector: KindSelector,
        path: String,
        create: bool,
        place: Option<Place>,
    ) -> Self {
        let steps = split_path(&path);
        Self {
            selector,
            path,
            create,
            place,
            steps,
        }
    }
}

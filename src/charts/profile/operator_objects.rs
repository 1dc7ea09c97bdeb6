//! What operators make of custom resources besides pods, and what they read for them.
//!
//! It is the second list of the table of custom resources: `objects`.

use kustomize::Field;

use super::custom_resource::{FieldCondition, covers};
use crate::yaml::decode::Table;

/// The kinds of what operators read.
pub const READ_KINDS: [&str; 3] = ["ConfigMap", "Secret", "PersistentVolumeClaim"];

/// What an operator makes of custom resources of some kinds, and what it reads for them.
#[derive(Clone, Debug)]
pub struct OperatorObjects {
    /// The API groups; `*.example.com` is every group below `example.com`.
    pub groups: Vec<String>,
    /// The kinds; `*` is every kind.
    pub kinds: Vec<String>,
    /// The resources that it is about, where it is not about all of the kinds.
    pub when: Option<FieldCondition>,
    /// All that pods and routes can refer to of what it makes; `None` where it is not known.
    pub makes: Option<Vec<MadeObject>>,
    /// What it reads.
    pub reads: Vec<ReadObject>,
    /// The routes of fields that are the spec of a pod.
    pub specs: Vec<String>,
    /// Where that is known from.
    pub source: String,
}

/// Objects that an operator makes.
#[derive(Clone, Debug)]
pub struct MadeObject {
    /// The kind.
    pub kind: String,
    /// Patterns of the names, with `{}` for that of the resource.
    pub names: Vec<String>,
    /// The route of the field that names it.
    pub field: Option<String>,
    /// Whether they may be in any namespace.
    pub is_anywhere: bool,
}

/// Objects that a custom resource names and that somebody else makes.
#[derive(Clone, Debug)]
pub struct ReadObject {
    /// The kind.
    pub kind: String,
    /// The routes of the fields that name one: a text, or a mapping of `name` and perhaps `key` and `namespace`.
    /// `[]` behind a key is every item.
    pub fields: Vec<String>,
    /// Whether people make it by hand before Flux runs, such as the key of a secret store.
    pub is_bootstrapped: bool,
    /// The names of the operator's charts: for a resource without a namespace it reads in that of its release.
    pub operator: Vec<String>,
}

impl OperatorObjects {
    /// Returns whether it is about a resource.
    pub(super) fn is_about(&self, group: &str, kind: &str, resource: &Field) -> bool {
        let holds = |when: &FieldCondition| when.holds_for(resource);
        covers(&self.groups, &self.kinds, group, kind) && self.when.as_ref().is_none_or(holds)
    }
}

impl MadeObject {
    /// Returns whether nothing says how they are called: any that the resource names.
    pub fn is_open(&self) -> bool {
        self.names.is_empty() && self.field.is_none()
    }
}

impl ReadObject {
    /// Lists the fields of a resource that name an object.
    pub fn named_in<'f>(&self, resource: &'f Field) -> Vec<&'f Field> {
        let routes = self.fields.iter();
        routes
            .flat_map(|route| fields_at(resource, route))
            .collect()
    }
}

/// Lists the fields at a dotted route, in which `[]` behind a key is every item.
fn fields_at<'f>(resource: &'f Field, route: &str) -> Vec<&'f Field> {
    let mut found = vec![resource];
    for step in route.split('.') {
        let key = step.trim_end_matches("[]");
        let inner = found.iter().filter_map(|field| field.get(key));
        found = if step.ends_with("[]") {
            inner.filter_map(Field::items).flatten().collect()
        } else {
            inner.collect()
        };
    }
    found
}

impl OperatorObjects {
    pub(super) fn decode(table: &mut Table<'_>) -> Self {
        table.require(&["groups", "kinds", "source"]);
        Self {
            groups: table.texts("groups"),
            kinds: table.texts("kinds"),
            when: table.table("when", FieldCondition::decode),
            makes: table
                .get("makes")
                .map(|_| table.tables("makes", MadeObject::decode)),
            reads: table.tables("reads", ReadObject::decode),
            specs: table.texts("specs"),
            source: table.text("source").unwrap_or_default(),
        }
    }
}

impl MadeObject {
    fn decode(table: &mut Table<'_>) -> Self {
        table.require(&["kind"]);
        Self {
            kind: table.text("kind").unwrap_or_default(),
            names: table.texts("names"),
            field: table.text("field"),
            is_anywhere: table.flag("anywhere"),
        }
    }
}

impl ReadObject {
    fn decode(table: &mut Table<'_>) -> Self {
        table.require(&["kind", "fields"]);
        let kind = table.word("kind", &READ_KINDS);
        Self {
            kind: kind.map(|(kind, _)| kind).unwrap_or_default(),
            fields: table.texts("fields"),
            is_bootstrapped: table.flag("bootstrapped"),
            operator: table.texts("operator"),
        }
    }
}

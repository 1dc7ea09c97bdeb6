//! Custom resources: whether their operators make pods of them, and what those need.
//!
//! The table is `schemas/custom-resources.yaml`, and a project's own `charts/custom-resources.yaml` comes before it. A
//! kind that neither names is not known: nobody can tell what its operator makes.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use kustomize::Field;
use serde_json::Value;

use super::operator_objects::OperatorObjects;
use super::read::{decoded, level as level_field, single_document};
use crate::charts::values::coalesce;
use crate::diagnostic::Diagnostic;
use crate::flux::builds::{Member, field_at};
use crate::pod_security::{Level, Version, evaluate, level};
use crate::source::Source;
use crate::yaml::decode::Table;
use crate::yaml::{Node, Route, Step, unpack};

/// What stands for the whole spec of a pod.
const WHOLE: &str = ".";

/// What messages call a table.
const TABLE: &str = "a table of custom resources";

/// The name of a table among profiles.
const FILE: &str = "custom-resources.yaml";

/// What an app says besides: the images of the pods, which are listed where templates are rendered.
const IMAGES: &str = "images";

/// What operators make of custom resources of some kinds.
#[derive(Clone, Debug)]
pub struct CustomResourceKind {
    /// The API groups; `*.example.com` is every group below `example.com`.
    pub groups: Vec<String>,
    /// The kinds; `*` is every kind.
    pub kinds: Vec<String>,
    /// The resources that it is about, where it is not about all of the kinds.
    pub when: Option<FieldCondition>,
    /// The pods that the operator makes of one.
    pub pods: OperandPods,
    /// Where they run.
    pub place: OperandPlace,
    /// Where that is known from.
    pub source: String,
}

/// A field that a resource has, with one of some values.
#[derive(Clone, Debug)]
pub struct FieldCondition {
    /// The route of the field.
    pub field: String,
    /// The values; empty for any.
    pub is: Vec<String>,
}

/// Where the pods of a custom resource run.
#[derive(Clone, Debug)]
pub enum OperandPlace {
    /// In the namespace of the resource.
    Beside,
    /// In the namespaces of the releases of these charts; in that of the resource where there are none.
    BesideOperator(Vec<String>),
    /// In these namespaces.
    In(Vec<String>),
    /// In any namespace of the cluster.
    Anywhere,
}

/// The pods that an operator makes of a custom resource.
#[derive(Clone, Debug)]
pub enum OperandPods {
    /// None.
    Nothing,
    /// Some, of which no more is known.
    Some,
    /// Some, all of which satisfy a level whatever the resource says.
    Level(Level),
    /// Some like this one.
    Like {
        /// The spec of the pod.
        pod: Value,
        /// Which field of the resource is laid over which of the spec.
        paths: BTreeMap<String, String>,
        /// The best level that they count as, whatever the spec says.
        at_most: Level,
    },
}

impl CustomResourceKind {
    pub(super) fn covers(&self, group: &str, kind: &str) -> bool {
        covers(&self.groups, &self.kinds, group, kind)
    }

    /// Returns whether it is about a resource of its kinds.
    pub fn holds_for(&self, resource: &Field) -> bool {
        let when = self.when.as_ref();
        when.is_none_or(|when| when.holds_for(resource))
    }

    /// Returns the level that the pods of a resource satisfy; `None` where nobody can tell.
    pub fn level_of(&self, resource: &Member<'_>, version: Version) -> Option<Level> {
        match &self.pods {
            OperandPods::Nothing => Some(Level::Restricted),
            OperandPods::Some => None,
            OperandPods::Level(level) => Some(*level),
            OperandPods::Like {
                pod,
                paths,
                at_most,
            } => {
                let mut spec = pod.clone();
                for (field, path) in paths {
                    let written = resource.at(&Route::parse(path)).map(Field::to_json);
                    let Some(written) = written.filter(|value| !value.is_null()) else {
                        continue;
                    };
                    if written.to_string().contains("${") {
                        return None;
                    }
                    let route = match field.as_str() {
                        WHOLE => Route::default(),
                        field => Route::parse(field),
                    };
                    lay(&mut spec, &route.0, &written);
                }
                let pod = Value::from_iter([("spec", spec)]);
                Some(level(&evaluate(&pod, version)).min(*at_most))
            }
        }
    }
}

impl FieldCondition {
    pub(super) fn holds_for(&self, resource: &Field) -> bool {
        let field = field_at(resource, &Route::parse(&self.field));
        let field = field.filter(|field| !field.is_null());
        field.is_some_and(|field| {
            let text = field.as_text().unwrap_or_default();
            self.is.is_empty() || self.is.iter().any(|wanted| wanted == text)
        })
    }
}

/// Returns whether a group and kind are among some groups and kinds, as the table writes them.
pub(super) fn covers(groups: &[String], kinds: &[String], group: &str, kind: &str) -> bool {
    let mut groups = groups.iter();
    let is_group = groups.any(|own| match own.strip_prefix('*') {
        Some(end) => group.ends_with(end),
        None => own == group,
    });
    is_group && kinds.iter().any(|known| known == "*" || known == kind)
}

/// Lays a value over what stands at a route, with mappings on the way that are not there.
fn lay(below: &mut Value, route: &[Step], above: &Value) {
    match route {
        [] => *below = coalesce(below, above),
        [Step::Key(key), rest @ ..] => {
            if below.is_null() {
                *below = Value::Object(serde_json::Map::new());
            }
            if let Some(map) = below.as_object_mut() {
                lay(map.entry(key).or_insert(Value::Null), rest, above);
            }
        }
        [Step::Index(index), rest @ ..] => {
            if let Some(item) = below.get_mut(*index) {
                lay(item, rest, above);
            }
        }
    }
}

/// Returns whether a file among profiles is a table of custom resources.
pub(super) fn is_table(path: &str) -> bool {
    path == FILE || path.ends_with("/custom-resources.yaml")
}

/// What is known of custom resources.
#[derive(Debug, Default)]
pub(super) struct CustomResourceTable {
    /// Which make pods.
    pub(super) kinds: Vec<CustomResourceKind>,
    /// What else operators make of them, and what they read.
    pub(super) objects: Vec<OperatorObjects>,
}

/// Returns the table that comes with Kiln.
pub(super) fn built_in() -> &'static CustomResourceTable {
    static TABLE: LazyLock<CustomResourceTable> = LazyLock::new(|| {
        let packed = include_bytes!(concat!(env!("OUT_DIR"), "/schemas-custom-resources.packed"));
        let source = Source::new("schemas/custom-resources.yaml", "");
        let root = unpack(packed);
        let read = root.map(|root| entries(&source, &root));
        read.and_then(Result::ok)
            .expect("a test reads the table of custom resources")
    });
    &TABLE
}

/// Reads a table.
pub(super) fn table(source: &Arc<Source>) -> Result<CustomResourceTable, Vec<Diagnostic>> {
    entries(source, &single_document(source, TABLE)?)
}

/// Reads an entry of `[[operator_pods]]` in the manifest of an app.
pub(super) fn of_app(
    source: &Arc<Source>,
    entry: &Node,
) -> Result<CustomResourceKind, Vec<Diagnostic>> {
    decoded(source, "`[[operator_pods]]`", entry, |table| {
        table.get(IMAGES);
        CustomResourceKind::decode(table)
    })
}

fn entries(source: &Arc<Source>, root: &Node) -> Result<CustomResourceTable, Vec<Diagnostic>> {
    decoded(source, TABLE, root, |table| CustomResourceTable {
        kinds: table.tables("resources", CustomResourceKind::decode),
        objects: table.tables("objects", OperatorObjects::decode),
    })
}

impl CustomResourceKind {
    fn decode(table: &mut Table<'_>) -> Self {
        table.require(&["groups", "kinds", "pods", "source"]);
        Self {
            groups: table.texts("groups"),
            kinds: table.texts("kinds"),
            when: table.table("when", FieldCondition::decode),
            pods: OperandPods::decode(table),
            place: OperandPlace::decode(table),
            source: table.text("source").unwrap_or_default(),
        }
    }
}

impl FieldCondition {
    pub(super) fn decode(table: &mut Table<'_>) -> Self {
        table.require(&["field"]);
        Self {
            field: table.text("field").unwrap_or_default(),
            is: table.scalars("is"),
        }
    }
}

impl OperandPlace {
    fn decode(table: &mut Table<'_>) -> Self {
        let is_anywhere = table.flag("anywhere");
        let operator = table.get("operator").map(|_| table.texts("operator"));
        let namespaces = table.get("namespaces").map(|_| table.texts("namespaces"));
        match (operator, namespaces) {
            (Some(charts), _) => Self::BesideOperator(charts),
            (None, Some(namespaces)) => Self::In(namespaces),
            (None, None) if is_anywhere => Self::Anywhere,
            (None, None) => Self::Beside,
        }
    }
}

impl OperandPods {
    fn decode(table: &mut Table<'_>) -> Self {
        let pods = table.text("pods");
        let said = ["pod", "paths", "level"].map(|key| table.get(key).map(|_| key));
        match (pods.as_deref(), said) {
            (Some("none"), [None, None, None]) => Self::Nothing,
            (Some("some"), [None, None, None]) => Self::Some,
            (Some("some"), [None, None, Some(_)]) => Self::Level(level_field(table, "level")),
            (Some("some"), [.., level]) => Self::Like {
                pod: table.mapping("pod"),
                paths: table.scalar_map("paths"),
                at_most: match level {
                    Some(key) => level_field(table, key),
                    None => Level::Restricted,
                },
            },
            (Some("none"), said) => {
                let key = said.into_iter().flatten().next().unwrap_or_default();
                let message = format!("where `pods` is `none`, there is no `{key}`");
                table.wrong_type(table.span(), message);
                Self::Nothing
            }
            _ => {
                table.wrong_type(table.span(), "`pods` is `none` or `some`");
                Self::Some
            }
        }
    }
}

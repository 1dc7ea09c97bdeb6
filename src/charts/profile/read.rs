//! Reading a profile, with every problem at its place.

use std::collections::BTreeMap;
use std::sync::Arc;

use semver::Version;
use serde_json::Value;

use super::version::{VersionRange, parse};
use super::{
    ChartBudget, ChartKnownValues, Condition, ConditionValue, DefaultName, Elevation, Health,
    Lowering, OperatorResource, PROBES, Profile, ProfileContainer, ProfileWorkload, Setting,
    Workloads,
};
use crate::charts::codes;
use crate::charts::naming::{LONGEST, UNCUT};
use crate::diagnostic::Diagnostic;
use crate::pod_security::Level;
use crate::source::{Source, Span};
use crate::yaml::decode::{Table, decode};
use crate::yaml::{Node, Resolver, diagnose_decoding, load, unpack_without};

/// The fields of a workload that values may reach.
const POD_FIELDS: [&str; 6] = [
    "replicas",
    "priorityClassName",
    "securityContext",
    "topologySpreadConstraints",
    "affinity",
    "automountServiceAccountToken",
];

/// The fields of a container that values may reach.
const CONTAINER_FIELDS: [&str; 5] = [
    "resources",
    "securityContext",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
];

/// Reads one profile.
pub(super) fn profile(source: &Arc<Source>) -> Result<Profile, Vec<Diagnostic>> {
    of(source, &single_document(source, "a chart profile")?)
}

/// Reads one profile that was packed, whose YAML is `source`.
pub(super) fn packed(
    source: &Arc<Source>,
    bytes: &'static [u8],
) -> Result<Profile, Vec<Diagnostic>> {
    let Some((root, values)) = unpack_without(bytes, "values") else {
        return profile(source);
    };
    let profile = of(source, &root)?;
    Ok(Profile {
        values: values.map(ChartKnownValues::packed),
        ..profile
    })
}

fn of(source: &Arc<Source>, root: &Node) -> Result<Profile, Vec<Diagnostic>> {
    decoded(source, "a chart profile", root, |table| {
        Profile::decode(table, source)
    })
}

/// Returns the root of the only document of a text, which messages call `what`.
pub(super) fn single_document(source: &Arc<Source>, what: &str) -> Result<Node, Vec<Diagnostic>> {
    let mut documents = load(&source.text).map_err(|error| {
        vec![crate::yaml::diagnose(
            &error,
            &codes::CHART_PROFILE_INVALID,
            &source.keys_only(),
        )]
    })?;
    match documents.pop() {
        Some(document) if documents.is_empty() => Ok(document.root),
        _ => {
            let problem = Diagnostic::error(
                &codes::CHART_PROFILE_INVALID,
                format!("{what} is a single YAML document"),
            );
            Err(vec![problem.at(&source.keys_only(), Span::new(0, 0), "")])
        }
    }
}

/// Decodes a document, which messages call `what`.
pub(super) fn decoded<T>(
    source: &Arc<Source>,
    what: &str,
    root: &Node,
    read: impl FnOnce(&mut Table<'_>) -> T,
) -> Result<T, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    match decode(what, root, &mut problems, read) {
        Some(value) if problems.is_empty() => Ok(value),
        _ => Err(diagnose_decoding(
            problems,
            |_| &codes::CHART_PROFILE_INVALID,
            source,
        )),
    }
}

/// Reads a Pod Security level; without the key, it is the one that allows everything.
pub(super) fn level(table: &mut Table<'_>, key: &'static str) -> Level {
    let Some((text, span)) = table.text_at(key) else {
        return Level::Privileged;
    };
    Level::parse(&text).unwrap_or_else(|| {
        let message = format!("`{text}` is not a level: privileged, baseline or restricted");
        table.wrong_value(span, message);
        Level::Privileged
    })
}

impl Profile {
    fn decode(table: &mut Table<'_>, source: &Arc<Source>) -> Self {
        table.require(&["chart", "sources", "versions"]);
        table.get("notes");
        let verified = table.text("verified");
        let overrides = table.named("overrides", "a mapping of values paths").iter();
        Self {
            source: Arc::clone(source),
            chart: table.text("chart").unwrap_or_default(),
            sources: table.texts("sources"),
            any_publisher: table.flag("anyPublisher"),
            versions: table
                .table("versions", VersionRange::decode)
                .unwrap_or_default(),
            verified: verified.and_then(|text| parse(&text)),
            fullname: match table.get("fullname") {
                Some(name) => DefaultName::decode(table, "fullname", name, LONGEST),
                None => DefaultName::default(),
            },
            overrides: overrides
                .map(|entry| {
                    let (key, value) = (&entry.key, &entry.value);
                    let name = DefaultName::decode(table, key, value, UNCUT);
                    (key.clone(), name)
                })
                .collect(),
            workloads: Workloads::decode(table),
            operands: table.tables("operands", OperatorResource::decode),
            lowered_by: table
                .tables("loweredBy", Lowering::decode)
                .into_iter()
                .flatten()
                .collect(),
            values: table
                .get("values")
                .map(|values| ChartKnownValues::decode(table, values)),
        }
    }
}

impl Workloads {
    fn decode(table: &mut Table<'_>) -> Self {
        let listed = table.tables("workloads", ProfileWorkload::decode);
        match table.text_at("generic") {
            Some((generic, _)) if generic == "app-template" => return Self::AppTemplate,
            Some((other, span)) => {
                let message = format!("`{other}` is no way of making workloads that Kiln knows");
                table.wrong_value(span, message);
            }
            None => {}
        }
        Self::Listed(listed)
    }
}

impl DefaultName {
    /// Reads what a name is by default: a text, or a mapping of how it comes about.
    fn decode(table: &mut Table<'_>, key: &str, node: &Node, cut: usize) -> Self {
        let usual = Self {
            cut,
            ..Self::default()
        };
        if let Value::String(otherwise) = node.to_value(Resolver::Core) {
            return Self {
                otherwise,
                contained: None,
                ..usual
            };
        }
        if node.entries().is_none() {
            let message = format!("`{key}` must be a string, or a mapping with `otherwise`");
            table.wrong_type(node.first_line_span(), message);
            return usual;
        }
        let by_parts = table.table_of(key, node, |table| {
            table.require(&["otherwise"]);
            Self {
                otherwise: table.text("otherwise").unwrap_or_default(),
                contained: table.text("contained"),
                of: table.text("of").unwrap_or_else(|| usual.of.clone()),
                cut: table.number("cut").unwrap_or(cut),
            }
        });
        by_parts.unwrap_or(usual)
    }
}

impl VersionRange {
    fn decode(table: &mut Table<'_>) -> Self {
        table.require(&["from", "below"]);
        Self {
            from: bound(table, "from"),
            below: bound(table, "below"),
            also: table.scalars("also"),
        }
    }
}

fn bound(table: &mut Table<'_>, key: &'static str) -> Option<Version> {
    let (text, span) = table.text_at(key)?;
    let version = parse(&text);
    if version.is_none() {
        let message = format!("`{text}` is not a version such as 1.2.3");
        table.wrong_value(span, message);
    }
    version
}

impl ProfileWorkload {
    fn decode(table: &mut Table<'_>) -> Self {
        table.require(&["kind", "name", "pod"]);
        // A flag, or `test` for a hook that `helm test` alone runs.
        let test = table.get("hook").and_then(Node::text) == Some("test");
        Self {
            kind: table.text("kind").unwrap_or_default(),
            name: table.text("name").unwrap_or_default(),
            doubt: table.text("doubt"),
            when: conditions(table),
            hook: test || table.flag("hook"),
            test,
            by_operator: table.flag("byOperator"),
            class: table.text("class"),
            api: table.optional_flag("api"),
            selector: table.scalar_map("selector"),
            replicas: table.value("replicas").as_u64(),
            pod: table.mapping("pod"),
            paths: paths(table, &POD_FIELDS),
            containers: table
                .named("containers", "a mapping of containers by name")
                .iter()
                .filter_map(|entry| {
                    let (name, node) = (&entry.key, &entry.value);
                    Some((
                        name.clone(),
                        table.table_of(name, node, ProfileContainer::decode)?,
                    ))
                })
                .collect(),
            budget: table.table("podDisruptionBudget", ChartBudget::decode),
        }
    }
}

/// Reads conditions: one, or a list of them.
fn conditions(table: &mut Table<'_>) -> Vec<Condition> {
    let Some(when) = table.get("when") else {
        return Vec::new();
    };
    let one = std::slice::from_ref(when);
    let conditions = when.items().unwrap_or(one).iter();
    conditions
        .filter_map(|node| table.table_of("when", node, Condition::decode)?)
        .collect()
}

impl Condition {
    fn decode(table: &mut Table<'_>) -> Option<Self> {
        table.require(&["value"]);
        let value = table.text("value");
        let default = table.value("default");
        let wanted = match (table.get("is"), table.get("isNot")) {
            (Some(is), None) => ConditionValue::Is(is.to_value(Resolver::Core)),
            (None, Some(is_not)) => ConditionValue::IsNot(is_not.to_value(Resolver::Core)),
            _ => {
                let message = "a condition has either `is` or `isNot`";
                table.wrong_type(table.span(), message);
                return None;
            }
        };
        Some(Self {
            value: value?,
            wanted,
            default,
        })
    }
}

impl ProfileContainer {
    fn decode(table: &mut Table<'_>) -> Self {
        let user = table.number("user");
        Self {
            when: conditions(table),
            paths: paths(table, &CONTAINER_FIELDS),
            non_root: table.flag("nonRoot") || user.is_some(),
            user,
            read_only: table.flag("readOnlyRootFilesystem"),
            health: table
                .table("health", |table| {
                    let probes = PROBES.into_iter();
                    probes
                        .filter_map(|probe| {
                            Some((probe.to_owned(), table.table(probe, Health::decode)?))
                        })
                        .collect()
                })
                .unwrap_or_default(),
            no_probes: table.text("noProbes"),
            resources: table.get("resources").map(|_| table.mapping("resources")),
        }
    }
}

fn paths(table: &mut Table<'_>, fields: &'static [&'static str]) -> BTreeMap<String, String> {
    let paths = table.table("paths", |table| {
        let fields = fields.iter();
        fields
            .filter_map(|field| Some(((*field).to_owned(), table.text(field)?)))
            .collect()
    });
    paths.unwrap_or_default()
}

impl Health {
    fn decode(table: &mut Table<'_>) -> Self {
        table.require(&["probe", "source"]);
        Self {
            probe: table.mapping("probe"),
            set: table.table("set", Setting::decode).flatten(),
            source: table.text("source").unwrap_or_default(),
        }
    }
}

impl Setting {
    fn decode(table: &mut Table<'_>) -> Option<Self> {
        table.require(&["path", "value"]);
        let value = table.value("value");
        Some(Self {
            path: table.text("path")?,
            value,
        })
    }
}

impl ChartBudget {
    fn decode(table: &mut Table<'_>) -> Self {
        Self {
            name: table.text("name"),
            default: table.get("default").map(|_| table.mapping("default")),
            when_replicated: table.flag("whenReplicated"),
            enable: table.table("enable", Setting::decode).flatten(),
            disable: table.table("disable", Setting::decode).flatten(),
        }
    }
}

impl OperatorResource {
    fn decode(table: &mut Table<'_>) -> Self {
        table.require(&["group", "kind", "workloads"]);
        Self {
            group: table.text("group").unwrap_or_default(),
            kind: table.text("kind").unwrap_or_default(),
            field: table.text("field"),
            elevation: table.table("elevation", Elevation::decode),
            beside_operator: table.flag("besideOperator"),
            workloads: table.tables("workloads", ProfileWorkload::decode),
        }
    }
}

impl Elevation {
    fn decode(table: &mut Table<'_>) -> Self {
        table.require(&["annotation", "securityContext"]);
        Self {
            annotation: table.text("annotation").unwrap_or_default(),
            security_context: table.mapping("securityContext"),
        }
    }
}

impl Lowering {
    fn decode(table: &mut Table<'_>) -> Option<Self> {
        table.require(&["when", "to"]);
        let to = level(table, "to");
        let when = table.table("when", Condition::decode)??;
        Some(Self { when, to })
    }
}

impl ChartKnownValues {
    /// Reads the values that a chart knows: mappings of keys, with nothing behind a key where anything goes.
    fn decode(table: &mut Table<'_>, node: &Node) -> Self {
        if node.is_null() {
            return Self::any();
        }
        let Some(entries) = node.entries() else {
            let message = "a mapping of keys was expected here, or nothing";
            table.wrong_type(node.first_line_span(), message);
            return Self::any();
        };
        let keys = entries
            .iter()
            .map(|entry| (entry.key.clone(), Self::decode(table, &entry.value)));
        Self::only(keys.collect())
    }
}

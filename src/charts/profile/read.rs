//! Reading a profile, with every problem at its place.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::version::{Versions, parse};
use super::{
    Budget, CONTAINER_KEYS, Condition, Container, DefaultName, Elevation, Health, KEYS, Known,
    Lowering, Operand, Profile, Setting, WORKLOAD_KEYS, Wanted, Workload, Workloads,
};
use crate::charts::naming::{LONGEST, UNCUT};
use crate::diagnostic::Diagnostic;
use crate::pod_security::Level;
use crate::source::{Source, Span, shown_key};
use crate::workload::PROBES;
use crate::yaml::{Node, Resolver, load, unpack_without};

pub(super) const CODE: &str = "chart-profile-invalid";

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
    let documents = load(&source.text)
        .map_err(|error| vec![crate::yaml::diagnose(&error, CODE, &source.keys_only())])?;
    let [document] = documents.as_slice() else {
        let message = "a chart profile is a single YAML document";
        return Err(vec![Diagnostic::error(CODE, message).at(
            &source.keys_only(),
            Span::new(0, 0),
            "",
        )]);
    };
    of(source, &document.root)
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
        values: values.map(Known::packed),
        ..profile
    })
}

fn of(source: &Arc<Source>, root: &Node) -> Result<Profile, Vec<Diagnostic>> {
    let mut reader = Reader::of(source, "a chart profile");
    let profile = reader.profile(root);
    reader.finish(profile)
}

pub(super) struct Reader<'s> {
    source: &'s Arc<Source>,
    /// What is read, as messages name it.
    what: &'static str,
    /// Whether there is something in it that nobody knows, so that it may be another file than it seems.
    strange: bool,
    problems: Vec<Diagnostic>,
}

impl<'s> Reader<'s> {
    pub(super) fn of(source: &'s Arc<Source>, what: &'static str) -> Self {
        Self {
            source,
            what,
            strange: false,
            problems: Vec::new(),
        }
    }

    /// Returns what was read, or every problem in the order of the file.
    pub(super) fn finish<T>(self, read: T) -> Result<T, Vec<Diagnostic>> {
        let mut problems = self.problems;
        if self.strange {
            let shown = self.source.keys_only();
            let all = problems.iter_mut();
            all.for_each(|problem| problem.show_in(&shown));
        }
        problems.sort_by_key(|problem| problem.primary.as_ref().map(|label| label.place.span));
        if problems.is_empty() {
            Ok(read)
        } else {
            Err(problems)
        }
    }

    pub(super) fn problem(&mut self, span: Span, message: impl Into<String>) {
        self.problems
            .push(Diagnostic::error(CODE, message).at(self.source, span, ""));
    }

    /// Checks that a node is a mapping of known keys.
    pub(super) fn keys(&mut self, node: &Node, known: &[&str], required: &[&str]) {
        let Some(entries) = node.entries() else {
            self.strange = true;
            self.problem(node.first_line_span(), "a mapping was expected here");
            return;
        };
        for entry in entries {
            if !known.contains(&entry.key.as_str()) {
                let unknown = Diagnostic::error(
                    CODE,
                    format!("{} has no `{}` here", self.what, shown_key(&entry.key)),
                )
                .at(self.source, entry.key_span, "")
                .with_suggestion(&entry.key, known.iter().copied());
                self.strange = true;
                self.problems.push(unknown);
            }
        }
        for key in required {
            if node.get(key).is_none() {
                self.problem(node.first_line_span(), format!("`{key}` is missing"));
            }
        }
    }

    pub(super) fn text(&mut self, node: &Node, key: &str) -> Option<String> {
        let value = node.get(key)?;
        match value.to_value(Resolver::Core) {
            Value::Null => None,
            Value::String(text) => Some(text),
            _ => {
                self.problem(value.first_line_span(), format!("`{key}` must be a string"));
                None
            }
        }
    }

    pub(super) fn flag(&mut self, node: &Node, key: &str) -> Option<bool> {
        let found = node.get(key)?;
        let flag = found.to_value(Resolver::Core).as_bool();
        if flag.is_none() {
            self.problem(
                found.first_line_span(),
                format!("`{key}` must be true or false"),
            );
        }
        flag
    }

    pub(super) fn items<'n>(&mut self, node: &'n Node, key: &str) -> &'n [Node] {
        match node.get(key) {
            None => &[],
            Some(value) => value.items().unwrap_or_else(|| {
                self.problem(value.first_line_span(), format!("`{key}` must be a list"));
                &[]
            }),
        }
    }

    pub(super) fn texts(&mut self, node: &Node, key: &str) -> Vec<String> {
        let items = self.items(node, key);
        items
            .iter()
            .filter_map(|item| item.text().map(str::to_owned))
            .collect()
    }

    pub(super) fn level(&mut self, node: &Node, key: &str) -> Level {
        let Some(text) = self.text(node, key) else {
            return Level::Privileged;
        };
        Level::parse(&text).unwrap_or_else(|| {
            let span = node.get(key).map_or_else(Span::default, |value| value.span);
            self.problem(
                span,
                format!("`{text}` is not a level: privileged, baseline or restricted"),
            );
            Level::Privileged
        })
    }

    fn profile(&mut self, node: &Node) -> Profile {
        self.keys(node, &KEYS, &["chart", "sources", "versions"]);
        let workloads = match self.text(node, "generic").as_deref() {
            None => Workloads::Listed(self.workloads(node)),
            Some("app-template") => Workloads::AppTemplate,
            Some(other) => {
                let span = node
                    .get("generic")
                    .map_or_else(Span::default, |value| value.span);
                self.problem(
                    span,
                    format!("`{other}` is no way of making workloads that Kiln knows"),
                );
                Workloads::Listed(Vec::new())
            }
        };
        Profile {
            source: Arc::clone(self.source),
            chart: self.text(node, "chart").unwrap_or_default(),
            sources: self.texts(node, "sources"),
            any_publisher: self.flag(node, "anyPublisher").unwrap_or_default(),
            versions: self.versions(node),
            verified: self.text(node, "verified").and_then(|text| parse(&text)),
            fullname: node
                .get("fullname")
                .map(|name| self.default_name(name, "fullname", LONGEST))
                .unwrap_or_default(),
            overrides: self.overrides(node),
            workloads,
            operands: self
                .items(node, "operands")
                .iter()
                .map(|item| self.operand(item))
                .collect(),
            lowered_by: self
                .items(node, "loweredBy")
                .iter()
                .filter_map(|item| self.lowering(item))
                .collect(),
            values: node.get("values").map(|values| self.known(values)),
        }
    }

    /// Reads what a name is by default: a text, or a mapping of how it comes about.
    fn default_name(&mut self, node: &Node, key: &str, cut: usize) -> DefaultName {
        let usual = DefaultName {
            cut,
            ..DefaultName::default()
        };
        if let Value::String(text) = node.to_value(Resolver::Core) {
            return DefaultName {
                otherwise: text,
                contained: None,
                ..usual
            };
        }
        if node.entries().is_none() {
            let message = format!("`{key}` must be a string, or a mapping with `otherwise`");
            self.problem(node.first_line_span(), message);
            return usual;
        }
        self.keys(
            node,
            &["of", "contained", "otherwise", "cut"],
            &["otherwise"],
        );
        DefaultName {
            otherwise: self.text(node, "otherwise").unwrap_or_default(),
            contained: self.text(node, "contained"),
            of: self.text(node, "of").unwrap_or(usual.of),
            cut: self.number(node, "cut").unwrap_or(usual.cut),
        }
    }

    fn overrides(&mut self, node: &Node) -> BTreeMap<String, DefaultName> {
        let Some(node) = node.get("overrides") else {
            return BTreeMap::new();
        };
        let Some(entries) = node.entries() else {
            let message = "a mapping of values paths was expected here";
            self.problem(node.first_line_span(), message);
            return BTreeMap::new();
        };
        entries
            .iter()
            .map(|entry| {
                let default = self.default_name(&entry.value, &entry.key, UNCUT);
                (entry.key.clone(), default)
            })
            .collect()
    }

    fn versions(&mut self, node: &Node) -> Versions {
        let Some(node) = node.get("versions") else {
            return Versions::default();
        };
        self.keys(node, &["from", "below", "also"], &["from", "below"]);
        let mut bound = |key: &str| {
            let text = self.text(node, key)?;
            let version = parse(&text);
            if version.is_none() {
                let span = node.get(key).map_or_else(Span::default, |value| value.span);
                self.problem(span, format!("`{text}` is not a version such as 1.2.3"));
            }
            version
        };
        Versions {
            from: bound("from"),
            below: bound("below"),
            also: self.texts(node, "also"),
        }
    }

    fn workloads(&mut self, node: &Node) -> Vec<Workload> {
        let items = self.items(node, "workloads");
        items.iter().map(|item| self.workload(item)).collect()
    }

    fn workload(&mut self, node: &Node) -> Workload {
        self.keys(node, &WORKLOAD_KEYS, &["kind", "name", "pod"]);
        Workload {
            kind: self.text(node, "kind").unwrap_or_default(),
            name: self.text(node, "name").unwrap_or_default(),
            doubt: self.text(node, "doubt"),
            when: self.conditions(node),
            hook: self.hook(node),
            test: node.find_text("hook") == Some("test"),
            by_operator: self.flag(node, "byOperator").unwrap_or_default(),
            class: self.text(node, "class"),
            api: self.flag(node, "api"),
            selector: text_map(node.get("selector")),
            replicas: value(node, "replicas").as_u64(),
            pod: self.mapping(node, "pod"),
            paths: self.paths(node, &POD_FIELDS),
            containers: self.containers(node),
            budget: self.budget(node),
        }
    }

    /// Reads whether a workload is a hook: a flag, or `test` for one that `helm test` alone runs.
    fn hook(&mut self, node: &Node) -> bool {
        if node.find_text("hook") == Some("test") {
            return true;
        }
        self.flag(node, "hook").unwrap_or_default()
    }

    /// Reads conditions: one, or a list of them.
    fn conditions(&mut self, node: &Node) -> Vec<Condition> {
        let Some(when) = node.get("when") else {
            return Vec::new();
        };
        match when.items() {
            Some(items) => items
                .iter()
                .filter_map(|item| self.condition(item))
                .collect(),
            None => self.condition(when).into_iter().collect(),
        }
    }

    fn condition(&mut self, node: &Node) -> Option<Condition> {
        self.keys(node, &["value", "is", "isNot", "default"], &["value"]);
        let wanted = match (node.get("is"), node.get("isNot")) {
            (Some(_), None) => Wanted::Is(value(node, "is")),
            (None, Some(_)) => Wanted::IsNot(value(node, "isNot")),
            _ => {
                let message = "a condition has either `is` or `isNot`";
                self.problem(node.first_line_span(), message);
                return None;
            }
        };
        Some(Condition {
            value: self.text(node, "value")?,
            wanted,
            default: value(node, "default"),
        })
    }

    fn containers(&mut self, node: &Node) -> BTreeMap<String, Container> {
        let Some(containers) = node.get("containers") else {
            return BTreeMap::new();
        };
        let Some(entries) = containers.entries() else {
            self.problem(
                containers.first_line_span(),
                "a mapping of containers by name was expected here",
            );
            return BTreeMap::new();
        };
        entries
            .iter()
            .map(|entry| (entry.key.clone(), self.container(&entry.value)))
            .collect()
    }

    fn container(&mut self, node: &Node) -> Container {
        self.keys(node, &CONTAINER_KEYS, &[]);
        let user = self.number(node, "user");
        Container {
            when: self.conditions(node),
            paths: self.paths(node, &CONTAINER_FIELDS),
            non_root: self.flag(node, "nonRoot").unwrap_or_default() || user.is_some(),
            user,
            read_only: self
                .flag(node, "readOnlyRootFilesystem")
                .unwrap_or_default(),
            health: self.health(node),
            no_probes: self.text(node, "noProbes"),
            resources: node
                .get("resources")
                .map(|_| self.mapping(node, "resources")),
        }
    }

    /// Reads a number above 0.
    fn number<N: TryFrom<u64>>(&mut self, node: &Node, key: &str) -> Option<N> {
        let found = node.get(key)?;
        let number = found.to_value(Resolver::Core).as_u64();
        let number = number.filter(|number| *number > 0);
        let number = number.and_then(|number| N::try_from(number).ok());
        if number.is_none() {
            let message = format!("`{key}` must be a number above 0");
            self.problem(found.first_line_span(), message);
        }
        number
    }

    fn paths(&mut self, node: &Node, known: &[&str]) -> BTreeMap<String, String> {
        let paths = node.get("paths");
        if let Some(paths) = paths {
            self.keys(paths, known, &[]);
        }
        text_map(paths)
    }

    fn health(&mut self, node: &Node) -> BTreeMap<String, Health> {
        let Some(node) = node.get("health") else {
            return BTreeMap::new();
        };
        self.keys(node, &PROBES, &[]);
        let mut found = BTreeMap::new();
        for entry in node.entries().into_iter().flatten() {
            self.keys(
                &entry.value,
                &["probe", "set", "source"],
                &["probe", "source"],
            );
            let health = Health {
                probe: self.mapping(&entry.value, "probe"),
                set: self.setting(&entry.value, "set"),
                source: self.text(&entry.value, "source").unwrap_or_default(),
            };
            found.insert(entry.key.clone(), health);
        }
        found
    }

    fn setting(&mut self, node: &Node, key: &str) -> Option<Setting> {
        let node = node.get(key)?;
        self.keys(node, &["path", "value"], &["path", "value"]);
        Some(Setting {
            path: self.text(node, "path")?,
            value: value(node, "value"),
        })
    }

    fn budget(&mut self, node: &Node) -> Option<Budget> {
        let node = node.get("podDisruptionBudget")?;
        self.keys(
            node,
            &["name", "default", "whenReplicated", "enable", "disable"],
            &[],
        );
        Some(Budget {
            name: self.text(node, "name"),
            default: node.get("default").map(|_| self.mapping(node, "default")),
            when_replicated: self.flag(node, "whenReplicated").unwrap_or_default(),
            enable: self.setting(node, "enable"),
            disable: self.setting(node, "disable"),
        })
    }

    fn operand(&mut self, node: &Node) -> Operand {
        self.keys(
            node,
            &[
                "group",
                "kind",
                "field",
                "elevation",
                "besideOperator",
                "workloads",
            ],
            &["group", "kind", "workloads"],
        );
        Operand {
            group: self.text(node, "group").unwrap_or_default(),
            kind: self.text(node, "kind").unwrap_or_default(),
            field: self.text(node, "field"),
            elevation: node.get("elevation").map(|node| self.elevation(node)),
            beside_operator: self.flag(node, "besideOperator").unwrap_or_default(),
            workloads: self.workloads(node),
        }
    }

    fn elevation(&mut self, node: &Node) -> Elevation {
        let keys = ["annotation", "securityContext"];
        self.keys(node, &keys, &keys);
        Elevation {
            annotation: self.text(node, "annotation").unwrap_or_default(),
            security_context: self.mapping(node, "securityContext"),
        }
    }

    fn lowering(&mut self, node: &Node) -> Option<Lowering> {
        self.keys(node, &["when", "to"], &["when", "to"]);
        let when = node.get("when").and_then(|when| self.condition(when))?;
        Some(Lowering {
            when,
            to: self.level(node, "to"),
        })
    }

    /// Reads the values that a chart knows: mappings of keys, with nothing behind a key where anything goes.
    fn known(&mut self, node: &Node) -> Known {
        if node.is_null() {
            return Known::any();
        }
        let Some(entries) = node.entries() else {
            self.problem(
                node.first_line_span(),
                "a mapping of keys was expected here, or nothing",
            );
            return Known::any();
        };
        let keys = entries
            .iter()
            .map(|entry| (entry.key.clone(), self.known(&entry.value)));
        Known::only(keys.collect())
    }

    /// Reads a mapping of any keys.
    pub(super) fn mapping(&mut self, node: &Node, key: &str) -> Value {
        let Some(found) = node.get(key) else {
            return Value::Null;
        };
        let read = found.to_value(Resolver::Core);
        if !read.is_object() {
            self.problem(
                found.first_line_span(),
                format!("`{key}` must be a mapping"),
            );
        }
        read
    }
}

fn value(node: &Node, key: &str) -> Value {
    node.get(key)
        .map_or(Value::Null, |value| value.to_value(Resolver::Core))
}

pub(super) fn text_map(node: Option<&Node>) -> BTreeMap<String, String> {
    node.and_then(Node::entries)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some((entry.key.clone(), entry.value.text()?.to_owned())))
        .collect()
}

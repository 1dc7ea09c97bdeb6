//! Reading a profile, with every problem at its place.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::version::{Versions, parse};
use super::{
    Condition, Container, DisruptionBudget, Knob, Lowering, Missing, Operand, Priority, Profile,
    Security, Workload, Workloads,
};
use crate::diagnostic::Diagnostic;
use crate::harden::pod_security::Level;
use crate::source::{Source, Span};
use crate::yaml::{Node, Resolver, load};

const CODE: &str = "chart-profile-invalid";

/// Reads one profile.
pub(super) fn profile(source: &Arc<Source>) -> Result<Profile, Vec<Diagnostic>> {
    let documents = load(&source.text).map_err(|error| vec![error.diagnostic(CODE, source)])?;
    let mut reader = Reader {
        source,
        problems: Vec::new(),
    };
    let [document] = documents.as_slice() else {
        reader.problem(Span::new(0, 0), "a chart profile is a single YAML document");
        return Err(reader.problems);
    };
    let profile = reader.profile(&document.root);
    let mut problems = reader.problems;
    problems.sort_by_key(|problem| problem.primary.as_ref().map(|label| label.place.span));
    if problems.is_empty() {
        Ok(profile)
    } else {
        Err(problems)
    }
}

struct Reader<'s> {
    source: &'s Arc<Source>,
    problems: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn problem(&mut self, span: Span, message: impl Into<String>) {
        self.problems
            .push(Diagnostic::error(CODE, message).at(self.source, span, ""));
    }

    /// Checks that a node is a mapping of known keys.
    fn keys(&mut self, node: &Node, known: &[&str], required: &[&str]) {
        let Some(entries) = node.entries() else {
            self.problem(node.first_line_span(), "a mapping was expected here");
            return;
        };
        for entry in entries {
            if !known.contains(&entry.key.as_str()) {
                let unknown =
                    Diagnostic::error(CODE, format!("a chart profile has no `{}` here", entry.key))
                        .at(self.source, entry.key_span, "")
                        .with_suggestion(&entry.key, known.iter().copied());
                self.problems.push(unknown);
            }
        }
        for key in required {
            if node.get(key).is_none() {
                self.problem(node.first_line_span(), format!("`{key}` is missing"));
            }
        }
    }

    fn text(&mut self, node: &Node, key: &str) -> Option<String> {
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

    fn flag(&mut self, node: &Node, key: &str) -> bool {
        match node
            .get(key)
            .map(|value| (value, value.to_value(Resolver::Core)))
        {
            None => false,
            Some((_, Value::Bool(flag))) => flag,
            Some((value, _)) => {
                self.problem(
                    value.first_line_span(),
                    format!("`{key}` must be true or false"),
                );
                false
            }
        }
    }

    fn items<'n>(&mut self, node: &'n Node, key: &str) -> &'n [Node] {
        match node.get(key) {
            None => &[],
            Some(value) => value.items().unwrap_or_else(|| {
                self.problem(value.first_line_span(), format!("`{key}` must be a list"));
                &[]
            }),
        }
    }

    fn texts(&mut self, node: &Node, key: &str) -> Vec<String> {
        let items = self.items(node, key);
        items
            .iter()
            .filter_map(|item| item.text().map(str::to_owned))
            .collect()
    }

    fn level(&mut self, node: &Node, key: &str) -> Level {
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
        self.keys(
            node,
            &[
                "chart",
                "sources",
                "anyPublisher",
                "versions",
                "verified",
                "notes",
                "fullname",
                "generic",
                "workloads",
                "operands",
                "loweredBy",
                "values",
            ],
            &["chart", "sources", "versions"],
        );
        let workloads = match self.text(node, "generic").as_deref() {
            None => {
                let items = self.items(node, "workloads");
                Workloads::Listed(items.iter().map(|item| self.workload(item)).collect())
            }
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
            any_publisher: self.flag(node, "anyPublisher"),
            versions: self.versions(node),
            fullname: self.text(node, "fullname"),
            workloads,
            operands: self
                .items(node, "operands")
                .iter()
                .map(|item| self.operand(item))
                .collect(),
            lowered_by: self
                .items(node, "loweredBy")
                .iter()
                .map(|item| self.lowering(item))
                .collect(),
        }
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

    fn workload(&mut self, node: &Node) -> Workload {
        self.keys(
            node,
            &[
                "kind",
                "name",
                "when",
                "hook",
                "selector",
                "replicas",
                "priorityClassName",
                "podSecurity",
                "topologySpreadConstraints",
                "podDisruptionBudget",
                "containers",
            ],
            &["kind", "name", "podSecurity", "containers"],
        );
        Workload {
            kind: self.text(node, "kind").unwrap_or_default(),
            name: self.text(node, "name").unwrap_or_default(),
            when: self.condition(node),
            hook: self.flag(node, "hook"),
            selector: text_map(node.get("selector")),
            replicas: self.replicas(node),
            priority: self.priority(node),
            security: self.security(node),
            topology_spread: self.text(node, "topologySpreadConstraints"),
            disruption_budget: self.disruption_budget(node),
            containers: self
                .items(node, "containers")
                .iter()
                .map(|item| self.container(item))
                .collect(),
        }
    }

    fn condition(&mut self, node: &Node) -> Option<Condition> {
        let node = node.get("when")?;
        self.keys(node, &["value", "is", "default"], &["value", "is"]);
        let read = |key: &str| {
            node.get(key)
                .map_or(Value::Null, |value| value.to_value(Resolver::Core))
        };
        Some(Condition {
            value: self.text(node, "value")?,
            is: read("is"),
            default: read("default"),
        })
    }

    fn replicas(&mut self, node: &Node) -> Knob<u64> {
        let Some(node) = node.get("replicas") else {
            return Knob::default();
        };
        self.keys(node, &["default", "path"], &[]);
        Knob {
            default: node
                .get("default")
                .and_then(|value| value.to_value(Resolver::Core).as_u64()),
            path: self.text(node, "path"),
        }
    }

    fn priority(&mut self, node: &Node) -> Priority {
        let Some(node) = node.get("priorityClassName") else {
            return Priority::default();
        };
        self.keys(node, &["default", "path", "class"], &[]);
        Priority {
            default: self.text(node, "default"),
            path: self.text(node, "path"),
            class: self.text(node, "class"),
        }
    }

    fn security(&mut self, node: &Node) -> Security {
        let Some(node) = node.get("podSecurity") else {
            return Security::default();
        };
        let levels = ["asRendered", "withValues", "withValuesAndPostRenderers"];
        self.keys(
            node,
            &[
                levels[0],
                levels[1],
                levels[2],
                "forbidden",
                "missing",
                "path",
            ],
            &levels,
        );
        let missing = self.items(node, "missing");
        let security = Security {
            as_rendered: self.level(node, levels[0]),
            with_values: self.level(node, levels[1]),
            with_post_renderers: self.level(node, levels[2]),
            forbidden: self.texts(node, "forbidden"),
            missing: missing
                .iter()
                .filter_map(|item| self.missing(item))
                .collect(),
            path: self.text(node, "path"),
        };
        let consistent = match security.as_rendered {
            Level::Restricted => security.forbidden.is_empty() && security.missing.is_empty(),
            Level::Baseline => security.forbidden.is_empty() && !security.missing.is_empty(),
            Level::Privileged => !security.forbidden.is_empty(),
        };
        if !consistent {
            let message = format!(
                "`forbidden` and `missing` do not explain the level `{}`",
                security.as_rendered
            );
            self.problem(node.first_line_span(), message);
        }
        security
    }

    fn missing(&mut self, node: &Node) -> Option<Missing> {
        self.keys(node, &["control", "container"], &["control", "container"]);
        Some(Missing {
            control: self.text(node, "control")?,
            container: self.text(node, "container")?,
        })
    }

    fn disruption_budget(&mut self, node: &Node) -> Option<DisruptionBudget> {
        let node = node.get("podDisruptionBudget")?;
        self.keys(
            node,
            &["path", "set", "unhealthyPodEvictionPolicy"],
            &["path", "set"],
        );
        Some(DisruptionBudget {
            path: self.text(node, "path")?,
            set: node.get("set")?.to_value(Resolver::Core),
            eviction_policy: self.flag(node, "unhealthyPodEvictionPolicy"),
        })
    }

    fn container(&mut self, node: &Node) -> Container {
        self.keys(
            node,
            &[
                "name", "init", "when", "probes", "requests", "limits", "paths",
            ],
            &["name"],
        );
        if let Some(paths) = node.get("paths") {
            let known = [
                "resources",
                "securityContext",
                "livenessProbe",
                "readinessProbe",
                "startupProbe",
            ];
            self.keys(paths, &known, &[]);
        }
        Container {
            name: self.text(node, "name").unwrap_or_default(),
            init: self.flag(node, "init"),
            when: self.condition(node),
            probes: self.texts(node, "probes"),
            requests: self.texts(node, "requests"),
            limits: self.texts(node, "limits"),
            paths: text_map(node.get("paths")),
        }
    }

    fn operand(&mut self, node: &Node) -> Operand {
        self.keys(
            node,
            &["group", "kind", "level", "besideOperator"],
            &["group", "kind", "level"],
        );
        Operand {
            group: self.text(node, "group").unwrap_or_default(),
            kind: self.text(node, "kind").unwrap_or_default(),
            level: self.level(node, "level"),
            beside_operator: self.flag(node, "besideOperator"),
        }
    }

    fn lowering(&mut self, node: &Node) -> Lowering {
        self.keys(node, &["when", "to"], &["when", "to"]);
        Lowering {
            when: self.condition(node).unwrap_or_else(|| Condition {
                value: String::new(),
                is: Value::Bool(true),
                default: Value::Null,
            }),
            to: self.level(node, "to"),
        }
    }
}

fn text_map(node: Option<&Node>) -> BTreeMap<String, String> {
    node.and_then(Node::entries)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some((entry.key.clone(), entry.value.text()?.to_owned())))
        .collect()
}

//! What a rendering of a chart holds: workloads and their budgets.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::yaml;

/// The kinds that have pods.
pub(super) const KINDS: [&str; 6] = [
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "Pod",
];

/// Labels that go with the version or the installer, so that nothing may select by them.
pub(super) const PASSING: [&str; 6] = [
    "helm.sh/chart",
    "chart",
    "app.kubernetes.io/version",
    "version",
    "app.kubernetes.io/managed-by",
    "heritage",
];

/// The workloads and budgets of a rendering.
#[derive(Clone, Debug, Default)]
pub(super) struct ChartRendering {
    pub(super) workloads: Vec<RenderedPodOwner>,
    pub(super) budgets: Vec<RenderedBudget>,
    /// The names of the workloads that something scales.
    pub(super) scaled: Vec<String>,
    /// All of it, as text.
    pub(super) text: String,
}

/// A workload as rendered.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RenderedPodOwner {
    pub(super) id: Id,
    /// Which template printed it, and the how manieth it is from there.
    pub(super) origin: (String, usize),
    pub(super) hook: bool,
    /// Whether `helm test` alone runs it.
    pub(super) test: bool,
    /// The whole object.
    pub(super) object: Value,
}

/// Kind and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    pub(super) kind: String,
    pub(super) name: String,
}

/// A PodDisruptionBudget as rendered.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RenderedBudget {
    pub(super) name: String,
    pub(super) spec: Map<String, Value>,
}

impl ChartRendering {
    /// Reads what `helm template` printed; documents that are no YAML are left out.
    pub(super) fn read(text: String) -> Self {
        let mut rendering = Self::default();
        let mut counts = BTreeMap::<(String, String), usize>::new();
        for (origin, document) in documents(&text) {
            let Some(kind) = kind_of(document) else {
                continue;
            };
            let wanted = KINDS.contains(&kind)
                || kind == "PodDisruptionBudget"
                || kind == "HorizontalPodAutoscaler";
            if !wanted {
                continue;
            }
            let Some(object) = object(document) else {
                continue;
            };
            match kind {
                "PodDisruptionBudget" => {
                    let spec = object.get("spec").and_then(Value::as_object).cloned();
                    let name = object.pointer("/metadata/name").and_then(Value::as_str);
                    let name = name.unwrap_or_default().to_owned();
                    rendering
                        .budgets
                        .extend(spec.map(|spec| RenderedBudget { name, spec }));
                }
                "HorizontalPodAutoscaler" => {
                    let target = object.pointer("/spec/scaleTargetRef/name");
                    let name = target.and_then(Value::as_str).map(str::to_owned);
                    rendering.scaled.extend(name);
                }
                _ => {
                    let count = counts
                        .entry((origin.to_owned(), kind.to_owned()))
                        .or_default();
                    *count += 1;
                    let origin = (format!("{origin} {kind}"), *count);
                    rendering
                        .workloads
                        .extend(RenderedPodOwner::read(kind, origin, object));
                }
            }
        }
        rendering.text = text;
        rendering
    }

    /// Returns whether another rendering has the same pods and budgets; labels and annotations may
    /// differ, as hashes of new certificates do.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let same = |(one, other): (&RenderedPodOwner, &RenderedPodOwner)| {
            one.id == other.id && one.pod() == other.pod()
        };
        self.budgets == other.budgets
            && self.workloads.len() == other.workloads.len()
            && self.workloads.iter().zip(&other.workloads).all(same)
    }

    /// Finds a workload.
    pub(super) fn workload(&self, id: &Id) -> Option<&RenderedPodOwner> {
        self.workloads.iter().find(|workload| workload.id == *id)
    }
}

impl RenderedPodOwner {
    fn read(kind: &str, origin: (String, usize), object: Value) -> Option<Self> {
        let name = object.pointer("/metadata/name")?.as_str()?.to_owned();
        let hook = object.pointer("/metadata/annotations/helm.sh~1hook");
        let hook = hook.and_then(Value::as_str);
        let mut events = hook.into_iter().flat_map(|hook| hook.split(','));
        Some(Self {
            id: Id {
                kind: kind.to_owned(),
                name,
            },
            origin,
            hook: hook.is_some(),
            test: hook.is_some() && events.all(|event| event.trim().starts_with("test")),
            object,
        })
    }

    /// Returns the pod's template: its metadata and spec.
    pub(super) fn template(&self) -> &Value {
        let pointer = match self.id.kind.as_str() {
            "Pod" => "",
            "CronJob" => "/spec/jobTemplate/spec/template",
            _ => "/spec/template",
        };
        self.object.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// Returns the spec of the pod.
    pub(super) fn pod(&self) -> &Value {
        self.template().get("spec").unwrap_or(&Value::Null)
    }

    /// Returns the labels of the pod.
    pub(super) fn labels(&self) -> Map<String, Value> {
        let labels = self.template().pointer("/metadata/labels");
        labels
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    }

    /// Lists the containers, init containers first.
    pub(super) fn containers(&self) -> Vec<(&str, &Value)> {
        let lists = ["initContainers", "containers"].map(|list| self.pod().get(list));
        let containers = lists
            .into_iter()
            .flatten()
            .filter_map(Value::as_array)
            .flatten();
        let named =
            containers.filter_map(|container| Some((container.get("name")?.as_str()?, container)));
        named.collect()
    }
}

impl RenderedBudget {
    /// Returns whether the budget is for these pods.
    pub(super) fn selects(&self, labels: &Map<String, Value>) -> bool {
        let Some(selector) = self.spec.get("selector").and_then(Value::as_object) else {
            return false;
        };
        let wanted = selector.get("matchLabels").and_then(Value::as_object);
        let expressions = selector.get("matchExpressions").and_then(Value::as_array);
        if wanted.is_none_or(Map::is_empty) && expressions.is_none_or(Vec::is_empty) {
            return false;
        }
        let equal = wanted.is_none_or(|wanted| {
            wanted
                .iter()
                .all(|(key, value)| labels.get(key) == Some(value))
        });
        equal && expressions.is_none_or(|all| all.iter().all(|one| holds(one, labels)))
    }
}

fn holds(expression: &Value, labels: &Map<String, Value>) -> bool {
    let text = |key: &str| {
        expression
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let values = expression.get("values").and_then(Value::as_array);
    let label = labels.get(text("key"));
    let among = values.is_some_and(|values| label.is_some_and(|label| values.contains(label)));
    match text("operator") {
        "In" => among,
        "NotIn" => !among,
        "Exists" => label.is_some(),
        "DoesNotExist" => label.is_none(),
        _ => false,
    }
}

/// Cuts a rendering into documents, each with the template that printed it.
pub(super) fn documents(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    for document in text.split("\n---") {
        let origin = document
            .lines()
            .find_map(|line| line.strip_prefix("# Source: "))
            .unwrap_or_default();
        let body = document.trim_start_matches("---");
        found.push((origin, body));
    }
    found
}

pub(super) fn kind_of(document: &str) -> Option<&str> {
    let line = document
        .lines()
        .find_map(|line| line.strip_prefix("kind:"))?;
    let line = line.split('#').next().unwrap_or(line);
    Some(line.trim().trim_matches(['"', '\'']))
}

/// Reads an object. Of equal keys in one mapping the last one counts, as in Helm.
pub(super) fn object(document: &str) -> Option<Value> {
    let mut text = document.to_owned();
    // Each turn renames one key, so the text is read at last.
    loop {
        match yaml::load(&text) {
            Ok(documents) => return documents.first().map(|read| read.root.to_kubernetes()),
            Err(error) => {
                let first = error.first?;
                text.insert_str(first.start, "superseded-");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_documents_with_equal_keys_as_helm_does() {
        let read = object("a: 1\nb: {c: 1, c: 2}\na: 2\n").unwrap();
        assert_eq!(read.get("a"), Some(&Value::from(2)));
        assert_eq!(read.pointer("/b/c"), Some(&Value::from(2)));
    }

    #[test]
    fn flags_hooks_and_tests() {
        let pod = |hook: &str| {
            format!(
                "---\n# Source: c/templates/{hook}.yaml\napiVersion: v1\nkind: Pod\nmetadata:\n  name: {hook}\n  \
                 annotations: {{helm.sh/hook: {hook}}}\n"
            )
        };
        let text = format!("{}{}", pod("test"), pod("pre-install"));
        let rendering = ChartRendering::read(text);
        let flags = rendering.workloads.iter();
        let flags: Vec<_> = flags.map(|one| (one.hook, one.test)).collect();
        assert_eq!(flags, [(true, true), (true, false)]);
    }

    #[test]
    fn matches_budgets_by_labels_and_expressions() {
        let budget = |selector: Value| RenderedBudget {
            name: String::new(),
            spec: Map::from_iter([("selector".to_owned(), selector)]),
        };
        let labels = serde_json::json!({"app": "a", "tier": "b"});
        let labels = labels.as_object().unwrap();
        let by_label = serde_json::json!({"matchLabels": {"app": "a"}});
        assert!(budget(by_label).selects(labels));
        let wrong = serde_json::json!({"matchLabels": {"app": "x"}});
        assert!(!budget(wrong).selects(labels));
        let expression = serde_json::json!({"key": "tier", "operator": "In", "values": ["b"]});
        let by_expression = serde_json::json!({"matchExpressions": [expression]});
        assert!(budget(by_expression).selects(labels));
        assert!(!budget(serde_json::json!({})).selects(labels));
    }
}

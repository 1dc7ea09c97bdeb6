//! The pods that the objects of a cluster make.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::JudgedCluster;
use crate::laboratory::releases::{items, text};

/// The pods of one controller.
#[derive(Clone, Debug)]
pub(super) struct RunningPod<'c> {
    pub(super) owner: String,
    pub(super) namespace: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    /// The `metadata` of its template.
    metadata: &'c Value,
    pub(super) spec: &'c Value,
    /// The hooks of Helm that it is; empty where it is none.
    pub(super) hook: &'c str,
    /// Whether an operator makes it, so that only its labels are known.
    pub(super) made: bool,
}

impl<'c> RunningPod<'c> {
    pub(super) fn label(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }

    /// Whether it only runs for `helm test`.
    pub(super) fn is_test(&self) -> bool {
        self.hook
            .split(',')
            .any(|hook| hook.trim().starts_with("test"))
    }

    pub(super) fn containers(&self) -> impl Iterator<Item = &'c Value> {
        ["/initContainers", "/containers"]
            .into_iter()
            .flat_map(|list| items(self.spec, list))
    }

    /// Returns the pod, as it is judged by admission.
    pub(super) fn template(&self) -> Value {
        json!({"metadata": self.metadata, "spec": self.spec})
    }
}

/// Returns the template of the pods that an object makes, or the pod that it is.
pub(crate) fn pod_template(object: &Value) -> Option<&Value> {
    match text(object, "/kind") {
        "Deployment"
        | "StatefulSet"
        | "DaemonSet"
        | "ReplicaSet"
        | "Job"
        | "ReplicationController" => object.pointer("/spec/template"),
        "CronJob" => object.pointer("/spec/jobTemplate/spec/template"),
        "Pod" => Some(object),
        _ => None,
    }
}

/// Lists the pods of controllers, of bare pods, and of those custom resources over whose pods the catalogue has budgets.
pub(super) fn pods(cluster: &JudgedCluster) -> Vec<RunningPod<'_>> {
    let mut found = Vec::new();
    for owned in &cluster.objects {
        let object = &owned.object;
        let (kind, name) = (text(object, "/kind"), text(object, "/metadata/name"));
        let template = pod_template(object);
        let pod = |kind: &str, name: String, template: &'_ Value| {
            let labels = template
                .pointer("/metadata/labels")
                .and_then(Value::as_object);
            let labels = labels.into_iter().flatten();
            let labels = labels
                .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()));
            (kind.to_owned(), name, labels.collect())
        };
        let (made, (kind, name, labels)) = match (template, operated(kind, name)) {
            (Some(template), _) => (false, pod(kind, name.to_owned(), template)),
            (None, Some((kind, name, labels))) => (true, (kind, name, labels)),
            (None, None) => continue,
        };
        let part = |key: &str| template.map_or(&Value::Null, |template| &template[key]);
        found.push(RunningPod {
            owner: owned.owner.clone(),
            namespace: owned.namespace.clone(),
            kind,
            name,
            labels,
            metadata: part("metadata"),
            spec: part("spec"),
            hook: text(object, "/metadata/annotations/helm.sh~1hook"),
            made,
        });
    }
    found
}

/// The workload that Prometheus' operator makes of a resource, with the labels of its pods (`pkg/prometheus/server` and
/// `pkg/alertmanager` of prometheus-operator 0.88).
fn operated(kind: &str, name: &str) -> Option<(String, String, BTreeMap<String, String>)> {
    let (program, own) = match kind {
        "Prometheus" => ("prometheus", "operator.prometheus.io/name"),
        "Alertmanager" => ("alertmanager", "alertmanager"),
        _ => return None,
    };
    let labels = [
        ("app.kubernetes.io/name", program),
        ("app.kubernetes.io/instance", name),
        ("app.kubernetes.io/managed-by", "prometheus-operator"),
        (own, name),
    ];
    let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned()));
    Some((
        "StatefulSet".to_owned(),
        format!("{program}-{name}"),
        labels.into(),
    ))
}

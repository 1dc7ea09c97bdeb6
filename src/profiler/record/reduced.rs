//! What of an object is recorded.

use serde_json::{Map, Value, json};

/// The fields of a pod's spec that are recorded as they are.
const POD: [&str; 20] = [
    "affinity",
    "automountServiceAccountToken",
    "enableServiceLinks",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostUsers",
    "hostname",
    "imagePullSecrets",
    "nodeSelector",
    "os",
    "priorityClassName",
    "restartPolicy",
    "runtimeClassName",
    "securityContext",
    "serviceAccountName",
    "subdomain",
    "terminationGracePeriodSeconds",
    "tolerations",
    "topologySpreadConstraints",
];
/// The fields of a container that are recorded as they are.
const CONTAINER: [&str; 6] = [
    "name",
    "image",
    "ports",
    "resources",
    "restartPolicy",
    "securityContext",
];
const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];
/// The fields of a probe or of a hook of a container's life; commands and headers are left out.
const PROBE: [&str; 6] = [
    "initialDelaySeconds",
    "periodSeconds",
    "timeoutSeconds",
    "successThreshold",
    "failureThreshold",
    "terminationGracePeriodSeconds",
];
/// The annotations of a pod that decide its Pod Security level.
const POD_ANNOTATIONS: [&str; 3] = [
    "container.apparmor.security.beta.kubernetes.io/",
    "container.seccomp.security.alpha.kubernetes.io/",
    "seccomp.security.alpha.kubernetes.io/",
];

/// Reduces rendered objects to what rules and checks ask, in the order of kind, namespace and name.
///
/// Every object keeps its `apiVersion`, `kind`, name and namespace, and the annotations that make it a Helm hook. What has
/// pods, budgets, Services, `ServiceAccounts`, priority classes, namespaces and autoscalers keep their labels and what they
/// say; nothing else of any other object is kept.
pub fn reduce(objects: impl IntoIterator<Item = Value>) -> Vec<Value> {
    let mut reduced: Vec<Value> = objects
        .into_iter()
        .map(|object| super::sorted(&reduced(&object)))
        .collect();
    let key = |object: &Value| {
        let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
        let parts = [
            "/kind",
            "/metadata/namespace",
            "/metadata/name",
            "/apiVersion",
        ];
        parts.map(|pointer| text(pointer).unwrap_or_default().to_owned())
    };
    reduced.sort_by_cached_key(key);
    reduced
}

fn reduced(object: &Value) -> Value {
    let mut kept = picked(object, &["apiVersion", "kind"]);
    let metadata = object.get("metadata").unwrap_or(&Value::Null);
    let mut name = picked(metadata, &["name", "namespace"]);
    put(
        &mut name,
        "annotations",
        starting(metadata, "annotations", &["helm.sh/hook"]),
    );
    let said = said(object);
    if said.is_some() {
        name.extend(picked(metadata, &["labels"]));
    }
    kept.insert("metadata".to_owned(), Value::Object(name));
    for (key, value) in said.into_iter().flatten() {
        put(&mut kept, &key, value);
    }
    Value::Object(kept)
}

/// Returns what is kept of an object besides its name; `None` where that is nothing.
fn said(object: &Value) -> Option<Map<String, Value>> {
    let spec = object.get("spec").unwrap_or(&Value::Null);
    let whole = |keys: &[&str]| {
        let mut said = Map::new();
        put(&mut said, "spec", Value::Object(picked(spec, keys)));
        said
    };
    let said = match object.get("kind").and_then(Value::as_str)? {
        "Pod" => {
            let mut said = template(object);
            said.remove("metadata");
            said
        }
        "Deployment"
        | "StatefulSet"
        | "DaemonSet"
        | "ReplicaSet"
        | "Job"
        | "ReplicationController" => {
            let mut said = whole(&["replicas", "selector", "serviceName", "parallelism"]);
            let claims = spec.get("volumeClaimTemplates").and_then(Value::as_array);
            let claims = claims.into_iter().flatten();
            let claims: Vec<Value> = claims
                .map(|claim| json!({"metadata": picked(&claim["metadata"], &["name"])}))
                .collect();
            below(&mut said, "volumeClaimTemplates", Value::Array(claims));
            below(
                &mut said,
                "template",
                Value::Object(template(&spec["template"])),
            );
            said
        }
        "CronJob" => {
            let pod = template(&spec["jobTemplate"]["spec"]["template"]);
            let mut said = whole(&[]);
            below(&mut said, "jobTemplate", json!({"spec": {"template": pod}}));
            said
        }
        "PodDisruptionBudget" => whole(&[
            "selector",
            "minAvailable",
            "maxUnavailable",
            "unhealthyPodEvictionPolicy",
        ]),
        "Service" => whole(&[
            "selector",
            "ports",
            "type",
            "clusterIP",
            "publishNotReadyAddresses",
        ]),
        "ServiceAccount" => picked(object, &["automountServiceAccountToken"]),
        "PriorityClass" => picked(object, &["value", "globalDefault", "preemptionPolicy"]),
        "Namespace" => Map::new(),
        "HorizontalPodAutoscaler" => whole(&["scaleTargetRef", "minReplicas", "maxReplicas"]),
        "ScaledObject" => whole(&["scaleTargetRef", "minReplicaCount", "maxReplicaCount"]),
        _ => return None,
    };
    Some(said)
}

/// Puts a field into `spec`.
fn below(said: &mut Map<String, Value>, key: &str, value: Value) {
    let spec = said.entry("spec").or_insert_with(|| json!({}));
    if let Some(spec) = spec.as_object_mut() {
        put(spec, key, value);
    }
}

/// Returns what is kept of a pod: labels, annotations that decide its level, and its spec.
fn template(pod: &Value) -> Map<String, Value> {
    let metadata = pod.get("metadata").unwrap_or(&Value::Null);
    let mut head = picked(metadata, &["labels"]);
    put(
        &mut head,
        "annotations",
        starting(metadata, "annotations", &POD_ANNOTATIONS),
    );
    let spec = pod.get("spec").unwrap_or(&Value::Null);
    let mut kept = picked(spec, &POD);
    // The older name of the same field.
    if !kept.contains_key("serviceAccountName")
        && let Some(account) = spec.get("serviceAccount").filter(|value| value.is_string())
    {
        kept.insert("serviceAccountName".to_owned(), account.clone());
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        put(&mut kept, list, each(spec, list, container));
    }
    put(&mut kept, "volumes", each(spec, "volumes", volume));
    let mut template = Map::new();
    put(&mut template, "metadata", Value::Object(head));
    template.insert("spec".to_owned(), Value::Object(kept));
    template
}

fn container(container: &Value) -> Value {
    let mut kept = picked(container, &CONTAINER);
    put(
        &mut kept,
        "env",
        each(container, "env", |variable| {
            Value::Object(picked(variable, &["name"]))
        }),
    );
    put(
        &mut kept,
        "volumeMounts",
        each(container, "volumeMounts", |mount| {
            Value::Object(picked(mount, &["name", "mountPath", "subPath", "readOnly"]))
        }),
    );
    for name in PROBES {
        if let Some(written) = container.get(name).filter(|written| written.is_object()) {
            kept.insert(name.to_owned(), Value::Object(probe(written)));
        }
    }
    let mut life = Map::new();
    for hook in ["postStart", "preStop"] {
        if let Some(written) = container["lifecycle"].get(hook) {
            put(&mut life, hook, Value::Object(probe(written)));
        }
    }
    put(&mut kept, "lifecycle", Value::Object(life));
    Value::Object(kept)
}

/// Returns what is kept of a probe or of a hook of a container's life.
fn probe(probe: &Value) -> Map<String, Value> {
    let mut kept = picked(probe, &PROBE);
    let ways = [
        ("httpGet", ["scheme", "host", "port", "path"].as_slice()),
        ("tcpSocket", &["host", "port"]),
        ("grpc", &["port", "service"]),
        ("exec", &[]),
        ("sleep", &["seconds"]),
    ];
    for (way, keys) in ways {
        if let Some(written) = probe.get(way).filter(|written| written.is_object()) {
            kept.insert(way.to_owned(), Value::Object(picked(written, keys)));
        }
    }
    kept
}

/// Returns a volume with its type; of a path on the node, a driver or a claim, also which.
fn volume(volume: &Value) -> Value {
    let mut kept = Map::new();
    for (key, value) in volume.as_object().into_iter().flatten() {
        let what = match key.as_str() {
            "name" => value.clone(),
            "hostPath" => Value::Object(picked(value, &["path"])),
            "csi" => Value::Object(picked(value, &["driver"])),
            "persistentVolumeClaim" => Value::Object(picked(value, &["claimName"])),
            _ if value.is_null() => continue,
            _ => json!({}),
        };
        kept.insert(key.clone(), what);
    }
    Value::Object(kept)
}

fn each(holder: &Value, list: &str, kept: impl Fn(&Value) -> Value) -> Value {
    let items = holder.get(list).and_then(Value::as_array);
    items.into_iter().flatten().map(kept).collect()
}

/// Returns the entries of a mapping whose keys start with one of these.
fn starting(holder: &Value, mapping: &str, starts: &[&str]) -> Value {
    let entries = holder.get(mapping).and_then(Value::as_object);
    let kept = entries
        .into_iter()
        .flatten()
        .filter(|(key, _)| starts.iter().any(|start| key.starts_with(start)));
    Value::Object(
        kept.map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
    )
}

fn picked(value: &Value, keys: &[&str]) -> Map<String, Value> {
    let mut kept = Map::new();
    for key in keys {
        if let Some(field) = value.get(key) {
            put(&mut kept, key, field.clone());
        }
    }
    kept
}

/// Puts a field unless it says nothing: the API server drops null, and an empty list is as none.
fn put(map: &mut Map<String, Value>, key: &str, value: Value) {
    let empty = match &value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty() && key != "selector",
        _ => false,
    };
    if !empty {
        map.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_is_asked_and_no_word_that_may_be_a_secret() {
        let secret = "hunter2";
        let container = json!({
            "name": "a", "image": "a:1", "command": [secret], "args": [secret],
            "env": [{"name": "A", "value": secret}, {"name": "A"}],
            "ports": [{"containerPort": 80, "name": "http"}],
            "volumeMounts": [{"name": "v", "mountPath": "/v"}],
            "livenessProbe": {"httpGet": {"port": "http", "host": "h", "httpHeaders": [{"name": "x", "value": secret}]}},
            "readinessProbe": {"exec": {"command": [secret]}},
            "lifecycle": {"preStop": {"exec": {"command": [secret]}}},
            "securityContext": {"runAsNonRoot": true}
        });
        let volumes = json!([
            {"name": "v", "hostPath": {"path": "/run", "type": ""}},
            {"name": "w", "csi": {"driver": "d", "volumeAttributes": {"k": secret}}},
            {"name": "x", "emptyDir": {}, "nfs": null}
        ]);
        let pod = json!({
            "metadata": {"labels": {"app": "a"}, "annotations": {"checksum/config": secret}},
            "spec": {"containers": [container], "volumes": volumes, "hostNetwork": true}
        });
        let objects = [
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "n",
                "labels": {"app": "a"}, "annotations": {"helm.sh/hook": "test", "note": secret}},
                "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "a"}}, "template": pod}}),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "labels": {"l": secret}},
                "data": {"a": secret}}),
            json!({"apiVersion": "x/v1", "kind": "Custom", "metadata": {"name": "c"}, "spec": {"password": secret}}),
        ];
        let reduced = Value::Array(reduce(objects));
        assert!(!reduced.to_string().contains(secret), "{reduced:#}");
        let kinds: Vec<_> = (0..3).map(|at| reduced[at]["kind"].clone()).collect();
        assert_eq!(kinds, ["ConfigMap", "Custom", "Deployment"]);
        let spec = &reduced[2]["spec"]["template"]["spec"];
        let kept = json!({
            "containers": [{
                "env": [{"name": "A"}, {"name": "A"}],
                "image": "a:1",
                "lifecycle": {"preStop": {"exec": {}}},
                "livenessProbe": {"httpGet": {"host": "h", "port": "http"}},
                "name": "a",
                "ports": [{"containerPort": 80, "name": "http"}],
                "readinessProbe": {"exec": {}},
                "securityContext": {"runAsNonRoot": true},
                "volumeMounts": [{"mountPath": "/v", "name": "v"}]
            }],
            "hostNetwork": true,
            "volumes": [
                {"hostPath": {"path": "/run"}, "name": "v"},
                {"csi": {"driver": "d"}, "name": "w"},
                {"emptyDir": {}, "name": "x"}
            ]
        });
        assert_eq!(spec, &kept);
        assert_eq!(
            reduced[2]["metadata"]["annotations"],
            json!({"helm.sh/hook": "test"})
        );
    }

    /// The whole of a pod is recorded as the API spells it, wherever the pod lies.
    #[test]
    fn finds_the_pod_of_every_kind() {
        let pod =
            json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c"}]}});
        let cron = json!({"kind": "CronJob", "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": pod}}}});
        let job = json!({"kind": "Job", "spec": {"template": pod}});
        let bare = json!({"kind": "Pod", "metadata": {"name": "p", "labels": {"a": "b"}}, "spec": pod["spec"]});
        let reduced = reduce([cron, job, bare]);
        assert_eq!(reduced[0]["spec"]["jobTemplate"]["spec"]["template"], pod);
        assert_eq!(reduced[1]["spec"]["template"], pod);
        assert_eq!(reduced[2]["spec"], pod["spec"]);
        assert_eq!(reduced[2]["metadata"]["labels"], json!({"a": "b"}));
    }
}

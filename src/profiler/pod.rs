//! The part of a pod's spec that hardening looks at.

use serde_json::{Map, Value, json};

const POD: [&str; 10] = [
    "priorityClassName",
    "securityContext",
    "automountServiceAccountToken",
    "serviceAccountName",
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "hostUsers",
    "topologySpreadConstraints",
    "affinity",
];
const CONTAINER: [&str; 10] = [
    "name",
    "image",
    "restartPolicy",
    "ports",
    "resources",
    "securityContext",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
];

/// Returns the spec of a pod with what hardening looks at and nothing else.
pub(super) fn abridged(spec: &Value) -> Map<String, Value> {
    let mut pod = picked(spec, &POD);
    let volumes = spec.get("volumes").and_then(Value::as_array);
    let volumes: Vec<Value> = volumes.into_iter().flatten().filter_map(volume).collect();
    if !volumes.is_empty() {
        pod.insert("volumes".to_owned(), Value::Array(volumes));
    }
    for list in ["initContainers", "containers"] {
        let containers = spec.get(list).and_then(Value::as_array);
        let containers: Vec<Value> = containers.into_iter().flatten().map(container).collect();
        if !containers.is_empty() {
            pod.insert(list.to_owned(), Value::Array(containers));
        }
    }
    pod
}

/// Returns a container with what hardening looks at; of what its hooks run, only that they do.
fn container(container: &Value) -> Value {
    let mut picked = picked(container, &CONTAINER);
    let hooks = picked.get_mut("lifecycle").and_then(Value::as_object_mut);
    for hook in hooks.into_iter().flat_map(Map::values_mut) {
        if let Some(exec) = hook.get_mut("exec") {
            *exec = json!({});
        }
    }
    Value::Object(picked)
}

/// Returns the named fields that say something.
fn picked(object: &Value, names: &[&str]) -> Map<String, Value> {
    let said = |value: &Value| match value {
        Value::Null => false,
        Value::Object(map) => !map.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    };
    let fields = names.iter().filter_map(|name| {
        let value = object.get(*name).filter(|value| said(value))?;
        Some(((*name).to_owned(), value.clone()))
    });
    fields.collect()
}

/// Returns a volume's name and type, and the path of a folder of the host.
fn volume(volume: &Value) -> Option<Value> {
    let name = volume.get("name")?;
    let kind = volume.as_object()?.keys().find(|key| *key != "name");
    let kind = kind.map_or("emptyDir", String::as_str);
    let detail = match volume.pointer("/hostPath/path") {
        Some(path) if kind == "hostPath" => json!({"path": path}),
        _ => json!({}),
    };
    let mut made = Map::new();
    made.insert("name".to_owned(), name.clone());
    made.insert(kind.to_owned(), detail);
    Some(Value::Object(made))
}

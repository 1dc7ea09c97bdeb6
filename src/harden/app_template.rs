//! The pods that bjw-s' app-template makes: its values spell them out.

use serde_json::{Map, Value, json};

/// A controller of the values and the pod that the chart makes for it.
#[derive(Clone, Debug)]
pub struct Controller {
    /// Its key below `controllers`.
    pub name: String,
    /// `deployment`, `statefulset`, `daemonset`, `cronjob` or `job`.
    pub kind: String,
    /// The pod, as far as the Pod Security Standards ask.
    pub pod: Value,
}

/// Lists the controllers that are on.
pub fn controllers(values: &Map<String, Value>) -> Vec<Controller> {
    let all = values.get("controllers").and_then(Value::as_object);
    all.into_iter()
        .flatten()
        .filter(|(_, controller)| controller["enabled"] != false)
        .map(|(name, controller)| Controller {
            name: name.clone(),
            kind: controller["type"]
                .as_str()
                .unwrap_or("deployment")
                .to_owned(),
            pod: json!({"spec": spec(values, controller)}),
        })
        .collect()
}

fn spec(values: &Map<String, Value>, controller: &Value) -> Value {
    let empty = Value::Null;
    let shared = values.get("defaultPodOptions").unwrap_or(&empty);
    let merge = values
        .get("defaultPodOptionsStrategy")
        .is_some_and(|strategy| strategy == "merge");
    let mut spec = Map::new();
    for field in [
        "hostNetwork",
        "hostPID",
        "hostIPC",
        "hostUsers",
        "securityContext",
    ] {
        let value = layered(&shared[field], &controller["pod"][field], merge);
        spec.insert(field.to_owned(), value);
    }
    for list in ["containers", "initContainers"] {
        let containers = controller[list].as_object().into_iter().flatten();
        let built = containers
            .filter(|(_, container)| container["enabled"] != false)
            .map(|(name, container)| built(name, container, controller));
        spec.insert(list.to_owned(), built.collect());
    }
    spec.insert("volumes".to_owned(), volumes(values));
    Value::Object(spec)
}

fn built(name: &str, container: &Value, controller: &Value) -> Value {
    let options = &controller["defaultContainerOptions"];
    let merge = controller["defaultContainerOptionsStrategy"] == "merge";
    let mut result = json!({
        "name": name,
        "securityContext": layered(&options["securityContext"], &container["securityContext"], merge),
        "ports": container["ports"],
        "lifecycle": container["lifecycle"],
    });
    for probe in ["liveness", "readiness", "startup"] {
        let written = &container["probes"][probe];
        if written["custom"] == true {
            result[format!("{probe}Probe")] = written["spec"].clone();
        }
    }
    result
}

/// Puts what one pod says over what is said for all of them.
fn layered(below: &Value, above: &Value, merge: bool) -> Value {
    match (below, above) {
        (Value::Object(below), Value::Object(above)) if merge => {
            let mut merged = below.clone();
            for (key, value) in above {
                let inner = layered(merged.get(key).unwrap_or(&Value::Null), value, true);
                merged.insert(key.clone(), inner);
            }
            Value::Object(merged)
        }
        (below, Value::Null) => below.clone(),
        (_, above) => above.clone(),
    }
}

/// Lists the volumes of all controllers: a mount may be for one of them only, which is not followed.
fn volumes(values: &Map<String, Value>) -> Value {
    let all = values
        .get("persistence")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    all.filter(|(_, volume)| volume["enabled"] != false)
        .map(|(name, volume)| {
            let kind = match volume["type"].as_str().unwrap_or("persistentVolumeClaim") {
                "custom" => return with_name(name, volume["volumeSpec"].clone()),
                kind => kind,
            };
            with_name(name, json!({ (kind): {} }))
        })
        .collect()
}

fn with_name(name: &str, mut volume: Value) -> Value {
    if let Value::Object(map) = &mut volume {
        map.insert("name".to_owned(), Value::from(name));
    }
    volume
}

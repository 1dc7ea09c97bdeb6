//! The pods that bjw-s' app-template makes: its values spell them out.
//!
//! Source: the `common` library of bjw-s-labs/helm-charts at 4.1.1 (`lib/pod`, `lib/container`).

use std::collections::BTreeMap;

use semver::Version;
use serde_json::{Map, Value, json};

use super::{Home, PodField, Reach, Workload};
use crate::charts::Release;
use crate::charts::values::{self, at};

/// The options of a pod that all controllers share, or one has for itself.
const POD_OPTIONS: [&str; 9] = [
    "affinity",
    "automountServiceAccountToken",
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "hostUsers",
    "priorityClassName",
    "securityContext",
    "topologySpreadConstraints",
];

/// The names of probes in the values, and in a container.
const PROBES: [(&str, &str); 3] = [
    ("liveness", "livenessProbe"),
    ("readiness", "readinessProbe"),
    ("startup", "startupProbe"),
];

/// Lists the workloads of the controllers that are on.
pub(super) fn workloads<'t>(release: &'t Release<'t>) -> Vec<Workload<'t>> {
    let controllers = release.values.get("controllers").and_then(Value::as_object);
    let on: Vec<(&String, &Value)> = controllers
        .into_iter()
        .flatten()
        .filter(|(_, controller)| controller["enabled"] != false)
        .collect();
    on.iter()
        .map(|(name, controller)| workload(release, name, controller, on.len()))
        .collect()
}

fn workload<'t>(
    release: &'t Release<'t>,
    controller: &str,
    values: &Value,
    count: usize,
) -> Workload<'t> {
    let kind = match values["type"].as_str() {
        Some("statefulset") => "StatefulSet",
        Some("daemonset") => "DaemonSet",
        Some("cronjob") => "CronJob",
        Some("job") => "Job",
        _ => "Deployment",
    };
    let name = name(release, controller, values, count);
    let (spec, exact) = release
        .patches
        .apply(kind, &name, spec(&release.values, values));
    let replicas =
        matches!(kind, "Deployment" | "StatefulSet").then(|| match values.get("replicas") {
            None => Some(1),
            Some(replicas) => replicas.as_u64(),
        });
    Workload {
        member: release.member,
        home: Home::AppTemplate(release, controller.to_owned()),
        kind: kind.to_owned(),
        name,
        namespace: release.namespace.clone(),
        replicas: replicas.flatten(),
        selector: selector(release, controller),
        hook: false,
        certain: exact && !release.values_from,
        immutable: false,
        pod: Value::from_iter([("spec", spec)]),
    }
}

fn name(release: &Release<'_>, controller: &str, values: &Value, count: usize) -> String {
    if let Some(name) = values["forceRename"].as_str() {
        return name.to_owned();
    }
    let whole = at(&release.values, "global.fullnameOverride")
        .and_then(Value::as_str)
        .unwrap_or(&release.name);
    let named = whole == controller || whole.ends_with(&format!("-{controller}"));
    if count > 1 && !named {
        format!("{whole}-{controller}")
    } else {
        whole.to_owned()
    }
}

/// Returns the labels that select a controller's pods: the last one changed its key with version 4.
fn selector(release: &Release<'_>, controller: &str) -> BTreeMap<String, String> {
    let old = release
        .version
        .as_deref()
        .and_then(|version| Version::parse(version).ok())
        .is_some_and(|version| version.major < 4);
    let own = if old { "component" } else { "controller" };
    let name = at(&release.values, "global.nameOverride").and_then(Value::as_str);
    BTreeMap::from(
        [
            ("app.kubernetes.io/name", name.unwrap_or(&release.name)),
            ("app.kubernetes.io/instance", &release.name),
            (&*format!("app.kubernetes.io/{own}"), controller),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned())),
    )
}

fn spec(values: &Map<String, Value>, controller: &Value) -> Value {
    let empty = Value::Null;
    let shared = values.get("defaultPodOptions").unwrap_or(&empty);
    let merge = values
        .get("defaultPodOptionsStrategy")
        .is_some_and(|strategy| strategy == "merge");
    let mut spec = Map::new();
    for option in POD_OPTIONS {
        let value = layered(&shared[option], &controller["pod"][option], merge);
        if !is_empty(&value) {
            spec.insert(option.to_owned(), value);
        }
    }
    for list in ["containers", "initContainers"] {
        let containers = controller[list].as_object().into_iter().flatten();
        let built = containers
            .filter(|(_, container)| container["enabled"] != false)
            .map(|(name, container)| container_of(name, container, controller));
        spec.insert(list.to_owned(), built.collect());
    }
    spec.insert("volumes".to_owned(), volumes(values));
    Value::Object(spec)
}

/// Empty values are as if they were not there; `false` is not empty.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

fn container_of(name: &str, container: &Value, controller: &Value) -> Value {
    let options = &controller["defaultContainerOptions"];
    let merge = controller["defaultContainerOptionsStrategy"] == "merge";
    let mut result = Map::new();
    result.insert("name".to_owned(), Value::from(name));
    if let Some(image) = image(&container["image"]) {
        result.insert("image".to_owned(), Value::from(image));
    }
    for field in ["securityContext", "resources"] {
        let value = layered(&options[field], &container[field], merge);
        if !is_empty(&value) {
            result.insert(field.to_owned(), value);
        }
    }
    for field in ["ports", "lifecycle", "restartPolicy"] {
        if !is_empty(&container[field]) {
            result.insert(field.to_owned(), container[field].clone());
        }
    }
    for (name, field) in PROBES {
        if let Some(probe) = probe(&container["probes"][name]) {
            result.insert(field.to_owned(), probe);
        }
    }
    Value::Object(result)
}

fn image(image: &Value) -> Option<String> {
    if let Some(whole) = image.as_str() {
        return Some(whole.to_owned());
    }
    let repository = image["repository"].as_str()?;
    let tag = match &image["tag"] {
        Value::String(tag) => format!(":{tag}"),
        Value::Number(tag) => format!(":{tag}"),
        _ => String::new(),
    };
    let digest = image["digest"].as_str();
    let digest = digest
        .map(|digest| format!("@{digest}"))
        .unwrap_or_default();
    Some(format!("{repository}{tag}{digest}"))
}

/// Reads a probe that is on; one without a spec of its own asks the port of the primary service.
fn probe(written: &Value) -> Option<Value> {
    if written["enabled"] != true {
        return None;
    }
    if written["custom"] == true {
        return Some(written["spec"].clone());
    }
    let mut probe = written["spec"].as_object().cloned().unwrap_or_default();
    let port = written
        .get("port")
        .cloned()
        .unwrap_or_else(|| "service".into());
    let (handler, body) = match written["type"].as_str() {
        Some("HTTP" | "HTTPS") => (
            "httpGet",
            json!({"path": written["path"], "port": port, "scheme": written["type"]}),
        ),
        Some("GRPC") => ("grpc", json!({"port": port})),
        _ => ("tcpSocket", json!({"port": port})),
    };
    probe.insert(handler.to_owned(), body);
    Some(Value::Object(probe))
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
        (below, above) if is_empty(above) => below.clone(),
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
            let mut source = Map::new();
            if let Some(path) = volume.get("hostPath").filter(|_| kind == "hostPath") {
                source.insert("path".to_owned(), path.clone());
            }
            with_name(name, json!({ (kind): source }))
        })
        .collect()
}

fn with_name(name: &str, mut volume: Value) -> Value {
    if let Value::Object(map) = &mut volume {
        map.insert("name".to_owned(), Value::from(name));
    }
    volume
}

/// Returns the route of a field in the values: that of the controller where it says something for
/// itself, that of all controllers otherwise.
pub(super) fn reach(release: &Release<'_>, controller: &str, field: &PodField) -> Reach {
    if release.values_from {
        return Reach::Nowhere("more of the release's values come from elsewhere");
    }
    let values = values::route("");
    let own = values.then("controllers").then(controller);
    let said = |route: &[&str]| {
        let mut value = release
            .values
            .get("controllers")
            .and_then(|all| all.get(controller));
        for key in route {
            value = value.and_then(|value| value.get(key));
        }
        value.is_some_and(|value| !is_empty(value))
    };
    match field {
        // A constraint selects the pods of one controller, so it is never shared.
        PodField::Pod(key @ "topologySpreadConstraints") => {
            Reach::Object(own.then("pod").then(*key))
        }
        PodField::Pod(key) if said(&["pod", key]) => Reach::Object(own.then("pod").then(*key)),
        PodField::Pod(key) => Reach::Object(values.then("defaultPodOptions").then(*key)),
        PodField::Container { name, key } => {
            let list = if said(&["containers", name]) {
                "containers"
            } else {
                "initContainers"
            };
            if PROBES.iter().any(|(_, probe)| probe == key) {
                return Reach::Nowhere("the chart spells probes in its own way");
            }
            let shared = said(&["defaultContainerOptions", key]) && !said(&[list, name, key]);
            if shared {
                return Reach::Object(own.then("defaultContainerOptions").then(*key));
            }
            Reach::Object(own.then(list).then(name.as_str()).then(*key))
        }
    }
}

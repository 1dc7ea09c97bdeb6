//! What Flux applies of a tree that Kiln wrote: its Kustomizations are followed and built, their variables put in.
//!
//! Written from the documentation of Flux and kustomize for the fields that the catalogue has; any other field fails the
//! test, so that nothing is left out in silence.

use std::collections::BTreeMap;

use kiln::yaml;
use regex::Regex;
use serde_json::{Map, Value};

/// One object as the API server gets it.
#[derive(Clone, Debug)]
pub(crate) struct AppliedObject {
    /// Its namespace; empty for kinds without.
    pub(crate) namespace: String,
    /// The object.
    pub(crate) object: Value,
}

/// A HelmRelease with its chart.
#[derive(Clone, Debug)]
pub(crate) struct AppliedRelease {
    /// `HelmRelease/monitoring/alloy`.
    pub(crate) label: String,
    pub(crate) chart: String,
    pub(crate) version: String,
    /// The name of the Helm release.
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) values: Value,
    pub(crate) post_renderers: Value,
    /// Whether `helm test` runs.
    pub(crate) tests: bool,
}

/// The folder that Flux is told to start at.
const START: &str = "kubernetes/flux/cluster";

/// The kinds without a namespace that the catalogue writes or its charts make.
const CLUSTER_SCOPED: [&str; 30] = [
    "APIService",
    "CiliumBGPAdvertisement",
    "CiliumBGPClusterConfig",
    "CiliumBGPPeerConfig",
    "CiliumL2AnnouncementPolicy",
    "CiliumLoadBalancerIPPool",
    "ClusterImagePolicy",
    "ClusterIssuer",
    "ClusterPolicy",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterSecretStore",
    "CSIDriver",
    "Bundle",
    "CustomResourceDefinition",
    "GatewayClass",
    "ImageValidatingPolicy",
    "IngressClass",
    "KubernetesUpgrade",
    "MutatingWebhookConfiguration",
    "Namespace",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
    "TalosUpgrade",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingPolicy",
    "ValidatingWebhookConfiguration",
    "VolumeSnapshotClass",
];

/// Returns the namespace that an object ends up in.
pub(crate) fn namespace_of(object: &Value, default: &str) -> String {
    let kind = text(object, "/kind");
    if CLUSTER_SCOPED.contains(&kind) {
        return String::new();
    }
    let own = text(object, "/metadata/namespace");
    if own.is_empty() { default } else { own }.to_owned()
}

/// Returns the text at a pointer, or nothing.
pub(crate) fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Lists the items at a pointer.
pub(crate) fn items<'v>(value: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    let items = value.pointer(pointer).and_then(Value::as_array);
    items.into_iter().flatten()
}

/// Reads the objects of a text.
pub(crate) fn documents(path: &str, content: &str) -> Vec<Value> {
    let documents = yaml::load(content).unwrap_or_else(|error| panic!("{path}: {}", error.message));
    let values = documents
        .iter()
        .map(|document| document.root.to_kubernetes());
    values.filter(Value::is_object).collect()
}

/// Follows Flux from where it starts; `files` are those of a tree, secrets in plain.
pub(crate) fn applied(files: &BTreeMap<String, String>) -> Vec<AppliedObject> {
    let mut pending = vec![folder_objects(files, START)];
    let mut found: Vec<AppliedObject> = Vec::new();
    while let Some(objects) = pending.pop() {
        let own = found.len()..found.len() + objects.len();
        found.extend(objects.into_iter().map(|object| AppliedObject {
            namespace: namespace_of(&object, "default"),
            object,
        }));
        for number in own {
            let object = &found[number].object;
            if text(object, "/apiVersion").starts_with("kustomize.toolkit.fluxcd.io/") {
                pending.push(built(files, object, &found));
            }
        }
    }
    found
}

/// Builds a Flux Kustomization; variables come from Secrets that are applied already.
fn built(
    files: &BTreeMap<String, String>,
    kustomization: &Value,
    earlier: &[AppliedObject],
) -> Vec<Value> {
    let spec = kustomization["spec"].as_object().unwrap();
    for key in spec.keys() {
        let known = [
            "commonMetadata",
            "components",
            "decryption",
            "deletionPolicy",
            "dependsOn",
            "force",
            "healthCheckExprs",
            "healthChecks",
            "interval",
            "patches",
            "path",
            "postBuild",
            "prune",
            "retryInterval",
            "sourceRef",
            "targetNamespace",
            "timeout",
            "wait",
        ];
        assert!(
            known.contains(&key.as_str()),
            "spec.{key} of {kustomization:#}"
        );
    }
    let folder = text(kustomization, "/spec/path").trim_start_matches("./");
    let mut objects = folder_objects(files, folder);
    for component in items(kustomization, "/spec/components") {
        let path = joined(folder, component.as_str().unwrap());
        objects.extend(folder_objects(files, &path));
    }
    // What the patches set has no part in a render.
    for patch in items(kustomization, "/spec/patches") {
        let body = text(patch, "/patch");
        assert!(
            !body.contains("values:") && !body.contains("postRenderers:"),
            "{body}"
        );
    }
    let target = text(kustomization, "/spec/targetNamespace");
    if !target.is_empty() {
        objects
            .iter_mut()
            .for_each(|object| put_namespace(object, target));
    }
    let variables = variables(kustomization, earlier);
    if kustomization.pointer("/spec/postBuild").is_some() {
        objects
            .iter_mut()
            .for_each(|object| substitute(object, &variables));
    }
    objects
}

/// Reads `postBuild`: what stands there wins over what comes from Secrets.
fn variables(kustomization: &Value, earlier: &[AppliedObject]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut add = |entries: Option<&Map<String, Value>>| {
        for (key, value) in entries.into_iter().flatten() {
            found.insert(key.clone(), value.as_str().unwrap().to_owned());
        }
    };
    for from in items(kustomization, "/spec/postBuild/substituteFrom") {
        let namespace = text(kustomization, "/metadata/namespace");
        let source = earlier.iter().find(|applied| {
            applied.namespace == namespace
                && applied.object["kind"] == from["kind"]
                && applied.object["metadata"]["name"] == from["name"]
        });
        let source = source.unwrap_or_else(|| panic!("{from} of {kustomization:#}"));
        add(source.object["stringData"].as_object());
        add(source.object["data"]
            .as_object()
            .filter(|_| from["kind"] == "ConfigMap"));
    }
    let written = kustomization.pointer("/spec/postBuild/substitute");
    add(written.and_then(Value::as_object));
    found
}

/// Puts variables in, as `envsubst` does; a name that nothing gives is a mistake.
fn substitute(value: &mut Value, variables: &BTreeMap<String, String>) {
    match value {
        Value::Object(entries) => {
            let off = entries.get("metadata").is_some_and(|metadata| {
                let key = "/annotations/kustomize.toolkit.fluxcd.io~1substitute";
                text(metadata, key) == "disabled"
                    || text(metadata, &key.replace("annotations", "labels")) == "disabled"
            });
            if !off {
                entries
                    .values_mut()
                    .for_each(|value| substitute(value, variables));
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|value| substitute(value, variables)),
        Value::String(text) if text.contains("${") => {
            let variable = Regex::new(r"\$?\$\{([A-Za-z_][A-Za-z0-9_]*)(?::=([^}]*))?\}").unwrap();
            let replaced = variable.replace_all(text, |found: &regex::Captures<'_>| {
                if let Some(escaped) = found[0]
                    .strip_prefix('$')
                    .filter(|rest| rest.starts_with('$'))
                {
                    return escaped.to_owned();
                }
                let given = variables.get(&found[1]).cloned();
                let or_default =
                    given.or_else(|| found.get(2).map(|default| default.as_str().to_owned()));
                or_default.unwrap_or_else(|| panic!("nothing gives {}", &found[0]))
            });
            *text = replaced.into_owned();
        }
        _ => {}
    }
}

/// Lists what a folder builds to.
fn folder_objects(files: &BTreeMap<String, String>, folder: &str) -> Vec<Value> {
    let path = format!("{folder}/kustomization.yaml");
    let Some(content) = files.get(&path) else {
        return generated(files, folder);
    };
    let kustomization = documents(&path, content).remove(0);
    let mut objects = Vec::new();
    for key in kustomization.as_object().unwrap().keys() {
        let known = ["apiVersion", "kind", "namespace", "resources", "components"];
        assert!(known.contains(&key.as_str()), "{path} has `{key}`");
    }
    for list in ["/resources", "/components"] {
        for resource in items(&kustomization, list) {
            let path = joined(folder, resource.as_str().unwrap());
            match files.get(&path) {
                Some(content) => objects.extend(documents(&path, content)),
                None => objects.extend(folder_objects(files, &path)),
            }
        }
    }
    let namespace = text(&kustomization, "/namespace");
    if !namespace.is_empty() {
        objects
            .iter_mut()
            .for_each(|object| put_namespace(object, namespace));
    }
    objects
}

/// Lists what a folder without a kustomization.yaml builds to: Flux generates one of the folders that have.
fn generated(files: &BTreeMap<String, String>, folder: &str) -> Vec<Value> {
    let start = format!("{folder}/");
    let mut objects = Vec::new();
    for path in files.keys().filter(|path| path.starts_with(&start)) {
        match path[start.len()..].split('/').collect::<Vec<_>>()[..] {
            [child, "kustomization.yaml"] => {
                objects.extend(folder_objects(files, &format!("{start}{child}")));
            }
            [file] => assert!(!file.ends_with(".yaml"), "{path}"),
            _ => {}
        }
    }
    assert!(!objects.is_empty(), "{folder} builds to nothing");
    objects
}

fn joined(folder: &str, path: &str) -> String {
    let mut steps: Vec<&str> = folder.split('/').collect();
    for step in path.split('/') {
        match step {
            "." | "" => {}
            ".." => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    steps.join("/")
}

fn put_namespace(object: &mut Value, namespace: &str) {
    if !CLUSTER_SCOPED.contains(&text(object, "/kind")) {
        object["metadata"]["namespace"] = namespace.into();
    }
}

/// Finds the HelmReleases with their charts.
pub(crate) fn releases(applied: &[AppliedObject]) -> Vec<AppliedRelease> {
    let mut found: Vec<AppliedRelease> = applied
        .iter()
        .filter(|one| one.object["kind"] == "HelmRelease")
        .map(|one| release(one, applied))
        .collect();
    found.sort_by(|one, other| one.label.cmp(&other.label));
    found
}

fn release(one: &AppliedObject, applied: &[AppliedObject]) -> AppliedRelease {
    let object = &one.object;
    let name = text(object, "/metadata/name");
    for key in object["spec"].as_object().unwrap().keys() {
        let known = [
            "chart",
            "chartRef",
            "interval",
            "postRenderers",
            "test",
            "timeout",
            "values",
        ];
        assert!(
            known.contains(&key.as_str()),
            "spec.{key} of HelmRelease {name}"
        );
    }
    let source = |reference: &Value| {
        let namespace = match text(reference, "/namespace") {
            "" => &one.namespace,
            namespace => namespace,
        };
        let found = applied.iter().find(|source| {
            source.namespace == namespace
                && source.object["kind"] == reference["kind"]
                && source.object["metadata"]["name"] == reference["name"]
        });
        let found = found.unwrap_or_else(|| panic!("{reference} of HelmRelease {name}"));
        &found.object
    };
    let (chart, version) = match object.pointer("/spec/chartRef") {
        Some(reference) => {
            let source = source(reference);
            let chart = text(source, "/spec/url").rsplit('/').next().unwrap();
            (chart, text(source, "/spec/ref/tag"))
        }
        None => (
            text(object, "/spec/chart/spec/chart"),
            text(object, "/spec/chart/spec/version"),
        ),
    };
    assert!(!chart.is_empty() && !version.is_empty(), "{object:#}");
    AppliedRelease {
        label: format!("HelmRelease/{}/{name}", one.namespace),
        chart: chart.to_owned(),
        version: version.to_owned(),
        name: name.to_owned(),
        namespace: one.namespace.clone(),
        values: object
            .pointer("/spec/values")
            .cloned()
            .unwrap_or_else(|| Value::Object(Map::new())),
        post_renderers: object
            .pointer("/spec/postRenderers")
            .cloned()
            .unwrap_or_else(|| Value::Array(Vec::new())),
        tests: object.pointer("/spec/test/enable") == Some(&Value::Bool(true)),
    }
}

//! How Flux is told to apply the whole catalogue: in which order, for how long, and what counts as done.
//!
//! Read from the golden tree of `examples/full`, which is what the example renders to.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use kiln::yaml::{self, Resolver};
use serde_json::Value;

use crate::combinations::GROUPS;

/// Groups whose kinds are in the cluster before Flux is, and the release of `bootstrap/helmfile` that brings them.
const BOOTSTRAPPED: &[(&str, &str)] = &[
    ("cilium.io", "cilium"),
    ("externaldns.k8s.io", "cloudflare-dns"),
    ("gateway.envoyproxy.io", "envoy-gateway"),
    ("gateway.networking.k8s.io", "envoy-gateway"),
    ("helm.toolkit.fluxcd.io", "flux-instance"),
    ("kustomize.toolkit.fluxcd.io", "flux-instance"),
    ("monitoring.coreos.com", "kube-prometheus-stack"),
    ("notification.toolkit.fluxcd.io", "flux-instance"),
    ("source.toolkit.fluxcd.io", "flux-instance"),
];

/// Kinds that say otherwise than by a condition `Ready` whether they work, or say nothing at first.
const TOLD: [&str; 7] = [
    "Bundle",
    "Cluster",
    "ClusterIssuer",
    "ClusterSecretStore",
    "Dragonfly",
    "Gateway",
    "PrometheusServiceLevel",
];

/// How long Helm waits when a release does not say.
const HELM_TIMEOUT: u64 = 300;

struct Applied {
    /// The namespace and the name.
    name: (String, String),
    spec: Value,
    /// What lies in the folder that its path names.
    objects: Vec<Value>,
}

fn tree() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/full")
}

fn documents(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    let documents = yaml::load(&text).unwrap();
    documents
        .iter()
        .map(|document| document.root.to_value(Resolver::Kubernetes))
        .filter(|value| value.get("kind").is_some())
        .collect()
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).unwrap();
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Every Kustomization of the apps, with what it applies.
fn applied() -> Vec<Applied> {
    let mut all = Vec::new();
    for namespace in folders(&tree().join("kubernetes/apps")) {
        for app in folders(&namespace) {
            for kustomization in documents(&app.join("ks.yaml")) {
                let folder = tree().join(text(&kustomization, "/spec/path"));
                let mut objects = Vec::new();
                for entry in fs::read_dir(&folder).unwrap() {
                    let path = entry.unwrap().path();
                    if path.extension().is_some_and(|end| end == "yaml") {
                        objects.extend(documents(&path));
                    }
                }
                let namespace = namespace.file_name().unwrap().to_str().unwrap();
                let name = text(&kustomization, "/metadata/name").to_owned();
                all.push(Applied {
                    name: (namespace.to_owned(), name),
                    spec: kustomization["spec"].clone(),
                    objects,
                });
            }
        }
    }
    assert!(all.len() >= 55, "{}", all.len());
    all
}

/// What a Kustomization waits for, directly.
fn needs(one: &Applied) -> Vec<(String, String)> {
    let needs = one.spec["dependsOn"].as_array();
    needs
        .into_iter()
        .flatten()
        .map(|other| {
            let namespace = other["namespace"].as_str().unwrap_or(&one.name.0);
            (namespace.to_owned(), text(other, "/name").to_owned())
        })
        .collect()
}

/// All that comes before each Kustomization, itself included.
fn before(all: &[Applied]) -> BTreeMap<(String, String), BTreeSet<(String, String)>> {
    let direct: BTreeMap<_, _> = all
        .iter()
        .map(|one| (one.name.clone(), needs(one)))
        .collect();
    let mut before = BTreeMap::new();
    for one in all {
        let mut seen = BTreeSet::new();
        let mut open = vec![one.name.clone()];
        while let Some(name) = open.pop() {
            let needs = direct.get(&name);
            let needs = needs.unwrap_or_else(|| panic!("{:?} waits for {name:?}", one.name));
            if seen.insert(name) {
                assert!(
                    !needs.contains(&one.name),
                    "{:?} waits for itself",
                    one.name
                );
                open.extend(needs.iter().cloned());
            }
        }
        before.insert(one.name.clone(), seen);
    }
    before
}

fn seconds(time: &str) -> u64 {
    let (number, unit) = time.split_at(time.len() - 1);
    let number: u64 = number.parse().unwrap();
    match unit {
        "s" => number,
        "m" => number * 60,
        "h" => number * 3600,
        _ => panic!("{time}"),
    }
}

/// The group of a custom resource; those of Kubernetes itself have none.
fn group(object: &Value) -> Option<&str> {
    let (group, _) = text(object, "/apiVersion").split_once('/')?;
    let custom = group.contains('.') && !group.ends_with(".k8s.io")
        || group == "gateway.networking.k8s.io"
        || group == "snapshot.storage.k8s.io"
        || group == "externaldns.k8s.io";
    (custom && group != "kustomize.config.k8s.io").then_some(group)
}

#[test]
fn every_kustomization_says_how_long_and_waits() {
    for one in applied() {
        let name = &one.name;
        let interval = seconds(text(&one.spec, "/interval"));
        let timeout = seconds(text(&one.spec, "/timeout"));
        let again = seconds(text(&one.spec, "/retryInterval"));
        assert!(timeout < interval && again < interval, "{name:?}");
        assert_eq!(one.spec["prune"], true, "{name:?}");
        // The controller that would wait is one of those that this one restarts.
        assert_eq!(one.spec["wait"], name.1 != "flux-instance", "{name:?}");
        // The one that applies them all gives them patches, in place of their own.
        assert_eq!(one.spec.get("patches"), None, "{name:?}");
        for release in &one.objects {
            if release["kind"] == "HelmRelease" {
                let helm = release.pointer("/spec/timeout").and_then(Value::as_str);
                assert!(
                    helm.map_or(HELM_TIMEOUT, seconds) <= timeout,
                    "{name:?}: Helm waits longer"
                );
            }
        }
    }
}

#[test]
fn every_release_is_put_back_tried_again_and_rolled_back() {
    let file = documents(&tree().join("kubernetes/flux/cluster/ks.yaml"));
    let patches = file[0].pointer("/spec/patches").unwrap();
    assert_eq!(patches.as_array().unwrap().len(), 1);
    let target = patches.pointer("/0/target").unwrap().as_object().unwrap();
    assert_eq!(target.len(), 2, "every Kustomization: {target:?}");
    let patch = |text: &str| {
        yaml::load(text).unwrap()[0]
            .root
            .to_value(Resolver::Kubernetes)
    };
    let kustomization = patch(text(&patches[0], "/patch"));
    let inner = kustomization.pointer("/spec/patches/0").unwrap();
    let target = inner["target"].as_object().unwrap();
    assert_eq!(target.len(), 2, "every HelmRelease: {target:?}");
    let release = patch(text(inner, "/patch"));
    for (pointer, value) in [
        ("/spec/driftDetection/mode", "enabled"),
        ("/spec/install/crds", "CreateReplace"),
        ("/spec/install/strategy/name", "RetryOnFailure"),
        ("/spec/upgrade/crds", "CreateReplace"),
        ("/spec/upgrade/strategy/name", "RemediateOnFailure"),
        ("/spec/upgrade/remediation/strategy", "rollback"),
    ] {
        assert_eq!(text(&release, pointer), value, "{pointer}");
    }
    let retries = release.pointer("/spec/upgrade/remediation/retries");
    assert!(retries.unwrap().as_u64().unwrap() >= 1);
    for one in applied() {
        for release in one.objects {
            if release["kind"] == "HelmRelease" {
                for own in ["driftDetection", "install", "upgrade", "suspend"] {
                    assert_eq!(release["spec"].get(own), None, "{:?}", one.name);
                }
            }
        }
    }
}

#[test]
fn what_brings_a_kind_comes_before_what_uses_it() {
    let bootstrap: String = ["apps.yaml", "crds.yaml"]
        .map(|file| fs::read_to_string(tree().join("bootstrap/helmfile").join(file)).unwrap())
        .concat();
    let all = applied();
    let before = before(&all);
    let mut groups = BTreeSet::new();
    for one in &all {
        for object in &one.objects {
            let Some(group) = group(object) else {
                continue;
            };
            groups.insert(group);
            if let Some((_, release)) = BOOTSTRAPPED.iter().find(|(known, _)| *known == group) {
                assert!(
                    bootstrap.contains(&format!("- name: {release}\n")),
                    "{release}"
                );
                continue;
            }
            let known = GROUPS.iter().find(|(known, _)| *known == group);
            let (_, app) = known.unwrap_or_else(|| panic!("who brings {group}?"));
            assert!(
                before[&one.name].iter().any(|(_, name)| name == app),
                "{:?} does not wait for {app}, which brings {group}",
                one.name
            );
        }
    }
    assert!(groups.len() >= 15, "{groups:?}");
}

#[test]
fn what_has_no_condition_ready_is_told_when_it_is_done() {
    let mut told = BTreeSet::new();
    for one in applied() {
        let kinds: BTreeSet<&str> = one
            .objects
            .iter()
            .map(|object| text(object, "/kind"))
            .collect();
        let expressions = one.spec["healthCheckExprs"].as_array();
        let judged: BTreeSet<&str> = expressions
            .into_iter()
            .flatten()
            .map(|expression| text(expression, "/kind"))
            .collect();
        for kind in TOLD.iter().filter(|kind| kinds.contains(*kind)) {
            assert!(
                judged.contains(kind),
                "{:?} does not judge {kind}",
                one.name
            );
            told.insert(*kind);
        }
        let idle: Vec<_> = judged.difference(&kinds).collect();
        assert!(idle.is_empty(), "{:?} judges {idle:?}", one.name);
    }
    assert_eq!(told, BTreeSet::from(TOLD));
}

#[test]
fn priority_classes_and_namespaces_come_before_all_apps() {
    let cluster = tree().join("kubernetes/flux/cluster");
    let resources = documents(&cluster.join("kustomization.yaml"));
    let resources = resources[0]["resources"].as_array().unwrap();
    for file in ["./ks.yaml", "./priorityclasses.yaml"] {
        assert!(resources.contains(&Value::from(file)), "{resources:?}");
    }
    for namespace in folders(&tree().join("kubernetes/apps")) {
        let resources = documents(&namespace.join("kustomization.yaml"));
        let resources = resources[0]["resources"].as_array().unwrap();
        assert_eq!(resources[0], "./namespace.yaml", "{}", namespace.display());
    }
}

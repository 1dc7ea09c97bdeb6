//! What Flux applies of the examples, as `fluxbuild` tells it: by owner, and in Flux' order.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use kiln::yaml;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::examples::example;
use crate::support::Sandbox;

/// What the `FluxInstance` of the catalogue has Flux start with.
const SYNC: &str = "\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: flux-system
  namespace: flux-system
spec:
  interval: 1h
  path: kubernetes/flux/cluster
  prune: true
  sourceRef:
    kind: GitRepository
    name: flux-system
";

/// The owner that everything comes from.
const ROOT: &str = "flux-system/flux-system";

/// What `fluxbuild` prints.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Build {
    objects: Vec<Applied>,
    not_seen: Vec<Value>,
    refused: Vec<Value>,
}

#[derive(Deserialize)]
struct Applied {
    owner: String,
    object: Value,
}

/// The objects of a tree by the Kustomization that applies them, each set after those it waits for.
pub(crate) struct FluxOrder(pub(crate) Vec<(String, Vec<Value>)>);

impl FluxOrder {
    /// All objects in the order in which they are applied.
    pub(crate) fn objects(&self) -> impl DoubleEndedIterator<Item = &Value> {
        self.0.iter().flat_map(|(_, objects)| objects)
    }
}

/// The examples, and the address of the first node of each.
pub(crate) const EXAMPLES: [(&str, &str); 3] = [
    ("homelab", "192.168.1.11"),
    ("full", "10.30.0.11"),
    ("production", "10.20.0.11"),
];

/// Copies an example into a sandbox, with this many nodes in place of its own.
pub(crate) fn with_nodes((name, address): (&str, &str), count: usize) -> Sandbox {
    let sandbox = example(name);
    let files = sandbox.files();
    let is_config = |file: &&String| file.starts_with("cluster.");
    for file in files.iter().filter(is_config) {
        sandbox.write(file, without_nodes(&sandbox.read(file)));
    }
    let settings = sandbox.read("kiln.toml");
    let settings = settings.lines().filter(|line| !line.starts_with("data = "));
    sandbox.write("kiln.toml", settings.collect::<Vec<_>>().join("\n"));
    let (network, host) = address.rsplit_once('.').unwrap();
    let host: usize = host.parse().unwrap();
    let node = |at: usize| {
        json!({
            "name": format!("node-{at}"),
            "address": format!("{network}.{}", host + at),
            "mac_addr": format!("02:00:00:00:00:{at:02}"),
            "disk": "/dev/sda",
            // Two members of etcd are worse than one.
            "controller": at == 0 || count > 2,
        })
    };
    let nodes: Vec<Value> = (0..count).map(node).collect();
    sandbox.write("nodes.yaml", yaml::emit(&json!({ "nodes": nodes })));
    sandbox
}

/// Drops the nodes from a config in YAML or TOML: all from where they start to the next key at the top.
fn without_nodes(text: &str) -> String {
    let mut is_kept = true;
    let kept = text.lines().filter(|line| {
        if line.starts_with(|start: char| start == '[' || start.is_ascii_lowercase()) {
            // In TOML a node's own keys start their lines as well.
            let is_nodes = *line == "nodes:" || line.starts_with("[[nodes");
            is_kept = !is_nodes && (is_kept || line.starts_with('[') || line.ends_with(':'));
        }
        is_kept
    });
    kept.collect::<Vec<_>>().join("\n") + "\n"
}

/// Renders a project and returns what Flux applies of it, secrets opened.
pub(crate) fn flux_order(fluxbuild: &Path, sops: &Path, sandbox: &Sandbox) -> FluxOrder {
    sandbox.kiln(&["render", "--keygen"]).success();
    let sync = sandbox.path("../sync.yaml");
    fs::write(&sync, SYNC).unwrap();
    let output = Command::new(fluxbuild)
        .env("SOPS_AGE_KEY_FILE", sandbox.path("age.key"))
        .args(["--output", "json", "--sops"])
        .args([
            sops.as_os_str(),
            sandbox.path("").as_os_str(),
            sync.as_os_str(),
        ])
        .output()
        .unwrap();
    let problems = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{problems}");
    let build: Build = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(build.refused, [json!(null); 0]);
    assert_eq!(build.not_seen, [json!(null); 0]);
    order(build.objects)
}

/// Whether an object is one of Flux' Kustomizations.
fn is_kustomization(object: &Value) -> bool {
    let version = object["apiVersion"].as_str().unwrap();
    version.starts_with("kustomize.toolkit.fluxcd.io/")
}

fn name(namespace: &Value, name: &Value) -> String {
    let namespace = namespace.as_str().unwrap_or_default();
    format!("{namespace}/{}", name.as_str().unwrap())
}

/// Sorts as kustomize-controller works: a Kustomization that is applied, once all that it depends on are; within one,
/// definitions and namespaces first, then classes.
fn order(objects: Vec<Applied>) -> FluxOrder {
    let mut waiting: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut sets: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for Applied { owner, object } in objects {
        sets.entry(owner).or_default().push(object);
    }
    waiting.insert(ROOT.to_owned(), BTreeSet::new());
    let mut ordered: Vec<(String, Vec<Value>)> = Vec::new();
    loop {
        let is_done = |owner: &String| ordered.iter().any(|(done, _)| done == owner);
        let ready = waiting.iter().find(|(_, needs)| needs.iter().all(is_done));
        let Some(owner) = ready.map(|(owner, _)| owner.clone()) else {
            break;
        };
        waiting.remove(&owner);
        let mut set = sets.remove(&owner).unwrap_or_default();
        set.sort_by_key(stage);
        for object in set.iter().filter(|object| is_kustomization(object)) {
            let metadata = &object["metadata"];
            let needs = object["spec"]["dependsOn"].as_array();
            let needs = needs.into_iter().flatten().map(|need| {
                let namespace = need.get("namespace").unwrap_or(&metadata["namespace"]);
                name(namespace, &need["name"])
            });
            let owner = name(&metadata["namespace"], &metadata["name"]);
            waiting.insert(owner, needs.collect());
        }
        ordered.push((owner, set));
    }
    assert!(waiting.is_empty(), "wait for ever: {waiting:?}");
    assert!(sets.is_empty(), "applied by nobody: {:?}", sets.keys());
    FluxOrder(ordered)
}

fn stage(object: &Value) -> u8 {
    match object["kind"].as_str().unwrap() {
        "CustomResourceDefinition" | "Namespace" => 0,
        kind if kind.ends_with("Class") => 1,
        _ => 2,
    }
}

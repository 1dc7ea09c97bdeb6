//! What Flux applies of the examples, as `fluxbuild` tells it: by owner, and in Flux' order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::flux::{OwnedObject, build_example};
use super::nodes::example_with_nodes;

/// The owner that everything comes from.
const ROOT: &str = "flux-system/flux-system";

/// The objects of a tree by the Kustomization that applies them, each set after those it waits for.
pub(crate) struct FluxOrder(pub(crate) Vec<(String, Vec<Value>)>);

impl FluxOrder {
    /// All objects in the order in which they are applied.
    pub(crate) fn objects(&self) -> impl DoubleEndedIterator<Item = &Value> {
        self.0.iter().flat_map(|(_, objects)| objects)
    }
}

/// Renders an example on so many nodes and returns what Flux applies of it, secrets opened; `None` where an oracle is missing.
pub(crate) fn flux_order(example: &str, nodes: usize) -> Option<FluxOrder> {
    let sandbox = example_with_nodes(example, nodes);
    sandbox.kiln(&["render", "--keygen"]).success();
    let build = build_example(&sandbox)?;
    assert_eq!(build.refused, []);
    assert_eq!(build.not_seen, []);
    Some(order(build.objects))
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
fn order(objects: Vec<OwnedObject>) -> FluxOrder {
    let mut waiting: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut sets: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for OwnedObject { owner, object } in objects {
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

//! The profile as a document: what was measured, and what people wrote into an earlier one.

use serde_json::{Map, Value, json};

use crate::charts::profile::{CONTAINER_KEYS, KEYS, WORKLOAD_KEYS};
use crate::yaml;

/// The first lines of a profile; the schema's path holds for `schemas/charts/` of Kiln itself.
const HEAD: &str = "---\n";
/// What people write at the top of a profile.
const TOP: [&str; 6] = [
    "sources",
    "anyPublisher",
    "notes",
    "generic",
    "operands",
    "loweredBy",
];
/// What people write about a workload.
const WORKLOAD: [&str; 3] = ["byOperator", "class", "api"];
/// What people write about a container.
const CONTAINER: [&str; 6] = [
    "nonRoot",
    "user",
    "readOnlyRootFilesystem",
    "health",
    "noProbes",
    "resources",
];

/// How an earlier profile and a new one name things in releases of some names.
pub(super) struct ProfileNaming<'n> {
    pub(super) releases: [&'n str; 2],
    pub(super) old: &'n dyn Fn(&str, &str) -> String,
    pub(super) new: &'n dyn Fn(&str, &str) -> String,
}

impl ProfileNaming<'_> {
    /// Finds among new names the one that is an old one: as it is written, or else as it comes out.
    fn position(&self, old: &str, new: &[String]) -> Option<usize> {
        let written = new.iter().position(|name| name == old);
        written.or_else(|| {
            self.releases.iter().find_map(|release| {
                let wanted = (self.old)(old, release);
                new.iter()
                    .position(|name| (self.new)(name, release) == wanted)
            })
        })
    }
}

/// Takes over from an earlier profile what people wrote; returns the workloads and containers
/// that are gone.
pub(super) fn keep(
    profile: &mut Map<String, Value>,
    old: &Value,
    naming: &ProfileNaming<'_>,
) -> Vec<String> {
    for key in TOP {
        if let Some(kept) = old.get(key) {
            profile.insert(key.to_owned(), kept.clone());
        }
    }
    // The same version was measured anew, so it holds as far as before.
    let same = old.get("verified") == profile.get("verified");
    let kept = ["below", "also", "from"];
    for key in &kept[..if same { 3 } else { 2 }] {
        if let Some(kept) = old.pointer(&format!("/versions/{key}"))
            && let Some(Value::Object(versions)) = profile.get_mut("versions")
        {
            versions.insert((*key).to_owned(), kept.clone());
        }
    }
    if profile.contains_key("generic") {
        profile.shift_remove("workloads");
        return Vec::new();
    }
    let mut gone = Vec::new();
    let empty = Vec::new();
    let old = old
        .get("workloads")
        .and_then(Value::as_array)
        .unwrap_or(&empty);
    let Some(Value::Array(workloads)) = profile.get_mut("workloads") else {
        return gone;
    };
    let mut taken = Vec::new();
    for old in old {
        // What is taken already, or of another kind, is none of its.
        let candidates: Vec<String> = workloads
            .iter()
            .enumerate()
            .map(|(at, new)| {
                let same = new.get("kind") == old.get("kind") && !taken.contains(&at);
                if same {
                    said(new, "name").to_owned()
                } else {
                    String::new()
                }
            })
            .collect();
        match naming.position(said(old, "name"), &candidates) {
            Some(at) => {
                taken.push(at);
                let new = &mut workloads[at];
                let now = names(new.get("pod"));
                let lost = names(old.get("pod")).into_iter();
                let lost = lost.filter(|name| naming.position(name, &now).is_none());
                let of = described(old);
                gone.extend(lost.map(|name| format!("container {name} of {of}")));
                keep_workload(new, old, naming);
            }
            None if old.get("byOperator") == Some(&json!(true)) => workloads.push(old.clone()),
            None => gone.push(described(old)),
        }
    }
    gone
}

fn said<'v>(workload: &'v Value, key: &str) -> &'v str {
    let text = workload.get(key).and_then(Value::as_str);
    text.unwrap_or_default()
}

fn described(workload: &Value) -> String {
    format!("{} {}", said(workload, "kind"), said(workload, "name"))
}

fn keep_workload(new: &mut Value, old: &Value, naming: &ProfileNaming<'_>) {
    let Value::Object(new) = new else { return };
    for key in WORKLOAD {
        if let Some(kept) = old.get(key) {
            new.insert(key.to_owned(), kept.clone());
        }
    }
    keep_budget(new, old.get("podDisruptionBudget"));
    let names = names(new.get("pod"));
    let old = old.get("containers").and_then(Value::as_object);
    for (name, facts) in old.into_iter().flatten() {
        let Some(at) = naming.position(name, &names) else {
            continue;
        };
        let containers = new.entry("containers").or_insert_with(|| json!({}));
        let Some(containers) = containers.as_object_mut() else {
            return;
        };
        let container = containers
            .entry(names[at].clone())
            .or_insert_with(|| json!({}));
        for key in CONTAINER {
            if let (Some(kept), Some(container)) = (facts.get(key), container.as_object_mut()) {
                container.insert(key.to_owned(), kept.clone());
            }
        }
    }
    let is_empty = |value: &Value| value.as_object().is_none_or(Map::is_empty);
    if let Some(Value::Object(containers)) = new.get_mut("containers") {
        containers.retain(|_, facts| !is_empty(facts));
    }
}

/// Keeps what people found out about the switches of a chart's budget; whether there is one is measured.
fn keep_budget(new: &mut Map<String, Value>, old: Option<&Value>) {
    let switches = ["enable", "disable"].into_iter();
    let kept: Vec<(&str, &Value)> = switches
        .filter_map(|key| Some((key, old?.get(key)?)))
        .collect();
    if kept.is_empty() {
        return;
    }
    let budget = new
        .entry("podDisruptionBudget")
        .or_insert_with(|| json!({}));
    for (key, value) in kept {
        if let Some(budget) = budget.as_object_mut() {
            budget.entry(key).or_insert_with(|| value.clone());
        }
    }
}

/// Lists the names of a pod's containers.
fn names(pod: Option<&Value>) -> Vec<String> {
    let lists = ["initContainers", "containers"];
    let lists = lists.iter().filter_map(|list| pod?.get(*list)?.as_array());
    let names = lists
        .flatten()
        .filter_map(|container| container.get("name")?.as_str());
    names.map(str::to_owned).collect()
}

/// Writes a profile down.
pub(super) fn text(profile: Map<String, Value>, schema: Option<&str>) -> String {
    let mut profile = ordered(profile, &KEYS);
    if let Some(Value::Array(workloads)) = profile.get_mut("workloads") {
        for workload in workloads {
            let Value::Object(map) = workload else {
                continue;
            };
            if let Some(Value::Object(containers)) = map.get_mut("containers") {
                for facts in containers.values_mut() {
                    if let Value::Object(facts) = facts {
                        *facts = ordered(std::mem::take(facts), &CONTAINER_KEYS);
                    }
                }
            }
            *map = ordered(std::mem::take(map), &WORKLOAD_KEYS);
        }
    }
    let values = profile.shift_remove("values");
    let mut text = HEAD.to_owned();
    if let Some(schema) = schema {
        text.push_str("# yaml-language-server: $schema=");
        text.push_str(schema);
        text.push('\n');
    }
    text.push_str(&yaml::emit(&Value::Object(profile)));
    if let Some(values) = values {
        // Only keys and nulls are in there.
        let values = yaml::emit(&json!({ "values": values }));
        text.push_str(&values.replace(": null\n", ":\n"));
    }
    text
}

fn ordered(mut map: Map<String, Value>, order: &[&str]) -> Map<String, Value> {
    let mut made = Map::new();
    for key in order {
        if let Some(value) = map.shift_remove(*key) {
            made.insert((*key).to_owned(), value);
        }
    }
    made.extend(map);
    made
}

//! The Flux Kustomizations of a tree.

use std::collections::{BTreeMap, BTreeSet};

use kustomize::Field;
use serde_json::json;

use super::Inventory;
use crate::cli::report::shown::Shown;
use crate::cli::report::shown::mermaid::MermaidGraph;
use crate::flux::{AppliedObjects, KustomizationBuild, SourceReference};

/// Lists the Kustomizations that another one waits for.
fn depends_on(build: &KustomizationBuild) -> Vec<String> {
    let listed = build
        .kustomization()
        .and_then(|object| object.find(&["spec", "dependsOn"]));
    let named = |item: &Field| {
        let namespace = item
            .find_text(&["namespace"])
            .filter(|text| !text.is_empty());
        let namespace = namespace.unwrap_or(&build.owner.namespace);
        Some(format!("{namespace}/{}", item.find_text(&["name"])?))
    };
    listed
        .and_then(Field::items)
        .unwrap_or_default()
        .iter()
        .filter_map(named)
        .collect()
}

fn source_of(build: &KustomizationBuild, applied: &AppliedObjects) -> String {
    let source = match build.kustomization() {
        Some(object) => SourceReference::of(object),
        None => build
            .root
            .and_then(|root| applied.roots.get(root)?.source.clone()),
    };
    source.map_or_else(String::new, |source| source.to_string())
}

pub(super) fn list(applied: &AppliedObjects) -> Inventory {
    let counts = applied.count_by_build();
    let blind: BTreeSet<usize> = applied.unseen.iter().map(|part| part.build).collect();
    let mut inventory = Inventory {
        subject: "kustomizations",
        head: &[
            "KUSTOMIZATION",
            "PATH",
            "OBJECTS",
            "STATE",
            "DEPENDS ON",
            "APPLIED BY",
        ],
        rows: Vec::new(),
        names: Vec::new(),
        items: Vec::new(),
    };
    let builds = applied.builds.iter().enumerate();
    for (index, build) in builds.filter(|(_, build)| build.is_reached()) {
        let objects = counts.get(&index).copied().unwrap_or_default();
        let parent = build.parent.and_then(|parent| applied.builds.get(parent));
        let parent = parent.map(|parent| parent.owner.to_string());
        let needs = depends_on(build);
        let states = [
            (build.suspended, "suspended"),
            (build.refused, "refused"),
            (build.elsewhere, "another cluster"),
            (blind.contains(&index), "not all seen"),
        ];
        let states: Vec<&str> = states
            .iter()
            .filter(|(holds, _)| *holds)
            .map(|(_, state)| *state)
            .collect();
        let path = format!("./{}", build.folder);
        inventory.rows.push(vec![
            build.owner.to_string(),
            path.clone(),
            objects.to_string(),
            states.join(", "),
            needs.join(", "),
            parent.clone().unwrap_or_default(),
        ]);
        inventory.names.push(build.owner.to_string());
        inventory.items.push(json!({
            "kustomization": build.owner.to_string(),
            "path": path,
            "root": build.root.and_then(|root| Some(&applied.roots.get(root)?.folder)),
            "source": source_of(build, applied),
            "parent": parent,
            "objects": objects,
            "dependsOn": needs,
            "suspended": build.suspended,
            "elsewhere": build.elsewhere,
            "refused": build.refused,
            "notSeen": blind.contains(&index),
        }));
    }
    inventory
}

/// Draws what depends on what, and dotted what applies what.
pub(super) fn graph(applied: &AppliedObjects) -> Shown {
    let mut graph = MermaidGraph::new();
    let mut numbers: BTreeMap<(Option<usize>, String), usize> = BTreeMap::new();
    let reached = || {
        applied
            .builds
            .iter()
            .enumerate()
            .filter(|(_, build)| build.is_reached())
    };
    for (index, build) in reached() {
        let owner = build.owner.to_string();
        let suspended = if build.suspended { " (suspended)" } else { "" };
        graph.node(index, &format!("{owner}{suspended}"));
        numbers.insert((build.root, owner), index);
    }
    let mut next = applied.builds.len();
    for (index, build) in reached() {
        for needed in depends_on(build) {
            let number = *numbers
                .entry((build.root, needed.clone()))
                .or_insert_with(|| {
                    graph.node(next, &format!("{needed} (not there)"));
                    next += 1;
                    next - 1
                });
            graph.arrow(index, number);
        }
        if let Some(parent) = build.parent {
            graph.dotted_arrow(parent, index);
        }
    }
    graph.finish()
}

//! Rendered charts, held against a real API server in dry runs.

use std::collections::{BTreeMap, BTreeSet};

use kiln::profiler::record::manifests;
use rayon::prelude::*;
use serde_json::{Value, json};

use super::rendering::{RenderedRelease, cut};
use super::{Render, Rendered};
use crate::laboratory::examples::{ExampleTree, TREES};
use crate::laboratory::judgement::pod_template;
use crate::laboratory::releases::{AppliedRelease, documents, items, namespace_of, text};
use crate::support::{ControlPlane, control_plane};

/// The groups of which nobody at hand has the definitions: their objects are not held against the server.
pub(super) const UNDEFINED: [(&str, &str); 2] = [
    ("talos.dev", "Talos makes the definition while it runs"),
    (
        "snapshot.storage.k8s.io",
        "its chart leaves the definition to others",
    ),
];

/// What the server refused or warned of, by release and tree.
#[derive(Default)]
pub(super) struct Refusals(BTreeMap<(String, String), Vec<String>>);

impl Refusals {
    pub(super) fn all(&self) -> impl Iterator<Item = &String> {
        self.0.values().flatten()
    }

    /// How many lines there are about a release in a tree.
    pub(super) fn of(&self, release: &str, tree: &str) -> usize {
        let key = (release.to_owned(), tree.to_owned());
        self.0.get(&key).map_or(0, Vec::len)
    }
}

/// Applies each object of each release strictly, and creates each pod at the level of its namespace, in dry runs; `None`
/// where there is no server.
///
/// Trees whose namespaces have the same labels share what is said of a render.
pub(super) fn refusals(rendered: &Rendered<'_, '_>) -> Option<Refusals> {
    let server = control_plane()?;
    define(server, rendered);
    let mut refusals = Refusals::default();
    let mut known: BTreeMap<(usize, String), Vec<String>> = BTreeMap::new();
    for tree in TREES.iter() {
        let of_tree: Vec<(usize, &Render<'_>, &RenderedRelease)> = rendered
            .iter()
            .enumerate()
            .filter(|(_, (render, _))| render.trees.contains(&tree.name.as_str()))
            .filter_map(|(number, (render, made))| Some((number, *render, made.as_ref().ok()?)))
            .collect();
        let levels = prepare(server, tree, &of_tree);
        let new = of_tree
            .par_iter()
            .filter(|(number, ..)| !known.contains_key(&(*number, levels.clone())));
        let new: Vec<_> = new
            .map(|(number, render, made)| {
                ((*number, levels.clone()), refused(server, render, made))
            })
            .collect();
        known.extend(new);
        for (number, render, _) in of_tree {
            let lines = known[&(number, levels.clone())].clone();
            if !lines.is_empty() {
                let key = (render.release.label.clone(), tree.name.clone());
                refusals.0.insert(key, lines);
            }
        }
    }
    Some(refusals)
}

/// Makes the definitions that the charts bring.
fn define(server: &ControlPlane, rendered: &Rendered<'_, '_>) {
    let mut known = BTreeSet::new();
    let made = rendered.iter().filter_map(|(_, made)| made.as_ref().ok());
    for document in made.flat_map(|made| cut(&made.definitions)) {
        let mut definitions = manifests(document).into_iter();
        if definitions.any(|one| known.insert(text(&one, "/metadata/name").to_owned())) {
            let answer = server.apply(&json!(document));
            assert!(answer.refusal().is_none(), "{:?}", answer.refusal());
        }
    }
}

/// Makes the namespaces, with their labels, and the priority classes; says what the labels are.
fn prepare(
    server: &ControlPlane,
    tree: &ExampleTree,
    rendered: &[(usize, &Render<'_>, &RenderedRelease)],
) -> String {
    let wanted =
        |object: &&Value| object["kind"] == "Namespace" || object["kind"] == "PriorityClass";
    let own = tree
        .objects
        .iter()
        .map(|applied| &applied.object)
        .filter(wanted);
    let levels: String = own
        .clone()
        .map(|object| object["metadata"].to_string())
        .collect();
    let brought = rendered
        .iter()
        .flat_map(|(_, _, made)| made.objects.iter().filter(wanted));
    for object in own.chain(brought) {
        let lines: Vec<String> = server.apply(object).lines().collect();
        assert!(lines.is_empty(), "{lines:#?}");
    }
    levels
}

fn refused(server: &ControlPlane, render: &Render<'_>, made: &RenderedRelease) -> Vec<String> {
    let release = render.release;
    let mut told = Vec::new();
    let objects = cut(&made.manifest).flat_map(|document| documents(&release.label, document));
    for mut object in objects.filter(|object| counts(object, release)) {
        let namespace = namespace_of(&object, &release.namespace);
        if !namespace.is_empty() {
            object["metadata"]["namespace"] = json!(namespace);
        }
        let what = format!(
            "{}/{}",
            text(&object, "/kind"),
            text(&object, "/metadata/name")
        );
        let mut ask = |what: String, lines: Vec<String>| {
            let lines = lines
                .into_iter()
                .filter(|line| !line.contains("would violate PodSecurity"));
            told.extend(lines.map(|line| format!("{}: {what}: {line}", release.label)));
        };
        ask(what.clone(), server.try_apply(&object).lines().collect());
        if let Some(pod) = pod(&object, &namespace) {
            ask(
                format!("pod of {what}"),
                server.try_create(&pod).lines().collect(),
            );
        }
    }
    told
}

/// Whether an object is made, as those of `helm test` are where it runs, and the server knows its kind.
fn counts(object: &Value, release: &AppliedRelease) -> bool {
    let hook = text(object, "/metadata/annotations/helm.sh~1hook");
    let group = text(object, "/apiVersion")
        .split('/')
        .next()
        .unwrap_or_default();
    let undefined = UNDEFINED.iter().any(|(known, _)| *known == group);
    !undefined && (!hook.contains("test") || release.tests)
}

/// The pod of a workload as its controller would create it.
fn pod(object: &Value, namespace: &str) -> Option<Value> {
    let template = pod_template(object)?;
    let mut spec = template["spec"].clone();
    for claim in items(object, "/spec/volumeClaimTemplates") {
        if spec["volumes"].is_null() {
            spec["volumes"] = json!([]);
        }
        let claimed = json!({"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": "any"}});
        spec["volumes"].as_array_mut()?.push(claimed);
    }
    let mut name = format!(
        "{}-{}",
        text(object, "/kind").to_lowercase(),
        text(object, "/metadata/name")
    );
    name.truncate(60);
    let metadata = json!({
        "name": name.trim_end_matches(['-', '.']),
        "namespace": namespace,
        "labels": template["metadata"]["labels"],
        "annotations": template["metadata"]["annotations"],
    });
    Some(json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}))
}

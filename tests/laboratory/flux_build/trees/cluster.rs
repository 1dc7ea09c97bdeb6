//! A cluster of a tree, built by Flux' own packages from where Kiln says that it starts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Tools;
use super::checkout::Checkout;
use crate::laboratory::flux::{FluxBuild, OwnedObject, Withheld};
use crate::laboratory::flux_build::comparison::variable_name;

/// A line of `kiln list kustomizations -o json`.
#[derive(Deserialize)]
pub(super) struct ListedKustomization {
    /// `NAMESPACE/NAME`.
    pub(super) kustomization: String,
    pub(super) path: String,
    pub(super) root: String,
    source: String,
    parent: Option<String>,
}

/// What starts from one folder.
pub(super) struct Cluster<'l> {
    pub(super) root: &'l str,
    pub(super) listed: Vec<&'l ListedKustomization>,
}

impl<'l> Cluster<'l> {
    /// Groups Kustomizations by where their cluster starts.
    pub(super) fn all(listed: &'l [ListedKustomization]) -> Vec<Self> {
        let mut by_root: BTreeMap<&str, Vec<&ListedKustomization>> = BTreeMap::new();
        for kustomization in listed {
            let root = kustomization.root.as_str();
            by_root.entry(root).or_default().push(kustomization);
        }
        let clusters = by_root.into_iter();
        clusters
            .map(|(root, listed)| Self { root, listed })
            .collect()
    }

    /// Counts the Kustomizations that have an artifact as their source.
    pub(super) fn of_artifacts(&self) -> usize {
        let of_artifacts = self.listed.iter();
        of_artifacts
            .filter(|one| one.source.starts_with("ExternalArtifact/"))
            .count()
    }

    /// Builds it. What it lacks from outside of git is made up, and named.
    pub(super) fn build(
        &self,
        tools: &Tools,
        checkout: &Checkout,
        kiln: &[OwnedObject],
    ) -> (FluxBuild, Vec<OutsideObject>) {
        let starts = self.listed.iter().filter(|one| one.parent.is_none());
        let starts: Vec<Value> = starts.copied().map(kustomization).collect();
        assert!(!starts.is_empty(), "{}: {}", checkout.name, self.root);
        let tree = checkout.sandbox.path("tree");
        let mut outside: Vec<OutsideObject> = Vec::new();
        let mut built = loop {
            let given = outside.iter().map(OutsideObject::write);
            let all: Vec<Value> = starts.iter().cloned().chain(given).collect();
            let built = fluxbuild(tools, checkout, &tree, &all.iter().collect::<Vec<_>>());
            let lacked = built.refused.iter();
            let mut lacked: Vec<OutsideObject> = lacked
                .filter_map(|refused| OutsideObject::lacked_by(refused, kiln))
                .filter(|lacked| !outside.iter().any(|known| known.is_for(lacked)))
                .collect();
            if lacked.is_empty() {
                break built;
            }
            outside.append(&mut lacked);
        };
        let artifacts: BTreeSet<String> = built
            .not_seen
            .iter()
            .filter_map(|unseen| unseen.reason.strip_prefix("comes from ExternalArtifact "))
            .map(str::to_owned)
            .collect();
        for artifact in artifacts {
            build_artifact(tools, checkout, &mut built, &artifact);
        }
        (built, outside)
    }
}

/// A ConfigMap or Secret for variables that no commit has, as somebody makes it by hand or an operator in the cluster.
pub(super) struct OutsideObject {
    /// The Kustomization that reads it.
    pub(super) owner: String,
    pub(super) kind: String,
    pub(super) name: String,
    variables: BTreeSet<String>,
}

impl OutsideObject {
    /// Reads what a build lacks, and names all variables that Kiln leaves in its objects.
    fn lacked_by(refused: &Withheld, kiln: &[OwnedObject]) -> Option<Self> {
        let words =
            Regex::new("substitute from '([A-Za-z]+)/([^']+)' error: .* not found").unwrap();
        let found = words.captures(&refused.reason)?;
        let mut variables = BTreeSet::new();
        let objects = kiln.iter().filter(|object| object.owner == refused.owner);
        objects.for_each(|object| name_variables(&object.object, &mut variables));
        Some(Self {
            owner: refused.owner.clone(),
            kind: found[1].to_owned(),
            name: found[2].to_owned(),
            variables,
        })
    }

    fn is_for(&self, other: &Self) -> bool {
        self.owner == other.owner && self.kind == other.kind && self.name == other.name
    }

    fn write(&self) -> Value {
        let (namespace, _) = self.owner.split_once('/').unwrap();
        let values = self
            .variables
            .iter()
            .map(|name| (name.clone(), json!("unseen")));
        let values: Map<String, Value> = values.collect();
        let field = if self.kind == "Secret" {
            "stringData"
        } else {
            "data"
        };
        json!({
            "apiVersion": "v1",
            "kind": self.kind,
            "metadata": {"namespace": namespace, "name": self.name},
            field: values,
        })
    }
}

/// Writes a Kustomization to start with.
fn kustomization(start: &ListedKustomization) -> Value {
    let (namespace, name) = start.kustomization.split_once('/').unwrap();
    let usual = format!("GitRepository/{namespace}/flux-system");
    let source = Some(&start.source).filter(|source| !source.is_empty());
    let source: Vec<&str> = source.unwrap_or(&usual).split('/').collect();
    json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "path": start.path,
            "sourceRef": {"kind": source[0], "namespace": source[1], "name": source[2]},
        },
    })
}

/// Runs `fluxbuild` over a folder.
fn fluxbuild(tools: &Tools, checkout: &Checkout, folder: &Path, start: &[&Value]) -> FluxBuild {
    let texts = start.iter().map(|object| format!("---\n{object}\n"));
    checkout
        .sandbox
        .write("start.yaml", texts.collect::<String>());
    let mut command = Command::new(&tools.fluxbuild);
    command.arg("--sops").arg(&tools.unseal).arg(folder);
    command.arg(checkout.sandbox.path("start.yaml"));
    let output = command.output().unwrap();
    let answer = serde_json::from_slice(&output.stdout);
    answer.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

/// Lays out an artifact as its `ArtifactGenerator` says, and adds what comes from it.
///
/// fluxbuild knows one source a run, so this takes another one.
fn build_artifact(tools: &Tools, checkout: &Checkout, built: &mut FluxBuild, artifact: &str) {
    let folder = checkout.sandbox.path("artifact");
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    if !lay_out(checkout, built, artifact, &folder) {
        return;
    }
    let reason = format!("comes from ExternalArtifact {artifact}");
    let (taken, left) = std::mem::take(&mut built.not_seen)
        .into_iter()
        .partition(|unseen| unseen.reason == reason);
    built.not_seen = left;
    let taken: Vec<Withheld> = taken;
    let needed = built.objects.iter().filter(|owned| {
        let name = object_name(&owned.object);
        match owned.object["kind"].as_str() {
            Some("ConfigMap" | "Secret") => true,
            Some("Kustomization") => taken.iter().any(|unseen| unseen.owner == name),
            _ => false,
        }
    });
    // The source of the first one is the run's.
    let (first, last): (Vec<&Value>, Vec<&Value>) = needed
        .map(|owned| &owned.object)
        .partition(|object| object["kind"] == "Kustomization");
    let start: Vec<&Value> = first.into_iter().chain(last).collect();
    let more = fluxbuild(tools, checkout, &folder, &start);
    built.objects.extend(more.objects);
    built.not_seen.extend(more.not_seen);
    built.refused.extend(more.refused);
}

fn object_name(object: &Value) -> String {
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
    let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
    format!(
        "{}/{}",
        namespace.unwrap_or_default(),
        name.unwrap_or_default()
    )
}

/// Copies whole folders of the tree, `@ALIAS/FROM/**` to `@artifact/TO/`; says whether that was all.
fn lay_out(checkout: &Checkout, built: &FluxBuild, artifact: &str, to: &Path) -> bool {
    let (namespace, name) = artifact.split_once('/').unwrap();
    let generators = built.objects.iter().map(|owned| &owned.object);
    let generators = generators.filter(|object| {
        object["kind"] == "ArtifactGenerator" && object["metadata"]["namespace"] == namespace
    });
    let artifacts = generators.flat_map(|generator| {
        let artifacts = generator["spec"]["artifacts"].as_array();
        artifacts.into_iter().flatten()
    });
    let mut artifacts = artifacts.filter(|artifact| artifact["name"] == name);
    let copies = artifacts.next().and_then(|found| found["copy"].as_array());
    let Some(copies) = copies else { return false };
    copies.iter().all(|copy| {
        let (from, into) = (copy["from"].as_str().unwrap(), copy["to"].as_str().unwrap());
        let from = from
            .strip_suffix("/**")
            .and_then(|from| from.split_once('/'));
        let into = into.strip_prefix("@artifact/");
        let (Some((_, from)), Some(into)) = (from, into) else {
            return false;
        };
        let from = checkout.sandbox.path("tree").join(from);
        from.is_dir() && {
            copy_folder(&from, &to.join(into));
            true
        }
    })
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn name_variables(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let starts = text.match_indices("${");
            let found = starts.filter_map(|(start, _)| variable_name(&text[start..]));
            names.extend(found.map(str::to_owned));
        }
        Value::Array(items) => items.iter().for_each(|item| name_variables(item, names)),
        Value::Object(fields) => fields
            .values()
            .for_each(|field| name_variables(field, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

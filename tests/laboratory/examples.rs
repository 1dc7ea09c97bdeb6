//! The examples as they are, and on one node, on two and on three.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use kiln::pipeline::{self, World};
use kiln::secret::Secret;
use kiln::source::{Files as _, MemoryFiles};
use rayon::prelude::*;
use serde_json::json;

use super::nodes::{nodes_file, without_nodes};
use super::releases::{self, AppliedObject, AppliedRelease};
use crate::combinations::{Zeros, keys};
use crate::secrets::IDENTITY;

/// A tree that an example compiled to.
pub(crate) struct ExampleTree {
    /// `full` as it is, or `full with 2 nodes`.
    pub(crate) name: String,
    /// The version of Kubernetes that Talos installs: `1.36.2`.
    pub(crate) kubernetes: String,
    pub(crate) objects: Vec<AppliedObject>,
    pub(crate) releases: Vec<AppliedRelease>,
    /// What hardening put into values, by release: `affinity.podAntiAffinity`.
    pub(crate) injected: Vec<(String, String)>,
    /// The workloads that the audit names, by release: `Deployment/echo`.
    pub(crate) audited: BTreeMap<String, BTreeSet<String>>,
}

/// An example: its name, and its data file.
type Example = (&'static str, &'static str, &'static str);

const EXAMPLES: [Example; 3] = [
    (
        "full",
        "cluster.yaml",
        include_str!("../../examples/full/cluster.yaml"),
    ),
    (
        "homelab",
        "cluster.yaml",
        include_str!("../../examples/homelab/cluster.yaml"),
    ),
    (
        "production",
        "cluster.toml",
        include_str!("../../examples/production/cluster.toml"),
    ),
];

/// All of them: each example as it is, then on one node, two and three.
pub(crate) static TREES: LazyLock<Vec<ExampleTree>> = LazyLock::new(|| {
    let wanted = EXAMPLES
        .iter()
        .flat_map(|example| [None, Some(1), Some(2), Some(3)].map(|nodes| (*example, nodes)));
    let wanted: Vec<(Example, Option<usize>)> = wanted.collect();
    on_deep_threads(|| {
        let trees = wanted.par_iter();
        trees
            .map(|(example, nodes)| tree(*example, *nodes, &[]))
            .collect()
    })
});

/// Works as the command does: a render needs more stack than a thread has by itself.
fn on_deep_threads<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().stack_size(64 << 20).build();
    pool.unwrap().install(work)
}

/// Compiles an example, on a number of nodes instead of its own, and with more files in its project.
pub(crate) fn tree(example: Example, nodes: Option<usize>, more: &[(&str, &str)]) -> ExampleTree {
    let name = match nodes {
        None => example.0.to_owned(),
        Some(1) => format!("{} with 1 node", example.0),
        Some(count) => format!("{} with {count} nodes", example.0),
    };
    compiled(name, &project(example, nodes, more))
}

/// The files of an example's project.
fn project(example: Example, nodes: Option<usize>, more: &[(&str, &str)]) -> MemoryFiles {
    let (example, path, text) = example;
    let mut files = keys();
    // The key of every run is the same one: backups are encrypted for it, so its recipient is among the values.
    files
        .0
        .insert("age.key".to_owned(), format!("{IDENTITY}\n").into_bytes());
    let mut add = |path: &str, text: &str| drop(files.0.insert(path.to_owned(), text.into()));
    match nodes {
        None => add(path, text),
        Some(_) => add(path, &without_nodes(text)),
    }
    let nodes_file = match nodes {
        None if example == "homelab" => {
            Some(include_str!("../../examples/homelab/nodes.yaml").to_owned())
        }
        None => None,
        Some(count) => Some(nodes_file(example, count)),
    };
    let data = match &nodes_file {
        None => json!([path]),
        Some(text) => {
            add("nodes.yaml", text);
            json!([path, "nodes.yaml"])
        }
    };
    add("kiln.toml", &format!("data = {data}\n"));
    more.iter().for_each(|(path, text)| add(path, text));
    files
}

/// What each example renders to as it is, nothing sealed: the texts by path.
static TEXTS: LazyLock<BTreeMap<&str, BTreeMap<String, String>>> = LazyLock::new(|| {
    let drafted = |example: &Example| {
        let files = project(*example, None, &[]);
        let draft = asked(example.0, &files, |world| pipeline::draft(world, None));
        let files = draft.tree.files();
        let texts = files.map(|file| (file.path.clone(), file.source.text.to_string()));
        (example.0, texts.collect())
    };
    on_deep_threads(|| EXAMPLES.par_iter().map(drafted).collect())
});

/// What an example renders to as it is, nothing sealed: the texts by path.
pub(crate) fn example_texts(name: &str) -> &'static BTreeMap<String, String> {
    &TEXTS[name]
}

/// Finds an example by its name.
pub(crate) fn example(name: &str) -> Example {
    *EXAMPLES.iter().find(|example| example.0 == name).unwrap()
}

/// Asks the pipeline about a project.
fn asked<T>(
    name: &str,
    files: &MemoryFiles,
    ask: impl FnOnce(&World<'_>) -> Result<T, pipeline::CompileFailure>,
) -> T {
    let identity = String::from_utf8(files.read("age.key").unwrap().unwrap()).unwrap();
    let identities = vec![("age.key".to_owned(), Secret::new(identity))];
    let catalogue = pipeline::catalogue();
    let now = "2026-01-01T00:00:00Z".to_owned();
    ask(&World::new(files, &catalogue, &|_| None, identities, now))
        .unwrap_or_else(|failure| panic!("{name}: {}", crate::combinations::problems(&failure)))
}

fn compiled(name: String, files: &MemoryFiles) -> ExampleTree {
    let compiled = asked(&name, files, |world| pipeline::compile(world, &mut Zeros));
    let audited = asked(&name, files, pipeline::audit);
    let texts: BTreeMap<String, String> = compiled
        .tree
        .files()
        .map(|file| (file.path.clone(), file.source.text.to_string()))
        .collect();
    let objects = releases::applied(&texts);
    let kubernetes = texts["talos/topf.yaml"].lines();
    let mut kubernetes = kubernetes.filter_map(|line| line.strip_prefix("kubernetesVersion: v"));
    let injected = compiled.tree.injections().iter().filter_map(|injection| {
        let path = injection.route.strip_prefix("spec.values.")?;
        Some((injection.object.clone(), path.to_owned()))
    });
    ExampleTree {
        kubernetes: kubernetes.next().unwrap().to_owned(),
        releases: releases::releases(&objects),
        injected: injected.collect(),
        audited: named_workloads(&audited),
        objects,
        name,
    }
}

/// Reads the subjects of the scorecard: ``Deployment/echo of HelmRelease/network/echo, container `echo` ``.
fn named_workloads(audited: &pipeline::Audited) -> BTreeMap<String, BTreeSet<String>> {
    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for outcome in &audited.scorecard.after.outcomes {
        for item in &outcome.judgements {
            let subject = item.subject.split(',').next().unwrap_or_default();
            if let Some((workload, release)) = subject.split_once(" of HelmRelease/") {
                let named = named.entry(format!("HelmRelease/{release}")).or_default();
                named.insert(workload.to_owned());
            }
        }
    }
    named
}

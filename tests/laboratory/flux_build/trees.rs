//! `just trees DIR…`: public repositories, built by `kiln build` and by Flux' own packages, and the results that flux-local and
//! Flux keep of their own builds.
//!
//! A folder is the clone of a repository, with a work tree or without. With `KILN_RELEASE` that binary is judged and timed.

mod checkout;
mod cluster;
mod expected;
mod hardened;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use regex::Regex;
use serde_json::Value;

use super::comparison::{Difference, compare};
use super::{KilnBuild, RefusedBuild, without_kind};
use crate::laboratory::flux::OwnedObject;
use crate::support::{Sandbox, oracle};
use checkout::{Checkout, Repository};
use cluster::{Cluster, ListedKustomization, OutsideObject};

/// The variable that holds the words after `just trees`.
const ASKED: &str = "KILN_TREES";

/// How often a build is timed; the fastest counts.
const ROUNDS: usize = 3;

/// What stands in for sops, whose keys nobody else has: it opens what is sealed, to values that are made up.
const UNSEAL: &str = r#"#!/bin/sh
exec JQ 'del(.sops) |
  def made_up($value): with_entries(if .value | tostring | startswith("ENC[") then .value = $value else . end);
  if .data? then .data |= made_up("dW5zZWVu") else . end |
  if .stringData? then .stringData |= made_up("unseen") else . end'
"#;

/// What builds.
struct Tools {
    fluxbuild: PathBuf,
    /// In the place of sops.
    unseal: PathBuf,
    kiln: PathBuf,
    is_optimised: bool,
    _sandbox: Sandbox,
}

/// A tree, and what came out.
struct JudgedTree {
    checkout: Checkout,
    clusters: Vec<JudgedCluster>,
    /// What Kiln does not see: why, and how often.
    unseen: BTreeMap<String, usize>,
    /// Seconds of CPU, and memory in kilobytes.
    cost: Option<(f64, u64)>,
}

/// A cluster of a tree.
struct JudgedCluster {
    root: String,
    kustomizations: usize,
    /// Objects that Flux' packages build.
    flux: usize,
    /// Objects that Kiln builds.
    kiln: usize,
    differences: Vec<Difference>,
    /// What lies outside of git, with the number of objects that Kiln leaves variables of it in.
    outside: Vec<(OutsideObject, usize)>,
    /// How many Kustomizations both refuse.
    refused: usize,
    /// Kustomizations that Flux' packages refuse and Kiln does not: why.
    refused_by_flux: Vec<String>,
    /// How many Kustomizations have an `ExternalArtifact` as their source.
    of_artifacts: usize,
}

/// A result that others keep, and what Kiln builds.
struct Held {
    name: String,
    expected: usize,
    built: usize,
    differences: Vec<Difference>,
}

impl Tools {
    fn find() -> Self {
        let tool = |name: &str| {
            oracle(name).unwrap_or_else(|| panic!("nothing is held against Flux without {name}"))
        };
        let sandbox = Sandbox::new();
        let jq = tool("jq");
        sandbox.write("unseal", UNSEAL.replace("JQ", jq.to_str().unwrap()));
        let unseal = sandbox.path("unseal");
        fs::set_permissions(&unseal, fs::Permissions::from_mode(0o755)).unwrap();
        let release = env::var_os("KILN_RELEASE").map(PathBuf::from);
        Self {
            fluxbuild: tool("fluxbuild"),
            unseal,
            is_optimised: release.is_some(),
            kiln: release.unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_kiln"))),
            _sandbox: sandbox,
        }
    }

    fn kiln(&self, checkout: &Checkout) -> Command {
        let mut command = Command::new(&self.kiln);
        set_place(&mut command, checkout);
        command
    }

    fn build(&self, checkout: &Checkout, arguments: &[String]) -> KilnBuild {
        let mut command = self.kiln(checkout);
        command.args(["build", "--show-secrets", "-o", "json"]);
        KilnBuild::run(command.args(arguments))
    }

    fn list(&self, checkout: &Checkout, arguments: &[String]) -> Vec<ListedKustomization> {
        let mut command = self.kiln(checkout);
        command.args(["list", "kustomizations", "-o", "json"]);
        let output = command.args(arguments).output().unwrap();
        let mut page: Value = serde_json::from_slice(&output.stdout).unwrap();
        serde_json::from_value(page["kustomizations"].take()).unwrap()
    }

    /// Times `kiln build` by GNU time, where the machine has it.
    fn cost(&self, checkout: &Checkout) -> Option<(f64, u64)> {
        let rounds = (0..ROUNDS).map(|_| {
            let mut command = Command::new("/usr/bin/time");
            set_place(&mut command, checkout);
            command
                .args(["-f", "%U %S %M", "-o", "../cost"])
                .arg(&self.kiln);
            command.args(["build", "-o", "name"]).stdout(Stdio::null());
            command.stderr(Stdio::null()).status().ok()?;
            let told = fs::read_to_string(checkout.sandbox.path("cost")).ok()?;
            let told = told.lines().last()?.split(' ');
            let told: Vec<f64> = told.map(|number| number.parse().unwrap()).collect();
            Some((told[0] + told[1], told[2]))
        });
        let rounds: Option<Vec<(f64, f64)>> = rounds.collect();
        let fastest = rounds?
            .into_iter()
            .min_by(|one, other| one.0.total_cmp(&other.0))?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "kilobytes"
        )]
        Some((fastest.0, fastest.1 as u64))
    }
}

fn set_place(command: &mut Command, checkout: &Checkout) {
    let tree = checkout.sandbox.path("tree");
    let home = checkout.sandbox.path("../home");
    command.env_clear().env("HOME", home).current_dir(tree);
}

#[test]
#[ignore = "the maintainers' run: `just trees DIR…`"]
fn public_trees_are_built_as_flux_builds_them() {
    let asked = env::var(ASKED).unwrap_or_default();
    let folders: Vec<&str> = asked.split_whitespace().collect();
    assert!(!folders.is_empty(), "which trees? `just trees DIR…`");
    let tools = Tools::find();
    let (mut trees, mut held) = (Vec::new(), Vec::new());
    for folder in folders {
        let repository = Repository::open(folder);
        if repository.has(expected::FLUX_RESULTS) {
            let checkout = repository.take_out(expected::FLUX_RESULTS);
            let results = expected::judge_results(&tools, &checkout);
            held.push((checkout, results));
            continue;
        }
        let checkout = repository.take_out(".");
        eprintln!("{} of {}", checkout.name, checkout.date);
        if repository.has("flux_local") {
            let results = expected::judge_snapshots(&tools, &checkout);
            held.push((repository.take_out("."), results));
        }
        trees.push(judge_tree(&tools, checkout));
    }
    let body = report::body(&tools, &trees, &held);
    eprintln!("\n{body}");
    let open = report::not_explained(&trees, &held);
    if open.is_empty() {
        report::write(&body);
    }
    assert!(open.is_empty(), "{}", open.join("\n"));
}

fn judge_tree(tools: &Tools, checkout: Checkout) -> JudgedTree {
    let listed = tools.list(&checkout, &[]);
    let kiln = tools.build(&checkout, &[]);
    let clusters = Cluster::all(&listed);
    let single = clusters.len() == 1;
    let judged = clusters.iter().map(|cluster| {
        let built = kiln.of_root(if single { "" } else { cluster.root });
        judge_cluster(tools, &checkout, cluster, &built, &kiln.refused)
    });
    let clusters = judged.collect();
    let names = Regex::new("`[^`]*`").unwrap();
    let mut unseen: BTreeMap<String, usize> = BTreeMap::new();
    for part in &kiln.not_seen {
        let why = names.replace_all(&part.why, "…").into_owned();
        *unseen.entry(why).or_default() += 1;
    }
    JudgedTree {
        clusters,
        unseen,
        cost: tools.cost(&checkout),
        checkout,
    }
}

fn judge_cluster(
    tools: &Tools,
    checkout: &Checkout,
    cluster: &Cluster<'_>,
    built: &[OwnedObject],
    refused: &[RefusedBuild],
) -> JudgedCluster {
    let (flux, outside) = cluster.build(tools, checkout, built);
    let refused_here = refused.iter().filter_map(|build| build.owner.as_deref());
    let refused_here: BTreeSet<String> = refused_here.map(without_kind).collect();
    let (both, by_flux): (Vec<_>, Vec<_>) = flux
        .refused
        .into_iter()
        .partition(|build| refused_here.contains(&build.owner));
    let count = |owner: &String| built.iter().filter(|object| object.owner == *owner).count();
    let outside = outside.into_iter().map(|object| {
        let objects = count(&object.owner);
        (object, objects)
    });
    let by_flux = by_flux
        .into_iter()
        .map(|build| format!("{}: {}", build.owner, build.reason));
    JudgedCluster {
        root: cluster.root.to_owned(),
        kustomizations: cluster.listed.len(),
        flux: flux.objects.len(),
        kiln: built.len(),
        differences: compare(&flux.objects, built).differences,
        outside: outside.collect(),
        refused: both.len(),
        refused_by_flux: by_flux.collect(),
        of_artifacts: cluster.of_artifacts(),
    }
}

//! The report of a run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::{Checkout, Held, JudgedCluster, JudgedTree, Tools};
use crate::support::write_report;

/// What a run judges: what Kiln builds with, and what it is held against.
const INPUTS: [&str; 5] = [
    "crates/envsubst/src/**",
    "crates/kustomize/src/**",
    "src/flux/**",
    "tests/laboratory/flux_build/**",
    "tests/oracles/go/flux/**",
];

/// What holds for all trees.
const NOTES: &str = "\
- fluxbuild starts from the Kustomizations that `kiln list kustomizations` names as those that nothing applies, so these are
  one of the facts that are not judged here.
- Nobody else has the keys of what is sealed. fluxbuild gets a stand-in for sops that puts made-up values in the place of
  ciphertext; the ciphertext that Kiln keeps, and `${NAME}` of a Secret within a text, are equal to anything.
- fluxbuild knows one source a run. Where an `ArtifactGenerator` of the tree makes an `ExternalArtifact`, it is laid out as it
  says, and fluxbuild is run over that as well.
- flux-local leaves Secrets out of its snapshots, and Kustomizations of sources that it is not given; Kiln lists those, so it
  may name more of them than is expected.
- The CLI of Flux is not run here. It is said to count 518 objects of onedr0p/home-ops and 404 of buroa/k8s-gitops. By its source,
  `--dry-run` passes over `substituteFrom` and is not strict, so it builds what lacks a Secret from outside of git as well, and it
  does not count the one object of the sync itself; and it starts where it is told: at `cluster-apps` alone, which applies 404.
";

pub(super) fn body(tools: &Tools, trees: &[JudgedTree], held: &[(Checkout, Vec<Held>)]) -> String {
    let mut text = String::new();
    let how = if tools.is_optimised {
        "an optimised build"
    } else {
        "a debug build"
    };
    write!(
        text,
        "`kiln build`, {how}, beside fluxbuild. A difference is an object that only one of them has, or that has other content.\n\n"
    )
    .unwrap();
    text += "| tree | commit | of | clusters | Kustomizations | objects | differences | CPU | memory |\n";
    text += "|---|---|---|---|---|---|---|---|---|\n";
    for tree in trees {
        writeln!(text, "{}", row(tree)).unwrap();
    }
    text += "\n| tree | starts at | Kustomizations | of fluxbuild | of Kiln | differences |\n|---|---|---|---|---|---|\n";
    for (tree, cluster) in clusters(trees) {
        let JudgedCluster {
            root,
            kustomizations,
            flux,
            kiln,
            ..
        } = cluster;
        let (name, differences) = (&tree.checkout.name, cluster.differences.len());
        writeln!(
            text,
            "| {name} | {root} | {kustomizations} | {flux} | {kiln} | {differences} |"
        )
        .unwrap();
    }
    text += "\n| results of | commit | of | result | expected | of Kiln | differences |\n|---|---|---|---|---|---|---|\n";
    for (checkout, results) in held {
        for result in results {
            writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} |",
                checkout.name,
                checkout.commit,
                checkout.date,
                result.name,
                result.expected,
                result.built,
                result.differences.len()
            )
            .unwrap();
        }
    }
    text += "\n| not seen in | why | parts |\n|---|---|---|\n";
    for tree in trees {
        for (why, count) in &tree.unseen {
            writeln!(text, "| {} | {why} | {count} |", tree.checkout.name).unwrap();
        }
    }
    text += "\nWhat is to know:\n\n";
    for (tree, cluster) in clusters(trees) {
        text += &particulars(&tree.checkout.name, cluster);
    }
    text += NOTES;
    text
}

fn clusters(trees: &[JudgedTree]) -> impl Iterator<Item = (&JudgedTree, &JudgedCluster)> {
    trees
        .iter()
        .flat_map(|tree| tree.clusters.iter().map(move |cluster| (tree, cluster)))
}

fn row(tree: &JudgedTree) -> String {
    let sum = |number: fn(&JudgedCluster) -> usize| tree.clusters.iter().map(number).sum::<usize>();
    let (cpu, memory) = match tree.cost {
        #[expect(clippy::integer_division, reason = "whole megabytes")]
        Some((seconds, kilobytes)) => (
            format!("{seconds:.2} s"),
            format!("{} MB", kilobytes / 1024),
        ),
        None => ("-".to_owned(), "-".to_owned()),
    };
    format!(
        "| {} | {} | {} | {} | {} | {} | {} | {cpu} | {memory} |",
        tree.checkout.name,
        tree.checkout.commit,
        tree.checkout.date,
        tree.clusters.len(),
        sum(|cluster| cluster.kustomizations),
        sum(|cluster| cluster.kiln),
        sum(|cluster| cluster.differences.len()),
    )
}

/// Says what is particular to a cluster, a line each.
fn particulars(tree: &str, cluster: &JudgedCluster) -> String {
    let mut text = String::new();
    let mut outside: BTreeMap<&str, (Vec<String>, usize)> = BTreeMap::new();
    for (object, count) in &cluster.outside {
        let (names, objects) = outside.entry(&object.owner).or_default();
        names.push(format!("{} `{}`", object.kind, object.name));
        *objects = *count;
    }
    for (owner, (names, objects)) in outside {
        writeln!(
            text,
            "- {tree}, {}: the {objects} objects of `{owner}` have variables of {}, which no commit holds, and which {} made up for \
             fluxbuild. It refuses them without, and builds the other {}.",
            cluster.root,
            names.join(" and "),
            if names.len() == 1 { "is" } else { "are" },
            cluster.flux.saturating_sub(objects),
        )
        .unwrap();
    }
    if cluster.of_artifacts > 0 {
        writeln!(
            text,
            "- {tree}, {}: Kustomizations with an `ExternalArtifact` as their source: {}.",
            cluster.root, cluster.of_artifacts
        )
        .unwrap();
    }
    if cluster.refused > 0 {
        writeln!(
            text,
            "- {tree}, {}: Kustomizations that both refuse: {}.",
            cluster.root, cluster.refused
        )
        .unwrap();
    }
    text
}

/// Lists the differences; nobody has explained one yet.
pub(super) fn not_explained(trees: &[JudgedTree], held: &[(Checkout, Vec<Held>)]) -> Vec<String> {
    let of_trees = clusters(trees).flat_map(|(tree, cluster)| {
        let differences = cluster.differences.iter().map(ToString::to_string);
        let refused = cluster.refused_by_flux.iter();
        let refused = refused.map(|refused| format!("only fluxbuild refuses {refused}"));
        let name = format!("{}, {}", tree.checkout.name, cluster.root);
        differences
            .chain(refused)
            .map(move |difference| format!("{name}: {difference}"))
    });
    let results = held.iter().flat_map(|(_, results)| results);
    let of_results = results.flat_map(|result| {
        let differences = result.differences.iter();
        differences.map(|difference| format!("{}: {difference}", result.name))
    });
    of_trees.chain(of_results).collect()
}

pub(super) fn write(body: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    write_report(root, "trees", "just trees DIR…", &INPUTS, body);
}

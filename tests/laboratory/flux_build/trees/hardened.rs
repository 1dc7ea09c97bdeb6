//! `just harden-trees DIR…`: public repositories before and after `kiln harden --write`, by Flux' own packages.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::path::Path;

use super::{ASKED, Checkout, Cluster, Repository, Tools};
use crate::laboratory::flux::OwnedObject;
use crate::laboratory::hardening::Additions;
use crate::support::write_report;

/// What a run judges: what writes into a tree.
const INPUTS: [&str; 9] = [
    "crates/spanned-yaml/src/edit/**",
    "src/harden/**",
    "src/rules/applied_state.rs",
    "src/rules/kustomization_patch.rs",
    "src/rules/object_addition.rs",
    "src/rules/plan.rs",
    "src/rules/release_patch.rs",
    "src/rules/shared_manifest.rs",
    "tests/laboratory/hardening.rs",
];

/// The last line of a run.
#[derive(serde::Deserialize)]
struct Summary {
    summary: Told,
}

/// What a run says, by rule.
#[derive(serde::Deserialize)]
struct Told {
    additions: usize,
    files: usize,
    missing: usize,
    rules: BTreeMap<String, usize>,
}

/// A tree, and what hardening did to what Flux builds of it.
struct HardenedTree {
    checkout: Checkout,
    told: Told,
    clusters: Vec<(String, usize, Additions)>,
}

#[test]
#[ignore = "the maintainers' run: `just harden-trees DIR…`"]
fn public_trees_only_gain() {
    let asked = env::var(ASKED).unwrap_or_default();
    let folders: Vec<&str> = asked.split_whitespace().collect();
    assert!(!folders.is_empty(), "which trees? `just harden-trees DIR…`");
    let tools = Tools::find();
    let trees: Vec<HardenedTree> = folders
        .into_iter()
        .map(|folder| judge(&tools, Repository::open(folder).take_out(".")))
        .collect();
    let body = body(&trees);
    eprintln!("{body}");
    let of_clusters = trees.iter().flat_map(|tree| {
        let clusters = tree.clusters.iter();
        clusters.flat_map(move |(root, _, additions)| {
            let wrong = additions.wrong.iter();
            wrong.map(move |wrong| format!("{}, {root}: {wrong}", tree.checkout.name))
        })
    });
    let wrong: Vec<String> = of_clusters.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    write_report(root, "hardening", "just harden-trees DIR…", &INPUTS, &body);
}

fn judge(tools: &Tools, checkout: Checkout) -> HardenedTree {
    eprintln!("{} of {}", checkout.name, checkout.date);
    let before = build(tools, &checkout);
    let told = harden(tools, &checkout, &["--write"]);
    let after = build(tools, &checkout);
    let again = harden(tools, &checkout, &[]);
    assert_eq!(
        again.additions, 0,
        "{}: a second run adds more",
        checkout.name
    );
    assert_eq!(before.len(), after.len(), "{}", checkout.name);
    let clusters = before
        .into_iter()
        .zip(after)
        .map(|((root, old), (_, new))| {
            let additions = Additions::between(&old, &new);
            (root, old.len(), additions)
        });
    HardenedTree {
        clusters: clusters.collect(),
        checkout,
        told,
    }
}

/// Builds all clusters of a tree by Flux' packages.
fn build(tools: &Tools, checkout: &Checkout) -> Vec<(String, Vec<OwnedObject>)> {
    let listed = tools.list(checkout, &[]);
    let kiln = tools.build(checkout, &[]);
    let clusters = Cluster::all(&listed);
    let single = clusters.len() == 1;
    let built = clusters.iter().map(|cluster| {
        let of_root = kiln.of_root(if single { "" } else { cluster.root });
        let (built, _) = cluster.build(tools, checkout, &of_root);
        (cluster.root.to_owned(), built.objects)
    });
    built.collect()
}

fn harden(tools: &Tools, checkout: &Checkout, arguments: &[&str]) -> Told {
    let mut command = tools.kiln(checkout);
    command.args(["harden", "--message-format", "json"]);
    let output = command.args(arguments).output().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let last = lines.lines().last().unwrap_or_default();
    let told: Result<Summary, _> = serde_json::from_str(last);
    let problem = || String::from_utf8_lossy(&output.stderr);
    told.unwrap_or_else(|error| panic!("{error}: {last}{}", problem()))
        .summary
}

fn body(trees: &[HardenedTree]) -> String {
    let mut text = "Trees before and after `kiln harden --write`, built by fluxbuild: every object is still there with all that \
         it had, what is new is of the kinds below, and a second run adds nothing.\n\n\
         | tree | commit | of | additions | files | held back | by rule |\n|---|---|---|---|---|---|---|\n"
        .to_owned();
    for HardenedTree { checkout, told, .. } in trees {
        let Checkout {
            name, commit, date, ..
        } = checkout;
        let rules = told.rules.iter();
        let rules: Vec<String> = rules
            .map(|(rule, count)| format!("{rule} {count}"))
            .collect();
        let Told {
            additions,
            files,
            missing,
            ..
        } = told;
        let rules = rules.join(", ");
        writeln!(
            text,
            "| {name} | {commit} | {date} | {additions} | {files} | {missing} | {rules} |"
        )
        .unwrap();
    }
    text += "\n| tree | starts at | objects | gained something | new |\n|---|---|---|---|---|\n";
    for tree in trees {
        for (root, objects, additions) in &tree.clusters {
            let new = additions.new.iter();
            let new: Vec<String> = new.map(|(kind, count)| format!("{kind} {count}")).collect();
            let (name, grown) = (&tree.checkout.name, additions.grown);
            writeln!(
                text,
                "| {name} | {root} | {objects} | {grown} | {} |",
                new.join(", ")
            )
            .unwrap();
        }
    }
    text
}

//! The rendered releases of the examples, from their records: no helm, no chart and no network is needed.
//!
//! `just prove --charts DIR` records; this holds the records against the trees of today, and judges both together.

mod controls;
pub(crate) mod records;

use std::collections::BTreeSet;

use super::examples::{ExampleTree, TREES};
use super::judgement::{Finding, JudgedCluster, TREE};
use records::recorded;

/// Charts of which nobody has the source, and why; their releases are not judged.
pub(super) const NOT_HAD: &[(&str, &str)] = &[];

/// What is found today and is yet to be mended: the kind, whose it is, and how it starts. Each is found in one tree or more.
///
/// This list is to be empty.
const YET_TO_MEND: &[(&str, &str, &str)] = &[
    ("budget-over-nothing", TREE, "`coredns` in kube-system"),
    ("key-twice", ALLOY, "env of container alloy `HOSTNAME`"),
    ("name-taken", TREE, "PodDisruptionBudget/kyverno-"),
    ("two-budgets", TREE, "Deployment/kyverno-"),
    (
        "patch-without-target",
        LOKI,
        "{\"kind\":\"DaemonSet\",\"name\":\"loki-canary\"}",
    ),
    (
        "patch-without-target",
        SLOTH,
        "{\"kind\":\"Deployment\",\"name\":\"sloth-sloth\"}",
    ),
    ("phantom-workload", CILIUM, "DaemonSet/cilium-envoy"),
    ("phantom-workload", LOKI, "DaemonSet/loki-canary"),
    ("phantom-workload", SLOTH, "Deployment/sloth-sloth"),
    ("unnamed-workload", SLOTH, "Deployment/sloth"),
];
const ALLOY: &str = "HelmRelease/monitoring/alloy";
const CILIUM: &str = "HelmRelease/kube-system/cilium";
const LOKI: &str = "HelmRelease/monitoring/loki";
const SLOTH: &str = "HelmRelease/monitoring/sloth";

/// Puts a tree together with the records of its releases; those that are missing or stale are left out.
pub(super) fn cluster(tree: &ExampleTree) -> JudgedCluster {
    let releases = tree.releases.iter();
    let renders: Vec<_> = releases
        .filter_map(|release| Some((release, recorded(tree, release).ok()?)))
        .collect();
    JudgedCluster::new(tree, &renders)
}

#[test]
fn every_release_has_a_record_of_today() {
    let mut problems = BTreeSet::new();
    for tree in TREES.iter() {
        for release in &tree.releases {
            let had = !NOT_HAD.iter().any(|(chart, _)| *chart == release.chart);
            match recorded(tree, release) {
                Err(problem) if had => drop(problems.insert(problem)),
                Ok(_) if !had => drop(problems.insert(format!(
                    "{} has a record; take it off the list",
                    release.chart
                ))),
                _ => {}
            }
        }
    }
    let problems: Vec<String> = problems.into_iter().collect();
    assert!(
        problems.is_empty(),
        "{}\n`just prove --charts DIR` records the releases anew",
        problems.join("\n")
    );
}

#[test]
fn no_record_is_of_a_release_that_is_gone() {
    for record in records::all() {
        let of = |tree: &ExampleTree| {
            let mut releases = tree.releases.iter();
            record.trees.contains(&tree.name)
                && releases.any(|release| {
                    release.name == record.release && release.namespace == record.namespace
                })
        };
        let trees = TREES.iter().filter(|tree| of(tree)).count();
        assert_eq!(
            trees,
            record.trees.len(),
            "{}/{}",
            record.namespace,
            record.release
        );
    }
}

#[test]
fn rendered_charts_and_trees_fit_together() {
    let mut unexpected = BTreeSet::new();
    let mut met = BTreeSet::new();
    for tree in TREES.iter() {
        for finding in cluster(tree).findings() {
            match YET_TO_MEND
                .iter()
                .position(|expected| is(&finding, expected))
            {
                Some(position) => drop(met.insert(position)),
                None => drop(unexpected.insert(format!("{finding}, in {}", tree.name))),
            }
        }
    }
    let unexpected: Vec<String> = unexpected.into_iter().collect();
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
    let mended: Vec<_> = (0..YET_TO_MEND.len())
        .filter(|position| !met.contains(position))
        .map(|position| YET_TO_MEND[position])
        .collect();
    assert!(
        mended.is_empty(),
        "these are mended, so take them off the list: {mended:#?}"
    );
}

fn is(finding: &Finding, (kind, owner, what): &(&str, &str, &str)) -> bool {
    finding.kind == *kind && finding.owner == *owner && finding.what.starts_with(what)
}

//! The rendered releases of the examples, from their records: no helm, no chart and no network is needed.
//!
//! `just prove --charts DIR` records; this holds the records against the trees of today, and judges both together.

mod controls;
pub(crate) mod records;

use std::collections::BTreeSet;

use super::examples::{ExampleTree, TREES};
use super::judgement::JudgedCluster;
use records::recorded;

/// Charts of which nobody has the source, and why; their releases are not judged.
pub(super) const NOT_HAD: &[(&str, &str)] = &[];

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
    let mut findings = BTreeSet::new();
    for tree in TREES.iter() {
        for finding in cluster(tree).findings() {
            findings.insert(format!("{finding}, in {}", tree.name));
        }
    }
    let findings: Vec<String> = findings.into_iter().collect();
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

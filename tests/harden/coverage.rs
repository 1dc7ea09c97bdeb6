//! How far hardening brings the workloads of every chart that a profile knows, with no value set.
//!
//! The golden text lists what is left and why, so that a profile that learns or forgets something shows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kiln::charts::Release;
use kiln::charts::profile::Workloads;
use kiln::flux::TreeFiles;
use kiln::flux::builds::Builds;
use kiln::harden::harden;
use kiln::pod_security::{Level, Version};
use kiln::workload::prediction::{Sample, manifests};
use kiln::workload::{self, standing};

use serde_json::Map;

use super::{profiles, trees};
use crate::support::{Yardstick, expect_file};

/// A tree with one release of each chart, each in a namespace of its own.
fn releases() -> BTreeMap<String, String> {
    let profiles = profiles();
    let listed = profiles
        .iter()
        .filter(|profile| matches!(profile.workloads, Workloads::Listed(_)));
    trees::applied(listed.map(|profile| {
        let sample = Sample {
            release: &profile.chart,
            namespace: &profile.chart,
            values: &Map::new(),
        };
        let version = profile.versions.from.as_ref().unwrap().to_string();
        (profile.chart.clone(), manifests(profile, &version, &sample))
    }))
}

#[test]
fn the_charts_of_all_profiles_come_as_far_as_is_written_down() {
    let profiles = profiles();
    let done = harden(
        trees::tree(&releases(), Vec::new()),
        Yardstick::new(&profiles).measures(),
    )
    .unwrap_or_else(|problems| panic!("{}", trees::told(&problems)));
    assert_eq!(trees::told(&done.warnings), "");
    let applied_files = TreeFiles::of_tree(done.value.files());
    let builds = Builds::of(&applied_files);
    let releases = Release::all(&builds, &profiles);
    let workloads = workload::all(&builds, &releases);
    let standings: Vec<_> = workloads
        .iter()
        .filter(|workload| !workload.hook)
        .map(|workload| standing::standing(workload, Version(36)))
        .collect();
    let restricted = standings
        .iter()
        .filter(|standing| standing.level == Some(Level::Restricted));
    let with_class = workloads
        .iter()
        .filter(|workload| !workload.hook && workload.pod["spec"]["priorityClassName"].is_string());
    let mut text = format!(
        "{} workloads of {} charts: {} restricted, {} with a priority class\n\nNot restricted:\n",
        standings.len(),
        releases.len(),
        restricted.count(),
        with_class.count(),
    );
    for standing in &standings {
        if standing.level != Some(Level::Restricted) {
            let reasons: Vec<&str> = standing
                .obstacles
                .iter()
                .map(|(reason, _)| reason.as_str())
                .collect();
            let level = standing.level.unwrap();
            writeln!(
                text,
                "{} is {level}: {}",
                standing.label,
                reasons.join("; ")
            )
            .unwrap();
        }
    }
    writeln!(text, "\nGaps:").unwrap();
    for gap in done.value.gaps() {
        if gap.rule == "probes" || gap.rule == "priority-class" {
            writeln!(
                text,
                "{} {} {}: {}",
                gap.rule, gap.object, gap.route, gap.reason
            )
            .unwrap();
        }
    }
    expect_file(&trees::fixtures("harden").join("coverage.txt"), &text);
}

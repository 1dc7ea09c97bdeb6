//! How far hardening brings the workloads of every chart that a profile knows, with no value set.
//!
//! The golden text lists what is left and why, so that a profile that learns or forgets something shows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use kiln::harden::{Policy, harden};
use kiln::tree::builds::Builds;
use kiln::workload::pod_security::{Level, Version};
use kiln::workload::profile::Workloads;
use kiln::workload::{self, Release, standing};

use super::{profiles, trees};

/// A tree with one release of each chart, each in a namespace of its own.
fn releases() -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    let mut names = Vec::new();
    for profile in profiles().iter() {
        if matches!(profile.workloads, Workloads::AppTemplate) {
            continue;
        }
        let chart = &profile.chart;
        let source = &profile.sources[0];
        let version = profile.versions.from.as_ref().unwrap();
        let text = if source.starts_with("oci://") {
            format!(
                "---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {{name: {chart}, namespace: {chart}}}\nspec: {{url: '{source}', ref: {{tag: {version}}}}}\n---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: {chart}\n  namespace: {chart}\nspec:\n  chartRef: {{kind: OCIRepository, name: {chart}}}\n"
            )
        } else {
            let (repository, name) = source.rsplit_once('/').unwrap();
            format!(
                "---\napiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {{name: {chart}, namespace: {chart}}}\nspec: {{url: '{repository}'}}\n---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: {chart}\n  namespace: {chart}\nspec:\n  chart:\n    spec:\n      chart: {name}\n      version: {version}\n      sourceRef: {{kind: HelmRepository, name: {chart}}}\n"
            )
        };
        texts.insert(format!("kubernetes/flux/cluster/{chart}.yaml"), text);
        names.push(format!("  - {chart}.yaml\n"));
    }
    let list = format!(
        "---\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n{}",
        names.concat()
    );
    texts.insert(
        "kubernetes/flux/cluster/kustomization.yaml".to_owned(),
        list,
    );
    texts
}

#[test]
fn the_charts_of_all_profiles_come_as_far_as_is_written_down() {
    let profiles = profiles();
    let done = harden(
        trees::tree(&releases(), Vec::new()),
        &profiles,
        &Policy::default(),
    )
    .unwrap_or_else(|problems| panic!("{}", trees::told(&problems)));
    assert_eq!(trees::told(&done.warnings), "");
    let builds = Builds::of(done.value.files());
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
    let mut wrong = Vec::new();
    trees::compare(
        &trees::fixtures("harden").join("coverage.txt"),
        &text,
        &mut wrong,
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

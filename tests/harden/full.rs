//! How far `examples/full` comes: the tree that the example renders to, as a whole.
//!
//! The golden text counts, and names what is left with the reason, so that a template or profile that
//! learns or forgets something shows.

use std::fmt::Write as _;
use std::path::Path;

use kiln::charts::Release;
use kiln::flux::TreeFiles;
use kiln::flux::builds::Builds;
use kiln::harden::harden;
use kiln::pod_security::{Level, Version};
use kiln::workload::budget::{self, DisruptionBudget, Selects};
use kiln::workload::{self, Workload, standing};
use kustomize::Field;

use super::{profiles, trees};
use crate::support::{Yardstick, expect_file};

/// How many workloads are `restricted` at least.
const RESTRICTED: usize = 60;

const PROBES: [&str; 2] = ["livenessProbe", "readinessProbe"];

#[test]
fn the_full_example_comes_as_far_as_is_written_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/full");
    let texts = trees::texts(&folder);
    assert!(texts.len() > 300, "{} files", texts.len());
    let profiles = profiles();
    let tree = trees::tree(&texts, Vec::new());
    let done = harden(tree, Yardstick::new(&profiles).measures())
        .unwrap_or_else(|problems| panic!("{}", trees::told(&problems)));
    assert_eq!(trees::told(&done.warnings), "");
    let applied_files = TreeFiles::of_tree(done.value.files());
    let builds = Builds::of(&applied_files);
    let releases = Release::all(&builds, &profiles);
    for release in &releases {
        assert!(release.profile().is_some(), "{}", release.label());
    }
    let mut workloads = workload::all(&builds, &releases);
    workloads.retain(|workload| !workload.hook && workload.is_deployed(&builds));
    for workload in &workloads {
        let class = &workload.pod["spec"]["priorityClassName"];
        assert!(class.is_string(), "{} has no class", workload.label());
    }
    assert_budgets(&builds, &releases, &workloads);

    let (restricted, levels) = levels(&workloads);
    let text = format!(
        "{} workloads of {} releases: {restricted} restricted\n\nNot restricted:\n{levels}\nWithout liveness or readiness:\n{}\nNamespaces:\n{}",
        workloads.len(),
        releases.len(),
        without_probes(&workloads),
        namespaces(&builds),
    );
    let golden = trees::fixtures("harden").join("full.txt");
    expect_file(&golden, &text);
    assert!(restricted >= RESTRICTED, "{restricted} are restricted");
}

/// Asserts that everything of two and more replicas has one budget, which lets a pod go.
fn assert_budgets(builds: &Builds<'_>, releases: &[Release<'_>], workloads: &[Workload<'_>]) {
    let written = DisruptionBudget::all(builds, releases);
    let mut count = 0;
    for workload in workloads.iter().filter(|workload| workload.is_replicated()) {
        let own = budget::own(workload).map(|own| own.spec);
        let specs: Vec<_> = written
            .iter()
            .filter(|budget| budget.selects(workload) == Selects::Yes)
            .map(|budget| &budget.spec)
            .chain(&own)
            .collect();
        let [spec] = specs[..] else {
            panic!("{} has the budgets {specs:?}", workload.label());
        };
        let replicas = workload.replicas.unwrap();
        let sound = budget::allows_eviction(spec, replicas);
        assert!(sound, "{}: {spec}", workload.label());
        count += 1;
    }
    assert!(count >= 20, "{count} workloads have replicas");
}

/// Counts what is restricted, and says why the rest is not.
fn levels(workloads: &[Workload<'_>]) -> (usize, String) {
    let mut count = 0;
    let mut text = String::new();
    for workload in workloads {
        let standing = standing::standing(workload, Version(36));
        let level = standing.level.unwrap();
        if level == Level::Restricted {
            count += 1;
            continue;
        }
        let obstacles = standing.obstacles.iter().map(|(told, _)| told.as_str());
        let first: Vec<&str> = obstacles.take(2).collect();
        assert_eq!(level, Level::Privileged, "{}", standing.label);
        let reason = first.join("; ");
        writeln!(text, "{} is {level}: {reason}", standing.label).unwrap();
    }
    (count, text)
}

/// Names the containers that lack a probe, with the reason; one that is known is never lacking.
fn without_probes(workloads: &[Workload<'_>]) -> String {
    let mut text = String::new();
    for workload in workloads
        .iter()
        .filter(|workload| workload.is_long_running())
    {
        for container in workload.containers().filter(|container| !container.init) {
            let known = workload.known_container(container.name);
            let mut lacking = PROBES.to_vec();
            lacking.retain(|probe| container.value.get(probe).is_none());
            for probe in &lacking {
                let endpoint = known.is_some_and(|known| known.health.contains_key(*probe));
                assert!(!endpoint, "{probe} of {}", workload.label());
            }
            let told = known.and_then(|known| known.no_probes.as_deref());
            let reason = told.unwrap_or("no endpoint of it is known");
            if !lacking.is_empty() {
                let (name, label) = (container.name, workload.label());
                writeln!(text, "{name} of {label}: {reason}").unwrap();
            }
        }
    }
    text
}

/// Lists the namespaces with their levels.
fn namespaces(builds: &Builds<'_>) -> String {
    let mut text = String::new();
    for namespace in builds.of_kind("", "Namespace") {
        let labels = namespace.find("metadata.labels");
        let label = |key: &str| {
            let key = format!("pod-security.kubernetes.io/{key}");
            let label = labels.and_then(|labels| labels.get(&key));
            label.and_then(Field::as_text).unwrap_or_default()
        };
        let name = &namespace.name;
        assert_eq!(
            (label("audit"), label("warn")),
            ("restricted", "restricted"),
            "{name}"
        );
        assert!(label("enforce-version").starts_with("v1."), "{name}");
        writeln!(text, "{name}: {}", label("enforce")).unwrap();
    }
    text
}

//! Chart profiles: the built-in ones, and what a broken one says.

use std::collections::BTreeSet;
use std::path::Path;

use kiln::charts::Profiles;
use kiln::charts::profile::{ChartKnownValues, Match, Workloads};
use kiln::yaml::{self, Resolver};
use serde_json::Value;

use super::{profiles, trees};
use crate::support::expect_file;

fn validator() -> jsonschema::Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/chart-profile.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

fn json(text: &str) -> Value {
    yaml::load(text).unwrap()[0].root.to_value(Resolver::Core)
}

#[test]
fn built_in_profiles_follow_the_schema_and_are_named_after_their_chart() {
    let validator = validator();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/charts");
    for (name, text) in trees::texts(&folder) {
        let profile = json(&text);
        let errors: Vec<String> = validator
            .iter_errors(&profile)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
        assert_eq!(name, format!("{}.yaml", profile["chart"].as_str().unwrap()));
    }
}

#[test]
fn the_reader_rejects_what_the_schema_rejects() {
    let validator = validator();
    let good = "chart: x\nsources: [oci://a/x]\nversions: {from: 1.0.0, below: 2.0.0}\n";
    let workload = "workloads:\n  - kind: Deployment\n    name: x\n    pod:\n      containers: [{name: c}]\n    containers:\n      c:\n        nonRoot: true\n";
    let numbered = workload.replace("nonRoot: true", "user: 1000");
    let named = format!(
        "fullname: {{contained: '{{release}}', otherwise: 'x-{{release}}', of: x, cut: 26}}\noverrides: {{label: '{{name}}'}}\n{}",
        workload.replace(
            "    pod:",
            "    doubt: by another helper\n    when: {value: a.b, isNot: false}\n    hook: test\n    pod:"
        )
    );
    let operand = "operands:\n  - group: a.b\n    kind: X\n    field: spec.a\n    elevation: {annotation: a.b/c, securityContext: {runAsUser: 0}}\n    workloads:\n      - {kind: Job, name: x, pod: {containers: [{name: c}]}}\n";
    for extra in ["", workload, &numbered, &named, operand] {
        let text = format!("{good}{extra}");
        assert!(validator.is_valid(&json(&text)), "{text}");
        Profiles::load(Vec::new(), &[("x.yaml".to_owned(), text)]).unwrap();
    }
    let cases = [
        good.replace("chart: x\n", ""),
        good.replace("from: 1.0.0", "from: one"),
        format!("{good}surprise: 1\n"),
        format!("{good}anyPublisher: maybe\n"),
        format!("{good}generic: other\n"),
        format!("{good}{}", workload.replace("nonRoot: true", "nonRoot: 1")),
        format!("{good}{}", workload.replace("nonRoot: true", "user: 0")),
        format!("{good}{}", workload.replace("nonRoot: true", "user: root")),
        format!("{good}{}", workload.replace("pod:", "pods:")),
        format!("{good}{}", workload.replace("pod:", "pod: 1\n    x:")),
        format!("{good}{workload}        paths: {{resourcess: x}}\n"),
        format!("{good}{workload}        health: {{livenessProbe: {{probe: {{}}}}}}\n"),
        format!("{good}{workload}    podDisruptionBudget: {{on: {{path: x}}}}\n"),
        format!("{good}fullname: {{contained: x}}\n"),
        format!("{good}fullname: {{otherwise: x, cut: 0}}\n"),
        format!("{good}overrides: [a]\n"),
        format!(
            "{good}{}",
            workload.replace("pod:", "hook: tests\n    pod:")
        ),
        format!(
            "{good}{}",
            workload.replace("pod:", "when: {value: a}\n    pod:")
        ),
        format!(
            "{good}{}",
            workload.replace("pod:", "when: {value: a, is: 1, isNot: 2}\n    pod:")
        ),
        format!("{good}operands:\n  - kind: X\n"),
        format!("{good}{}", operand.replace("annotation: a.b/c, ", "")),
        format!("{good}{}", operand.replace("{runAsUser: 0}", "root")),
        format!("{good}{}", operand.replace("spec.a", "[spec, a]")),
        format!("{good}values: [a]\n"),
    ];
    for text in cases {
        assert!(!validator.is_valid(&json(&text)), "{text}");
        assert!(
            Profiles::load(Vec::new(), &[("x.yaml".to_owned(), text.clone())]).is_err(),
            "{text}"
        );
    }
}

#[test]
fn a_broken_profile_shows_all_its_problems() {
    let text = "chart: x\nsource: [oci://a/x]\nversions:\n  from: soon\n  below: 2.0.0\nworkloads:\n  - kind: Deployment\n    name: x\n    pod: restricted\n    hook: maybe\n    containers: 3\nvalues: {a: 1}\n";
    let problems =
        Profiles::load(Vec::new(), &[("charts/x.yaml".to_owned(), text.to_owned())]).unwrap_err();
    expect_file(
        &trees::fixtures("harden").join("broken-profile.txt"),
        &trees::told(&problems),
    );
}

#[test]
fn a_chart_is_found_by_where_it_is_published_and_in_which_version() {
    let profiles = profiles();
    let name = |known: Match<'_>| match known {
        Match::Profile(profile) => format!("profile {}", profile.chart),
        Match::OtherVersion(profile) => format!("version {}", profile.chart),
        Match::OtherPublisher(profile) => format!("publisher {}", profile.chart),
        Match::Unknown => "unknown".to_owned(),
    };
    for (url, version, expected) in [
        (
            "oci://ghcr.io/coredns/charts/coredns",
            Some("1.45.0"),
            "profile coredns",
        ),
        (
            "https://charts.jetstack.io/cert-manager",
            Some("v1.19.2"),
            "profile cert-manager",
        ),
        (
            "https://charts.jetstack.io/cert-manager/",
            None,
            "profile cert-manager",
        ),
        (
            "oci://quay.io/cilium-charts-dev/cilium",
            Some("1.19.0-pre.3-dev.1-7df990dc67"),
            "profile cilium",
        ),
        (
            "oci://registry.lan/mirror/cilium",
            Some("1.19.0"),
            "profile cilium",
        ),
        (
            "oci://docker.io/envoyproxy/gateway-helm",
            Some("v0.0.0-latest"),
            "profile gateway-helm",
        ),
        (
            "oci://ghcr.io/coredns/charts/coredns",
            Some("2.0.0"),
            "version coredns",
        ),
        (
            "oci://registry-1.docker.io/bitnamicharts/external-dns",
            Some("1.20.0"),
            "publisher external-dns",
        ),
        ("oci://ghcr.io/example/app", Some("1.0.0"), "unknown"),
    ] {
        assert_eq!(name(profiles.find(url, version)), expected, "{url}");
    }
}

#[test]
fn profiles_speak_of_containers_that_the_pod_has() {
    for profile in profiles().iter() {
        let Workloads::Listed(workloads) = &profile.workloads else {
            continue;
        };
        let made = profile
            .operands
            .iter()
            .flat_map(|operand| &operand.workloads);
        for workload in workloads.iter().chain(made) {
            let names: BTreeSet<&str> = ["containers", "initContainers"]
                .iter()
                .flat_map(|list| workload.pod[list].as_array().into_iter().flatten())
                .filter_map(|container| container["name"].as_str())
                .collect();
            for name in workload.containers.keys() {
                assert!(
                    names.contains(name.as_str()),
                    "{}: {} has no container {name}",
                    profile.chart,
                    workload.name
                );
            }
        }
    }
}

/// `kiln profile new` renders with names of its own, such as `klnr` for the release; none belongs into a profile.
#[test]
fn no_name_of_a_trial_is_left_in_a_profile() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/charts");
    for (name, text) in trees::texts(&folder) {
        let left = text.lines().enumerate().find(|(_, line)| {
            let words = line.split(|c: char| !c.is_ascii_alphanumeric());
            words.into_iter().any(|word| word.starts_with("kln"))
        });
        assert!(left.is_none(), "{name}: {left:?}");
    }
}

/// What a profile proves is read from the values it says it knows.
#[test]
fn paths_of_a_profile_are_values_that_it_knows() {
    for profile in profiles().iter() {
        let Some(values) = &profile.values else {
            panic!("nobody knows the values of {}", profile.chart);
        };
        let Workloads::Listed(workloads) = &profile.workloads else {
            continue;
        };
        for workload in workloads {
            let own = workload
                .containers
                .values()
                .flat_map(|known| known.paths.values());
            for path in workload.paths.values().chain(own) {
                assert!(knows(values, path), "{}: {path}", profile.chart);
            }
        }
    }
}

fn knows(known: &ChartKnownValues, path: &str) -> bool {
    let (key, rest) = path.split_once('.').unwrap_or((path, ""));
    known.keys().is_none_or(|keys| {
        keys.get(key)
            .is_some_and(|inner| rest.is_empty() || knows(inner, rest))
    })
}

//! Chart profiles: the built-in ones, and what a broken one says.

use std::collections::BTreeSet;
use std::path::Path;

use kiln::harden::Profiles;
use kiln::harden::profile::{Known, Workloads};
use kiln::yaml::{self, Resolver};
use serde_json::Value;

use super::{profiles, trees};

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
    let workload = "workloads:\n  - kind: Deployment\n    name: x\n    podSecurity: {asRendered: restricted, withValues: restricted, withValuesAndPostRenderers: restricted}\n    containers:\n      - name: c\n";
    for extra in ["", workload] {
        let text = format!("{good}{extra}");
        assert!(validator.is_valid(&json(&text)), "{text}");
        Profiles::load(&[("x.yaml".to_owned(), text)]).unwrap();
    }
    let cases = [
        good.replace("chart: x\n", ""),
        good.replace("from: 1.0.0", "from: one"),
        format!("{good}surprise: 1\n"),
        format!("{good}anyPublisher: maybe\n"),
        format!("{good}generic: other\n"),
        format!(
            "{good}{}",
            workload.replace("asRendered: restricted", "asRendered: safe")
        ),
        format!("{good}{}", workload.replace("containers", "container")),
        format!("{good}{workload}        paths: {{resource: x}}\n"),
        format!("{good}operands:\n  - kind: X\n"),
    ];
    for text in cases {
        assert!(!validator.is_valid(&json(&text)), "{text}");
        assert!(
            Profiles::load(&[("x.yaml".to_owned(), text.clone())]).is_err(),
            "{text}"
        );
    }
}

#[test]
fn a_broken_profile_shows_all_its_problems() {
    let text = "chart: x\nsource: [oci://a/x]\nversions:\n  from: soon\n  below: 2.0.0\nworkloads:\n  - kind: Deployment\n    name: x\n    podSecurity: {asRendered: baseline, withValues: strict, withValuesAndPostRenderers: restricted}\n    containers: 3\n";
    let problems = Profiles::load(&[("charts/x.yaml".to_owned(), text.to_owned())]).unwrap_err();
    let mut wrong = Vec::new();
    trees::compare(
        &trees::fixtures("harden").join("broken-profile.txt"),
        &trees::told(&problems),
        &mut wrong,
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_chart_is_found_by_where_it_is_published_and_in_which_version() {
    let profiles = profiles();
    let name = |known: Known<'_>| match known {
        Known::Profile(profile) => format!("profile {}", profile.chart),
        Known::OtherVersion(profile) => format!("version {}", profile.chart),
        Known::OtherPublisher(profile) => format!("publisher {}", profile.chart),
        Known::Unknown => "unknown".to_owned(),
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
fn conditions_and_gaps_name_containers_that_the_workload_has() {
    for profile in profiles().iter() {
        let Workloads::Listed(workloads) = &profile.workloads else {
            continue;
        };
        for workload in workloads {
            let names: BTreeSet<&str> = workload
                .containers
                .iter()
                .map(|known| known.name.as_str())
                .collect();
            for missing in &workload.security.missing {
                assert!(
                    names.contains(missing.container.as_str()),
                    "{}: {missing:?}",
                    profile.chart
                );
            }
            assert!(
                workload.security.as_rendered <= workload.security.with_values,
                "{}",
                profile.chart
            );
            assert!(
                workload.security.with_values <= workload.security.with_post_renderers,
                "{}",
                profile.chart
            );
        }
    }
}

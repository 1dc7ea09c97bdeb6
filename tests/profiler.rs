//! Chart profiles, made by the real `helm` of a chart that has what they must tell apart.
//!
//! `tests/profiler/chart` is the chart, `tests/profiler/orchard.yaml` its profile.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kiln::charts::Profiles;

use crate::support::{Run, Sandbox, expect_file, oracle};

const SOURCE: &str = "oci://registry.example/charts/orchard";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/profiler")
        .join(name)
}

fn golden() -> String {
    fs::read_to_string(fixture("orchard.yaml")).unwrap()
}

/// Makes a sandbox with the chart in `chart/`.
fn with_chart() -> Sandbox {
    let sandbox = Sandbox::with(&[("kiln.toml", "")]);
    copy(&fixture("chart"), &sandbox.path("chart"));
    sandbox
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Runs `kiln profile new` with a helm.
fn profile(sandbox: &Sandbox, helm: &Path, arguments: &[&str]) -> Run {
    let helm = helm.to_str().unwrap();
    let all = [&["profile", "new", "--helm", helm], arguments].concat();
    sandbox.kiln(&all)
}

#[test]
fn measures_what_the_golden_profile_says() {
    let Some(helm) = oracle("helm") else { return };
    let sandbox = with_chart();
    let made = profile(&sandbox, &helm, &["chart", "--source", SOURCE, "-o", "-"]).success();
    expect_file(&fixture("orchard.yaml"), &made);
    let read = Profiles::load(Vec::new(), &[("charts/orchard.yaml".to_owned(), made)]);
    read.unwrap();
}

#[test]
fn measures_a_packed_chart_alike_and_on_one_thread() {
    let Some(helm) = oracle("helm") else { return };
    let sandbox = with_chart();
    let packed = Command::new(&helm)
        .args(["package", "chart"])
        .current_dir(sandbox.path(""))
        .output()
        .unwrap();
    assert!(packed.status.success(), "{packed:?}");
    let arguments = [
        "orchard-1.2.3-rc.1.tgz",
        "--source",
        SOURCE,
        "-o",
        "-",
        "--threads=1",
    ];
    assert_eq!(profile(&sandbox, &helm, &arguments).success(), golden());
}

#[test]
fn writes_into_the_project_and_replaces_nothing_unasked() {
    let Some(helm) = oracle("helm") else { return };
    let sandbox = Sandbox::with(&[
        ("kiln.toml", ""),
        ("sapling/Chart.yaml", "name: sapling\nversion: 0.1.0\n"),
        (
            "sapling/templates/pod.yaml",
            "kind: Pod\nmetadata: {name: {{ .Release.Name }}}\n",
        ),
    ]);
    let run = |more: &[&str]| {
        let arguments = [
            &["sapling", "--source", "https://charts.example/sapling"],
            more,
        ];
        profile(&sandbox, &helm, &arguments.concat())
    };
    assert_eq!(run(&[]).code, Some(0));
    let made = sandbox.read("charts/sapling.yaml");
    assert!(made.contains("kind: Pod"), "{made}");
    sandbox.write("charts/sapling.yaml", "mine\n");
    let again = run(&[]);
    assert_eq!(again.code, Some(2));
    assert!(again.stderr.contains("`--update`"), "{again}");
    assert_eq!(sandbox.read("charts/sapling.yaml"), "mine\n");
    assert_eq!(run(&["--force"]).code, Some(0));
    assert_eq!(sandbox.read("charts/sapling.yaml"), made);
}

#[test]
fn an_update_keeps_what_people_wrote() {
    let Some(helm) = oracle("helm") else { return };
    let sandbox = with_chart();
    let written = "\
chart: orchard
sources:
  - https://charts.example/orchard
anyPublisher: true
versions: {from: 1.0.0, below: 1.9.0}
verified: 1.0.0
notes: The web part is the only one that matters.
workloads:
  - kind: Deployment
    name: '{fullname}-web'
    class: platform-high
    api: false
    pod:
      containers:
        - name: web
        - name: gone
    paths: {replicas: wrong}
    containers:
      web:
        nonRoot: true
        paths: {resources: wrong}
  - kind: Deployment
    name: made-by-the-operator
    byOperator: true
    pod:
      containers:
        - name: main
  - kind: Deployment
    name: no-more
    pod:
      containers:
        - name: main
";
    sandbox.write("charts/orchard.yaml", written);
    let run = profile(&sandbox, &helm, &["chart", "--update"]);
    assert_eq!(run.code, Some(0), "{run}");
    let lost = [
        "left out container gone of Deployment {fullname}-web",
        "left out Deployment no-more",
    ];
    for line in lost {
        assert!(run.stderr.contains(line), "{run}");
    }
    let updated = sandbox.read("charts/orchard.yaml");
    let kept = [
        "  - https://charts.example/orchard\n",
        "anyPublisher: true\n",
        "below: \"1.9.0\"\n",
        "notes: The web part is the only one that matters.\n",
        "    class: platform-high\n    api: false\n",
        "        nonRoot: true\n",
        "    name: made-by-the-operator\n    byOperator: true\n",
    ];
    for text in kept {
        assert!(updated.contains(text), "no {text:?} in\n{updated}");
    }
    for text in ["wrong", "no-more", "\"1.0.0\"", "name: gone"] {
        assert!(!updated.contains(text), "{text:?} in\n{updated}");
    }
}

#[test]
fn says_what_is_in_the_way() {
    let Some(helm) = oracle("helm") else { return };
    let sandbox = with_chart();
    let sourced = ["chart", "--source", SOURCE, "-o", "-"];
    let new = |arguments: &[&str]| profile(&sandbox, &helm, arguments);
    let failed = |run: Run, words: &[&str]| {
        assert_eq!(run.code, Some(2), "{run}");
        for word in words {
            assert!(run.stderr.contains(word), "no {word:?} in {run}");
        }
    };
    failed(
        new(&["nowhere", "-o", "-"]),
        &["no `[WORK]/nowhere`", "Chart.yaml"],
    );
    failed(new(&["chart", "-o", "-"]), &["published", "--source"]);
    failed(
        new(&[&sourced[..], &["--values", "none.yaml"]].concat()),
        &["`none.yaml`"],
    );
    let no_helm = profile(&sandbox, Path::new("no-helm-here"), &sourced);
    failed(no_helm, &["`no-helm-here`", "install helm"]);

    let needy = "{{ required \"say who\" .Values.who }}";
    sandbox.write("chart/templates/needy.yaml", needy);
    failed(new(&sourced), &["say who", "--values"]);
    fs::remove_dir_all(sandbox.path("chart/charts")).unwrap();
    failed(
        new(&["chart", "-o", "-"]),
        &["`seeds`", "helm dependency build"],
    );
}

#[test]
fn takes_values_without_which_the_chart_does_not_render() {
    let Some(helm) = oracle("helm") else { return };
    let sandbox = with_chart();
    let needy = "# {{ required \"say who\" .Values.who }}";
    sandbox.write("chart/templates/needy.yaml", needy);
    sandbox.write("needed.yaml", "who: me\n");
    let arguments = [
        "chart",
        "--values",
        "needed.yaml",
        "--source",
        SOURCE,
        "-o",
        "-",
    ];
    let made = profile(&sandbox, &helm, &arguments).success();
    assert_eq!(made.replace("  who:\n", ""), golden());
}

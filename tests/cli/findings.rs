//! What counts of the findings of `kiln check`, and the forms that they come in.

use std::fmt::Write as _;

use super::run;
use crate::support::{FLUX_INSTANCE, Sandbox};

/// Returns a release whose source is nowhere.
fn lost_release(name: &str) -> String {
    format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: {name}, namespace: default}}\n\
         spec: {{chart: {{spec: {{chart: web, version: 1.0.0, sourceRef: {{kind: HelmRepository, name: nowhere}}}}}}}}\n"
    )
}

fn tree(settings: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("cluster/instance.yaml", FLUX_INSTANCE);
    sandbox.write("cluster/first.yaml", lost_release("first"));
    sandbox.write("kiln.toml", settings);
    sandbox
}

#[test]
fn what_a_tree_starts_with_is_written_once_and_only_what_is_new_counts() {
    let sandbox = tree("[check]\nbaseline = \"known/findings.yaml\"\n");
    let run = sandbox.kiln(&["check"]);
    assert_eq!(run.code, Some(1), "{run}");
    sandbox.kiln(&["check", "--write-baseline"]).success();
    insta::assert_snapshot!(sandbox.read("known/findings.yaml"), @r#"
    # Findings that `kiln check` knows already; `kiln check --write-baseline` writes this anew.
    - code: flux-source
      path: cluster/first.yaml
      message: "`HelmRelease/default/first` takes its source from `HelmRepository/default/nowhere`, which is not in the tree"
    "#);
    insta::assert_snapshot!(sandbox.kiln(&["check"]), @"
    exit code 0
    --- stderr
    not judged, since something is not seen: 1 (chart-unknown 1); -v lists them
    checked 2 objects of 1 Kustomization: no errors, 0 warnings, 1 known by the baseline
    ");

    sandbox.write("cluster/second.yaml", lost_release("second"));
    let run = sandbox.kiln(&["check"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stderr
    error[flux-source]: `HelmRelease/default/second` takes its source from `HelmRepository/default/nowhere`, which is not in the tree
     --> cluster/second.yaml:4:91
      |
    4 | spec: {chart: {spec: {chart: web, version: 1.0.0, sourceRef: {kind: HelmRepository, name: nowhere}}}}
      |                                                                                           ^^^^^^^

    not judged, since something is not seen: 2 (chart-unknown 2); -v lists them
    checked 3 objects of 1 Kustomization: 1 error, 0 warnings, 1 known by the baseline
    ");

    sandbox.kiln(&["check", "--write-baseline"]).success();
    insta::assert_snapshot!(sandbox.read("known/findings.yaml"), @r#"
    # Findings that `kiln check` knows already; `kiln check --write-baseline` writes this anew.
    - code: flux-source
      path: cluster/first.yaml
      message: "`HelmRelease/default/first` takes its source from `HelmRepository/default/nowhere`, which is not in the tree"
    - code: flux-source
      path: cluster/second.yaml
      message: "`HelmRelease/default/second` takes its source from `HelmRepository/default/nowhere`, which is not in the tree"
    "#);
    sandbox.kiln(&["check"]).success();
}

#[test]
fn a_file_that_is_no_baseline_is_not_written_over() {
    let sandbox = tree("[check]\nbaseline = \"notes.yaml\"\n");
    sandbox.write("notes.yaml", "mine: true\n");
    let told = sandbox.transcript(&["check", "check --write-baseline"]);
    insta::assert_snapshot!(told, @"
    $ kiln check
    exit code 1
    --- stderr
    error[baseline-invalid]: `notes.yaml` is no list of findings
     |
     = help: name another file, or remove this one and let `kiln check --write-baseline` write it

    1 error, nothing written
    $ kiln check --write-baseline
    exit code 1
    --- stderr
    error[baseline-invalid]: `notes.yaml` is no list of findings
     |
     = help: name another file, or remove this one and let `kiln check --write-baseline` write it

    1 error, nothing written
    ");
    assert_eq!(sandbox.read("notes.yaml"), "mine: true\n");
}

#[test]
fn without_a_name_no_baseline_is_written() {
    let sandbox = tree("");
    let before = sandbox.files();
    let run = sandbox.kiln(&["check", "--write-baseline"]);
    insta::assert_snapshot!(run, @r#"
    exit code 2
    --- stderr
    error: `kiln.toml` names no baseline
    help: say `baseline = "kiln-baseline.yaml"` below `[check]`
    "#);
    assert_eq!(sandbox.files(), before);
}

#[test]
fn what_is_said_to_be_there_is_not_missing() {
    let sandbox = tree("");
    let told = run(&sandbox, &["check"], 1);
    insta::assert_snapshot!(told, @"
    exit code 1
    --- stderr
    error[flux-source]: `HelmRelease/default/first` takes its source from `HelmRepository/default/nowhere`, which is not in the tree
     --> cluster/first.yaml:4:91
      |
    4 | spec: {chart: {spec: {chart: web, version: 1.0.0, sourceRef: {kind: HelmRepository, name: nowhere}}}}
      |                                                                                           ^^^^^^^

    not judged, since something is not seen: 1 (chart-unknown 1); -v lists them
    checked 2 objects of 1 Kustomization: 1 error, 0 warnings
    ");
    let external = |object: &str| format!("[flux]\nexternal = [\"{object}\"]\n");
    sandbox.write("kiln.toml", external("HelmRepository/default/another"));
    drop(run(&sandbox, &["check"], 1));
    sandbox.write("kiln.toml", external("HelmRepository/default/nowhere"));
    let told = run(&sandbox, &["check"], 0);
    assert!(!told.stderr.contains("flux-source"), "{told}");
}

#[test]
fn a_project_says_what_fails() {
    let sandbox = tree("");
    sandbox.write(
        "cluster/first.yaml",
        "apiVersion: source.toolkit.fluxcd.io/v1\nkind: HelmRepository\nmetadata: {name: library, namespace: default}\n\
         spec: {url: https://example.com/charts}\n---\n\
         apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: books, namespace: default}\n\
         spec: {chart: {spec: {chart: books, version: 1.0.0, sourceRef: {kind: HelmRepository, name: library}}}, values: {a: b}}\n",
    );
    let mut told = String::new();
    let mut tell = |name: &str| {
        let run = sandbox.kiln(&["check"]);
        let lines = run.lines_that_start(&["error", "warning", "  = help: did you mean"]);
        let lines = lines.join("\n");
        writeln!(told, "{name}: {}, {lines}", run.code.unwrap()).unwrap();
    };
    tell("nothing");
    for word in [
        "warning",
        "chart-unknown",
        "not-seen",
        "flux-source",
        "warnings",
    ] {
        sandbox.write("kiln.toml", format!("[check]\nfail-on = [\"{word}\"]\n"));
        tell(word);
    }
    insta::assert_snapshot!(told, @"
    nothing: 0, warning[chart-unknown]: no profile knows the chart `https://example.com/charts/books` `1.0.0` of `HelmRelease/default/books`, so nothing inside it is judged or hardened
    warning: 1, error[chart-unknown]: no profile knows the chart `https://example.com/charts/books` `1.0.0` of `HelmRelease/default/books`, so nothing inside it is judged or hardened
    chart-unknown: 1, error[chart-unknown]: no profile knows the chart `https://example.com/charts/books` `1.0.0` of `HelmRelease/default/books`, so nothing inside it is judged or hardened
    not-seen: 1, warning[chart-unknown]: no profile knows the chart `https://example.com/charts/books` `1.0.0` of `HelmRelease/default/books`, so nothing inside it is judged or hardened
    error[not-seen]: `dead-value` cannot judge `HelmRelease/default/books`: no profile knows its chart
    flux-source: 0, warning[chart-unknown]: no profile knows the chart `https://example.com/charts/books` `1.0.0` of `HelmRelease/default/books`, so nothing inside it is judged or hardened
    warnings: 1, error[kiln-toml]: `fail-on` knows no rule `warnings`
      = help: did you mean `warning`?
    ");
    sandbox.write(
        "kiln.toml",
        "[check]\nfail-on = [\"warning\"]\nignore = [\"cluster/first.yaml\"]\n",
    );
    let told = run(&sandbox, &["check"], 0);
    insta::assert_snapshot!(told, @"
    exit code 0
    --- stderr
    not judged, since something is not seen: 1 (dead-value 1); -v lists them
    checked 3 objects of 1 Kustomization: no errors, 0 warnings, 1 in paths that are left out
    ");
}

#[test]
fn findings_in_the_forms_of_other_programs_are_the_same() {
    let sandbox = tree("");
    let lines = run(&sandbox, &["check", "--message-format", "json"], 1).stdout;
    let told: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|line: &serde_json::Value| line["type"] == "diagnostic")
        .collect();
    let count = |severity: &str| {
        told.iter()
            .filter(|one| one["severity"] == severity)
            .count()
    };
    let (errors, all) = (count("error"), told.len());
    assert!(errors > 0, "{lines}");

    let junit = run(&sandbox, &["check", "--format", "junit"], 1).stdout;
    let head = format!("<testsuites name=\"kiln check\" tests=\"{all}\" failures=\"{errors}\">");
    assert!(junit.contains(&head), "{head}: {junit}");
    assert_eq!(junit.matches("<testcase ").count(), all, "{junit}");
    assert_eq!(junit.matches("<failure").count(), errors, "{junit}");

    let sarif = run(&sandbox, &["check", "--format", "sarif"], 1).stdout;
    let sarif: serde_json::Value = serde_json::from_str(&sarif).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert_eq!(results.len(), all, "{sarif}");
    for one in &told {
        let path = &one["primary"]["path"];
        let found = results.iter().any(|result| {
            let place = &result["locations"][0]["physicalLocation"];
            result["ruleId"] == one["code"]
                && place["artifactLocation"]["uri"] == *path
                && place["region"]["startLine"] == one["primary"]["line"]
        });
        assert!(found, "{one}: {sarif}");
    }
}

#[test]
fn a_crowd_of_warnings_comes_in_a_line_each() {
    let sandbox = tree("");
    sandbox.write(
        "cluster/first.yaml",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: first}\n",
    );
    sandbox.write(
        "cluster/kustomization.yaml",
        "resources: [instance.yaml, first.yaml]\n",
    );
    let lonely = |name: &str| {
        let text = format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n");
        sandbox.write(&format!("cluster/{name}.yaml"), text);
    };
    for name in ["one", "two", "three"] {
        lonely(name);
    }
    let few = run(&sandbox, &["check"], 0);
    assert_eq!(
        few.stderr.matches("warning[resource-unlisted]").count(),
        3,
        "{few}"
    );
    insta::assert_snapshot!(few, @"
    exit code 0
    --- stderr
    warning[resource-unlisted]: nothing lists `cluster/one.yaml`, so it never reaches the cluster
     --> cluster/one.yaml:1:1
      |
    1 | apiVersion: v1
      | ^^^^^^^^^^
      |
      = help: list `./one.yaml` in `cluster/kustomization.yaml`, or remove it

    warning[resource-unlisted]: nothing lists `cluster/three.yaml`, so it never reaches the cluster
     --> cluster/three.yaml:1:1
      |
    1 | apiVersion: v1
      | ^^^^^^^^^^
      |
      = help: list `./three.yaml` in `cluster/kustomization.yaml`, or remove it

    warning[resource-unlisted]: nothing lists `cluster/two.yaml`, so it never reaches the cluster
     --> cluster/two.yaml:1:1
      |
    1 | apiVersion: v1
      | ^^^^^^^^^^
      |
      = help: list `./two.yaml` in `cluster/kustomization.yaml`, or remove it

    checked 2 objects of 1 Kustomization: no errors, 3 warnings
    ");
    lonely("four");
    let many = run(&sandbox, &["check"], 0);
    insta::assert_snapshot!(many, @r"
    exit code 0
    --- stderr
    warning[resource-unlisted]: 4 findings; `-v` shows each with its lines, `kiln explain resource-unlisted` tells more
      cluster/four.yaml:1:1: nothing lists `cluster/four.yaml`, so it never reaches the cluster
      cluster/one.yaml:1:1: nothing lists `cluster/one.yaml`, so it never reaches the cluster
      cluster/three.yaml:1:1: nothing lists `cluster/three.yaml`, so it never reaches the cluster
      cluster/two.yaml:1:1: nothing lists `cluster/two.yaml`, so it never reaches the cluster

    checked 2 objects of 1 Kustomization: no errors, 4 warnings
    ");
    let all = run(&sandbox, &["check", "-v"], 0);
    assert_eq!(
        all.stderr.matches("warning[resource-unlisted]").count(),
        4,
        "{all}"
    );
    let json = run(&sandbox, &["check", "--message-format", "json"], 0);
    assert_eq!(
        json.stdout.matches("\"resource-unlisted\"").count(),
        4,
        "{json}"
    );
}

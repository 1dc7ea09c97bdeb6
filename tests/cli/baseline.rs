//! The findings that a tree starts with.

use crate::support::Sandbox;

const INSTANCE: &str = "\
apiVersion: fluxcd.controlplane.io/v1
kind: FluxInstance
metadata: {name: flux, namespace: flux-system}
spec:
  sync: {kind: GitRepository, url: https://example.com/home.git, path: cluster}
";

/// Returns a release whose source is nowhere.
fn lost_release(name: &str) -> String {
    format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: {name}, namespace: default}}\n\
         spec: {{chart: {{spec: {{chart: web, version: 1.0.0, sourceRef: {{kind: HelmRepository, name: nowhere}}}}}}}}\n"
    )
}

fn tree(settings: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("cluster/instance.yaml", INSTANCE);
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
    let written = sandbox.read("known/findings.yaml");
    assert!(written.contains("flux-source"), "{written}");
    let run = sandbox.kiln(&["check"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(!run.stderr.contains("HelmRelease"), "{run}");

    sandbox.write("cluster/second.yaml", lost_release("second"));
    let run = sandbox.kiln(&["check"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(run.stderr.contains("HelmRelease/default/second"), "{run}");
    assert!(!run.stderr.contains("HelmRelease/default/first"), "{run}");

    sandbox.kiln(&["check", "--write-baseline"]).success();
    let again = sandbox.read("known/findings.yaml");
    assert!(
        again.contains("default/first") && again.contains("default/second"),
        "{again}"
    );
    sandbox.kiln(&["check"]).success();
}

#[test]
fn a_file_that_is_no_baseline_is_not_written_over() {
    let sandbox = tree("[check]\nbaseline = \"notes.yaml\"\n");
    sandbox.write("notes.yaml", "mine: true\n");
    for arguments in [&["check"][..], &["check", "--write-baseline"]] {
        let run = sandbox.kiln(arguments);
        assert_eq!(run.code, Some(2), "{run}");
        assert!(run.stderr.contains("baseline-invalid"), "{run}");
    }
    assert_eq!(sandbox.read("notes.yaml"), "mine: true\n");
}

#[test]
fn without_a_name_no_baseline_is_written() {
    let sandbox = tree("");
    let before = sandbox.files();
    let run = sandbox.kiln(&["check", "--write-baseline"]);
    assert_eq!(run.code, Some(2), "{run}");
    assert!(run.stderr.contains("baseline = "), "{run}");
    assert_eq!(sandbox.files(), before);
}

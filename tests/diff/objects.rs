//! Objects: the same, added, removed, renamed, changed.

use kiln::cli::report::diff::terminal::{View, render};
use kiln::diff::DiffReport;

use super::{diff, expect};

fn shown(report: &DiffReport) -> String {
    render(report, View::default()).to_string()
}

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: echo
  namespace: default
  labels: {app: echo, helm.sh/chart: echo-1}
spec:
  replicas: 2
  selector:
    matchLabels: {app: echo}
  template:
    spec:
      containers:
        - name: app
          image: ghcr.io/a/echo:1.2.3
          args: [--one, --two]
        - name: side
          image: ghcr.io/a/side:1
";

#[test]
fn the_same_objects_elsewhere_and_otherwise_written_do_not_differ() {
    let moved = "\
# A comment
kind: Deployment
apiVersion: 'apps/v1'
metadata: {namespace: default, name: \"echo\", labels: {helm.sh/chart: echo-1, app: echo}}
spec:
  template: {spec: {containers: [{image: 'ghcr.io/a/side:1', name: side}, {name: app, args: [--one, --two], image: 'ghcr.io/a/echo:1.2.3'}]}}
  selector: {matchLabels: {app: echo}}
  replicas: 2
";
    let list = "resources: [./deployment.yaml]\n";
    let other = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [moved/x.yaml]\n";
    let report = diff(
        &[
            ("a/deployment.yaml", DEPLOYMENT),
            ("a/kustomization.yaml", list),
        ],
        &[("a/moved/x.yaml", moved), ("a/kustomization.yaml", other)],
    );
    assert_eq!(shown(&report), "old → new\n\nno difference\n");
    assert!(report.is_empty());
}

#[test]
fn shows_routes_with_old_and_new_values() {
    let after = DEPLOYMENT
        .replace("replicas: 2", "replicas: 0")
        .replace("echo:1.2.3", "echo:2.0.0")
        .replace("--two", "--three")
        .replace("echo-1", "echo-2")
        .replace("matchLabels: {app: echo}", "matchLabels: {app: other}")
        .replace(
            "        - name: side\n",
            "        - name: other\n          securityContext: {privileged: true}\n",
        );
    let report = diff(&[("a.yaml", DEPLOYMENT)], &[("a.yaml", &after)]);
    expect("deployment.txt", &shown(&report));
}

#[test]
fn secrets_are_told_by_key_and_texts_by_line() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  a: canary-one\n  b: canary-two\n  c: canary-three\n";
    let after = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  a: canary-one\n  b: canary-other\n  d: canary-four\n";
    let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  x.conf: |\n    one\n    two\n    three\n";
    let report = diff(
        &[
            ("s.sops.yaml", secret),
            ("c.yaml", config),
            ("notes.txt", "a\nb\n"),
        ],
        &[
            ("s.sops.yaml", after),
            ("c.yaml", &config.replace("two", "zwei")),
            ("notes.txt", "a\nc\n"),
        ],
    );
    let text = shown(&report);
    assert!(!text.contains("canary"), "{text}");
    assert!(!format!("{report:?}").contains("canary"));
    expect("secrets.txt", &text);
}

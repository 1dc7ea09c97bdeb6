use insta::assert_snapshot;

use super::small;
use crate::support::Sandbox;

const NAMESPACE: &str = "---
apiVersion: v1
kind: Namespace
metadata:
  name: default
";

const INSTANCE: &str = "---
apiVersion: fluxcd.controlplane.io/v1
kind: FluxInstance
metadata:
  name: flux
  namespace: flux-system
spec:
  sync:
    kind: GitRepository
    url: https://example.com/home.git
    path: out/kubernetes
";

#[test]
fn names_the_template_of_a_line() {
    let sandbox = small();
    assert_snapshot!(sandbox.kiln(&["explain", "out/cluster.txt:1"]), @r#"
    exit code 0
    --- stdout
    cluster.txt:1
      home.example.com
    from template templates/cluster.txt.tera:1
      #{ domain.name }#
    "#);
    assert_snapshot!(sandbox.kiln(&["explain", "cluster.txt"]), @r#"
    exit code 0
    --- stdout
    cluster.txt
      1 line from template templates/cluster.txt.tera
    "#);
}

#[test]
fn takes_paths_from_where_the_user_stands() {
    let sandbox = small();
    let here = sandbox.kiln(&["explain", "out/cluster.txt:1"]);
    sandbox.write("out/deep/.keep", "");
    let mut command = sandbox.command();
    command
        .current_dir(sandbox.path("out/deep"))
        .args(["explain", "../cluster.txt:1"]);
    assert_eq!(sandbox.finish(&command.output().unwrap()), here);
}

#[test]
fn says_that_a_file_or_line_is_not_rendered() {
    let sandbox = small();
    assert_snapshot!(sandbox.kiln(&["explain", "out/clutser.txt"]), @r#"
    exit code 2
    --- stderr
    error: `out/clutser.txt` is not a file that this project renders
    help: did you mean `cluster.txt`?
    "#);
    assert_snapshot!(sandbox.kiln(&["explain", "out/cluster.txt:7"]), @r#"
    exit code 2
    --- stderr
    error: `cluster.txt` has no line 7: its last line is 1
    "#);
}

#[test]
fn explains_a_code_outside_of_any_project() {
    let sandbox = Sandbox::new();
    let text = sandbox.kiln(&["explain", "pod-security"]).success();
    assert!(text.starts_with("pod-security: "), "{text}");
    assert!(text.lines().count() > 3, "{text}");
    assert_snapshot!(sandbox.kiln(&["explain", "pod-securty"]), @r#"
    exit code 2
    --- stderr
    error: there is no file and no code `pod-securty`
    help: did you mean `pod-security`?
    "#);
}

#[test]
fn lists_the_codes() {
    let run = Sandbox::new().kiln(&["explain", "zzzzzzzzzzzzzzzz"]);
    assert_snapshot!(run, @r#"
    exit code 2
    --- stderr
    error: there is no file and no code `zzzzzzzzzzzzzzzz`
    help: `kiln explain` lists all codes
    "#);
    let text = Sandbox::new().kiln(&["explain"]).success();
    assert!(text.lines().is_sorted(), "{text}");
    for code in [
        "priority-class",
        "unknown-key",
        "edited-output",
        "volume-removed",
    ] {
        let line = text.lines().find(|line| line.starts_with(code)).unwrap();
        assert!(line.len() > 40, "{line}");
    }
}

#[test]
fn names_the_rule_of_a_line() {
    let sandbox = small();
    sandbox.write("templates/kubernetes/namespace.yaml", NAMESPACE);
    sandbox.write("templates/kubernetes/instance.yaml", INSTANCE);
    assert_snapshot!(sandbox.kiln(&["explain", "out/kubernetes/namespace.yaml"]), @r#"
    exit code 0
    --- stdout
    kubernetes/namespace.yaml
      5 lines from template templates/kubernetes/namespace.yaml
      lines 6-12 from rule pod-security: Namespace/default: metadata.labels: all workloads of the namespace satisfy it
    "#);
    assert_snapshot!(sandbox.kiln(&["explain", "out/kubernetes/namespace.yaml:6"]), @r#"
    exit code 0
    --- stdout
    kubernetes/namespace.yaml:6
        labels:
    from rule pod-security (kiln explain pod-security)
      Namespace/default: metadata.labels: all workloads of the namespace satisfy it
    "#);
}

#[test]
fn shows_no_secret() {
    let sandbox = Sandbox::new();
    sandbox.kiln(&["init"]).success();
    let identity = sandbox.read("age.key");
    let key = identity.lines().last().unwrap();
    let path = "bootstrap/sops-age.sops.yaml";
    for line in 6..=8 {
        let run = sandbox.kiln(&["explain", &format!("{path}:{line}")]);
        assert!(!run.to_string().contains(key), "{run}");
    }
    assert_snapshot!(sandbox.kiln(&["explain", path]), @r#"
    exit code 0
    --- stdout
    bootstrap/sops-age.sops.yaml
      8 lines from template catalogue:templates/bootstrap/sops-age.sops.yaml.tera
    "#);
}

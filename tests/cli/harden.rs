//! What `kiln harden` writes into a tree that nothing renders.

use super::run;
use crate::support::{FLUX_INSTANCE, Sandbox};

const LIST: &str = "\
# What belongs to the shop.
resources:
  - instance.yaml   # where Flux starts
  - shop.yaml
";

const SHOP: &str = "\
# The shop, and nothing else.
apiVersion: v1
kind: Namespace
metadata:
  name: shop   # as it is called in town
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}   # two of them
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      # One container is enough.
      containers:
        - name: main
          image: 'registry.example/web:1.0.0'
";

const ASIDE: &str = "apiVersion: v1\nkind: Namespace\nmetadata: {name: aside}\n";

fn tree() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("cluster/instance.yaml", FLUX_INSTANCE);
    sandbox.write("cluster/kustomization.yaml", LIST);
    sandbox.write("cluster/shop.yaml", SHOP);
    sandbox.write("aside/namespace.yaml", ASIDE);
    sandbox
}

/// Hardens by one rule, and writes.
fn write_by(sandbox: &Sandbox, rule: &str) {
    let written = sandbox.kiln(&["harden", "--write", "--rule", rule]);
    assert_eq!(written.code, Some(0), "{rule}: {written}");
}

/// Returns whether all lines of a text are in another one, in their order.
fn keeps_lines(before: &str, after: &str) -> bool {
    let mut after = after.lines();
    before
        .lines()
        .all(|line| after.any(|candidate| candidate == line))
}

#[test]
fn only_write_changes_files_and_only_by_additions() {
    let sandbox = tree();
    let before = sandbox.files();
    for arguments in [&["harden"][..], &["harden", "--diff"]] {
        drop(run(&sandbox, arguments, 1));
        assert_eq!(sandbox.files(), before, "{arguments:?}");
    }
    let shown = run(&sandbox, &["harden", "--diff"], 1).stdout;
    drop(run(&sandbox, &["harden", "--write"], 0));
    let after = sandbox.files();
    assert_ne!(after, before);
    for path in &before {
        assert!(after.contains(path), "{path:?} is gone or renamed");
    }
    let shop = sandbox.read("cluster/shop.yaml");
    assert!(keeps_lines(SHOP, &shop), "{shop}");
    let enforced = "    pod-security.kubernetes.io/enforce: baseline";
    assert!(shop.lines().any(|line| line == enforced), "{shop}");
    let list = sandbox.read("cluster/kustomization.yaml");
    assert!(keeps_lines(LIST, &list), "{list}");
    assert_eq!(sandbox.read("aside/namespace.yaml"), ASIDE);
    // What the diff shows is what is there now: each added line, and no line that goes.
    let all = [shop, list, sandbox.read("cluster/poddisruptionbudget.yaml")].concat();
    let lines: Vec<&str> = all.lines().collect();
    for line in shown.lines() {
        if let Some(added) = line.strip_prefix('+').filter(|_| !line.starts_with("+++")) {
            assert!(lines.contains(&added), "{added}: {all}");
        }
        assert!(!line.starts_with('-') || line.starts_with("---"), "{shown}");
    }
    let again = run(&sandbox, &["harden"], 0);
    insta::assert_snapshot!(again, @"
    exit code 0
    --- stderr
    nothing to add; 6 missing that cannot be added (-v says why)
    ");
}

#[test]
fn a_rule_by_itself_adds_nothing_else() {
    let sandbox = tree();
    write_by(&sandbox, "pod-security");
    let shop = sandbox.read("cluster/shop.yaml");
    assert!(keeps_lines(SHOP, &shop), "{shop}");
    let mut old: Vec<&str> = SHOP.lines().collect();
    for line in shop.lines() {
        if let Some(place) = old.iter().position(|known| *known == line) {
            old.remove(place);
        } else {
            let line = line.trim();
            let is_level = line.starts_with("pod-security.kubernetes.io/");
            assert!(is_level || line == "labels:", "{line}: {shop}");
        }
    }
    assert_eq!(sandbox.read("cluster/kustomization.yaml"), LIST);
    assert!(!sandbox.path("cluster/poddisruptionbudget.yaml").exists());
    drop(run(&sandbox, &["harden", "--rule", "pod-security"], 0));
    drop(run(&sandbox, &["harden", "--rule", "nobody"], 2));
}

#[test]
fn priorities_need_a_tier() {
    let sandbox = tree();
    write_by(&sandbox, "priority-class");
    assert_eq!(sandbox.read("cluster/shop.yaml"), SHOP);
    sandbox.write("kiln.toml", "[harden.tiers]\nshop = \"critical\"\n");
    write_by(&sandbox, "priority-class");
    let shop = sandbox.read("cluster/shop.yaml");
    let class = "      priorityClassName: platform-critical";
    assert!(shop.lines().any(|line| line == class), "{shop}");
    sandbox.write("kiln.toml", "[harden.tiers]\nshop = \"royal\"\n");
    let told = run(&sandbox, &["check"], 1);
    insta::assert_snapshot!(told, @r#"
    exit code 1
    --- stderr
    error[kiln-toml]: there is no tier `royal`, only `critical`, `high`, `standard`, `low`
     --> kiln.toml:2:9
      |
    2 | shop = "royal"
      |         ^^^^^

    1 error, nothing written
    "#);
}

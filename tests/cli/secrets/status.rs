use std::fs;

use insta::assert_snapshot;
use serde_json::Value;

use super::files::{other_key, rule, tree};
use super::{CANARY, sealed};
use crate::support::Sandbox;

/// A tree in which everything is wrong that can be.
fn spoilt() -> (Sandbox, [String; 2]) {
    let (sandbox, own) = tree();
    let other = other_key(&sandbox, "../home/other.key");
    for name in ["fine", "selector", "changed"] {
        sandbox.write(&format!("a/{name}.sops.yaml"), "word: one\n");
    }
    sandbox
        .kiln(&[
            "secrets",
            "encrypt",
            "a/fine.sops.yaml",
            "a/changed.sops.yaml",
        ])
        .success();
    let rules = sandbox.read(".sops.yaml");
    sandbox.write(
        ".sops.yaml",
        format!("{rules}    encrypted_regex: ^word$\n"),
    );
    sandbox
        .kiln(&["secrets", "encrypt", "a/selector.sops.yaml"])
        .success();
    rule(&sandbox, &other);
    for name in ["recipients.sops.yaml", "stranger.yaml"] {
        sandbox.write("b/x.sops.yaml", "word: two\n");
        sandbox
            .kiln(&["secrets", "encrypt", "b/x.sops.yaml"])
            .success();
        fs::rename(
            sandbox.path("b/x.sops.yaml"),
            sandbox.path(&format!("b/{name}")),
        )
        .unwrap();
    }
    rule(&sandbox, &own);
    let changed = "note_unencrypted: 1\n".to_owned() + &sandbox.read("a/changed.sops.yaml");
    sandbox.write("a/changed.sops.yaml", changed);
    sandbox.write("c/named.sops.yaml", format!("word: {CANARY}\n"));
    sandbox.write(
        "c/secret.yaml",
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: db}}\nstringData:\n  word: {CANARY}\n"
        ),
    );
    sandbox.write("c/template.sops.yaml.j2", format!("word: {CANARY}\n"));
    sandbox.write("c/other.yaml", "word: one\n");
    (sandbox, [own, other])
}

#[test]
fn lists_what_is_sealed_and_what_is_wrong() {
    let (sandbox, [own, other]) = spoilt();
    let run = sandbox.kiln_with(&[("SOPS_AGE_KEY_FILE", "age.key")], &["secrets", "status"]);
    assert!(!run.to_string().contains(CANARY), "{run}");
    let told = run
        .to_string()
        .replace(&own, "[OWN]")
        .replace(&other, "[OTHER]");
    assert_snapshot!(told, @r"
    exit code 1
    --- stdout
    wrong  opens   a/changed.sops.yaml     [OWN]
    ok     opens   a/fine.sops.yaml        [OWN]
    wrong  opens   a/selector.sops.yaml    [OWN]
    wrong  closed  b/recipients.sops.yaml  [OTHER]
    wrong  closed  b/stranger.yaml         [OTHER]
    plain          c/named.sops.yaml
    plain          c/secret.yaml
    --- stderr
    error[mac-mismatch]: `a/changed.sops.yaml` was changed after it was sealed: its MAC does not match
     |
     = help: restore it from version control, or render it anew, if you did not change it yourself

    error[seal-selector-stale]: `a/selector.sops.yaml` is sealed by `encrypted_regex: ^word$`, and its rule says `unencrypted_suffix: _unencrypted`
     --> a/selector.sops.yaml:2:1
      |
    2 | sops:
      | ^^^^
      |
     ::: .sops.yaml:2:5
      |
    2 |   - path_regex: \.sops\.
      |     ---------- the rule
      |
      = help: seal it by the rule with `kiln secrets rotate a/selector.sops.yaml`

    error[seal-recipients-stale]: `b/recipients.sops.yaml` is sealed for `[OTHER]`, and its rule says `[OWN]`
     --> b/recipients.sops.yaml:2:1
      |
    2 | sops:
      | ^^^^
      |
     ::: .sops.yaml:3:10
      |
    3 |     age: [OWN]
      |          -------------------------------------------------------------- the rule
      |
      = help: seal it for those of the rule with `kiln secrets update-keys b/recipients.sops.yaml`

    error[sealed-for-strangers]: `b/stranger.yaml` is sealed for nobody whom a rule names, but for `[OTHER]`
     --> b/stranger.yaml:2:1
      |
    2 | sops:
      | ^^^^
      |
      = help: write a rule for it into `.sops.yaml`, and seal it anew with `kiln secrets rotate`, where its key is

    error[file-unsealed]: `c/named.sops.yaml` is in plain text, and its name says that it is sealed
     --> c/named.sops.yaml:1:1
      |
    1 | word: *****************
      | ^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: seal it with `kiln secrets encrypt c/named.sops.yaml`

    error[file-unsealed]: `c/secret.yaml` is in plain text, and it holds values of Secret `db`
     --> c/secret.yaml:5:3
      |
    5 |   word: *****************
      |   ^^^^
      |
      = help: write a rule for it into `.sops.yaml`, and seal it with `kiln secrets encrypt`

    6 of 7 files not in order
    ");
}

#[test]
fn needs_no_key_and_no_project() {
    let (sandbox, _) = spoilt();
    fs::remove_file(sandbox.path("age.key")).unwrap();
    let run = sandbox.kiln(&["secrets", "status", "--format", "json"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(!run.to_string().contains(CANARY), "{run}");
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    let files = told["files"].as_array().unwrap();
    let row = |file: &Value| {
        let problem = file["problems"]
            .get(0)
            .map_or("", |problem| problem["code"].as_str().unwrap());
        assert!(file["opens"].is_null(), "{file}");
        format!(
            "{} {} {problem}",
            file["path"].as_str().unwrap(),
            file["state"].as_str().unwrap()
        )
    };
    let rows: Vec<String> = files.iter().map(row).collect();
    assert_eq!(
        rows,
        [
            "a/changed.sops.yaml ok ",
            "a/fine.sops.yaml ok ",
            "a/selector.sops.yaml wrong seal-selector-stale",
            "b/recipients.sops.yaml wrong seal-recipients-stale",
            "b/stranger.yaml wrong sealed-for-strangers",
            "c/named.sops.yaml plain file-unsealed",
            "c/secret.yaml plain file-unsealed",
        ]
    );
    // Only what is below the folder.
    let run = sandbox.kiln(&["-C", "a", "secrets", "status"]);
    assert!(!run.to_string().contains("b/"), "{run}");
}

#[test]
fn a_project_is_in_order_and_its_templates_are_not_looked_at() {
    let (sandbox, own) = sealed();
    let run = sandbox.kiln(&["secrets", "status"]);
    assert_snapshot!(run.to_string().replace(&own, "[OWN]"), @r"
    exit code 0
    --- stdout
    ok  opens  a.sops.yaml  [OWN]
    ok  opens  b.sops.yaml  [OWN]
    --- stderr
    2 files, all in order
    ");
    let empty = Sandbox::new();
    assert_snapshot!(empty.kiln(&["secrets", "status"]), @r"
    exit code 0
    --- stderr
    of the files that git does not ignore, none is sealed and none has to be
    ");
}

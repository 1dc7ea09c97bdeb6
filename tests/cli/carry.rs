//! A template that is sealed already goes to the output as it is.

use std::fs;

use insta::assert_snapshot;

use super::small;
use crate::support::{Run, Sandbox};

const SECRET: &str =
    "apiVersion: v1\nkind: Secret\nmetadata:\n  name: one\nstringData:\n  token: swordfish\n";
/// A public key whose private half nobody has.
const STRANGER: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

/// A project with a short key, and a rule of these lines for each of its files.
fn project(rule: &str, templates: &[(&str, &str)]) -> Sandbox {
    let sandbox = small();
    fs::remove_file(sandbox.path("age.key")).unwrap();
    sandbox.kiln(&["init", "--key-type", "x25519"]).success();
    write_rule(&sandbox, rule);
    for (path, text) in templates {
        sandbox.write(&format!("templates/{path}"), text);
    }
    sandbox
}

fn own_recipient(sandbox: &Sandbox) -> String {
    let text = sandbox.read("age.key");
    let mut lines = text.lines();
    let line = lines.find_map(|line| line.strip_prefix("# public key: "));
    line.unwrap().to_owned()
}

fn write_rule(sandbox: &Sandbox, rule: &str) {
    let rule = rule.replace("OWN", &own_recipient(sandbox));
    sandbox.write(
        ".sops.yaml",
        format!("creation_rules:\n  - path_regex: ^out/(secrets/|.*\\.sops\\.)\n{rule}"),
    );
}

const WHOLE: &str = "    age: OWN\n";
const VALUES: &str = "    encrypted_regex: ^(data|stringData)$\n    age: OWN\n";

/// Renders, and puts what was sealed in the place of the templates.
fn carried(rule: &str, templates: &[(&str, &str)]) -> Sandbox {
    let sandbox = project(rule, templates);
    sandbox.kiln(&["render"]).success();
    for (path, _) in templates {
        let sealed = sandbox.read(&format!("out/{path}"));
        sandbox.write(&format!("templates/{path}"), sealed);
    }
    sandbox
}

/// Returns what a run said before its summary, which tells the time that it took.
fn warnings(run: &Run) -> String {
    assert_eq!(run.code, Some(0), "{run}");
    let told = run.stderr.split("\nrendered ").next();
    told.unwrap_or_default().to_owned()
}

/// Takes out what differs each time.
fn scrub(sandbox: &Sandbox, text: &str) -> String {
    text.replace(&own_recipient(sandbox), "[OWN]")
        .replace(STRANGER, "[STRANGER]")
}

#[test]
fn every_store_goes_to_the_output_byte_for_byte() {
    let templates = [
        ("one.sops.yaml", SECRET),
        ("two.sops.json", "{\"token\": \"swordfish\"}\n"),
        ("three.sops.txt", "swordfish\n"),
        ("secrets/four.yaml", SECRET),
    ];
    let sandbox = carried(WHOLE, &templates);
    let expected: Vec<String> = templates
        .iter()
        .map(|(path, _)| sandbox.read(&format!("templates/{path}")))
        .collect();
    for text in &expected {
        assert!(!text.contains("swordfish"), "{text}");
    }
    let same = |sandbox: &Sandbox| {
        for ((path, _), text) in templates.iter().zip(&expected) {
            assert_eq!(&sandbox.read(&format!("out/{path}")), text, "{path}");
        }
    };
    sandbox.kiln(&["render", "--check"]).success();
    // Where nothing is yet, and without a key.
    fs::remove_dir_all(sandbox.path("out")).unwrap();
    sandbox.kiln(&["render"]).success();
    same(&sandbox);
    fs::remove_dir_all(sandbox.path("out")).unwrap();
    fs::rename(sandbox.path("age.key"), sandbox.path("../age.key")).unwrap();
    sandbox.kiln(&["render"]).success();
    same(&sandbox);
}

#[test]
fn others_than_the_rule_names_are_an_error() {
    let sandbox = carried(VALUES, &[("one.sops.yaml", SECRET)]);
    let mut told = String::new();
    for rule in [
        format!("    encrypted_regex: ^(data|stringData)$\n    age: {STRANGER}\n"),
        format!("    encrypted_regex: ^(data|stringData)$\n    age: OWN,{STRANGER}\n"),
    ] {
        write_rule(&sandbox, &rule);
        let run = sandbox.kiln(&["render"]);
        told += &scrub(&sandbox, &run.to_string());
    }
    let both = carried(
        &format!("    encrypted_regex: ^(data|stringData)$\n    age: OWN,{STRANGER}\n"),
        &[("one.sops.yaml", SECRET)],
    );
    write_rule(&both, VALUES);
    told += &scrub(&both, &both.kiln(&["check"]).to_string());
    assert_snapshot!(told, @r#"
    exit code 1
    --- stderr
    error[carried-recipients]: `one.sops.yaml` is sealed already, for `[OWN]` and not for `[STRANGER]`, whom its rule names
     --> templates/one.sops.yaml:1:1
      = note: copied from this file
      |
     ::: .sops.yaml:4:10
      |
    4 |     age: [STRANGER]
      |          -------------------------------------------------------------- its rule seals for these
      |
      = help: seal it for those whom the rule names: `sops rotate --in-place --add-age NEW --rm-age OLD templates/one.sops.yaml`

    1 error, nothing written
    exit code 1
    --- stderr
    error[carried-recipients]: `one.sops.yaml` is sealed already, not for `[STRANGER]`, whom its rule names
     --> templates/one.sops.yaml:1:1
      = note: copied from this file
      |
     ::: .sops.yaml:4:10
      |
    4 |     age: [OWN],[STRANGER]
      |          ----------------------------------------------------------------------------------------------------------------------------- its rule seals for these
      |
      = help: seal it for those whom the rule names: `sops rotate --in-place --add-age NEW --rm-age OLD templates/one.sops.yaml`

    1 error, nothing written
    exit code 1
    --- stderr
    error[carried-recipients]: `one.sops.yaml` is sealed already, also for `[STRANGER]`, whom its rule does not name
     --> templates/one.sops.yaml:1:1
      = note: copied from this file
      |
     ::: .sops.yaml:4:10
      |
    4 |     age: [OWN]
      |          -------------------------------------------------------------- its rule seals for these
      |
      = help: seal it for those whom the rule names: `sops rotate --in-place --add-age NEW --rm-age OLD templates/one.sops.yaml`

    1 error, nothing written
    "#);
}

#[test]
fn another_selector_is_a_warning() {
    let sandbox = carried(WHOLE, &[("one.sops.yaml", SECRET)]);
    write_rule(&sandbox, VALUES);
    let before = sandbox.read("out/one.sops.yaml");
    let told = warnings(&sandbox.kiln(&["render"]));
    assert_snapshot!(told, @r#"
    warning[carried-selector]: `one.sops.yaml` is sealed already, by `unencrypted_suffix: _unencrypted` and not by `encrypted_regex: ^(data|stringData)$` as its rule has it
     --> templates/one.sops.yaml:1:1
      = note: copied from this file
      |
     ::: .sops.yaml:3:5
      |
    3 |     encrypted_regex: ^(data|stringData)$
      |     --------------- its rule
      |
      = help: decrypt it, and seal it again by the rule: `sops` seals by the first rule that matches its path
    "#);
    assert_eq!(sandbox.read("out/one.sops.yaml"), before);
}

#[test]
fn what_does_not_open_or_hides_nothing_is_an_error() {
    let sandbox = carried(WHOLE, &[("one.sops.yaml", SECRET)]);
    let sealed = sandbox.read("templates/one.sops.yaml");
    let unsigned = sealed.replace("  name: ENC", "  label: ENC");
    assert_ne!(unsigned, sealed);
    let mut told = String::new();
    sandbox.write("templates/one.sops.yaml", unsigned);
    told += &sandbox.kiln(&["check"]).to_string();
    // What a template prints is no file that came sealed.
    sandbox.write("templates/one.sops.yaml.tera", &sealed);
    fs::remove_file(sandbox.path("templates/one.sops.yaml")).unwrap();
    told += &sandbox.kiln(&["check"]).to_string();
    assert_snapshot!(told, @r#"
    exit code 1
    --- stderr
    error[malformed-ciphertext]: `metadata.label` in `one.sops.yaml` does not decrypt: it was changed, or moved from another key or file
    --> one.sops.yaml:4:10

    1 error, nothing written
    exit code 1
    --- stderr
    error[unsealable-yaml]: `one.sops.yaml` has a top-level key `sops`, which SOPS keeps for itself
    --> one.sops.yaml:7:1
     = help: rename the key; a file that is sealed already is carried as it is where its name does not end in `.tera`

    1 error, nothing written
    "#);
    let open = project(
        "    encrypted_regex: ^stringData$\n    age: OWN\n",
        &[("one.sops.yaml", SECRET)],
    );
    open.kiln(&["render"]).success();
    let sealed = open
        .read("out/one.sops.yaml")
        .replace("stringData:", "data:\n  more: c3dvcmRmaXNo\nstringData:");
    open.write("templates/one.sops.yaml", sealed);
    let run = open.kiln(&["check"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stderr
    error[seal-leaves-plain]: `encrypted_regex` of its metadata leaves `data.more` of Secret `one` in `one.sops.yaml` in plain text
    --> one.sops.yaml:6:3
     = help: `encrypted_regex: ^(data|stringData)$` covers all values of a Secret, and no selector at all covers the whole file

    error[mac-mismatch]: `one.sops.yaml` was changed after it was sealed: its MAC does not match
     |
     = help: restore it from version control, or render it anew, if you did not change it yourself

    2 errors, nothing written
    ");
    assert!(!run.to_string().contains("c3dvcmRmaXNo"), "{run}");
}

#[test]
fn a_rekey_takes_it_along() {
    let sandbox = carried(VALUES, &[("one.sops.yaml", SECRET)]);
    fs::remove_file(sandbox.path(".sops.yaml")).unwrap();
    sandbox.write(
        "templates/.sops.yaml.tera",
        "creation_rules:\n  - encrypted_regex: ^(data|stringData)$\n    age: #{ age_recipient() }#\n",
    );
    sandbox.kiln(&["render"]).success();
    let old = own_recipient(&sandbox);
    let arguments = ["secrets", "rekey", "--keygen", "--key-type", "x25519"];
    sandbox.kiln(&arguments).success();
    let (template, output) = (
        sandbox.read("templates/one.sops.yaml"),
        sandbox.read("out/one.sops.yaml"),
    );
    assert_eq!(template, output);
    assert!(
        output.contains(&own_recipient(&sandbox)) && !output.contains(&old),
        "{output}"
    );
    sandbox.kiln(&["render", "--check"]).success();
    sandbox.kiln(&["secrets", "rekey", "--check"]).success();
}

#[test]
fn nothing_is_said_of_recipients_where_nobody_knows_the_key() {
    let sandbox = carried(VALUES, &[("one.sops.yaml", SECRET)]);
    fs::remove_file(sandbox.path(".sops.yaml")).unwrap();
    sandbox.write(
        "templates/.sops.yaml.tera",
        "creation_rules:\n  - encrypted_regex: ^(data|stringData)$\n    age: #{ age_recipient() }#\n",
    );
    fs::remove_dir_all(sandbox.path("out")).unwrap();
    sandbox.kiln(&["check"]).success();
    fs::remove_file(sandbox.path("age.key")).unwrap();
    sandbox.kiln(&["check"]).success();
}

#[test]
fn what_is_kept_by_hand_is_told_of_and_not_touched() {
    let sandbox = carried(VALUES, &[("one.sops.yaml", SECRET)]);
    let kept = sandbox.read("out/one.sops.yaml");
    sandbox.write("out/kept.sops.yaml", &kept);
    assert_eq!(
        sandbox.kiln(&["render"]).stderr.matches("warning").count(),
        0
    );
    fs::remove_file(sandbox.path("templates/one.sops.yaml")).unwrap();
    write_rule(
        &sandbox,
        &format!("    encrypted_regex: ^(data|stringData)$\n    age: OWN,{STRANGER}\n"),
    );
    let told = warnings(&sandbox.kiln(&["render"]));
    assert_snapshot!(scrub(&sandbox, &told), @r#"
    warning[kept-recipients]: `out/kept.sops.yaml`, which you keep, is sealed, not for `[STRANGER]`, whom its rule names
     --> .sops.yaml:4:10
      |
    4 |     age: [OWN],[STRANGER]
      |          ----------------------------------------------------------------------------------------------------------------------------- its rule seals for these
      |
      = help: `kiln secrets update-keys out/kept.sops.yaml` seals it for those whom the rule names
    "#);
    assert_eq!(sandbox.read("out/kept.sops.yaml"), kept);
}

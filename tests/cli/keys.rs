//! Keys of every kind, from every place where SOPS looks for them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use insta::assert_snapshot;

use super::small;
use crate::support::{Run, Sandbox, oracle};

const SECRET: &str = "templates/one.sops.yaml";
/// A public key whose private half nobody has.
const STRANGER: &str = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";
/// A key of a plugin that nobody has.
const PLUGIN_IDENTITY: &str = "AGE-PLUGIN-CANARY-1V93XXN45EX0";
const PLUGIN_RECIPIENT: &str = "age1canary1v93xxthz4c7";

fn secret(token: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: one\nstringData:\n  token: {token}\n  other: stays\n"
    )
}

/// A project whose secret is sealed for these, and whose own key is taken away into `stash.key`.
fn sealed_for(recipient: &str) -> Sandbox {
    let sandbox = small();
    let rules = rule_for(recipient);
    sandbox.write(".sops.yaml", rules);
    sandbox.write(SECRET, secret("first"));
    sandbox.kiln(&["render"]).success();
    fs::rename(sandbox.path("age.key"), sandbox.path("../stash.key")).unwrap();
    sandbox
}

fn rule_for(recipient: &str) -> String {
    format!("creation_rules:\n  - encrypted_regex: ^(data|stringData)$\n    age: {recipient}\n")
}

/// The public key that the project's own `age.key` is for.
fn own_recipient(sandbox: &Sandbox) -> String {
    let text = sandbox.read("age.key");
    let mut lines = text.lines();
    let line = lines.find_map(|line| line.strip_prefix("# public key: "));
    line.unwrap().to_owned()
}

/// The value, `mac`, and `lastmodified` where a second has passed.
const MOVED: usize = 3;

/// Changes one value, renders, and returns how many lines of the sealed file moved.
fn moved(sandbox: &Sandbox, render: impl FnOnce() -> Run) -> usize {
    let before = sandbox.read("out/one.sops.yaml");
    sandbox.write(SECRET, secret("second"));
    render().success();
    let after = sandbox.read("out/one.sops.yaml");
    let known: Vec<&str> = before.lines().collect();
    after.lines().filter(|line| !known.contains(line)).count()
}

/// A program that leaves a mark that it ran, and prints something.
fn program(sandbox: &Sandbox, path: &str, prints: &str) {
    let mark = sandbox.path("../ran");
    let text = format!("#!/bin/sh\necho ran >> {}\n{prints}\n", mark.display());
    sandbox.write(path, text);
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(sandbox.path(path), mode).unwrap();
}

/// Returns how often such programs ran, and forgets it.
fn runs(sandbox: &Sandbox) -> usize {
    let mark = sandbox.path("../ran");
    let count = fs::read_to_string(&mark).map_or(0, |text| text.lines().count());
    fs::remove_file(mark).ok();
    count
}

fn decrypted(sops: &Path, sandbox: &Sandbox, path: &str) -> String {
    let mut command = Command::new(sops);
    command
        .args(["decrypt", path])
        .current_dir(sandbox.path(""))
        .env("SOPS_AGE_KEY_FILE", sandbox.path("age.key"));
    sandbox.finish(&command.output().unwrap()).success()
}

#[test]
fn a_project_changes_between_both_types_of_keys() {
    let sandbox = small();
    assert!(own_recipient(&sandbox).starts_with("age1pq1"));
    sandbox.write(
        "templates/.sops.yaml.tera",
        "creation_rules:\n  - age: #{ age_recipient() }#\n",
    );
    sandbox.write(SECRET, secret("first"));
    sandbox.kiln(&["render"]).success();
    let sops = oracle("sops");
    let check = |kind: &str| {
        let own = own_recipient(&sandbox);
        assert!(own.starts_with(kind), "{own}");
        let before = sandbox.read("out/one.sops.yaml");
        assert!(before.contains(&own), "{before}");
        assert!(sandbox.read("out/.sops.yaml").contains(&own));
        sandbox.kiln(&["render"]).success();
        assert_eq!(sandbox.read("out/one.sops.yaml"), before);
        sandbox.kiln(&["render", "--check"]).success();
        if let Some(sops) = &sops {
            let plain = decrypted(sops, &sandbox, "out/one.sops.yaml");
            // SOPS writes four spaces.
            assert_eq!(plain, secret("first").replace("  ", "    "));
        }
        before
    };
    let mut before = check("age1pq1");
    for (kind, start) in [("x25519", "age1"), ("post-quantum", "age1pq1")] {
        let run = sandbox.kiln(&["secrets", "rekey", "--keygen", "--key-type", kind]);
        // Long keys are shown in short.
        assert!(run.stderr.lines().all(|line| line.len() < 200), "{run}");
        run.success();
        assert_eq!(
            own_recipient(&sandbox).starts_with("age1pq1"),
            start == "age1pq1"
        );
        let after = check(start);
        let known: Vec<&str> = before
            .lines()
            .filter(|line| line.contains("ENC["))
            .collect();
        let mut sealed = after.lines().filter(|line| line.contains("ENC["));
        assert!(!sealed.any(|line| known.contains(&line)), "{after}");
        before = after;
    }
}

#[test]
fn keys_of_the_type_that_is_asked_for() {
    let sandbox = Sandbox::new();
    sandbox.kiln(&["init", "--key-type", "x25519"]).success();
    assert!(!own_recipient(&sandbox).starts_with("age1pq1"));
    fs::remove_file(sandbox.path("age.key")).unwrap();
    let arguments = ["render", "--keygen", "--key-type", "post-quantum"];
    sandbox.write("kiln.toml", "catalogue = false\n");
    sandbox.kiln(&arguments).success();
    assert!(own_recipient(&sandbox).starts_with("age1pq1"));
    assert_eq!(
        sandbox.kiln(&["render", "--key-type", "x25519"]).code,
        Some(2)
    );
}

#[test]
fn tools_that_know_one_type_get_a_key_of_that() {
    let sandbox = small();
    let template = "#{ age_recipient() }#\n#{ age_recipient(kind=\"x25519\") }#\n";
    sandbox.write("templates/keys.txt.tera", template);
    let run = sandbox.kiln(&["render"]);
    assert_snapshot!(run, @r#"
    exit code 1
    --- stderr
    error[broken-key]: `age.key` holds no key of the kind X25519, and what is rendered here works with no other
     --> templates/keys.txt.tera:2:4
      |
    2 | #{ age_recipient(kind="x25519") }#
      |    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: add one below the first, which stays the one that seals: `age-keygen >> age.key`

    1 error, nothing written
    "#);
    let other = small();
    fs::remove_file(other.path("age.key")).unwrap();
    other.kiln(&["init", "--key-type", "x25519"]).success();
    let both = sandbox.read("age.key") + &other.read("age.key");
    sandbox.write("age.key", both);
    sandbox.kiln(&["render"]).success();
    let expected = format!("{}\n{}\n", own_recipient(&sandbox), own_recipient(&other));
    assert_eq!(sandbox.read("out/keys.txt"), expected);
    // Where the key is not at hand, nobody tells the second one, and what is there stays.
    fs::remove_file(sandbox.path("age.key")).unwrap();
    sandbox.write(
        ".sops.yaml",
        format!(
            "creation_rules:\n  - age: {}\n",
            expected.lines().next().unwrap()
        ),
    );
    sandbox.kiln(&["render", "--check"]).success();
}

#[test]
fn a_key_of_ssh_is_enough() {
    let sandbox = small();
    let recipient = sandbox.read("deploy.key.pub");
    let sandbox = {
        let ssh = sealed_for(recipient.trim());
        fs::create_dir_all(ssh.path("../home/.ssh")).unwrap();
        ssh.write("../home/.ssh/id_ed25519", sandbox.read("deploy.key"));
        ssh
    };
    let key = sandbox.path("../home/.ssh/id_ed25519");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let run = sandbox.kiln(&["check"]);
    assert_eq!(run.stderr.matches("key-readable").count(), 1, "{run}");
    assert!(run.stderr.contains(".ssh/id_ed25519`"), "{run}");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(moved(&sandbox, || sandbox.kiln(&["render"])) <= MOVED);
    // In another place, the variable of SOPS names it.
    fs::rename(&key, sandbox.path("../elsewhere")).unwrap();
    let named = [("SOPS_AGE_SSH_PRIVATE_KEY_FILE", "../elsewhere")];
    sandbox.write(SECRET, secret("third"));
    let run = sandbox.kiln_with(&named, &["render"]);
    assert!(!run.stderr.contains("seal-unverified"), "{run}");
    run.success();
    let printed = [("SOPS_AGE_SSH_PRIVATE_KEY_CMD", "/bin/cat ../elsewhere")];
    let run = sandbox.kiln_with(&printed, &["render"]);
    assert!(!run.stderr.contains("seal-unverified"), "{run}");
    run.success();
}

#[test]
fn a_command_prints_keys_where_something_has_to_be_opened() {
    let own = small();
    let sandbox = sealed_for(&own_recipient(&own));
    let key = own.read("age.key");
    sandbox.write("../stash.key", &key);
    program(
        &sandbox,
        "../keys.sh",
        &format!("cat {}", sandbox.path("../stash.key").display()),
    );
    let command = sandbox.path("../keys.sh").display().to_string();
    let variables = [
        ("SOPS_AGE_KEY_CMD", command.as_str()),
        ("PATH", "/usr/bin:/bin"),
    ];
    for arguments in [
        &["check"][..],
        &["audit"],
        &["explain", "notes.txt"],
        &["schema"],
    ] {
        let run = sandbox.kiln_with(&variables, arguments);
        assert_eq!(runs(&sandbox), 0, "{arguments:?} {run}");
    }
    sandbox.kiln_with(&variables, &["diff", "--disk"]).success();
    assert_eq!(runs(&sandbox), 0);
    sandbox
        .kiln_with(&variables, &["diff", "--disk", "--with-keys"])
        .success();
    assert_eq!(runs(&sandbox), 1);
    assert!(moved(&sandbox, || sandbox.kiln_with(&variables, &["render"])) <= MOVED);
    assert_eq!(runs(&sandbox), 1);
    // Another key opens it already.
    sandbox.write("age.key", key);
    fs::set_permissions(sandbox.path("age.key"), fs::Permissions::from_mode(0o600)).unwrap();
    sandbox.kiln_with(&variables, &["render"]).success();
    assert_eq!(runs(&sandbox), 0);
    fs::remove_file(sandbox.path("age.key")).unwrap();
    let failing = sandbox.kiln_with(&[("SOPS_AGE_KEY_CMD", "/bin/false hunter2")], &["render"]);
    assert_snapshot!(failing, @r#"
    exit code 1
    --- stderr
    error[key-source]: the command in `SOPS_AGE_KEY_CMD` failed (exit status: 1); run it by hand to see why
     |
     = help: the command has to print private keys of age, a line each

    1 error, nothing written
    "#);
}

#[test]
fn a_variable_that_names_no_file_counts_where_keys_are_needed() {
    let sandbox = sealed_for(STRANGER);
    let variables = [("SOPS_AGE_KEY_FILE", "none.key")];
    sandbox.kiln_with(&variables, &["check"]).success();
    assert_snapshot!(sandbox.kiln_with(&variables, &["render"]), @r#"
    exit code 1
    --- stderr
    error[key-source]: `SOPS_AGE_KEY_FILE` names `none.key`, which is no file
     |
     = help: correct the path, or unset the variable

    1 error, nothing written
    "#);
}

#[test]
fn a_plugin_runs_for_who_renders_and_not_for_who_checks() {
    let sandbox = sealed_for(STRANGER);
    program(&sandbox, "../bin/age-plugin-canary", "exit 1");
    let path = sandbox.path("../bin").display().to_string();
    let path = format!("{path}:/usr/bin:/bin");
    let variables = [("PATH", path.as_str())];
    sandbox.write("age.key", format!("{PLUGIN_IDENTITY}\n"));
    fs::set_permissions(sandbox.path("age.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let looking: [&[&str]; 6] = [
        &["check"],
        &["audit"],
        &["explain", "notes.txt"],
        &["diff", "--disk"],
        &["diff", "--disk", "--with-keys"],
        &["render", "--check"],
    ];
    for arguments in looking {
        sandbox.kiln_with(&variables, arguments).success();
        assert_eq!(runs(&sandbox), 0, "{arguments:?}");
    }
    let run = sandbox.kiln_with(&variables, &["render"]);
    assert!(runs(&sandbox) > 0, "{run}");
    // The same for whom a rule seals.
    sandbox.write(".sops.yaml", rule_for(PLUGIN_RECIPIENT));
    sandbox.write(SECRET, secret("second"));
    let run = sandbox.kiln_with(&variables, &["check"]);
    assert_eq!(runs(&sandbox), 0, "{run}");
    let run = sandbox.kiln_with(&variables, &["render"]);
    assert!(runs(&sandbox) > 0, "{run}");
    assert_eq!(run.code, Some(1), "{run}");
}

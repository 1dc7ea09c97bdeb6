use std::fs;

use insta::assert_snapshot;

use super::set::assert_nowhere;
use super::{CANARY, contents, open, recipient, refused, sealed};
use crate::support::{Sandbox, oracle};

/// A repository without a project, with a key of its own and a rule for all that is called sealed.
pub(super) fn tree() -> (Sandbox, String) {
    let (project, own) = sealed();
    let sandbox = Sandbox::new();
    fs::copy(project.path("age.key"), sandbox.path("age.key")).unwrap();
    rule(&sandbox, &own);
    (sandbox, own)
}

pub(super) fn rule(sandbox: &Sandbox, recipients: &str) {
    let text = format!("creation_rules:\n  - path_regex: \\.sops\\.\n    age: {recipients}\n");
    sandbox.write(".sops.yaml", text);
}

/// Makes a key for somebody else, and returns the public half.
pub(super) fn other_key(sandbox: &Sandbox, name: &str) -> String {
    let made = sandbox.kiln(&["secrets", "keygen", "--type", "x25519", "-o", name]);
    let recipient = made.success();
    recipient.trim().to_owned()
}

#[test]
fn seals_in_place_and_prints_plain_text() {
    let (sandbox, _) = tree();
    let text = format!("word: {CANARY} # ours\n");
    sandbox.write("a/one.sops.yaml", &text);
    sandbox.write("a/two.sops.json", format!("{{\"word\": \"{CANARY}\"}}\n"));
    sandbox.write("a/three.sops.txt", format!("{CANARY}\n"));
    let printed = sandbox
        .kiln(&["secrets", "encrypt", "--stdout", "a/one.sops.yaml"])
        .success();
    assert!(printed.starts_with("word: ENC["), "{printed}");
    assert!(!printed.contains(CANARY), "{printed}");
    assert_eq!(sandbox.read("a/one.sops.yaml"), text);
    let files = ["a/one.sops.yaml", "a/two.sops.json", "a/three.sops.txt"];
    let run = sandbox.kiln(&[&["secrets", "encrypt"][..], &files].concat());
    assert_snapshot!(run, @r"
    exit code 0
    --- stderr
    sealed a/one.sops.yaml
    sealed a/two.sops.json
    sealed a/three.sops.txt
    ");
    assert_nowhere(&sandbox);
    assert_eq!(
        sandbox.kiln(&["secrets", "decrypt", files[0]]).success(),
        text
    );
    assert_eq!(
        sandbox.kiln(&["secrets", "decrypt", files[2]]).success(),
        format!("{CANARY}\n")
    );
    assert_eq!(
        sandbox
            .kiln(&["secrets", "get", files[1], "word"])
            .success(),
        format!("{CANARY}\n")
    );
    // From a folder below, and again.
    let run = sandbox.kiln(&["-C", "a", "secrets", "encrypt", "one.sops.yaml"]);
    assert_eq!(run.stderr, "sealed already: a/one.sops.yaml\n");
    assert_nowhere(&sandbox);
    let Some(sops) = oracle("sops") else { return };
    let mut opened = String::new();
    for file in files {
        opened += &open(&sandbox, &sops, "age.key", file).success();
    }
    insta::assert_snapshot!(opened, @r#"
    # ours
    word: canary-2c9e-tweet
    {
    	"word": "canary-2c9e-tweet"
    }
    canary-2c9e-tweet
    "#);
}

#[test]
fn seals_all_or_none() {
    let (sandbox, _) = tree();
    sandbox.write("one.sops.yaml", "word: one\n");
    sandbox.write("list.sops.yaml", "- one\n");
    sandbox.write("no-rule.yaml", "word: one\n");
    sandbox.write(
        "secret.sops.yaml",
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: x\nstringData:\n  word: {CANARY}\n"
        ),
    );
    let before = contents(&sandbox);
    for (file, code) in [
        ("list.sops.yaml", "unsealable-yaml"),
        ("no-rule.yaml", "no-creation-rule"),
        ("nothing.sops.yaml", "file-unknown"),
    ] {
        refused(
            &sandbox.kiln(&["secrets", "encrypt", "one.sops.yaml", file]),
            code,
        );
        assert_eq!(contents(&sandbox), before, "{file}");
    }
    let outside = sandbox.kiln(&["secrets", "encrypt", "../other.sops.yaml"]);
    assert_eq!(outside.code, Some(2), "{outside}");
    // A rule that would leave the value readable.
    let rules = sandbox.read(".sops.yaml") + "    encrypted_regex: ^data$\n";
    sandbox.write(".sops.yaml", rules);
    refused(
        &sandbox.kiln(&["secrets", "encrypt", "secret.sops.yaml"]),
        "seal-covers-nothing",
    );
    assert_eq!(
        sandbox.kiln(&["secrets", "decrypt", "one.sops.yaml"]).code,
        Some(1)
    );
}

#[test]
fn update_keys_moves_the_recipients_and_rotate_the_data_key() {
    let Some(sops) = oracle("sops") else { return };
    let (sandbox, own) = tree();
    let other = other_key(&sandbox, "other.key");
    let file = "a/one.sops.yaml";
    sandbox.write(file, format!("word: {CANARY}\nlist: [1, two]\n"));
    let plain = format!("word: {CANARY}\nlist:\n    - 1\n    - two\n");
    sandbox.kiln(&["secrets", "encrypt", file]).success();
    let values = |text: &str| -> Vec<String> {
        let lines = text
            .lines()
            .filter(|line| line.contains("ENC[") || line.contains("lastmodified"));
        lines.map(str::to_owned).collect()
    };
    let first = sandbox.read(file);
    rule(&sandbox, &format!("{own},{other}"));
    let run = sandbox.kiln(&["secrets", "update-keys"]);
    assert_snapshot!(run, @r"
    exit code 0
    --- stderr
    sealed a/one.sops.yaml
    ");
    let both = sandbox.read(file);
    assert_eq!(values(&first), values(&both));
    assert_eq!(open(&sandbox, &sops, "other.key", file).success(), plain);
    let again = sandbox.kiln(&["secrets", "update-keys", file]);
    assert_snapshot!(again, @r"
    exit code 0
    --- stderr
    nothing to do: all are sealed for the recipients of their rules
    ");
    assert_eq!(sandbox.read(file), both);
    rule(&sandbox, &own);
    let run = sandbox.kiln(&["secrets", "update-keys", file]);
    assert_snapshot!(run, @r"
    exit code 0
    --- stderr
    sealed a/one.sops.yaml
    who is no longer a recipient may have kept the data keys: `kiln secrets rotate` makes new ones
    ");
    let less = sandbox.read(file);
    assert_eq!(values(&both), values(&less));
    sandbox.kiln(&["secrets", "rotate"]).success();
    let rotated = sandbox.read(file);
    let kept = values(&less);
    assert!(
        values(&rotated)
            .iter()
            .all(|line| line.trim_start().starts_with("lastmodified") || !kept.contains(line))
    );
    assert_eq!(open(&sandbox, &sops, "age.key", file).success(), plain);
    assert_ne!(open(&sandbox, &sops, "other.key", file).code, Some(0));
    // Another selector: the rule counts.
    let rules = sandbox.read(".sops.yaml") + "    encrypted_regex: ^word$\n";
    sandbox.write(".sops.yaml", rules);
    sandbox.kiln(&["secrets", "rotate", file]).success();
    let text = sandbox.read(file);
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    for line in ["list: [1, \"two\"]", "encrypted_regex: ^word$"] {
        assert!(lines.contains(&line), "{line}: {text}");
    }
    assert_eq!(open(&sandbox, &sops, "age.key", file).success(), plain);
}

#[test]
fn outputs_that_were_rotated_are_kept_by_the_next_render() {
    let (sandbox, _) = sealed();
    let run = sandbox.kiln(&["secrets", "rotate"]);
    assert_snapshot!(run, @r"
    exit code 0
    --- stderr
    sealed a.sops.yaml
    sealed b.sops.yaml
    some are outputs of Kiln: `kiln render` writes kiln.lock anew
    ");
    let rotated = sandbox.read("a.sops.yaml");
    sandbox.kiln(&["render"]).success();
    assert_eq!(sandbox.read("a.sops.yaml"), rotated);
    sandbox.kiln(&["render", "--check"]).success();
}

#[test]
fn keys_of_both_types_are_made_as_age_reads_them() {
    let sandbox = Sandbox::new();
    for (kind, start) in [("x25519", "age1"), ("post-quantum", "age1pq1")] {
        let file = format!("{kind}.key");
        let run = sandbox.kiln(&["secrets", "keygen", "--type", kind, "-o", &file]);
        let told = run.success();
        assert!(
            told.starts_with(start) && told.lines().count() == 1,
            "{told}"
        );
        assert_eq!(told.trim(), recipient(&sandbox, &file));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(sandbox.path(&file))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let before = sandbox.read(&file);
        let again = sandbox.kiln(&["secrets", "keygen", "-o", &file]);
        assert_eq!(again.code, Some(2), "{again}");
        assert_eq!(sandbox.read(&file), before);
        let printed = sandbox.kiln(&["secrets", "keygen", "--type", kind]);
        assert!(
            printed
                .stdout
                .lines()
                .any(|line| line.starts_with("AGE-SECRET-KEY-")),
            "no key"
        );
        if let Some(keygen) = oracle("age-keygen") {
            let output = std::process::Command::new(keygen)
                .arg("-y")
                .arg(sandbox.path(&file))
                .output();
            assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap(), told);
        }
    }
}

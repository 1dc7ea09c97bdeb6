use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use insta::assert_snapshot;

use crate::support::{Sandbox, oracle};

/// Replaces the recipient, which differs each time.
fn scrub(text: &str) -> String {
    let words = text.split(' ').map(|word| match word.strip_prefix("age1") {
        Some(rest) => format!(
            "[RECIPIENT]{}",
            rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '…')
        ),
        None => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn starts_a_project_in_a_new_folder() {
    let sandbox = Sandbox::new();
    let run = sandbox.kiln(&["init", "clusters/home"]);
    assert_snapshot!(scrub(&run.to_string()), @r#"
    exit code 0
    --- stderr
    created .gitignore
    created cluster.yaml
    created kiln.toml
    created cluster.schema.json
    created versions.yaml
    created age.key for [RECIPIENT]; keep a copy in a safe place
    created deploy.key and deploy.key.pub
    created flux-webhook-token.txt
    ready: look through cluster.yaml, then run `kiln -C clusters/home render`
    "#);
    assert_snapshot!(sandbox.files().join("\n"), @r#"
    clusters/home/.gitignore
    clusters/home/age.key
    clusters/home/cluster.schema.json
    clusters/home/cluster.yaml
    clusters/home/deploy.key
    clusters/home/deploy.key.pub
    clusters/home/flux-webhook-token.txt
    clusters/home/kiln.toml
    clusters/home/versions.yaml
    "#);
    assert_snapshot!(sandbox.read("clusters/home/.gitignore"), @r#"
    # Keys and what is made from them: never commit these.
    /age.key
    /age.key.*
    /old.key
    /deploy.key
    /cloudflare-tunnel.json
    /flux-webhook-token.txt
    kubeconfig
    talosconfig
    **/talos/output/
    /snapshot
    /snapshot.*
    .terraform/
    *.tfstate
    *.tfstate.*
    *.tfplan
    .kiln/
    "#);
}

#[test]
fn keeps_keys_from_others() {
    let sandbox = Sandbox::new();
    sandbox.kiln(&["init"]).success();
    for key in ["age.key", "deploy.key", "flux-webhook-token.txt"] {
        let mode = std::fs::metadata(sandbox.path(key))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }
}

#[test]
fn makes_keys_in_the_usual_forms() {
    let sandbox = Sandbox::new();
    sandbox.kiln(&["init"]).success();
    let identity = sandbox.read("age.key");
    let lines: Vec<&str> = identity.lines().collect();
    assert!(lines[0].starts_with("# created: 20"), "{}", lines[0]);
    assert!(
        lines[1].starts_with("# public key: age1pq1"),
        "{}",
        lines[1]
    );
    assert!(lines[2].starts_with("AGE-SECRET-KEY-PQ-1"));
    assert_eq!(lines.len(), 3);
    let token = sandbox.read("flux-webhook-token.txt");
    assert_eq!(token.trim_end().len(), 64);
    assert!(
        token
            .trim_end()
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit())
    );
    assert!(
        sandbox
            .read("deploy.key.pub")
            .starts_with("ssh-ed25519 AAAA")
    );
}

#[test]
fn makes_only_what_is_missing() {
    let sandbox = Sandbox::new();
    sandbox.kiln(&["init"]).success();
    let before: Vec<String> = sandbox
        .files()
        .iter()
        .map(|path| sandbox.read(path))
        .collect();
    assert_snapshot!(sandbox.kiln(&["init"]), @r#"
    exit code 0
    --- stderr
    nothing to do: this is a project with all its keys
    "#);
    let after: Vec<String> = sandbox
        .files()
        .iter()
        .map(|path| sandbox.read(path))
        .collect();
    assert_eq!(before, after);

    std::fs::remove_file(sandbox.path("flux-webhook-token.txt")).unwrap();
    assert_snapshot!(sandbox.kiln(&["init"]), @r#"
    exit code 0
    --- stderr
    created flux-webhook-token.txt
    "#);
}

#[test]
fn keeps_a_config_and_an_ignore_file_that_are_there() {
    let sandbox = Sandbox::with(&[
        ("cluster.toml", "# mine\n"),
        (".gitignore", "/age.key\nnode_modules"),
    ]);
    assert_snapshot!(scrub(&sandbox.kiln(&["init"]).to_string()), @r#"
    exit code 0
    --- stderr
    added 16 lines to .gitignore
    created kiln.toml
    created cluster.schema.json
    created age.key for [RECIPIENT]; keep a copy in a safe place
    created deploy.key and deploy.key.pub
    created flux-webhook-token.txt
    ready: look through cluster.toml, then run `kiln render`
    "#);
    assert_eq!(sandbox.read("cluster.toml"), "# mine\n");
    assert_snapshot!(sandbox.read(".gitignore"), @r#"
    /age.key
    node_modules
    # Keys and what is made from them: never commit these.
    /age.key.*
    /old.key
    /deploy.key
    /cloudflare-tunnel.json
    /flux-webhook-token.txt
    kubeconfig
    talosconfig
    **/talos/output/
    /snapshot
    /snapshot.*
    .terraform/
    *.tfstate
    *.tfstate.*
    *.tfplan
    .kiln/
    "#);
}

#[test]
fn makes_no_second_age_key_for_sealed_secrets() {
    let recipient = format!("age1{}", "q".repeat(58));
    let sandbox = Sandbox::with(&[
        ("kiln.toml", ""),
        (
            ".sops.yaml",
            &format!("creation_rules:\n  - age: {recipient}\n"),
        ),
    ]);
    assert_snapshot!(sandbox.kiln(&["init"]), @r#"
    exit code 2
    --- stderr
    error: `age.key` is missing, but secrets here are sealed for age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq
    help: copy the key of that name back to `age.key`
    help: to replace it by a new one, copy it back and run `kiln secrets rekey --keygen`
    help: if it is lost, remove `.sops.yaml` and all sealed files to start over
    "#);
    assert_eq!(sandbox.files(), [".sops.yaml", "kiln.toml"]);
}

#[test]
fn says_why_a_folder_cannot_be_made() {
    let sandbox = Sandbox::with(&[("file", "")]);
    assert_snapshot!(sandbox.kiln(&["init", "file/folder"]), @r#"
    exit code 2
    --- stderr
    error: `file` is not a folder
    "#);
}

#[test]
fn makes_an_age_key_that_real_sops_uses() {
    let Some(sops) = oracle("sops") else { return };
    let sandbox = Sandbox::with(&[("plain.yaml", "word: open\n")]);
    sandbox.kiln(&["init"]).success();
    let identity = sandbox.read("age.key");
    let recipient = identity
        .lines()
        .find_map(|line| line.strip_prefix("# public key: "))
        .unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&sops);
        command
            .current_dir(sandbox.path(""))
            .env("SOPS_AGE_KEY_FILE", sandbox.path("age.key"));
        sandbox
            .finish(&command.args(arguments).output().unwrap())
            .success()
    };
    let sealed = run(&["encrypt", "--age", recipient, "plain.yaml"]);
    assert!(!sealed.contains("open"), "{sealed}");
    sandbox.write("sealed.yaml", sealed);
    assert_eq!(run(&["decrypt", "sealed.yaml"]), "word: open\n");
}

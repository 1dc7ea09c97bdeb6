use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use insta::assert_snapshot;

use super::{CANARY, refused};
use crate::support::{Run, Sandbox, oracle};

/// A project whose config wants a token, with `dns` as it is given.
pub(super) fn project(dns: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.kiln(&["init"]).success();
    let text = sandbox.read("cluster.yaml");
    let (before, rest) = text.split_once("dns:\n  #").unwrap();
    let (_, after) = rest.split_once("\n\n").unwrap();
    sandbox.write("cluster.yaml", format!("{before}{dns}\n\n{after}"));
    sandbox
}

const WITHOUT: &str = "dns:\n  provider: cloudflare # ours";

/// Runs with a text on stdin.
pub(super) fn with_stdin(sandbox: &Sandbox, text: &str, arguments: &[&str]) -> Run {
    let mut child = sandbox
        .command()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    sandbox.finish(&child.wait_with_output().unwrap())
}

/// Returns what sops reads at the way to a value.
fn extract(sandbox: &Sandbox, sops: &Path, file: &str, way: &str) -> String {
    let output = Command::new(sops)
        .args(["decrypt", "--extract", way, file])
        .env("SOPS_AGE_KEY_FILE", sandbox.path("age.key"))
        .current_dir(sandbox.path(""))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Expects the canary in no file of the sandbox, its home and its folder for temporary files included.
#[track_caller]
pub(super) fn assert_nowhere(sandbox: &Sandbox) {
    fn search(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if entry.file_type().unwrap().is_dir() {
                search(&path, found);
            } else if fs::read(&path).is_ok_and(|bytes| holds(&bytes)) {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    search(sandbox.path("..").as_path(), &mut found);
    assert!(found.is_empty(), "{found:?}");
}

fn holds(bytes: &[u8]) -> bool {
    bytes
        .windows(CANARY.len())
        .any(|part| part == CANARY.as_bytes())
}

#[test]
fn makes_the_encrypted_file_and_takes_the_value_out_of_the_plain_one() {
    let plain = format!("{WITHOUT}\n  # From the dashboard.\n  token: {CANARY} # old");
    let sandbox = project(&plain);
    let before = sandbox.read("cluster.yaml");
    let new = format!("{CANARY}-2");
    let run = with_stdin(
        &sandbox,
        &format!("{new}\n"),
        &["secrets", "set", "dns.token"],
    );
    assert_snapshot!(run, @r"
    exit code 0
    --- stderr
    took dns.token out of cluster.yaml
    made cluster.sops.yaml: `kiln render` writes the tree
    ");
    let line = format!("  token: {CANARY} # old\n");
    assert_eq!(sandbox.read("cluster.yaml"), before.replace(&line, ""));
    assert_nowhere(&sandbox);
    let told = sandbox.kiln(&["secrets", "get", "dns.token"]).success();
    assert_eq!(told, format!("{new}\n"));
    sandbox.kiln(&["check"]).success();
    let Some(sops) = oracle("sops") else { return };
    assert_eq!(
        extract(&sandbox, &sops, "cluster.sops.yaml", r#"["dns"]["token"]"#),
        new
    );
}

#[test]
fn moves_one_value_and_keeps_the_rest() {
    let sandbox = project(WITHOUT);
    let set = ["secrets", "set", "dns.token"];
    with_stdin(&sandbox, CANARY, &set).success();
    with_stdin(
        &sandbox,
        CANARY,
        &["secrets", "set", "apps.unifi-dns.api_key"],
    )
    .success();
    let before = sandbox.read("cluster.sops.yaml");
    let run = with_stdin(&sandbox, CANARY, &set);
    assert_snapshot!(run, @r"
    exit code 0
    --- stderr
    nothing to do: cluster.sops.yaml has this value
    ");
    assert_eq!(sandbox.read("cluster.sops.yaml"), before);
    with_stdin(&sandbox, "another-word", &set).success();
    let after = sandbox.read("cluster.sops.yaml");
    let mut moved: Vec<&str> = before
        .lines()
        .zip(after.lines())
        .filter(|(old, new)| old != new)
        .filter_map(|(old, _)| old.trim().split(':').next())
        .collect();
    moved.retain(|key| *key != "lastmodified");
    assert_eq!(moved, ["token", "mac"]);
    assert_eq!(before.lines().count(), after.lines().count());
}

#[test]
fn goes_by_the_creation_rule_once_there_is_one() {
    let Some(keygen) = oracle("age-keygen") else {
        return;
    };
    let sandbox = project(WITHOUT);
    let output = Command::new(keygen)
        .arg("-o")
        .arg(sandbox.path("../home/other.key"))
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    let other = told.trim().rsplit(' ').next().unwrap();
    let own = super::recipient(&sandbox, "age.key");
    let rules = format!(
        "creation_rules:\n  - path_regex: ^cluster\\.sops\n    age: {own},{other}\nstores:\n  yaml:\n    indent: 2\n"
    );
    sandbox.write(".sops.yaml", rules);
    with_stdin(&sandbox, CANARY, &["secrets", "set", "dns.token"]).success();
    let text = sandbox.read("cluster.sops.yaml");
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    for line in [
        "  age:".to_owned(),
        format!("    - recipient: {own}"),
        format!("    - recipient: {other}"),
    ] {
        assert!(lines.contains(&line.as_str()), "{line}: {text}");
    }
}

#[test]
fn a_config_that_was_not_valid_before_may_get_better_step_by_step() {
    let sandbox = project(
        "dns:\n  provider: cloudflare\nbackup:\n  endpoint: https://s3.example.com\n  bucket: homelab\n",
    );
    assert_eq!(sandbox.kiln(&["check"]).code, Some(1));
    let run = with_stdin(&sandbox, CANARY, &["secrets", "set", "dns.token"]);
    assert_snapshot!(run, @r"
    exit code 0
    --- stderr
    made cluster.sops.yaml: `kiln render` writes the tree
    the config is not valid yet, as it was before: `kiln check` says why
    ");
    for path in ["backup.access_key_id", "backup.secret_access_key"] {
        with_stdin(&sandbox, CANARY, &["secrets", "set", path]).success();
    }
    // Which is given of a valid config only.
    let value = sandbox.kiln(&["secrets", "get", "backup.access_key_id"]);
    assert_eq!(value.success(), format!("{CANARY}\n"));
    assert_nowhere(&sandbox);
}

#[test]
fn refuses_what_would_make_the_config_invalid() {
    let sandbox = project(WITHOUT);
    with_stdin(&sandbox, CANARY, &["secrets", "set", "dns.token"]).success();
    let before = super::contents(&sandbox);
    for (path, code) in [
        ("dns.tokn", "unknown-key"),
        ("dns.provider", "wrong-value"),
        ("dns.token.deep", "config-edit"),
    ] {
        let run = with_stdin(&sandbox, CANARY, &["secrets", "set", path]);
        let expected = format!("error[{code}]");
        assert_eq!(
            (run.code, run.codes()),
            (Some(1), vec![expected.as_str()]),
            "{path}: {run}"
        );
        assert!(!run.to_string().contains(CANARY), "{run}");
    }
    let run = with_stdin(
        &sandbox,
        CANARY,
        &["secrets", "set", "backup.access_key_id"],
    );
    assert_snapshot!(run, @r"
    exit code 1
    --- stderr
    error[broken-rule]: `backup` needs `endpoint`, `bucket`, `access_key_id` and `secret_access_key` together
    --> cluster.sops.yaml:3:1
     = note: `backup.endpoint`
     = help: what it needs goes into the plain config first: a config that is not valid yet takes secrets all the same

    1 error, nothing written
    ");
    let empty = sandbox.kiln(&["secrets", "set", "dns.token"]);
    assert_snapshot!(empty, @r"
    exit code 2
    --- stderr
    error: no value was given
    help: type it when asked, send it to stdin, or name a file with `--file`
    ");
    assert_eq!(super::contents(&sandbox), before);
    sandbox.write("kiln.toml", "data = [\"cluster.yaml\"]\n");
    refused(
        &with_stdin(&sandbox, CANARY, &["secrets", "set", "backup.bucket"]),
        "config-no-sealed-file",
    );
}

#[test]
fn a_value_of_several_lines_or_of_digits_stays_a_text() {
    let sandbox = project(WITHOUT);
    let pem = format!("-----BEGIN KEY-----\n{CANARY}\n-----END KEY-----\n");
    sandbox.write("../home/demo.pem", &pem);
    sandbox
        .kiln(&["secrets", "set", "dns.token", "--file", "../home/demo.pem"])
        .success();
    assert_eq!(
        sandbox.kiln(&["secrets", "get", "dns.token"]).success(),
        pem
    );
    with_stdin(&sandbox, "0123456789", &["secrets", "set", "dns.token"]).success();
    let json = sandbox
        .kiln(&["secrets", "get", "/dns/token", "--json"])
        .success();
    assert_eq!(json, "\"0123456789\"\n");
    let Some(sops) = oracle("sops") else { return };
    assert_eq!(
        extract(&sandbox, &sops, "cluster.sops.yaml", r#"["dns"]["token"]"#),
        "0123456789"
    );
}

#[test]
fn asks_without_an_echo() {
    let Ok(found) = Command::new("script").arg("--version").output() else {
        eprintln!("SKIPPED: no `script`; not checked: that the value is asked for without an echo");
        return;
    };
    if !String::from_utf8_lossy(&found.stdout).contains("util-linux") {
        return;
    }
    let sandbox = project(WITHOUT);
    let kiln = env!("CARGO_BIN_EXE_kiln");
    let mut child = Command::new("script")
        .args([
            "-qec",
            &format!("{kiln} secrets set dns.token"),
            "/dev/null",
        ])
        .current_dir(sandbox.path(""))
        .env_remove("SOPS_AGE_KEY_FILE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // The terminal shows what comes before it was told not to.
    std::thread::sleep(std::time::Duration::from_secs(1));
    stdin.write_all(format!("{CANARY}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}");
    insta::assert_snapshot!(told, @"
    value of dns.token: 
    made cluster.sops.yaml: `kiln render` writes the tree
    ");
    assert_eq!(
        sandbox.kiln(&["secrets", "get", "dns.token"]).success(),
        format!("{CANARY}\n")
    );
}

#[test]
fn options_of_apps_that_are_secrets_are_sealed() {
    let sandbox = project(WITHOUT);
    with_stdin(&sandbox, CANARY, &["secrets", "set", "dns.token"]).success();
    let secret = format!("api_key={CANARY}");
    let run = sandbox.kiln(&[
        "apps",
        "enable",
        "unifi-dns",
        "--set",
        "host=https://192.168.1.1",
        "--set",
        &secret,
    ]);
    assert_snapshot!(run, @r"
    exit code 0
    --- stderr
    switched on unifi-dns: Publishes DNS records to a UniFi controller
    changed cluster.sops.yaml; `kiln render` writes the tree
    changed cluster.yaml; `kiln render` writes the tree
    changed versions.yaml; `kiln render` writes the tree
    ");
    assert!(
        sandbox
            .read("cluster.yaml")
            .ends_with("apps:\n  unifi-dns:\n    enabled: true\n    host: https://192.168.1.1\n")
    );
    assert_nowhere(&sandbox);
    let run = with_stdin(
        &sandbox,
        "another-word\n",
        &["apps", "enable", "unifi-dns", "--set", "api_key"],
    );
    assert_eq!(run.code, Some(0), "{run}");
    let get = ["secrets", "get", "apps.unifi-dns.api_key"];
    assert_eq!(sandbox.kiln(&get).success(), "another-word\n");
    sandbox.kiln(&["check"]).success();
    // What is no option is not asked for.
    let run = with_stdin(
        &sandbox,
        CANARY,
        &["apps", "enable", "unifi-dns", "--set", "nope"],
    );
    refused(&run, "app-option");
}

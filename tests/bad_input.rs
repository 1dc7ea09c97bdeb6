//! Everything that can be wrong with what a user brings: a clear message, exit code 1 or 2, and a disk
//! that is as it was.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::time::Duration;

use crate::support::Sandbox;

const CLUSTER: &str = include_str!("../examples/homelab/cluster.yaml");
const NODES: &str = include_str!("../examples/homelab/nodes.yaml");
const TEMPLATE: &str = "templates/own.yaml.tera";

/// A project that has rendered once.
fn project() -> Sandbox {
    let sandbox = Sandbox::with(&[
        ("kiln.toml", ""),
        ("cluster.yaml", CLUSTER),
        ("nodes.yaml", NODES),
    ]);
    sandbox.kiln(&["render", "--keygen"]).success();
    sandbox
}

fn disk(sandbox: &Sandbox) -> BTreeMap<String, Vec<u8>> {
    let files = sandbox.files().into_iter();
    files
        .filter(|path| !path.starts_with(".kiln/"))
        .map(|path| {
            (
                path.clone(),
                fs::read(sandbox.path(&path)).unwrap_or_default(),
            )
        })
        .collect()
}

/// Breaks a project, renders, and expects the code, the words, and nothing changed.
#[track_caller]
fn expect(code: i32, words: &[&str], spoil: impl FnOnce(&Sandbox)) {
    let sandbox = project();
    spoil(&sandbox);
    let before = disk(&sandbox);
    let run = sandbox.kiln(&["render"]);
    assert_eq!(run.code, Some(code), "{run}");
    for word in words {
        assert!(run.stderr.contains(word), "no `{word}` in {run}");
    }
    assert!(!run.stderr.contains("panicked"), "{run}");
    assert_eq!(disk(&sandbox), before, "{run}");
}

fn with_config(from: &str, to: &str) -> impl FnOnce(&Sandbox) {
    assert!(CLUSTER.contains(from));
    let text = CLUSTER.replace(from, to);
    move |sandbox| sandbox.write("cluster.yaml", text)
}

fn with_template(text: &str) -> impl FnOnce(&Sandbox) {
    move |sandbox| sandbox.write(TEMPLATE, text)
}

#[test]
fn no_project_here() {
    let sandbox = Sandbox::new();
    let run = sandbox.kiln(&["render"]);
    insta::assert_snapshot!(run, @"
    exit code 2
    --- stderr
    error: no project here: neither `kiln.toml` nor `makejinja.toml` in `[WORK]` or above
    help: start one with `kiln init`, or name its folder with `-C DIR`
    ");
    assert!(sandbox.files().is_empty());
}

#[test]
fn config_that_cannot_be_read() {
    let folder = |sandbox: &Sandbox| {
        fs::remove_file(sandbox.path("cluster.yaml")).unwrap();
        fs::create_dir(sandbox.path("cluster.yaml")).unwrap();
    };
    let run = {
        let sandbox = project();
        folder(&sandbox);
        sandbox.kiln(&["render"])
    };
    assert!(
        matches!(run.code, Some(1 | 2)) && run.stderr.contains("cluster.yaml"),
        "{run}"
    );
    expect(1, &["error[not-utf8]", "cluster.yaml"], |sandbox| {
        sandbox.write("cluster.yaml", b"domain: \xff\n");
    });
}

#[test]
fn config_with_broken_syntax() {
    expect(
        1,
        &["error[config-syntax]", "cluster.yaml:"],
        with_config("gateways:", "gateways: ["),
    );
    expect(1, &["error[config-syntax]", "cluster.toml:1:"], |sandbox| {
        fs::remove_file(sandbox.path("cluster.yaml")).unwrap();
        sandbox.write("cluster.toml", "[network\n");
    });
    expect(
        1,
        &["the key `name` is set twice", "first set here"],
        with_config("domain:\n", "domain:\n  name: a.example.com\n"),
    );
}

#[test]
fn config_with_wrong_content() {
    expect(
        1,
        &["has no key `node_cdir`", "did you mean `node_cidr`?"],
        with_config("node_cidr", "node_cdir"),
    );
    expect(
        1,
        &["error[wrong-type]", "cluster.yaml:11:8"],
        with_config("dns: 192.168.1.21", "dns: [192.168.1.21]"),
    );
    expect(
        1,
        &["did you mean `192.168.1.0/24`?"],
        with_config("192.168.1.0/24", "192.168.1.9/24"),
    );
    expect(
        1,
        &["is used by both"],
        with_config("192.168.1.21", "192.168.1.20"),
    );
}

#[test]
fn templates_that_do_not_render() {
    expect(
        1,
        &["domian", "did you mean `domain`?", "own.yaml.tera:1:"],
        with_template("a: #{ domian.name }#\n"),
    );
    expect(
        1,
        &["shout", "own.yaml.tera"],
        with_template("a: #{ domain.name | shout }#\n"),
    );
    expect(
        1,
        &["own.yaml.tera"],
        with_template("#% for a in range(end=999999999) %#\nx: 1\n#% endfor %#\n"),
    );
    let squares = "#% for a in range(end=90000) %#\n#% for b in range(end=90000) %#\n# x\n#% endfor %#\n#% endfor %#\n";
    expect(1, &["own.yaml.tera"], with_template(squares));
    expect(
        1,
        &["include one another", "_a.tera", "_b.tera"],
        |sandbox| {
            sandbox.write(TEMPLATE, "#% include \"_a.tera\" %#\n");
            sandbox.write("templates/_a.tera", "#% include \"_b.tera\" %#\n");
            sandbox.write("templates/_b.tera", "#% include \"_a.tera\" %#\n");
        },
    );
    expect(
        1,
        &["own.yaml:", "own.yaml.tera:3"],
        with_template("a: 1\nb: [#{ domain.name }#\nc: }\n"),
    );
}

#[test]
fn outputs_that_belong_to_someone_else() {
    expect(1, &["own.yaml"], |sandbox| {
        sandbox.write("own.yaml", "mine: true\n");
        sandbox.write(TEMPLATE, "theirs: true\n");
    });
}

#[cfg(unix)]
#[test]
fn outputs_through_a_symlink() {
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().to_owned();
    let words = ["symlink"];
    let sandbox = project();
    fs::remove_dir_all(sandbox.path("talos")).unwrap();
    std::os::unix::fs::symlink(&target, sandbox.path("talos")).unwrap();
    let run = sandbox.kiln(&["render"]);
    assert!(matches!(run.code, Some(1 | 2)), "{run}");
    assert!(words.iter().all(|word| run.stderr.contains(word)), "{run}");
    assert_eq!(fs::read_dir(&target).unwrap().count(), 0);
}

#[test]
fn an_output_folder_outside_the_project() {
    for output in ["../elsewhere", "/tmp/elsewhere"] {
        let sandbox = project();
        sandbox.write("kiln.toml", format!("output = \"{output}\"\n"));
        let run = sandbox.kiln(&["render"]);
        assert!(
            matches!(run.code, Some(1 | 2)) && run.stderr.contains("elsewhere"),
            "{run}"
        );
        assert!(!sandbox.path("../elsewhere").exists());
    }
}

#[test]
fn sealing_without_a_rule_or_with_a_bad_recipient() {
    let rules = "creation_rules:\n  - path_regex: nothing\n    age: #{ age_recipient() }#\n";
    expect(1, &[".sops.yaml"], |sandbox| {
        sandbox.write("templates/.sops.yaml.tera", rules);
    });
    let bad = "creation_rules:\n  - age: age1notakey\n";
    expect(1, &[".sops.yaml:2:"], |sandbox| {
        sandbox.write("templates/.sops.yaml.tera", bad);
    });
}

#[test]
fn a_key_that_is_missing_or_another_one() {
    expect(1, &["age.key", "kiln init"], |sandbox| {
        fs::remove_file(sandbox.path("age.key")).unwrap();
    });
    expect(1, &["age.key"], |sandbox| {
        sandbox.write("age.key", "no key at all\n");
    });
    // A config that is sealed for another key.
    let other = project();
    expect(1, &["cluster.sops.yaml"], |sandbox| {
        let sealed = other.read("bootstrap/sops-age.sops.yaml");
        sandbox.write("cluster.sops.yaml", sealed);
    });
}

#[test]
fn two_kilns_at_once() {
    let sandbox = project();
    sandbox.write(TEMPLATE, "a: 1\n");
    fs::create_dir_all(sandbox.path(".kiln")).unwrap();
    let folder = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(sandbox.path(".kiln/lock"));
    let lock = folder.unwrap();
    lock.try_lock().unwrap();
    let run = sandbox.kiln(&["render"]);
    insta::assert_snapshot!(run, @"
    exit code 2
    --- stderr
    error: another kiln is writing here: `.kiln/lock` is locked
    help: wait until it is done, and run this again
    ");
    assert!(!sandbox.path("own.yaml").exists());
}

/// Kills the binary at moments all over its run and expects the old or the new tree after one more
/// render, and plain text of the secrets in no file at any time.
#[test]
fn killed_at_any_moment_leaves_the_old_or_the_new_tree_and_no_plain_secret() {
    let sandbox = project();
    let key = sandbox.read("age.key");
    let identity = key
        .lines()
        .find(|line| line.starts_with("AGE-SECRET-KEY-"))
        .unwrap()
        .to_owned();
    let started = std::time::Instant::now();
    sandbox.kiln(&["render"]).success();
    let whole = started.elapsed();
    for round in 0..24_u32 {
        sandbox.write(
            "cluster.yaml",
            CLUSTER.replace("home.example.com", &format!("r{round}.example.com")),
        );
        let mut child = sandbox
            .command()
            .arg("render")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Twelve moments over the run, most of them late, where the writing is.
        let moment = whole.mul_f64(0.4 + 0.7 * f64::from(round % 12) / 12.0);
        std::thread::sleep(moment.max(Duration::from_millis(1)));
        child.kill().unwrap();
        child.wait().unwrap();
        for path in sandbox
            .files()
            .iter()
            .filter(|path| !path.starts_with("age.key"))
        {
            let bytes = fs::read(sandbox.path(path)).unwrap();
            let found = bytes
                .windows(identity.len())
                .any(|window| window == identity.as_bytes());
            assert!(!found, "{path} holds a secret in plain text");
        }
        let run = sandbox.kiln(&["render"]);
        assert_eq!(run.code, Some(0), "after a kill in round {round}: {run}");
        assert_eq!(sandbox.kiln(&["render", "--check"]).code, Some(0));
    }
}

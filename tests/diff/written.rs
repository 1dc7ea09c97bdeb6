//! What made rendered files differ from what would be rendered: an input, another Kiln, or an edit.
//!
//! Another Kiln is made up: its name stands in `kiln.lock`, beside outputs that it rendered otherwise.

use std::fs::{FileTimes, OpenOptions};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::project::{commit, diff, git, project};
use crate::support::Sandbox;
use kiln::write::{Digest, KILN};

/// Renders, and lets another Kiln have written some outputs otherwise; everything is committed.
fn by_another_kiln(changes: &[(&str, &str, &str)]) -> Sandbox {
    let sandbox = project();
    let ignored = sandbox.read(".gitignore").replace("out/\n", "");
    sandbox.write(".gitignore", ignored);
    sandbox.kiln(&["render"]).success();
    let mut lock = sandbox.read("out/kiln.lock");
    for (path, now, then) in changes {
        let path = format!("out/{path}");
        let text = sandbox.read(&path);
        let old = text.replace(now, then);
        assert_ne!(old, text, "{path} has no {now}");
        let digest = |text: &str| Digest::of(text.as_bytes()).to_string();
        lock = lock.replace(&digest(&text), &digest(&old));
        sandbox.write(&path, old);
    }
    let by = format!("kiln = \"{KILN}\"");
    assert!(lock.contains(&by), "{lock}");
    sandbox.write("out/kiln.lock", lock.replace(&by, "kiln = \"0.0.7\""));
    commit(&sandbox, "rendered");
    sandbox
}

/// Lists what `kiln diff --disk` tells, with the causes, a line each.
fn causes(sandbox: &Sandbox) -> Vec<String> {
    let run = diff(sandbox, &["--disk", "--with-keys", "--format", "json"]);
    let value: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run}"));
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let changes = value["changes"].as_array().unwrap().iter();
    changes
        .map(|change| {
            let causes = change["causes"].as_array().unwrap().iter();
            let causes: Vec<String> = causes
                .map(|cause| format!("{} {}", word(&cause["type"]), word(&cause["name"])))
                .collect();
            let name = word(&change["object"]["name"]);
            format!("{} {name}: {}", word(&change["kind"]), causes.join(", "))
        })
        .collect()
}

const REPLICAS: (&str, &str, &str) = ("apps/shop/web.yaml", "replicas: 2", "replicas: 1");

fn kiln() -> String {
    format!("kiln 0.0.7 → {KILN}")
}

#[test]
fn what_no_input_explains_is_by_the_other_kiln() {
    let sandbox = by_another_kiln(&[REPLICAS]);
    assert_eq!(causes(&sandbox), [format!("changed web: {}", kiln())]);
    let run = diff(&sandbox, &["--disk"]);
    let first = run.stdout.lines().next().unwrap();
    assert_eq!(
        first,
        "the rendered files on disk (by Kiln 0.0.7) → the working tree"
    );
    let by = format!("\n  by Kiln 0.0.7 → {KILN}\n");
    assert!(run.stdout.contains(&by), "{run}");
    // Two revisions are compiled by one Kiln, which is then no cause.
    let run = diff(&sandbox, &["--base", "first"]);
    assert!(!run.stdout.contains("Kiln 0.0.7"), "{run}");
    // Once it has written the tree, it is its own.
    sandbox.kiln(&["render"]).success();
    assert_eq!(diff(&sandbox, &["--disk"]).code, Some(0));
    assert!(sandbox.read("out/kiln.lock").contains(KILN));
}

#[test]
fn what_an_input_explains_is_not() {
    let sandbox = by_another_kiln(&[REPLICAS]);
    let config = "templates/apps/shop/config.yaml";
    sandbox.write(config, sandbox.read(config).replace("EUR", "CHF"));
    let web = "templates/apps/shop/web.yaml.tera";
    sandbox.write(web, sandbox.read(web).replace("1.4.0", "1.4.1"));
    let by_template = |path: &str| format!("template {path}");
    assert_eq!(
        causes(&sandbox),
        [
            format!("changed shop: {}", by_template(config)),
            // Both have a part in this one.
            format!("changed web: {}, {}", by_template(web), kiln()),
        ]
    );
}

#[test]
fn what_was_edited_is_by_the_edit() {
    let sandbox = by_another_kiln(&[REPLICAS]);
    let db = "out/apps/shop/db.yaml";
    sandbox.write(db, sandbox.read(db).replace("10Gi", "20Gi"));
    std::fs::remove_file(sandbox.path("out/apps/shop/config.yaml")).unwrap();
    let list = "out/apps/shop/kustomization.yaml";
    let without = sandbox.read(list).replace("  - ./config.yaml\n", "");
    sandbox.write(list, without);
    assert_eq!(
        causes(&sandbox),
        [
            "added shop: edit ".to_owned(),
            format!("changed web: {}", kiln()),
            "changed backup: edit ".to_owned(),
        ]
    );
}

#[test]
fn nothing_is_claimed_where_the_inputs_are_not_known() {
    // A list that is not the committed one.
    let sandbox = by_another_kiln(&[REPLICAS]);
    let lock = sandbox.read("out/kiln.lock");
    sandbox.write("out/kiln.lock", format!("{lock}\n"));
    assert_eq!(causes(&sandbox), ["changed web: "]);
    // A key that git ignores, and that changed since.
    let sandbox = by_another_kiln(&[REPLICAS]);
    git(&sandbox, &["rm", "--quiet", "--cached", "token.txt"]);
    let ignored = sandbox.read(".gitignore");
    sandbox.write(".gitignore", format!("{ignored}token.txt\n"));
    let lock = sandbox.read("out/kiln.lock");
    sandbox.write("out/kiln.lock", format!("{lock}#\n"));
    commit(&sandbox, "a secret");
    assert_eq!(causes(&sandbox), [format!("changed web: {}", kiln())]);
    let later = SystemTime::now() + Duration::from_mins(1);
    let file = OpenOptions::new()
        .append(true)
        .open(sandbox.path("token.txt"))
        .unwrap();
    file.set_times(FileTimes::new().set_modified(later))
        .unwrap();
    assert_eq!(causes(&sandbox), ["changed web: "]);
    // No repository.
    std::fs::remove_dir_all(sandbox.path(".git")).unwrap();
    let run = sandbox.kiln(&["diff", "--disk"]);
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stdout
    the rendered files on disk (by Kiln 0.0.7) → the working tree

    ~ Deployment/shop/web
      out/apps/shop/web.yaml:1
      spec.replicas: 1 → 2

    1 changed
    --- stderr
    the values of the secrets in one file are not seen; `--with-keys` uses what is at hand
    ");
    assert!(!run.stdout.contains("  by "), "{run}");
}

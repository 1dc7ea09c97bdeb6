//! `kiln render --stage`, by hand and as a hook of git.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::small;
use crate::diff::project::git;
use crate::support::Sandbox;

/// A repository with everything committed, and the hook in it.
fn hooked() -> Sandbox {
    let sandbox = small();
    sandbox.kiln(&["render"]).success();
    git(&sandbox, &["init", "--quiet", "--initial-branch=main"]);
    git(&sandbox, &["add", "--all"]);
    git(&sandbox, &["commit", "--quiet", "--message", "first"]);
    let hook = format!(
        "#!/bin/sh\nexec {} render --quiet --stage\n",
        env!("CARGO_BIN_EXE_kiln")
    );
    sandbox.write(".git/hooks/pre-commit", hook);
    let path = sandbox.path(".git/hooks/pre-commit");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    sandbox
}

fn committed(sandbox: &Sandbox) -> String {
    git(sandbox, &["show", "--name-status", "--format=", "HEAD"]).replace('\t', " ")
}

const LOCK: &str = "M out/kiln.lock";

#[test]
fn a_commit_gets_new_changed_and_removed_outputs_and_nothing_else() {
    let sandbox = hooked();
    sandbox.write("templates/new.txt", "new\n");
    sandbox.write("templates/notes.txt", "other notes\n");
    fs::remove_file(sandbox.path("templates/cluster.txt.tera")).unwrap();
    sandbox.write("mine.txt", "not to be committed\n");
    git(&sandbox, &["add", "--all", "templates"]);
    git(&sandbox, &["commit", "--quiet", "--message", "second"]);
    let expected = [
        "D out/cluster.txt",
        LOCK,
        "A out/new.txt",
        "M out/notes.txt",
        "D templates/cluster.txt.tera",
        "A templates/new.txt",
        "M templates/notes.txt",
    ];
    assert_eq!(committed(&sandbox).lines().collect::<Vec<_>>(), expected);
    assert_eq!(git(&sandbox, &["status", "--short"]), "?? mine.txt");
}

#[test]
fn what_was_rendered_before_is_staged_too() {
    let sandbox = hooked();
    sandbox.write("templates/new.txt", "new\n");
    fs::remove_file(sandbox.path("templates/cluster.txt.tera")).unwrap();
    sandbox.kiln(&["render"]).success();
    git(&sandbox, &["add", "--all", "templates"]);
    git(&sandbox, &["commit", "--quiet", "--message", "second"]);
    assert_eq!(git(&sandbox, &["status", "--short"]), "");
    insta::assert_snapshot!(committed(&sandbox), @"
    D out/cluster.txt
    M out/kiln.lock
    A out/new.txt
    D templates/cluster.txt.tera
    A templates/new.txt
    ");
}

#[test]
fn a_commit_of_some_files_only_is_completed_in_its_own_index() {
    let sandbox = hooked();
    sandbox.write("templates/notes.txt", "other notes\n");
    sandbox.write("README.md", "staged, for a later commit\n");
    git(&sandbox, &["add", "README.md"]);
    git(
        &sandbox,
        &["commit", "--quiet", "--message", "second", "templates"],
    );
    let expected = [LOCK, "M out/notes.txt", "M templates/notes.txt"];
    assert_eq!(committed(&sandbox).lines().collect::<Vec<_>>(), expected);
    sandbox.write("templates/notes.txt", "more notes\n");
    git(
        &sandbox,
        &["commit", "--quiet", "--all", "--message", "third"],
    );
    insta::assert_snapshot!(committed(&sandbox), @"
    A README.md
    M out/kiln.lock
    M out/notes.txt
    M templates/notes.txt
    ");
}

#[test]
fn works_below_the_root_of_the_repository() {
    let sandbox = small();
    sandbox.write("../work/deep/cluster/.keep", "");
    let files = ["kiln.toml", "cluster.yaml", "age.key", "templates"];
    for file in files {
        fs::rename(sandbox.path(file), sandbox.path("deep/cluster").join(file)).unwrap();
    }
    git(&sandbox, &["init", "--quiet"]);
    sandbox
        .kiln(&["-C", "deep/cluster", "render", "--stage"])
        .success();
    let staged = git(&sandbox, &["diff", "--cached", "--name-only"]);
    let expected =
        ["cluster.txt", "kiln.lock", "notes.txt"].map(|file| format!("deep/cluster/out/{file}"));
    assert_eq!(staged.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn what_git_ignores_or_someone_edited_is_left_alone() {
    let sandbox = hooked();
    sandbox.write(".gitignore", "age.key\nout/notes.txt\n");
    sandbox.write("templates/new.txt", "new\n");
    git(&sandbox, &["rm", "--quiet", "--cached", "out/notes.txt"]);
    sandbox.write("out/cluster.txt", "edited\n");
    sandbox.write("templates/cluster.txt.tera", "changed\n");
    let run = sandbox.kiln(&["render", "--stage"]);
    assert_eq!(run.code, Some(1), "{run}");
    let staged = git(&sandbox, &["diff", "--cached", "--name-status"]);
    assert_eq!(
        staged.replace('\t', " "),
        format!("{LOCK}\nA out/new.txt\nD out/notes.txt")
    );
}

#[test]
fn without_a_repository_it_says_so() {
    let sandbox = small();
    let run = sandbox.kiln(&["render", "--stage"]);
    insta::assert_snapshot!(run, @"
    exit code 2
    --- stderr
    error: `[WORK]` is in no git repository
    help: compare with what is on disk (`--disk`), another folder (`--tree DIR`) or another config (`--config FILE`)
    ");
    assert!(sandbox.path("out/notes.txt").is_file());
}

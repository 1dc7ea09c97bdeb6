//! What a base can be, and what it cannot: the branch itself, half a repository, another repository's files.

use std::os::unix::fs::symlink;

use kiln::fs::{Disk, Repository};
use kiln::source::Files as _;

use super::project::{commit, diff, git, git_in, project};
use crate::support::{Run, Sandbox};

/// Makes a project with a branch `feature` that changes a file, and is at hand.
fn branched() -> Sandbox {
    let sandbox = project();
    git(&sandbox, &["switch", "--quiet", "--create", "feature"]);
    sandbox.write("templates/notes.txt", "one\nthree\n");
    commit(&sandbox, "second");
    sandbox
}

fn clone(sandbox: &Sandbox, arguments: &[&str]) {
    let url = format!("file://{}", sandbox.path("").display());
    let all = [&["clone", "--quiet"], arguments, &[&url, "../clone"]].concat();
    git(sandbox, &all);
}

fn in_clone(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let mut command = sandbox.command();
    command
        .arg("-C")
        .arg(sandbox.path("../clone"))
        .arg("diff")
        .args(arguments);
    sandbox.finish(&command.output().unwrap())
}

#[test]
fn a_clone_of_one_branch_is_not_compared_with_itself() {
    // The origin's default is what is at hand there: the branch itself, or the other one.
    for (arguments, at_origin) in [
        (&["--single-branch", "--branch=feature"][..], "feature"),
        (&["--single-branch", "--branch=feature"], "main"),
        (&["--depth=1", "--branch=feature"], "feature"),
        (&["--depth=1", "--branch=main"], "main"),
    ] {
        let sandbox = branched();
        git(&sandbox, &["switch", "--quiet", at_origin]);
        clone(&sandbox, arguments);
        for detached in [false, true] {
            if detached {
                git_in(
                    &sandbox.path("../clone"),
                    &["switch", "--quiet", "--detach"],
                );
            }
            let run = in_clone(&sandbox, &[]);
            assert_eq!(
                run.code,
                Some(2),
                "{arguments:?} {at_origin} {detached} {run}"
            );
            assert!(run.stderr.contains("git fetch"), "{run}");
            assert!(run.stderr.contains("--base HEAD"), "{run}");
        }
        assert_eq!(in_clone(&sandbox, &["--base", "HEAD"]).code, Some(0));
    }
}

#[test]
fn what_the_message_says_to_fetch_helps() {
    let sandbox = branched();
    clone(&sandbox, &["--depth=1", "--branch=feature"]);
    let run = in_clone(&sandbox, &[]);
    let start = run.stderr.find("`git fetch").unwrap() + "`git ".len();
    let end = start + run.stderr[start..].find('`').unwrap();
    let words: Vec<&str> = run.stderr[start..end].split(' ').collect();
    git_in(&sandbox.path("../clone"), &words);
    let run = in_clone(&sandbox, &[]);
    insta::assert_snapshot!(run.steady(), @"
    exit code 1
    --- stdout
    origin/main ([COMMIT]) → the working tree

    ~ notes.txt
          one
        - two
        + three
      by template `templates/notes.txt`

    1 changed
    --- stderr
    a stand-in takes the place of age.key on both sides; `--with-keys` uses what is at hand
    ");
}

#[test]
fn a_whole_clone_is_compared_with_the_default_whatever_is_at_hand() {
    for (branch, at_origin, code) in [
        ("feature", "feature", 1),
        ("feature", "main", 1),
        ("main", "main", 0),
    ] {
        let sandbox = branched();
        git(&sandbox, &["switch", "--quiet", at_origin]);
        clone(&sandbox, &[&format!("--branch={branch}")]);
        let run = in_clone(&sandbox, &[]);
        assert_eq!(run.code, Some(code), "{branch} {at_origin} {run}");
        assert!(run.stdout.starts_with("origin/main"), "{run}");
    }
}

/// A project whose templates are reached by symlinks, at the root of its repository or below.
fn linked(folder: &str, links: &[(&str, &str)]) -> Sandbox {
    let inner = project();
    let sandbox = Sandbox::new();
    for path in inner.files() {
        if path.starts_with("out/") {
            continue;
        }
        let text = std::fs::read(inner.path(&path)).unwrap();
        let moved = path.replace("templates/", "shared/");
        sandbox.write(&format!("{folder}{moved}"), text);
    }
    for (link, target) in links {
        let path = sandbox.path(&format!("{folder}{link}"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }
    git(&sandbox, &["init", "--quiet", "--initial-branch=main"]);
    commit(&sandbox, "first");
    sandbox
}

#[test]
fn symlinked_templates_are_followed_inside_the_project_on_both_sides() {
    for folder in ["", "deep/cluster/"] {
        for links in [
            &[("templates", "shared")][..],
            &[("templates", "other/way"), ("other/way", "../shared")],
            // Folder by folder; one of them leads to a folder that leads on.
            &[
                ("templates/.sops.yaml.tera", "../shared/.sops.yaml.tera"),
                ("templates/notes.txt", "../shared/notes.txt"),
                ("templates/flux", "../shared/flux"),
                ("templates/apps", "../parts/apps"),
                ("parts/apps/shop", "../../shared/apps/shop"),
            ],
        ] {
            let sandbox = linked(folder, links);
            let kiln = |arguments: &[&str]| {
                let mut command = sandbox.command();
                command
                    .arg("-C")
                    .arg(sandbox.path(folder))
                    .arg("diff")
                    .args(arguments);
                sandbox.finish(&command.output().unwrap())
            };
            let run = kiln(&["--base", "HEAD"]);
            assert_eq!(run.code, Some(0), "{run}");
            let root = sandbox.path(folder);
            let revision = Repository::of(&root).unwrap().revision("HEAD").unwrap();
            let mut linked = Disk::open(&root).unwrap().linked("templates");
            linked.sort();
            assert_eq!(linked.len(), if links.len() > 2 { 5 } else { 0 });
            assert_eq!(revision.linked("templates"), linked);
            sandbox.write(&format!("{folder}shared/notes.txt"), "one\nthree\n");
            let run = kiln(&["--base", "HEAD"]);
            assert_eq!(run.code, Some(1), "{run}");
            assert!(run.stdout.ends_with("\n1 changed\n"), "{run}");
            commit(&sandbox, "second");
            let run = kiln(&["--base", "HEAD~1", "--head", "HEAD"]);
            assert!(run.stdout.ends_with("\n1 changed\n"), "{run}");
        }
    }
}

/// A symlink that a commit has to a key that git ignores is the key, whichever side it is read on.
#[test]
fn a_committed_symlink_leads_to_no_key() {
    for target in ["age.key", "../age.key", "way"] {
        let sandbox = project();
        symlink(target, sandbox.path("templates/key.txt")).unwrap();
        symlink("../age.key", sandbox.path("templates/way")).unwrap();
        symlink("age.key", sandbox.path("key.txt")).unwrap();
        sandbox.write("templates/notes.txt.tera", "#{ file(path=\"key.txt\") }#\n");
        std::fs::remove_file(sandbox.path("templates/notes.txt")).unwrap();
        commit(&sandbox, "a way to the key");
        for arguments in [
            &["--base", "HEAD"][..],
            &["--base", "HEAD", "--head", "HEAD"],
            &["--base", "HEAD", "--with-keys"],
        ] {
            let run = diff(&sandbox, arguments);
            assert_eq!(run.code, Some(2), "{run}");
            assert!(!run.to_string().contains("AGE-SECRET-KEY"), "{run}");
        }
    }
}

/// What the work tree refuses a revision refuses, and by the same name.
#[test]
fn symlinks_that_lead_out_or_nowhere_are_refused_by_name_on_both_sides() {
    for (target, folder) in [
        ("../../outside", "deep/cluster/"),
        ("/etc", ""),
        ("nowhere", ""),
        ("templates", ""),
        ("kiln.toml", ""),
    ] {
        let sandbox = linked(folder, &[("templates", target)]);
        sandbox.write("outside/notes.txt", "one\n");
        commit(&sandbox, "second");
        for arguments in [
            &["diff", "--base", "HEAD", "--head", "HEAD"][..],
            &["check"],
        ] {
            let mut command = sandbox.command();
            command.arg("-C").arg(sandbox.path(folder)).args(arguments);
            let run = sandbox.finish(&command.output().unwrap());
            assert!(
                matches!(run.code, Some(1 | 2)),
                "{target} {arguments:?} {run}"
            );
            assert!(
                run.stderr.contains("templates"),
                "{target} {arguments:?} {run}"
            );
        }
    }
}

#[test]
fn a_submodule_among_the_inputs_is_an_error_and_no_difference() {
    let module = Sandbox::with(&[("notes.txt", "one\n")]);
    git(&module, &["init", "--quiet", "--initial-branch=main"]);
    commit(&module, "first");
    let url = format!("file://{}", module.path("").display());
    let sandbox = project();
    let path = "templates/vendor";
    git(&sandbox, &["submodule", "--quiet", "add", &url, path]);
    commit(&sandbox, "a submodule");
    module.write("notes.txt", "two\n");
    commit(&module, "second");
    git_in(&sandbox.path(path), &["fetch", "--quiet"]);
    git_in(
        &sandbox.path(path),
        &["switch", "--quiet", "--detach", "origin/main"],
    );
    commit(&sandbox, "a later submodule");
    for arguments in [
        &["--base", "HEAD~1"][..],
        &["--base", "HEAD~1", "--head", "HEAD"],
        &["--base", "first", "--head", "HEAD"],
    ] {
        let run = diff(&sandbox, arguments);
        assert_eq!(run.code, Some(2), "{run}");
        assert!(
            run.stderr.contains("`templates/vendor` is a submodule"),
            "{run}"
        );
    }
    // New, and at hand: its files are new.
    let run = diff(&sandbox, &["--base", "first"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(
        run.stdout.lines().any(|line| line == "+ vendor/notes.txt"),
        "{run}"
    );
    // New, and not fetched: nobody can tell.
    git(
        &sandbox,
        &["submodule", "--quiet", "deinit", "--force", path],
    );
    let run = diff(&sandbox, &["--base", "first"]);
    insta::assert_snapshot!(run, @"
    exit code 2
    --- stderr
    error: the submodule `templates/vendor` is not there, which the project reads
    help: fetch it with `git submodule update --init`
    ");
    // Elsewhere it is none of Kiln's business.
    git(&sandbox, &["mv", path, "vendor"]);
    commit(&sandbox, "moved");
    assert_eq!(diff(&sandbox, &["--base", "HEAD"]).code, Some(0));
}

#[test]
fn a_base_before_the_project_has_nothing_and_everything_is_new() {
    let sandbox = project();
    git(&sandbox, &["switch", "--quiet", "--orphan", "empty"]);
    git(
        &sandbox,
        &["commit", "--quiet", "--allow-empty", "--message", "empty"],
    );
    git(&sandbox, &["switch", "--quiet", "main"]);
    let run = diff(&sandbox, &["--base", "empty"]);
    assert_eq!(run.code, Some(1), "{run}");
    assert!(run.stderr.contains("empty ([COMMIT"), "{run}");
    assert!(run.stderr.contains("has no `kiln.toml`"), "{run}");
    let last = run.stdout.lines().last().unwrap();
    assert!(last.ends_with(" added"), "{run}");
    let head = diff(&sandbox, &["--base", "first", "--head", "empty"]);
    assert_eq!(head.code, Some(2), "{head}");
    // What is there and cannot be read is no project that is not there yet.
    sandbox.write("kiln.toml", "catalogue = maybe\n");
    commit(&sandbox, "broken");
    sandbox.write("kiln.toml", "catalogue = false\n");
    assert_eq!(diff(&sandbox, &["--base", "HEAD"]).code, Some(2));
}

#[test]
fn a_config_that_git_ignores_is_no_difference_and_said_aloud() {
    let sandbox = project();
    let ignored = sandbox.read(".gitignore");
    let settings = sandbox.read("kiln.toml");
    let nodes = if sandbox.path("nodes.yaml").is_file() {
        "\"nodes.yaml\", "
    } else {
        ""
    };
    sandbox.write(
        "kiln.toml",
        format!("data = [\"cluster.yaml\", {nodes}\"own.yaml\"]\n{settings}"),
    );
    sandbox.write("own.yaml", "apps: {}\n");
    sandbox.write(".gitignore", format!("{ignored}own.yaml\n"));
    commit(&sandbox, "keeps some to itself");
    // A change could name any file that lies about: only those of the usual names are read.
    let run = diff(&sandbox, &["--base", "HEAD"]);
    insta::assert_snapshot!(run, @"
    exit code 2
    --- stderr
    error[unreadable-config]: cannot read `own.yaml`: git ignores it, and a change that nobody has read yet must not show it; `--with-keys` reads it
     |
     = help: this is in HEAD ([COMMIT 1])

    1 error, nothing written
    ");
    let run = diff(&sandbox, &["--base", "HEAD", "--with-keys"]);
    insta::assert_snapshot!(run, @"
    exit code 0
    --- stdout
    HEAD ([COMMIT 1]) → the working tree

    no difference
    --- stderr
    git ignores `own.yaml`: both sides read what is on disk, so that a change there is no difference
    ");
    sandbox.write("kiln.toml", settings);
    // Nothing is left to compare with.
    sandbox.write(".gitignore", format!("{ignored}/cluster.*\n/nodes.*\n"));
    git(
        &sandbox,
        &[
            "rm",
            "--quiet",
            "--cached",
            "--ignore-unmatch",
            "cluster.yaml",
            "nodes.yaml",
        ],
    );
    commit(&sandbox, "keeps its config to itself");
    let config = sandbox.read("cluster.yaml");
    sandbox.write("cluster.yaml", format!("# edited\n{config}"));
    for arguments in [
        &["--base", "HEAD"][..],
        &["--base", "HEAD", "--head", "HEAD"],
    ] {
        let run = diff(&sandbox, arguments);
        assert_eq!(run.code, Some(2), "{run}");
        assert!(run.stderr.contains("git ignores `cluster.yaml`"), "{run}");
        assert!(run.stderr.contains("--disk"), "{run}");
    }
    // Another config has something to be compared with.
    sandbox.write("../next.yaml", config);
    let mut arguments = vec!["--base", "HEAD", "--config", "../next.yaml"];
    if sandbox.path("nodes.yaml").is_file() {
        arguments.extend(["--config", "nodes.yaml"]);
    }
    assert_eq!(diff(&sandbox, &arguments).code, Some(0));
}

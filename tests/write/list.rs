use kiln::diagnostic::Diagnostic;
use kiln::tree::output_path::ReservedPaths;
use kiln::write::{Digest, KILN, LOCK_FILE, PlanOptions, Target};

use super::sandbox::{Sandbox, codes, tree};

fn refused(text: &str) -> Diagnostic {
    let sandbox = Sandbox::new();
    sandbox.put("victim", "x");
    sandbox.put(LOCK_FILE, text);
    let before = sandbox.picture();
    let problems = sandbox.refuse(&tree([("a", "1")]), PlanOptions::default());
    assert_eq!(codes(&problems), ["bad-lock"]);
    assert_eq!(sandbox.picture(), before);
    problems.into_iter().next().unwrap()
}

fn pointed_at(problem: &Diagnostic) -> &str {
    let place = &problem.primary.as_ref().unwrap().place;
    &place.source.text[place.span.start..place.span.end]
}

#[test]
fn has_one_sorted_line_an_output_with_the_digest_of_its_bytes() {
    let sandbox = Sandbox::new();
    sandbox.write(&tree([
        ("z", "1"),
        ("a b/\"q\".yaml", "2"),
        ("s.sops.yaml", "ciphertext"),
    ]));
    let text = sandbox.text(LOCK_FILE);
    let expected = format!(
        "version = 1\nkiln = \"{KILN}\"\n\n[sha256]\n\"a b/\\\"q\\\".yaml\" = \"{}\"\n\"s.sops.yaml\" = \"{}\"\n\"z\" = \"{}\"\n",
        Digest::of(b"2"),
        Digest::of(b"ciphertext"),
        Digest::of(b"1"),
    );
    let (comment, rest) = text.split_once('\n').unwrap();
    assert!(comment.starts_with("# "));
    assert_eq!(rest, expected);
    let report = sandbox.write(&tree([("z", "1")]));
    assert_eq!(report.removed, ["a b/\"q\".yaml", "s.sops.yaml"]);
}

#[test]
fn names_the_kiln_that_last_changed_an_output() {
    let sandbox = Sandbox::new();
    sandbox.write(&tree([("a", "1")]));
    let by = |version: &str| format!("kiln = \"{version}\"\n");
    // Another version that renders the same writes nothing, nor does one that finds no version.
    for other in [by("0.0.1"), String::new()] {
        let text = sandbox.text(LOCK_FILE).replace(&by(KILN), &other);
        sandbox.put(LOCK_FILE, &text);
        assert!(sandbox.write(&tree([("a", "1")])).is_clean());
        assert_eq!(sandbox.text(LOCK_FILE), text);
        sandbox.write(&tree([("a", "1"), ("b", "2")]));
        assert!(sandbox.text(LOCK_FILE).contains(&by(KILN)));
        sandbox.write(&tree([("a", "1")]));
    }
    // What is no version is not written back.
    let odd = sandbox.text(LOCK_FILE).replace(KILN, "0.1 \\u001b[31m");
    sandbox.put(LOCK_FILE, &odd);
    sandbox.write(&tree([("a", "1")]));
    assert!(sandbox.text(LOCK_FILE).contains(&by(KILN)));
}

#[test]
fn is_not_made_for_an_empty_tree() {
    let sandbox = Sandbox::new();
    assert!(sandbox.write(&tree::<&str, &str>([])).is_clean());
    assert!(sandbox.picture().is_empty());
}

#[test]
fn a_git_conflict_in_it_is_named_as_such() {
    let problem =
        refused("version = 1\n\n[sha256]\n<<<<<<< HEAD\n\"a\" = \"0\"\n=======\n>>>>>>> other\n");
    assert_eq!(problem.message, "`kiln.lock` has a git conflict in it");
    assert_eq!(pointed_at(&problem), "<<<<<<<");
}

#[test]
fn damage_is_shown_where_it_is() {
    assert!(
        refused("version = 1\n[sha256\n")
            .message
            .contains("not valid TOML")
    );
    assert_eq!(pointed_at(&refused("version = 2\n[sha256]\n")), "2");
    insta::assert_snapshot!(refused("").message, @"`kiln.lock` is not of version 1, the one that this Kiln reads");
    assert!(
        refused("version = 1\n")
            .message
            .contains("no table `sha256`")
    );
    assert_eq!(
        pointed_at(&refused("version = 1\n[sha256]\na = \"12\"\n")),
        "12"
    );
    assert_eq!(
        pointed_at(&refused("version = 1\n[sha256]\nvictim = 7\n")),
        "7"
    );
}

#[test]
fn cannot_make_kiln_remove_what_no_output_can_be() {
    let digest = Digest::of(b"x");
    for path in [
        "../victim",
        "/etc/passwd",
        ".git/config",
        ".kiln/x",
        "a//b",
        "./victim",
    ] {
        let problem = refused(&format!(
            "version = 1\n[sha256]\n\"{path}\" = \"{digest}\"\n"
        ));
        assert_eq!(pointed_at(&problem), path);
    }
}

/// Such a list takes no parser of TOML.
#[test]
fn a_list_as_kiln_writes_it_is_looked_at_as_closely() {
    let sandbox = Sandbox::new();
    sandbox.write(&tree([("victim", "x")]));
    let written = sandbox.text(LOCK_FILE);
    let line = format!("\"victim\" = \"{}\"\n", Digest::of(b"x"));
    assert!(written.ends_with(&line));
    let twice = refused(&format!("{written}{line}"));
    insta::assert_snapshot!(twice.message, @"`kiln.lock` is not valid TOML: a key is set twice");
    for path in ["../victim", ".git/config", "a//b"] {
        let problem = refused(&written.replace("victim", path));
        assert_eq!(pointed_at(&problem), path);
    }
    let short = written.replace(&Digest::of(b"x").to_string(), "12");
    assert_eq!(pointed_at(&refused(&short)), "12");
    // Line ends of another system, and a comment, change nothing of what it says.
    for same in [written.replace('\n', "\r\n"), format!("{written}# mine\n")] {
        sandbox.put(LOCK_FILE, &same);
        let report = sandbox.write(&tree([("a", "1")]));
        assert_eq!(report.removed, ["victim"]);
        sandbox.write(&tree([("victim", "x")]));
    }
}

#[test]
fn does_not_remove_through_a_symlink() {
    let outside = Sandbox::new();
    outside.put("victim", "x");
    let sandbox = Sandbox::new();
    std::os::unix::fs::symlink(outside.path(), sandbox.path().join("link")).unwrap();
    let digest = Digest::of(b"x");
    sandbox.put(
        LOCK_FILE,
        &format!("version = 1\n[sha256]\n\"link/victim\" = \"{digest}\"\n"),
    );
    let report = sandbox.write(&tree([("a", "1")]));
    assert!(report.removed.is_empty());
    assert_eq!(outside.text("victim"), "x");
}

/// What is listed may be removed, so that a list from a pull request must not name what is no output.
#[test]
fn names_no_input_no_key_and_not_itself() {
    let reserved = ReservedPaths::new(
        ".",
        ["kiln.toml", "cluster.yaml", "age.key"],
        ["templates", "schemas/apps"],
    );
    for path in [
        "kiln.toml",
        "cluster.yaml",
        "CLUSTER.yaml",
        "age.key",
        "templates/a",
        "schemas/apps/x.schema.json",
        ".git/config",
        ".GIT/config",
        "sub/.git/config",
        ".kiln/lock",
        LOCK_FILE,
        "../victim",
        "/etc/passwd",
    ] {
        let sandbox = Sandbox::new();
        if !path.starts_with(['.', '/']) && path != LOCK_FILE {
            sandbox.put(path, "x");
        }
        let line = format!("\"{path}\" = \"{}\"\n", Digest::of(b"x"));
        // As Kiln writes it, and as another hand may.
        for blank in ["", " "] {
            let head = "# The files that Kiln owns and what it last wrote to them. Kiln keeps this list; commit it, do not edit it.\nversion = 1\n\n[sha256]";
            sandbox.put(LOCK_FILE, &format!("{head}{blank}\n{line}"));
            let before = sandbox.picture();
            let disk = sandbox.disk();
            let target = Target::new(&disk, ".").reserving(&reserved);
            for force in [false, true] {
                let options = PlanOptions {
                    force,
                    dry_run: false,
                };
                let outputs = tree([("a", "1")]);
                let problems = kiln::write::plan(&outputs, &target, options);
                let problems = problems.unwrap().unwrap_err();
                assert_eq!(codes(&problems), ["bad-lock"], "{path}");
                assert!(problems[0].message.contains("no output"), "{path}");
                assert_eq!(pointed_at(&problems[0]).trim_matches('"'), path);
            }
            assert!(kiln::write::list(&target).is_err(), "{path}");
            assert_eq!(sandbox.picture(), before);
        }
    }
}

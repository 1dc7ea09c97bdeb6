//! What becomes of files that are more than their text: programs, binaries, and names that some disks mix up.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::Duration;

use kiln::fs::Holder;

use super::small;
use crate::diff::project::git;
use crate::support::Sandbox;

fn mode(sandbox: &Sandbox, path: &str) -> u32 {
    let found = fs::metadata(sandbox.path(path)).unwrap();
    found.permissions().mode() & 0o777
}

fn set_mode(sandbox: &Sandbox, path: &str, mode: u32) {
    fs::set_permissions(sandbox.path(path), fs::Permissions::from_mode(mode)).unwrap();
}

/// A project with two scripts, one of them rendered.
fn with_scripts() -> Sandbox {
    let sandbox = small();
    sandbox.write(
        "templates/run.sh.tera",
        "#!/bin/sh\necho #{ domain.name }#\n",
    );
    sandbox.write("templates/copy.sh", "#!/bin/sh\n");
    set_mode(&sandbox, "templates/run.sh.tera", 0o755);
    set_mode(&sandbox, "templates/copy.sh", 0o700);
    sandbox
}

#[test]
fn programs_stay_programs_and_a_change_of_that_is_one() {
    let sandbox = with_scripts();
    sandbox.kiln(&["render"]).success();
    for path in ["out/run.sh", "out/copy.sh"] {
        assert_eq!(mode(&sandbox, path), 0o755, "{path}");
    }
    assert_eq!(mode(&sandbox, "out/notes.txt"), 0o644);
    sandbox.kiln(&["render", "--check"]).success();

    set_mode(&sandbox, "templates/copy.sh", 0o644);
    let run = sandbox.kiln(&["render", "--check"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (Some(1), "changed out/copy.sh\n")
    );
    let run = sandbox.kiln(&["diff", "--disk"]);
    insta::assert_snapshot!(run, @"");
    sandbox.kiln(&["render"]).success();
    assert_eq!(mode(&sandbox, "out/copy.sh"), 0o644);
    sandbox.kiln(&["render", "--check"]).success();
}

#[test]
fn a_commit_tells_programs_from_other_files() {
    let sandbox = with_scripts();
    git(&sandbox, &["init", "--quiet", "--initial-branch=main"]);
    git(&sandbox, &["add", "--all"]);
    git(&sandbox, &["commit", "--quiet", "--message", "first"]);
    let run = sandbox.kiln(&["diff", "--base", "HEAD"]);
    assert_eq!(run.code, Some(0), "{run}");
    set_mode(&sandbox, "templates/notes.txt", 0o755);
    set_mode(&sandbox, "templates/run.sh.tera", 0o644);
    let run = sandbox.kiln(&["diff", "--base", "HEAD"]);
    insta::assert_snapshot!(run, @"");
}

const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\xff\xfe\x80";

#[test]
fn what_is_no_text_is_copied_as_it_is() {
    let sandbox = small();
    sandbox.write("templates/docs/logo.png", PICTURE);
    sandbox.kiln(&["render"]).success();
    assert_eq!(
        fs::read(sandbox.path("out/docs/logo.png")).unwrap(),
        PICTURE
    );
    sandbox.kiln(&["render", "--check"]).success();
    let run = sandbox.kiln(&["diff", "--disk"]);
    assert_eq!(run.code, Some(0), "{run}");
    sandbox.write("templates/docs/logo.png", [PICTURE, PICTURE].concat());
    let run = sandbox.kiln(&["diff", "--disk"]);
    insta::assert_snapshot!(run, @"");
}

#[test]
fn what_has_to_be_a_text_is_not_copied_as_it_is() {
    let sandbox = small();
    for path in ["a.yaml", "a.json", "b.txt.tera"] {
        sandbox.write(&format!("templates/{path}"), PICTURE);
    }
    insta::assert_snapshot!(sandbox.kiln(&["render"]), @"");
}

/// A project whose outputs lie beside its inputs.
fn at_the_root() -> Sandbox {
    let sandbox = small();
    sandbox.write("kiln.toml", "catalogue = false\n");
    sandbox.write("templates/notes.txt", "notes\n");
    sandbox
}

#[test]
fn no_output_takes_the_place_of_an_input_or_of_git() {
    let mut told = String::new();
    for path in [
        "kiln.toml",
        "cluster.yaml",
        "Cluster.yaml",
        "nodes.toml",
        "age.key",
        "kiln.lock",
        "templates/more.yaml",
        "Templates/more.yaml",
        "schemas/apps/x.schema.json",
        "charts/x.yaml",
        ".GIT/config",
        "git~1/config",
        "sub/.git./config",
        ".g\u{200c}it/config",
        "nul.yaml",
        "sub/Aux.d/x.yaml",
        "templa~1/x.yaml",
        "blank /x.yaml",
    ] {
        let sandbox = at_the_root();
        sandbox.write(&format!("templates/{path}.tera"), "x\n");
        let before = sandbox.files();
        for command in ["check", "render"] {
            let run = sandbox.kiln(&[command]);
            assert_eq!(run.code, Some(1), "{path} {run}");
            writeln!(told, "{path}: {}", run.headlines().join("\n")).unwrap();
        }
        assert_eq!(sandbox.files(), before, "{path}");
    }
    insta::assert_snapshot!(told, @"");
}

/// Expects a run to say why it refuses outputs, and to leave everything as it is.
#[track_caller]
fn refuses(sandbox: &Sandbox, headline: &str) {
    let before = contents(sandbox);
    for arguments in [&["render"][..], &["render", "--force"]] {
        let run = sandbox.kiln(arguments);
        assert_eq!(
            (run.code, run.headlines()),
            (Some(1), vec![headline]),
            "{run}"
        );
    }
    assert_eq!(contents(sandbox), before);
}

fn contents(sandbox: &Sandbox) -> Vec<(String, Option<Vec<u8>>)> {
    let files = sandbox.files().into_iter();
    // A symlink to a folder has no bytes.
    files
        .map(|path| (path.clone(), fs::read(sandbox.path(&path)).ok()))
        .collect()
}

#[test]
fn no_output_goes_through_a_symlink_into_a_folder_of_inputs() {
    for folder in ["templates/sub", "schemas/apps", "charts"] {
        let sandbox = small();
        sandbox.write("templates/sub/a.txt", "a\n");
        sandbox.write(&format!("{folder}/b.txt"), "b\n");
        fs::create_dir_all(sandbox.path("out")).unwrap();
        symlink(format!("../{folder}"), sandbox.path("out/sub")).unwrap();
        refuses(&sandbox, "blocked-output");
    }
    // The output folder itself.
    let sandbox = small();
    symlink("templates", sandbox.path("out")).unwrap();
    let before = contents(&sandbox);
    let run = sandbox.kiln(&["render"]);
    insta::assert_snapshot!(run, @"");
    assert_eq!(contents(&sandbox), before);
}

#[test]
fn no_output_goes_where_a_symlink_among_the_inputs_leads() {
    for (target, link, template) in [
        ("out/shared", "templates/shared", "shared/new.txt"),
        ("out/shared", "templates/other", "shared/deep/new.txt"),
        ("out/shared", "charts/mine", "shared/new.txt"),
        ("out/one.txt", "templates/two.txt", "one.txt.tera"),
        ("out/ONE.txt", "templates/two.txt", "one.txt.tera"),
    ] {
        let sandbox = small();
        if target.ends_with(".txt") {
            sandbox.write(target, "an input\n");
        } else {
            sandbox.write(&format!("{target}/old.txt"), "an input\n");
        }
        let at = sandbox.path(link);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        symlink(format!("../{target}"), &at).unwrap();
        // Also by way of the symlink: the template then lies in the output folder.
        sandbox.write(&format!("templates/{template}"), "new\n");
        refuses(&sandbox, "output-path");
    }
}

#[test]
fn a_symlink_among_the_inputs_to_what_is_no_output_is_in_nobodys_way() {
    let sandbox = at_the_root();
    sandbox.write("shared/more.txt", "more\n");
    sandbox.write("README.txt", "read me\n");
    symlink("../shared", sandbox.path("templates/docs")).unwrap();
    symlink("../README.txt", sandbox.path("templates/copy.txt")).unwrap();
    sandbox.kiln(&["render"]).success();
    assert_eq!(sandbox.read("docs/more.txt"), "more\n");
    assert_eq!(sandbox.read("copy.txt"), "read me\n");
    sandbox.kiln(&["render", "--check"]).success();
}

#[test]
fn outputs_that_are_one_file_on_some_disks_are_refused() {
    let mut told = String::new();
    for (one, other) in [
        ("case.yaml", "Case.yaml"),
        ("\u{e9}.txt", "e\u{301}.txt"),
        ("a/\u{c9}.txt", "A/e\u{301}.txt"),
        ("stra\u{df}e.txt", "STRASSE.txt"),
    ] {
        let sandbox = at_the_root();
        sandbox.write(&format!("templates/{one}"), "x: 1\n");
        sandbox.write(&format!("templates/{other}"), "x: 1\n");
        writeln!(told, "{}", sandbox.kiln(&["render"])).unwrap();
    }
    insta::assert_snapshot!(told, @"");
}

/// A list of outputs and a journal that somebody made by hand remove nothing.
#[test]
fn a_pull_request_has_nothing_removed() {
    let sandbox = at_the_root();
    sandbox.kiln(&["render"]).success();
    let list = sandbox.read("kiln.lock");
    let mut told = String::new();
    for path in [
        "cluster.yaml",
        "age.key",
        "templates/notes.txt",
        "kiln.lock",
    ] {
        let digest = kiln::write::Digest::of(&fs::read(sandbox.path(path)).unwrap());
        sandbox.write("kiln.lock", format!("{list}\"{path}\" = \"{digest}\"\n"));
        let before = sandbox.files();
        let run = sandbox.kiln(&["render", "--force"]);
        assert_eq!(run.code, Some(1), "{path} {run}");
        writeln!(told, "{}", run.headlines().join("\n")).unwrap();
        assert_eq!(sandbox.files(), before);
    }
    insta::assert_snapshot!(told, @"");
    sandbox.write("kiln.lock", &list);
    let digest = kiln::write::Digest::of(b"notes\n");
    sandbox.write(
        ".kiln/undo.json",
        format!("{{\"version\":2,\"home\":\"1:1\",\"changes\":[{{\"path\":\"notes.txt\",\"before\":null,\"after\":\"{digest}\"}}]}}"),
    );
    let run = sandbox.kiln(&["render"]);
    insta::assert_snapshot!(run, @"");
    assert_eq!(sandbox.read("notes.txt"), "notes\n");
}

#[test]
fn waits_for_another_kiln() {
    let sandbox = small();
    sandbox.kiln(&["render"]).success();
    sandbox.write("templates/notes.txt", "new\n");
    let disk = kiln::fs::Disk::open(&sandbox.path("")).unwrap();
    let claim = disk
        .folder("out")
        .unwrap()
        .claim(".kiln", &Holder::default());
    let claim = claim.unwrap();
    let mut child = sandbox.command().arg("render").spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    assert!(child.try_wait().unwrap().is_none(), "it does not wait");
    // What is edited meanwhile counts.
    sandbox.write("templates/notes.txt", "newer\n");
    drop(claim);
    assert!(child.wait().unwrap().success());
    assert_eq!(sandbox.read("out/notes.txt"), "newer\n");
}

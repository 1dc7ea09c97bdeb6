//! What becomes of files that are more than their text: programs, binaries, and names that some disks mix up.

use std::collections::BTreeSet;
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
    insta::assert_snapshot!(run, @r#"
    exit code 1
    --- stdout
    the rendered files on disk → the working tree

    ~ copy.sh
      mode: "100755" → "100644"

    1 changed
    "#);
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
    insta::assert_snapshot!(run.steady(), @r#"
    exit code 1
    --- stdout
    HEAD ([COMMIT]) → the working tree

    ~ notes.txt
      mode: "100644" → "100755"

    ~ run.sh
      mode: "100755" → "100644"

    2 changed
    "#);
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
    insta::assert_snapshot!(run, @"
    exit code 1
    --- stdout
    the rendered files on disk → the working tree

    ~ docs/logo.png
      
        - binary file of 12 bytes, SHA-256 fb9cd71afb426d642af07a68878177d416c7e7f32a9028ede82c6a0996e99406
        + binary file of 24 bytes, SHA-256 2df1c4c3d982e6705dfb725958c6853b6f27391cf448fb0afc4ce94669f187f2

    1 changed
    ");
}

#[test]
fn what_has_to_be_a_text_is_not_copied_as_it_is() {
    let sandbox = small();
    for path in ["a.yaml", "a.json", "b.txt.tera"] {
        sandbox.write(&format!("templates/{path}"), PICTURE);
    }
    insta::assert_snapshot!(sandbox.kiln(&["render"]), @"
    exit code 1
    --- stderr
    error[not-utf8]: `templates/a.json` is not a UTF-8 text
     |
     = help: save it as UTF-8: templates, YAML, JSON and TOML are texts; any other file is copied as it is

    error[not-utf8]: `templates/a.yaml` is not a UTF-8 text
     |
     = help: save it as UTF-8: templates, YAML, JSON and TOML are texts; any other file is copied as it is

    error[not-utf8]: `templates/b.txt.tera` is not a UTF-8 text
     |
     = help: save it as UTF-8: templates, YAML, JSON and TOML are texts; any other file is copied as it is

    3 errors, nothing written
    ");
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
    insta::assert_snapshot!(told, @r"
    kiln.toml: error[output-path]: `kiln.toml` cannot be the path of an output: Kiln reads this file: it is an input, or a key
    kiln.toml: error[output-path]: `kiln.toml` cannot be the path of an output: Kiln reads this file: it is an input, or a key
    cluster.yaml: error[output-path]: `cluster.yaml` cannot be the path of an output: Kiln reads this file: it is an input, or a key
    cluster.yaml: error[output-path]: `cluster.yaml` cannot be the path of an output: Kiln reads this file: it is an input, or a key
    Cluster.yaml: error[output-path]: `Cluster.yaml` cannot be the path of an output: Kiln reads this file: it is an input, or a key
    Cluster.yaml: error[output-path]: `Cluster.yaml` cannot be the path of an output: Kiln reads this file: it is an input, or a key
    nodes.toml: error[output-path]: `nodes.toml` cannot be the path of an output: Kiln reads this file: it is an input, or a key
    nodes.toml: error[output-path]: `nodes.toml` cannot be the path of an output: Kiln reads this file: it is an input, or a key
    age.key: error[output-path]: `age.key` cannot be the path of an output: Kiln reads this file: it is an input, or a key
    age.key: error[output-path]: `age.key` cannot be the path of an output: Kiln reads this file: it is an input, or a key
    kiln.lock: error[output-path]: `kiln.lock` cannot be the path of an output: `kiln.lock` is Kiln's own list of outputs
    kiln.lock: error[output-path]: `kiln.lock` cannot be the path of an output: `kiln.lock` is Kiln's own list of outputs
    templates/more.yaml: error[output-path]: `templates/more.yaml` cannot be the path of an output: Kiln reads what is in `templates`, so that it would be an input of the next run
    templates/more.yaml: error[output-path]: `templates/more.yaml` cannot be the path of an output: Kiln reads what is in `templates`, so that it would be an input of the next run
    Templates/more.yaml: error[output-path]: `Templates/more.yaml` cannot be the path of an output: Kiln reads what is in `templates`, so that it would be an input of the next run
    Templates/more.yaml: error[output-path]: `Templates/more.yaml` cannot be the path of an output: Kiln reads what is in `templates`, so that it would be an input of the next run
    schemas/apps/x.schema.json: error[output-path]: `schemas/apps/x.schema.json` cannot be the path of an output: Kiln reads what is in `schemas/apps`, so that it would be an input of the next run
    schemas/apps/x.schema.json: error[output-path]: `schemas/apps/x.schema.json` cannot be the path of an output: Kiln reads what is in `schemas/apps`, so that it would be an input of the next run
    charts/x.yaml: error[output-path]: `charts/x.yaml` cannot be the path of an output: Kiln reads what is in `charts`, so that it would be an input of the next run
    charts/x.yaml: error[output-path]: `charts/x.yaml` cannot be the path of an output: Kiln reads what is in `charts`, so that it would be an input of the next run
    .GIT/config: error[unreadable-file]: cannot read `templates/.GIT/config.tera`: nothing in `.git` and `.kiln` is an input
    .GIT/config: error[unreadable-file]: cannot read `templates/.GIT/config.tera`: nothing in `.git` and `.kiln` is an input
    git~1/config: error[output-path]: `git~1/config` cannot be the path of an output: a part of it is like the short names that Windows gives to files with longer ones
    git~1/config: error[output-path]: `git~1/config` cannot be the path of an output: a part of it is like the short names that Windows gives to files with longer ones
    sub/.git./config: error[output-path]: `sub/.git./config` cannot be the path of an output: `.git` and `.kiln`, and what some system takes for them, are not for outputs
    sub/.git./config: error[output-path]: `sub/.git./config` cannot be the path of an output: `.git` and `.kiln`, and what some system takes for them, are not for outputs
    .g‌it/config: error[output-path]: `.g\u{200c}it/config` cannot be the path of an output: it has a character that some system takes for nothing, or for another one
    .g‌it/config: error[output-path]: `.g\u{200c}it/config` cannot be the path of an output: it has a character that some system takes for nothing, or for another one
    nul.yaml: error[output-path]: `nul.yaml` cannot be the path of an output: a part of it is the name of a device on Windows
    nul.yaml: error[output-path]: `nul.yaml` cannot be the path of an output: a part of it is the name of a device on Windows
    sub/Aux.d/x.yaml: error[output-path]: `sub/Aux.d/x.yaml` cannot be the path of an output: a part of it is the name of a device on Windows
    sub/Aux.d/x.yaml: error[output-path]: `sub/Aux.d/x.yaml` cannot be the path of an output: a part of it is the name of a device on Windows
    templa~1/x.yaml: error[output-path]: `templa~1/x.yaml` cannot be the path of an output: a part of it is like the short names that Windows gives to files with longer ones
    templa~1/x.yaml: error[output-path]: `templa~1/x.yaml` cannot be the path of an output: a part of it is like the short names that Windows gives to files with longer ones
    blank /x.yaml: error[output-path]: `blank /x.yaml` cannot be the path of an output: a part of it ends in a dot or a blank, which Windows leaves out
    blank /x.yaml: error[output-path]: `blank /x.yaml` cannot be the path of an output: a part of it ends in a dot or a blank, which Windows leaves out
    ");
}

/// Expects a run to say why it refuses outputs, and to leave everything as it is.
#[track_caller]
fn refuses(sandbox: &Sandbox, code: &str) {
    let before = contents(sandbox);
    for arguments in [&["render"][..], &["render", "--force"]] {
        let run = sandbox.kiln(arguments);
        let codes: BTreeSet<&str> = run.codes().into_iter().collect();
        assert_eq!(
            (run.code, codes),
            (Some(1), BTreeSet::from([code])),
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
        refuses(&sandbox, "error[blocked-output]");
    }
    // The output folder itself.
    let sandbox = small();
    symlink("templates", sandbox.path("out")).unwrap();
    let before = contents(&sandbox);
    let run = sandbox.kiln(&["render"]);
    insta::assert_snapshot!(run, @"
    exit code 2
    --- stderr
    error: `out` is a symlink, and Kiln does not write through symlinks
    ");
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
        refuses(&sandbox, "error[output-path]");
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
    for (one, other) in [
        ("case.yaml", "Case.yaml"),
        ("\u{e9}.txt", "e\u{301}.txt"),
        ("a/\u{c9}.txt", "A/e\u{301}.txt"),
        ("stra\u{df}e.txt", "STRASSE.txt"),
    ] {
        let sandbox = at_the_root();
        sandbox.write(&format!("templates/{one}"), "x: 1\n");
        sandbox.write(&format!("templates/{other}"), "x: 1\n");
        let run = sandbox.kiln(&["render"]);
        assert_eq!(run.code, Some(1), "{run}");
        assert!(run.stderr.contains("one file where a disk"), "{run}");
    }
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
    insta::assert_snapshot!(told, @"
    error[bad-lock]: `kiln.lock` lists `cluster.yaml`, which is no output: Kiln reads this file: it is an input, or a key
    error[bad-lock]: `kiln.lock` lists `age.key`, which is no output: Kiln reads this file: it is an input, or a key
    error[bad-lock]: `kiln.lock` lists `templates/notes.txt`, which is no output: Kiln reads what is in `templates`, so that it would be an input of the next run
    error[bad-lock]: `kiln.lock` lists `kiln.lock`, which is no output: `kiln.lock` is Kiln's own list of outputs
    ");
    sandbox.write("kiln.lock", &list);
    let digest = kiln::write::Digest::of(b"notes\n");
    sandbox.write(
        ".kiln/undo.json",
        format!("{{\"version\":2,\"home\":\"1:1\",\"changes\":[{{\"path\":\"notes.txt\",\"before\":null,\"after\":\"{digest}\"}}]}}"),
    );
    let run = sandbox.kiln(&["render"]);
    insta::assert_snapshot!(run, @"
    exit code 2
    --- stderr
    error: cannot complete the run that was killed, as its journal `.kiln/undo.json` is broken (it was not written in this folder, and came with a copy or a checkout); remove the folder `.kiln` to give it up
    ");
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

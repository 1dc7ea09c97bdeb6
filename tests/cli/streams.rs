use std::io::Read as _;
use std::process::Stdio;

use insta::assert_snapshot;

use crate::support::Sandbox;

#[test]
fn says_that_there_is_no_project_here() {
    let sandbox = Sandbox::new();
    let runs = ["schema", "apps"].map(|command| sandbox.kiln(&[command]));
    assert!(runs.iter().all(|run| *run == runs[0]), "{runs:?}");
    assert_snapshot!(sandbox.kiln(&["render"]), @r#"
    exit code 2
    --- stderr
    error: no project here: neither `kiln.toml` nor `makejinja.toml` in `[WORK]` or above
    help: start one with `kiln init`, or name its folder with `-C DIR`
    "#);
    assert_eq!(sandbox.kiln(&["render"]), runs[0]);
}

#[test]
fn says_that_there_is_no_such_folder() {
    assert_snapshot!(Sandbox::new().kiln(&["-C", "nowhere", "render"]), @r#"
    exit code 2
    --- stderr
    error: there is no folder `[WORK]/nowhere`
    "#);
}

#[test]
fn says_what_a_makejinja_project_lacks() {
    let sandbox = Sandbox::with(&[("makejinja.toml", "")]);
    assert_snapshot!(sandbox.kiln(&["render"]), @r#"
    exit code 1
    --- stderr
    error[makejinja-option]: `output` is not set, so outputs have nowhere to go
     --> makejinja.toml:1:1
      |
    1 |
      | ^
      |
      = help: add `output = "./"` below `[makejinja]` to write into the project's folder

    1 error, nothing written
    "#);
}

#[test]
fn rejects_an_unknown_command_with_code_2() {
    assert_snapshot!(Sandbox::new().kiln(&["rendr"]), @r#"
    exit code 2
    --- stderr
    error: unrecognized subcommand 'rendr'

      tip: a similar subcommand exists: 'render'

    Usage: kiln [OPTIONS] <COMMAND>

    For more information, try '--help'.
    "#);
}

#[test]
fn rejects_a_variable_without_meaning() {
    assert_snapshot!(Sandbox::new().kiln_with(&[("KILN_COLOR", "sometimes")], &["check"]), @r#"
    exit code 2
    --- stderr
    error: the variable `KILN_COLOR` has no meaning as `sometimes`
    help: use one of `auto`, `always`, `never`
    "#);
}

#[test]
fn reports_failures_in_every_form() {
    let sandbox = Sandbox::new();
    assert_snapshot!(sandbox.kiln(&["check", "--message-format", "json"]), @r#"
    exit code 2
    --- stdout
    {"schemaVersion":1,"type":"failure","message":"nothing in `[WORK]` tells where Flux starts: there is no `FluxInstance`, no `gotk-sync.yaml` of `flux bootstrap`, and no Flux Kustomization","causes":[],"hints":["name the folder that Flux is to apply with `--root FOLDER`, or `[flux] roots` in `kiln.toml`","start a Kiln project with `kiln init`"]}
    "#);
    assert_snapshot!(sandbox.kiln_with(&[("KILN_MESSAGE_FORMAT", "github")], &["check"]), @r#"
    exit code 2
    --- stdout
    ::error title=kiln::nothing in `[WORK]` tells where Flux starts: there is no `FluxInstance`, no `gotk-sync.yaml` of `flux bootstrap`, and no Flux Kustomization%0Ahelp: name the folder that Flux is to apply with `--root FOLDER`, or `[flux] roots` in `kiln.toml`%0Ahelp: start a Kiln project with `kiln init`
    "#);
}

#[test]
fn colours_when_told_to_and_never_else() {
    let sandbox = Sandbox::new();
    let colored = |variables: &[(&str, &str)], arguments: &[&str]| {
        let run = sandbox.kiln_with(variables, &[arguments, &["check"]].concat());
        run.stderr.contains('\u{1b}')
    };
    assert!(colored(&[], &["--color", "always"]));
    assert!(colored(&[("NO_COLOR", "1")], &["--color", "always"]));
    assert!(colored(&[("KILN_COLOR", "always")], &[]));
    assert!(!colored(&[("KILN_COLOR", "always")], &["--color", "never"]));
    assert!(!colored(&[], &[]));
}

#[test]
fn colours_complaints_about_arguments_too() {
    let sandbox = Sandbox::new();
    assert!(
        sandbox
            .kiln(&["--color", "always", "frobnicate"])
            .stderr
            .contains('\u{1b}')
    );
    assert!(
        sandbox
            .kiln(&["--color=always", "--help"])
            .stdout
            .contains('\u{1b}')
    );
    assert!(!sandbox.kiln(&["frobnicate"]).stderr.contains('\u{1b}'));
}

/// As in `kiln completions bash | head -c 100`.
#[test]
fn stays_quiet_when_nobody_reads_on() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command();
    command
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut pipe = child.stdout.take().unwrap();
    pipe.read_exact(&mut [0; 10]).unwrap();
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stderr, b"");
}

#[cfg(target_os = "linux")]
#[test]
fn says_that_stdout_is_full() {
    let sandbox = Sandbox::new();
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = sandbox
        .command()
        .args(["completions", "bash"])
        .stdout(full)
        .output()
        .unwrap();
    assert_snapshot!(sandbox.finish(&output), @r#"
    exit code 2
    --- stderr
    error: cannot write to stdout
      because: No space left on device (os error 28)
    "#);
}

//! What the documents and the action promise.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use kiln::cli::report::diff::markdown::MARKER;
use kiln::diff::{DANGERS, NOISE};
use kiln::yaml;

use super::project::{change, project};
use crate::support::Sandbox;

pub(super) fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn the_page_lists_every_danger_and_all_noise() {
    let page = text("docs/diff.md");
    let rows: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| `") && line.contains("` | "))
        .collect();
    let listed: Vec<String> = DANGERS
        .iter()
        .map(|danger| format!("| `{}` | {} |", danger.code, danger.summary))
        .collect();
    let start = rows.iter().position(|row| *row == listed[0]).unwrap();
    assert_eq!(rows[start..start + listed.len()], listed);
    for name in NOISE {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn hooks_name_commands_that_there_are() {
    let documents = yaml::load(&text(".pre-commit-hooks.yaml")).unwrap();
    let hooks = documents[0].root.items().unwrap();
    assert_eq!(hooks.len(), 2);
    for hook in hooks {
        let entry = hook.find_text("entry").unwrap();
        let mut words: Vec<&str> = entry.split(' ').skip(1).collect();
        words.push("--help");
        Sandbox::new().kiln(&words).success();
    }
}

/// Runs a step of the action as a runner does.
pub(super) fn step(sandbox: &Sandbox, index: &str, variables: &[(&str, &str)]) -> Output {
    let documents = yaml::load(&text("action.yml")).unwrap();
    let steps = documents[0]
        .root
        .find("runs.steps")
        .unwrap()
        .items()
        .unwrap();
    let step = steps
        .iter()
        .find(|step| step.find_text("name") == Some(index))
        .unwrap();
    let path = format!(
        "{}:{}",
        sandbox.path("../bin").display(),
        std::env::var("PATH").unwrap()
    );
    Command::new("bash")
        .args([
            "--noprofile",
            "--norc",
            "-e",
            "-o",
            "pipefail",
            "-c",
            step.find_text("run").unwrap(),
        ])
        .current_dir(sandbox.path(""))
        .env("PATH", path)
        .env("RUNNER_TEMP", sandbox.path(".."))
        .env("GITHUB_OUTPUT", sandbox.path("../output"))
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

pub(super) fn program(sandbox: &Sandbox, name: &str, script: &str) {
    sandbox.write(&format!("../bin/{name}"), script);
    fs::set_permissions(
        sandbox.path(&format!("../bin/{name}")),
        fs::Permissions::from_mode(0o755),
    )
    .unwrap();
}

#[test]
fn the_action_compares_and_writes_one_comment() {
    let sandbox = project();
    change(&sandbox);
    // Stand-ins for what a runner has: `jq` for one number, and `gh`, which notes what it is asked.
    program(
        &sandbox,
        "jq",
        "#!/bin/sh\nsed -n 's/.*\"dangers\": \\([0-9]*\\).*/\\1/p' \"$2\"\n",
    );
    program(
        &sandbox,
        "gh",
        "#!/bin/sh\necho \"$@\" >> ../asked\ncase \"$*\" in *--paginate*) cat ../comments;; esac\n",
    );
    sandbox.write("../comments", "");
    let variables = [
        ("DIRECTORY", "."),
        ("BASE", "first"),
        ("KILN", env!("CARGO_BIN_EXE_kiln")),
        ("MAX_SIZE", "65000"),
    ];
    let output = step(&sandbox, "Compare", &variables);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        said.contains("::warning file=out/apps/shop/web.yaml"),
        "{said}"
    );
    let outputs = sandbox.read("../output");
    assert!(
        outputs.starts_with("differs=true\ndangers=6\n"),
        "{outputs}"
    );
    let report = sandbox.path("../kiln-diff.md");
    assert!(sandbox.read("../kiln-diff.md").starts_with(MARKER));
    let comment = [
        ("REPOSITORY", "o/r"),
        ("NUMBER", "7"),
        ("DIFFERS", "true"),
        ("REPORT", report.to_str().unwrap()),
    ];
    assert!(step(&sandbox, "Comment", &comment).status.success());
    assert!(
        sandbox
            .read("../asked")
            .contains("--method POST repos/o/r/issues/7/comments --field body=@")
    );
    sandbox.write("../comments", "42\n43\n");
    assert!(step(&sandbox, "Comment", &comment).status.success());
    assert!(
        sandbox
            .read("../asked")
            .contains("--method PATCH repos/o/r/issues/comments/42 --field body=@")
    );
    for (policy, fine) in [
        ("error", true),
        ("danger", false),
        ("difference", false),
        ("nonsense", false),
    ] {
        let judged = step(
            &sandbox,
            "Judge",
            &[("FAIL_ON", policy), ("DIFFERS", "true"), ("DANGERS", "6")],
        );
        assert_eq!(judged.status.success(), fine, "{policy}");
    }
}

#[test]
fn a_revision_that_is_not_there_fails_the_action() {
    let sandbox = project();
    let missing = step(
        &sandbox,
        "Compare",
        &[
            ("DIRECTORY", "."),
            ("BASE", "nope"),
            ("KILN", env!("CARGO_BIN_EXE_kiln")),
            ("MAX_SIZE", "65000"),
        ],
    );
    assert_eq!(missing.status.code(), Some(2));
    assert!(!sandbox.path("../output").exists());
}

#[test]
fn examples_in_the_pages_are_yaml() {
    let mut examples = 0;
    for block in text("docs/ci.md").split("```yaml\n").skip(1) {
        let (example, _) = block.split_once("\n```").unwrap();
        let documents =
            yaml::load(example).unwrap_or_else(|error| panic!("{error:?} in {example}"));
        assert!(documents[0].root.entries().is_some());
        examples += 1;
    }
    assert_eq!(examples, 4);
}

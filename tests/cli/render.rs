use std::fs;

use insta::assert_snapshot;

use super::small;
use crate::support::Sandbox;

/// Takes the time out of a summary.
fn timeless(text: &impl ToString) -> String {
    let text = text.to_string();
    let mut shown = String::new();
    let mut rest = text.as_str();
    for (before, after) in [(" in ", " ms"), ("\"milliseconds\":", "}")] {
        if let Some((start, end)) = rest.split_once(before).and_then(|(start, tail)| {
            let digits = tail.trim_start_matches(|c: char| c.is_ascii_digit());
            (digits.len() < tail.len() && digits.starts_with(after)).then_some((start, digits))
        }) {
            shown.push_str(start);
            shown.push_str(before);
            shown.push_str("[N]");
            rest = end;
        }
    }
    shown + rest
}

#[test]
fn writes_what_differs_and_nothing_else() {
    let sandbox = small();
    assert_snapshot!(timeless(&sandbox.kiln(&["render"])), @r#"
    exit code 0
    --- stderr
    rendered 2 templates: 2 created, 0 changed, 0 unchanged, 0 removed; 0 sealed (0 kept); 0 injections in [N] ms
    "#);
    assert_eq!(sandbox.read("out/cluster.txt"), "home.example.com\n");
    let time = |path: &str| {
        fs::metadata(sandbox.path(path))
            .unwrap()
            .modified()
            .unwrap()
    };
    let before = time("out/cluster.txt");
    sandbox.write("templates/notes.txt", "other notes\n");
    assert_snapshot!(timeless(&sandbox.kiln(&["render", "-v"])), @r#"
    exit code 0
    --- stderr
    changed out/notes.txt
    rendered 2 templates: 0 created, 1 changed, 1 unchanged, 0 removed; 0 sealed (0 kept); 0 injections in [N] ms
    "#);
    assert_eq!(time("out/cluster.txt"), before);
    assert_eq!(sandbox.read("out/notes.txt"), "other notes\n");
}

#[test]
fn lists_what_differs_without_writing() {
    let sandbox = small();
    sandbox.kiln(&["render"]).success();
    sandbox.write("templates/new.txt", "new\n");
    sandbox.write("templates/notes.txt", "other notes\n");
    fs::remove_file(sandbox.path("templates/cluster.txt.tera")).unwrap();
    let before: Vec<String> = sandbox
        .files()
        .iter()
        .map(|path| sandbox.read(path))
        .collect();
    assert_snapshot!(timeless(&sandbox.kiln(&["render", "--dry-run"])), @r#"
    exit code 0
    --- stdout
    created out/new.txt
    changed out/notes.txt
    removed out/cluster.txt
    --- stderr
    would render 2 templates: 1 created, 1 changed, 0 unchanged, 1 removed; 0 sealed (0 kept); 0 injections in [N] ms
    "#);
    assert_snapshot!(timeless(&sandbox.kiln(&["render", "--check"])), @r#"
    exit code 1
    --- stdout
    created out/new.txt
    changed out/notes.txt
    removed out/cluster.txt
    --- stderr
    would render 2 templates: 1 created, 1 changed, 0 unchanged, 1 removed; 0 sealed (0 kept); 0 injections in [N] ms
    "#);
    assert_snapshot!(timeless(&sandbox.kiln(&["render", "--check", "--message-format", "github"])), @r#"
    exit code 1
    --- stdout
    ::error title=stale-output::`out/new.txt` is missing%0Ahelp: run `kiln render` and commit the result
    ::error title=stale-output::`out/notes.txt` is not what would be rendered%0Ahelp: run `kiln render` and commit the result
    ::error title=stale-output::`out/cluster.txt` is not made by any template any more%0Ahelp: run `kiln render` and commit the result
    --- stderr
    would render 2 templates: 1 created, 1 changed, 0 unchanged, 1 removed; 0 sealed (0 kept); 0 injections in [N] ms
    "#);
    assert_snapshot!(timeless(&sandbox.kiln(&["render", "--dry-run", "--message-format", "json"])), @r#"
    exit code 0
    --- stdout
    {"schemaVersion":1,"type":"summary","summary":{"templates":2,"dryRun":true,"created":["out/new.txt"],"changed":["out/notes.txt"],"unchanged":0,"removed":["out/cluster.txt"],"edited":[],"sealed":0,"sealedKept":0,"injections":0,"gaps":0,"notSeen":0,"milliseconds":[N]}}
    "#);
    let after: Vec<String> = sandbox
        .files()
        .iter()
        .map(|path| sandbox.read(path))
        .collect();
    assert_eq!(before, after);
}

#[test]
fn finds_nothing_after_a_render() {
    let sandbox = small();
    sandbox.kiln(&["render"]).success();
    assert_eq!(sandbox.kiln(&["render", "--check"]).success(), "");
}

#[test]
fn removes_what_no_template_makes() {
    let sandbox = small();
    sandbox.kiln(&["render"]).success();
    fs::remove_file(sandbox.path("templates/notes.txt")).unwrap();
    sandbox.kiln(&["render"]).success();
    assert!(!sandbox.path("out/notes.txt").exists());
    assert!(sandbox.path("out/cluster.txt").exists());
}

#[test]
fn keeps_and_names_what_was_edited_by_hand() {
    let sandbox = small();
    sandbox.kiln(&["render"]).success();
    sandbox.write("out/notes.txt", "edited\n");
    assert_snapshot!(timeless(&sandbox.kiln(&["render"])), @r#"
    exit code 1
    --- stderr
    warning[edited-output]: `out/notes.txt` was edited since Kiln wrote it, so it is kept as it is
     --> templates/notes.txt:1:1
      |
    1 | notes
      | ^^^^^ made by this template
      |
      = help: move the edit into the template or the config, or overwrite it with `--force`

    rendered 2 templates: 0 created, 0 changed, 1 unchanged, 0 removed, 1 edited by hand; 0 sealed (0 kept); 0 injections in [N] ms
    "#);
    assert_eq!(sandbox.read("out/notes.txt"), "edited\n");
    sandbox.kiln(&["render", "--force"]).success();
    assert_eq!(sandbox.read("out/notes.txt"), "notes\n");
}

#[test]
fn writes_nothing_over_files_of_others() {
    let sandbox = small();
    sandbox.write("out/notes.txt", "mine\n");
    assert_snapshot!(timeless(&sandbox.kiln(&["render", "--force"])), @r#"
    exit code 1
    --- stderr
    error[foreign-output]: `out/notes.txt` is not Kiln's, so it is not overwritten
     --> templates/notes.txt:1:1
      |
    1 | notes
      | ^^^^^ made by this template
      |
      = help: `kiln adopt` shows what it does to the cluster that Kiln takes it over, keeps what is yours, and does it with `--write`
      = help: to keep it as a file of your own, remove the template or switch its app off

    1 error, nothing written
    "#);
    assert_eq!(sandbox.read("out/notes.txt"), "mine\n");
    assert!(!sandbox.path("out/cluster.txt").exists());
}

#[test]
fn writes_nothing_when_the_config_is_wrong() {
    let sandbox = small();
    let config = sandbox.read("cluster.yaml") + "domain:\n  name: other.example.com\n";
    sandbox.write("cluster.yaml", config);
    let before = sandbox.files();
    assert_snapshot!(timeless(&sandbox.kiln(&["render"])), @r#"
    exit code 1
    --- stderr
    error[config-syntax]: the key `domain` is set twice
      --> cluster.yaml:52:1
       |
    28 | domain:
       | ------ first set here
    ...
    52 | domain:
       | ^^^^^^

    1 error, nothing written
    "#);
    assert_eq!(sandbox.files(), before);
    let json = sandbox.kiln(&["render", "--message-format", "json"]);
    assert_eq!(json.code, Some(1));
    let kinds: Vec<String> = json
        .stdout
        .lines()
        .map(|line| {
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(object["schemaVersion"], 1);
            object["type"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(kinds.last().unwrap(), "summary");
    assert!(
        kinds[..kinds.len() - 1]
            .iter()
            .all(|kind| kind == "diagnostic"),
        "{kinds:?}"
    );
}

#[test]
fn finds_the_project_from_a_folder_inside_it() {
    let sandbox = small();
    let mut command = sandbox.command();
    command
        .current_dir(sandbox.path("templates"))
        .args(["render", "-q"]);
    let run = sandbox.finish(&command.output().unwrap());
    assert_eq!(run.stderr, "");
    run.success();
    assert!(sandbox.path("out/cluster.txt").exists());
}

#[test]
fn makes_missing_keys_first_when_told_to() {
    let sandbox = small();
    fs::remove_file(sandbox.path("age.key")).unwrap();
    sandbox.kiln(&["render", "--keygen"]).success();
    assert!(sandbox.path("age.key").exists());
}

#[test]
fn renders_a_new_project_as_it_is() {
    let sandbox = Sandbox::new();
    sandbox.kiln(&["init"]).success();
    sandbox.kiln(&["render"]).success();
    assert!(
        sandbox
            .path("kubernetes/apps/default/echo/ks.yaml")
            .exists()
    );
    assert_eq!(sandbox.kiln(&["render", "--check"]).success(), "");
    sandbox
        .kiln(&["--threads", "1", "render", "--check"])
        .success();
}

/// Each thread has the stack that templates need; where the system gives no more, that is said, and what to do.
#[cfg(target_os = "linux")]
#[test]
fn threads_that_cannot_be_had_are_an_error() {
    let sandbox = Sandbox::new();
    sandbox.kiln(&["init"]).success();
    let kiln = sandbox.command();
    let mut limited = std::process::Command::new("sh");
    limited
        .args([
            "-c",
            "ulimit -v 4000000 && exec \"$0\" --threads 256 render",
        ])
        .arg(kiln.get_program())
        .current_dir(sandbox.path(""));
    let run = sandbox.finish(&limited.output().unwrap());
    assert_eq!(run.code, Some(2), "{run}");
    let complaint = &run.stderr;
    assert!(
        complaint.starts_with("error: cannot start all threads\n"),
        "{complaint}"
    );
    assert!(complaint.contains("`--threads N`"), "{complaint}");
}

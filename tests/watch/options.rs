use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::time::Duration;

use super::watcher::{Watcher, project};
use crate::support::Sandbox;

const TEMPLATE: &str = "templates/cluster.txt.tera";

/// Waits for a file that something else makes.
fn wait_for_file(sandbox: &Sandbox, path: &str) {
    for _ in 0..6000 {
        if sandbox.path(path).exists() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("no `{path}`");
}

#[test]
fn once_ends_after_the_next_change_with_the_exit_code_of_a_render() {
    for (text, code) in [("changed\n", 0), ("#{ oops }#\n", 1)] {
        let sandbox = project();
        let watcher = Watcher::start(&sandbox, &["--once"]);
        assert_eq!(sandbox.read("out/deep/down/notes.txt"), "notes\n");
        sandbox.write(TEMPLATE, text);
        assert_eq!(watcher.end(), Some(code));
        assert_eq!(sandbox.read("out/cluster.txt") == text, code == 0);
    }
}

#[test]
fn once_that_is_stopped_before_a_change_could_not_tell() {
    let sandbox = project();
    let watcher = Watcher::start(&sandbox, &["--once"]);
    watcher.signal("TERM");
    assert_eq!(watcher.end(), Some(2));
}

#[test]
fn writes_nothing_when_told_so() {
    let sandbox = project();
    let mut watcher = Watcher::start(&sandbox, &["--no-write"]);
    sandbox.write(TEMPLATE, "changed\n");
    let event = watcher.wait_for("written");
    assert_eq!(event["dryRun"], true);
    assert_eq!(event["diff"]["summary"]["changed"], 1);
    watcher.ready();
    assert!(!sandbox.path("out").exists());
}

#[test]
fn runs_a_command_after_a_change_and_survives_its_failure() {
    let sandbox = project();
    let line = "printf '%s\\n' \"$KILN_CHANGED\" >> ran; echo talk; exit 3";
    let mut watcher = Watcher::start(&sandbox, &["--on-change", line]);
    assert!(sandbox.read("ran").contains("out/deep/down/notes.txt\n"));
    fs::remove_file(sandbox.path("ran")).unwrap();
    sandbox.write(TEMPLATE, "changed\n");
    let event = watcher.wait_for("command");
    assert_eq!(event["code"], 3);
    watcher.ready();
    assert_eq!(sandbox.read("ran"), "out/cluster.txt\n");
    sandbox.write(TEMPLATE, "#{ oops }#\n");
    watcher.wait_for("failed");
    watcher.ready();
    assert_eq!(sandbox.read("ran"), "out/cluster.txt\n");
}

#[test]
fn a_signal_ends_it_in_the_middle_of_a_command() {
    let sandbox = project();
    let watcher = Watcher::spawn(&sandbox, &["--on-change", "touch started; exec sleep 1000"]);
    wait_for_file(&sandbox, "started");
    watcher.signal("INT");
    assert_eq!(watcher.end(), Some(0));
}

#[test]
fn a_signal_at_any_moment_leaves_the_old_or_the_new_tree() {
    let sandbox = project();
    for number in 0..60 {
        let text = format!("#{{ domain.name }}# {number}\n");
        sandbox.write(&format!("templates/many/{number}.txt.tera"), text);
    }
    sandbox.kiln(&["render"]).success();
    for round in 0..12_u64 {
        let before = sandbox.read("out/many/0.txt");
        for number in 0..60 {
            let text = format!("round {round}, file {number}\n");
            sandbox.write(&format!("templates/many/{number}.txt.tera"), text);
        }
        let watcher = Watcher::spawn(&sandbox, &[]);
        std::thread::sleep(Duration::from_millis(round * 30));
        // A shell that runs the tests in the background has its children ignore `INT` until they listen.
        watcher.signal("TERM");
        // Before it listens, a signal ends the process as it does any other.
        let code = watcher.end();
        assert!(matches!(code, Some(0) | None), "{code:?}");
        let new = format!("round {round}, file 0\n");
        let first = sandbox.read("out/many/0.txt");
        assert!(first == before || first == new, "{first}");
        for number in 0..60 {
            let text = sandbox.read(&format!("out/many/{number}.txt"));
            assert_eq!(
                text.contains(&format!("round {round},")),
                first == new,
                "file {number}"
            );
        }
        assert!(
            !sandbox.path("out/.kiln").exists(),
            "nothing is left to complete"
        );
    }
}

#[test]
fn says_plain_lines_to_people_when_piped() {
    let sandbox = project();
    let mut child = sandbox
        .command()
        .args(["watch", "--once"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut talk = BufReader::new(child.stderr.take().unwrap());
    let mut told = String::new();
    while !told.contains("watching") {
        assert_ne!(talk.read_line(&mut told).unwrap(), 0, "{told}");
    }
    sandbox.write(TEMPLATE, "changed\n");
    talk.read_to_string(&mut told).unwrap();
    let mut run = sandbox.finish(&child.wait_with_output().unwrap());
    run.stderr = told;
    assert_eq!(run.code, Some(0));
    assert!(run.stderr.starts_with("start: 4 created in "), "{run}");
    assert!(run.stderr.contains("\nwatching "), "{run}");
    assert!(
        run.stderr
            .contains("\ntemplates/cluster.txt.tera: 1 changed in "),
        "{run}"
    );
    assert!(run.stdout.contains("cluster.txt"), "{run}");
    assert!(
        !run.stderr.contains('\u{1b}') && !run.stderr.contains('\r'),
        "{run}"
    );
}

#[test]
fn rejects_an_interval_that_is_none() {
    let sandbox = project();
    let polls = ["0s", "1", "fast", "1.5s", "-1s"].map(|text| format!("watch --poll={text}"));
    let told = sandbox.transcript(&polls.each_ref().map(String::as_str));
    insta::assert_snapshot!(told, @"
    $ kiln watch --poll=0s
    exit code 2
    --- stderr
    error: invalid value '0s' for '--poll [<INTERVAL>]': an interval is a whole number with `ms` or `s`, such as `500ms`

    For more information, try '--help'.
    $ kiln watch --poll=1
    exit code 2
    --- stderr
    error: invalid value '1' for '--poll [<INTERVAL>]': an interval is a whole number with `ms` or `s`, such as `500ms`

    For more information, try '--help'.
    $ kiln watch --poll=fast
    exit code 2
    --- stderr
    error: invalid value 'fast' for '--poll [<INTERVAL>]': an interval is a whole number with `ms` or `s`, such as `500ms`

    For more information, try '--help'.
    $ kiln watch --poll=1.5s
    exit code 2
    --- stderr
    error: invalid value '1.5s' for '--poll [<INTERVAL>]': an interval is a whole number with `ms` or `s`, such as `500ms`

    For more information, try '--help'.
    $ kiln watch --poll=-1s
    exit code 2
    --- stderr
    error: invalid value '-1s' for '--poll [<INTERVAL>]': an interval is a whole number with `ms` or `s`, such as `500ms`

    For more information, try '--help'.
    ");
}

//! kustomize's own tests of whole builds, with Kiln as the builder.
//!
//! `krusty/applicable.txt` names the tests that need no plugin, chart, network or flag. Those of them
//! that Kiln does not pass stand in `krusty/known.txt`, each with its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use crate::support::oracle;

const APPLICABLE: &str = include_str!("krusty/applicable.txt");
const KNOWN: &str = include_str!("krusty/known.txt");

/// Reads the known failures: tests with their reasons.
fn known() -> BTreeMap<&'static str, &'static str> {
    let lines = KNOWN.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.split_once(": ").expect("TEST: REASON"))
        .collect()
}

/// Names the tests with an outcome, `PASS` or `FAIL`, in what Go's test program prints.
fn with_outcome<'o>(printed: &'o str, outcome: &str) -> BTreeSet<&'o str> {
    let start = format!("--- {outcome}: ");
    let lines = printed
        .lines()
        .filter_map(|line| line.strip_prefix(start.as_str()));
    lines
        .filter_map(|line| line.split_whitespace().next())
        .collect()
}

/// Runs all applicable tests against a builder, and returns what is printed.
fn run(command: &str, anywhere: &str) -> Option<String> {
    let program = oracle("krusty")?;
    let tests: Vec<&str> = APPLICABLE.lines().collect();
    let folder = program.parent().unwrap().join("api/krusty");
    let output = Command::new(&program)
        .current_dir(&folder)
        // The tests look for their plugins from there.
        .env("PWD", &folder)
        .args(["-test.v", "-test.run"])
        .arg(format!("^({})$", tests.join("|")))
        .env("KUSTOMIZE_CMD", command)
        .env("KUSTOMIZE_NO_RESTRICTOR", anywhere)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        !printed.contains("\npanic: "),
        "a test panics: {printed}{errors}"
    );
    Some(printed)
}

#[test]
fn kustomizes_own_tests_pass() {
    let kiln = env!("CARGO_BIN_EXE_kiln");
    let command = format!("{kiln} build --show-secrets");
    let Some(printed) = run(&command, "--load-restrictor none") else {
        return;
    };
    let (passed, failed) = (
        with_outcome(&printed, "PASS"),
        with_outcome(&printed, "FAIL"),
    );
    let known = known();
    let mut problems = Vec::new();
    for test in APPLICABLE.lines() {
        match (passed.contains(test), known.contains_key(test)) {
            (true, false) => {}
            (false, true) if failed.contains(test) => {}
            (true, true) => problems.push(format!(
                "{test} passes: take it out of tests/laboratory/krusty/known.txt"
            )),
            (false, _) => problems.push(format!("{test} {}", why(&printed, test))),
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(passed.len() >= 240, "{} pass", passed.len());
}

/// Returns what a failed test says.
fn why<'o>(printed: &'o str, test: &str) -> &'o str {
    let start = format!("=== RUN   {test}\n");
    let rest = printed
        .split_once(&start)
        .map_or("did not run", |(_, rest)| rest);
    rest.split_once("\n=== RUN").map_or(rest, |(own, _)| own)
}

/// A builder that builds nothing, and one that refuses everything, pass no test of what is built.
#[test]
fn a_builder_that_does_nothing_fails() {
    for command in ["true", "false"] {
        let Some(printed) = run(command, "") else {
            return;
        };
        let failed = with_outcome(&printed, "FAIL");
        assert!(failed.contains("TestSmallBase"), "{printed}");
        assert!(failed.len() > 200, "`{command}` fails {}", failed.len());
    }
}

#[test]
fn every_known_failure_is_an_applicable_test_with_a_reason() {
    let applicable: BTreeSet<&str> = APPLICABLE.lines().collect();
    for (test, reason) in known() {
        assert!(
            applicable.contains(test),
            "{test} is not in applicable.txt, or twice"
        );
        assert!(reason.len() > 5, "{test} has no reason");
    }
}

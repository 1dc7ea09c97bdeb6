//! The table of gaps in `docs/gaps.md`: what it points at is there, and its commands succeed on the full example.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::Sandbox;

/// A row of the table.
struct Gap {
    number: usize,
    state: String,
    shown_by: Vec<String>,
    rest: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn gaps() -> Vec<Gap> {
    let text = fs::read_to_string(root().join("docs/gaps.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    let rows = rows.filter(|row| row.starts_with(|first: char| first.is_ascii_digit()));
    rows.map(|row| {
        // A bar in a command is written as `\|`, as tables want it.
        let row = row.replace("\\|", "\u{1f}");
        let cells: Vec<String> = row
            .trim_end_matches('|')
            .split('|')
            .map(|cell| cell.trim().replace('\u{1f}', "|"))
            .collect();
        let [number, _, state, shown_by, rest] = cells.as_slice() else {
            panic!("{row} has {} cells", cells.len())
        };
        Gap {
            number: number.parse().unwrap(),
            state: state.clone(),
            shown_by: shown_by
                .split('`')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect(),
            rest: rest.clone(),
        }
    })
    .collect()
}

/// The tests of this binary, by module and name.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(&root().join("tests"), "", &mut found);
    found
}

fn collect(folder: &Path, module: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let inner = format!("{module}{name}::");
        if path.is_dir() {
            collect(&path, &inner, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let after = text.split("#[test]\n").skip(1);
            let names = after.filter_map(|rest| rest.split("fn ").nth(1)?.split('(').next());
            found.extend(names.map(|test| format!("{inner}{test}")));
        }
    }
}

#[test]
fn each_gap_is_closed_or_has_its_reason() {
    let gaps = gaps();
    let numbers: Vec<usize> = gaps.iter().map(|gap| gap.number).collect();
    assert_eq!(numbers, (1..=22).collect::<Vec<_>>());
    for gap in &gaps {
        let number = gap.number;
        match gap.state.as_str() {
            "default" | "switch" => {}
            "partly" | "open" => assert!(gap.rest.len() > 40, "{number} gives no reason"),
            other => panic!("{number} is {other}"),
        }
        assert_eq!(gap.shown_by.is_empty(), gap.state == "open", "{number}");
    }
}

#[test]
fn what_shows_that_a_gap_is_closed_is_there_and_succeeds() {
    let sandbox = Sandbox::new();
    let tree = root().join("tests/golden/full");
    let bin = Path::new(env!("CARGO_BIN_EXE_kiln")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let tests = tests();
    for gap in gaps() {
        for shown in &gap.shown_by {
            if !shown.contains(' ') {
                assert!(
                    tests.contains(shown),
                    "{}: there is no test {shown}",
                    gap.number
                );
                continue;
            }
            let output = Command::new("bash")
                .args(["-euo", "pipefail", "-c", shown])
                .current_dir(&tree)
                .env("PATH", &path)
                .output()
                .unwrap();
            let run = sandbox.finish(&output);
            assert_eq!(run.code, Some(0), "{}: {shown}: {run}", gap.number);
            assert!(
                !run.stdout.trim().is_empty(),
                "{}: {shown}: {run}",
                gap.number
            );
        }
    }
}

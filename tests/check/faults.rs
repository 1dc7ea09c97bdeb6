//! A right tree that Flux applies, and what `kiln check` says of each of many faults in it.
//!
//! The tree is `tests/check/faults/tree`, the faults are `tests/check/faults/table.yaml`; its head says how to read it.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde_json::Value;

use crate::harden::trees;
use crate::support::Sandbox;

/// An edit that makes the right tree wrong.
struct Fault {
    name: String,
    file: String,
    from: String,
    to: String,
    /// What `kiln check` says.
    told: Vec<String>,
    /// Why it says nothing.
    unfound: Option<String>,
}

impl Fault {
    /// Reads the table.
    fn all() -> Vec<Self> {
        let path = trees::fixtures("check").join("faults/table.yaml");
        let text = std::fs::read_to_string(path).unwrap();
        let documents = kiln::yaml::load(&text).unwrap();
        let items = documents[0].root.items().unwrap();
        items.iter().map(Self::of).collect()
    }

    fn of(item: &kiln::yaml::Node) -> Self {
        let text = |key: &str| item.find_text(key).map(str::to_owned);
        let name = text("fault").unwrap();
        let told = item.get("told").map(|told| {
            let lines = told.items().unwrap().iter();
            lines.map(|line| line.text().unwrap().to_owned()).collect()
        });
        let unfound = text("unfound");
        assert_ne!(told.is_some(), unfound.is_some(), "{name}: told or unfound");
        Self {
            file: text("file").unwrap(),
            from: text("from").unwrap(),
            to: text("to").unwrap(),
            told: told.unwrap_or_default(),
            unfound,
            name,
        }
    }

    /// Makes the edit, and returns what is wrong with what is said of it.
    fn mistake(&self, tree: &BTreeMap<String, String>) -> Option<String> {
        let Self { name, file, .. } = self;
        let text = tree.get(file).map_or("", String::as_str);
        let count = text.matches(&self.from).count();
        if count != 1 {
            return Some(format!("{name}: the edit applies {count} times to {file}"));
        }
        let mut tree = tree.clone();
        tree.insert(file.clone(), text.replacen(&self.from, &self.to, 1));
        let told = told(&tree, file);
        if told == self.told {
            return None;
        }
        Some(match &self.unfound {
            Some(why) => format!("{name}: not found, because {why}; but it is found: {told:#?}"),
            None => format!("{name}: told {told:#?} instead of {:#?}", self.told),
        })
    }
}

/// Lists what `kiln check` says of a tree; places in `edited` without its path.
fn told(tree: &BTreeMap<String, String>, edited: &str) -> Vec<String> {
    let sandbox = Sandbox::new();
    for (path, text) in tree {
        sandbox.write(path, text);
    }
    let run = sandbox.kiln(&["check", "--message-format", "json"]);
    let lines = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let all: Vec<Value> = lines.collect();
    let found = all.iter().filter(|one| one["type"] == "diagnostic");
    let told: Vec<String> = found.map(|finding| shown(finding, edited)).collect();
    let has_error = told.iter().any(|line| line.starts_with("error "));
    assert_eq!(run.code, Some(i32::from(has_error)), "{run}");
    told
}

/// Writes a finding as the table does.
fn shown(finding: &Value, edited: &str) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let place = &finding["primary"];
    let path = match text(&place["path"]) {
        path if path == edited => String::new(),
        path => format!("{path}:"),
    };
    let (severity, code) = (text(&finding["severity"]), text(&finding["code"]));
    let (line, column) = (&place["line"], &place["column"]);
    format!("{severity} {code} {path}{line}:{column}")
}

fn right_tree() -> BTreeMap<String, String> {
    trees::texts(&trees::fixtures("check").join("faults/tree"))
}

#[test]
fn a_right_tree_is_silent() {
    let sandbox = Sandbox::new();
    for (path, text) in right_tree() {
        sandbox.write(&path, text);
    }
    let run = sandbox.kiln(&["check"]);
    insta::assert_snapshot!(run, @"
    exit code 0
    --- stderr
    not judged, since something is not seen: 12 (config-missing 6, dead-value 3, image-missing 1, port-unknown 1, quantity-invalid 1); -v lists them
    checked 30 objects of 7 Kustomizations: no errors, 0 warnings
    ");
}

#[test]
fn each_fault_in_a_right_tree_is_told_at_its_place() {
    let faults = Fault::all();
    let names: BTreeSet<&str> = faults.iter().map(|fault| fault.name.as_str()).collect();
    assert_eq!(names.len(), faults.len(), "two faults of one name");
    let numbers = names
        .iter()
        .filter_map(|name| name.get(..2)?.parse::<u32>().ok());
    let expected = (1..=40).filter(|number| *number != 28);
    assert_eq!(numbers.collect::<Vec<_>>(), expected.collect::<Vec<_>>());

    let tree = right_tree();
    let mistakes: Vec<String> = faults
        .par_iter()
        .filter_map(|fault| fault.mistake(&tree))
        .collect();
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

//! The projects below `tests/projects`, one for each behaviour; `oracle.py` recorded what makejinja does with them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::judge::{Run, difference};
use super::served::Oracle;

fn texts(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}

fn run_of(project: &Path) -> Run {
    let run = fs::read_to_string(project.join("run.json")).unwrap_or_else(|_| "{}".to_owned());
    let run: Value = serde_json::from_str(&run).unwrap();
    let environment = run["env"].as_object().into_iter().flatten();
    Run {
        environment: environment
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect(),
        arguments: texts(&run["args"]),
    }
}

/// Lists the folders of the projects, sorted.
fn projects() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects");
    let mut projects: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    projects.sort();
    assert!(projects.len() > 80, "the corpus is not here");
    projects
}

fn record_of(project: &Path) -> Value {
    let record = fs::read_to_string(project.join("expected.json")).unwrap();
    serde_json::from_str(&record).unwrap()
}

#[test]
fn each_behaviour_is_that_of_makejinja() {
    let mut wrong = Vec::new();
    for project in projects() {
        let name = project.file_name().unwrap().to_str().unwrap();
        let expected = record_of(&project);
        let root = project.join("project");
        if let Some(difference) = difference(&root, &run_of(&project), &expected) {
            wrong.push(format!("{name}: {difference}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Runs the real tool over the corpus, so that no record is older than the tool.
#[test]
fn the_corpus_is_what_makejinja_does_today() {
    let Some(mut oracle) = Oracle::start() else {
        return;
    };
    for project in projects() {
        let expected = record_of(&project);
        let answer = oracle.ask_project_copy(&project.join("project"), &run_of(&project));
        for key in ["config", "data", "stage", "error"] {
            assert_eq!(answer[key], expected[key], "{key} of {}", project.display());
        }
        let outputs = outputs_of(&answer);
        assert_eq!(outputs, outputs_of(&expected), "{}", project.display());
        let written = outputs.iter().filter(|output| output["mode"] == true);
        for path in written.map(|output| output["path"].as_str().unwrap()) {
            let made = fs::read(oracle.project_copy().join(path)).unwrap();
            let recorded = fs::read(project.join("expected").join(path)).unwrap();
            assert!(made == recorded, "{path} of {}", project.display());
        }
    }
}

/// Returns the outputs of a record, each with whether it has a mode: the mode itself is that of the checkout.
fn outputs_of(record: &Value) -> Vec<Value> {
    let mut outputs = record["outputs"].as_array().unwrap().clone();
    for output in &mut outputs {
        output["mode"] = output["mode"].is_string().into();
    }
    outputs
}

/// Runs makejinja over the project in the folder `KILN_MAKEJINJA_PROJECT`.
#[test]
#[ignore = "needs a project"]
fn a_project_is_that_of_makejinja() {
    let folder = std::env::var("KILN_MAKEJINJA_PROJECT").unwrap();
    let mut oracle = Oracle::start().unwrap();
    let run = Run {
        environment: Vec::new(),
        arguments: Vec::new(),
    };
    let answer = oracle.ask_project_copy(Path::new(&folder), &run);
    assert_eq!(difference(Path::new(&folder), &run, &answer), None);
    let outputs = answer["outputs"].as_array().unwrap().len();
    assert!(outputs > 0, "{}", answer["error"]);
    eprintln!("{outputs} outputs, {}", answer["error"]);
}

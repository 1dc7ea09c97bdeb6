//! The corpus of small projects, one for each behaviour of makejinja, through the whole of Kiln.
//!
//! What is expected was recorded from makejinja: see `crates/makejinja/tests/oracle.py`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::both::{Outcome, difference, outcome};
use crate::support::Sandbox;

/// Projects that come out otherwise on purpose, each with the reason.
const OTHERWISE: [(&str, &str); 2] = [
    (
        "exclude_sees_parents",
        "names the folder in which the project was recorded",
    ),
    (
        "suffix_of_names",
        "an output that ends in a dot cannot be checked out on Windows, and is refused",
    ),
];

fn projects() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/makejinja/tests/projects");
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    found.sort();
    found
}

fn json(path: &Path) -> Value {
    fs::read_to_string(path).map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
}

/// Renders a project, and returns the files that are there then and were not, or how it failed.
fn rendered(project: &Path) -> Result<Outcome, String> {
    let sandbox = Sandbox::new();
    let copied = Command::new("cp")
        .args(["-a"])
        .arg(project.join("project/."))
        .arg(sandbox.path(""))
        .status();
    assert!(copied.unwrap().success());
    let run = json(&project.join("run.json"));
    for (path, mode) in run["modes"].as_object().into_iter().flatten() {
        let mode = u32::from_str_radix(mode.as_str().unwrap(), 8).unwrap();
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs::set_permissions(sandbox.path(path), permissions).unwrap();
    }
    let before = outcome(&sandbox.path(""));
    let mut command = sandbox.command();
    command.arg("render").arg("--");
    command.args(
        run["args"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str),
    );
    for (name, value) in run["env"].as_object().into_iter().flatten() {
        command.env(name, value.as_str().unwrap());
    }
    let done = command.output().unwrap();
    if !done.status.success() {
        return Err(String::from_utf8_lossy(&done.stderr).into_owned());
    }
    let mut after = outcome(&sandbox.path(""));
    after.retain(|path, file| before.get(path) != Some(file) && !path.ends_with("kiln.lock"));
    Ok(after)
}

/// Returns what makejinja wrote, where it came to its end.
fn expected(project: &Path) -> Option<Outcome> {
    let told = json(&project.join("expected.json"));
    if !told["stage"].is_null() {
        return None;
    }
    let modes: BTreeMap<&str, &str> = told["outputs"]
        .as_array()?
        .iter()
        .filter_map(|output| Some((output["path"].as_str()?, output["mode"].as_str()?)))
        .collect();
    let mut files = outcome(&project.join("expected"));
    for (path, (_, runs)) in &mut files {
        let mode = modes
            .get(path.as_str())
            .map(|mode| u32::from_str_radix(mode, 8).unwrap());
        *runs = mode.is_some_and(|mode| mode & 0o100 != 0);
    }
    Some(files)
}

#[test]
fn each_behaviour_of_makejinja_is_that_of_kiln() {
    let mut told = String::new();
    let mut count = 0;
    for project in projects() {
        let name = project.file_name().unwrap().to_string_lossy().into_owned();
        let otherwise = OTHERWISE.iter().any(|(known, _)| *known == name);
        let difference = match (expected(&project), rendered(&project)) {
            (Some(theirs), Ok(ours)) => difference(&theirs, &ours),
            (Some(_), Err(error)) => format!("fails: {error}\n"),
            (None, Ok(ours)) => format!("comes to an end: {:?}\n", ours.keys()),
            (None, Err(_)) => String::new(),
        };
        count += 1;
        if difference.is_empty() == otherwise {
            write!(told, "== {name}\n{difference}").unwrap();
        }
    }
    assert!(told.is_empty(), "{told}");
    assert!(count > 90);
}

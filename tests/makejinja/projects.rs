//! Projects of other people: rendered by makejinja and by Kiln with nothing in them changed, and timed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::both::{Outcome, outcome};
use crate::support::write_report;

/// What the report judges.
const INPUTS: [&str; 6] = [
    "crates/jinja/src/**",
    "crates/makejinja/src/**",
    "crates/makejinja-plugins/src/**",
    "src/makejinja/**",
    "src/render/engine/jinja.rs",
    "src/render/jinja_files.rs",
];

/// A project, and where one of its configs goes.
struct Project {
    name: String,
    folder: PathBuf,
    config: Option<(String, PathBuf)>,
}

/// Reads `NAME=FOLDER` or `NAME=FOLDER:TARGET:CONFIG`, one after the other.
fn projects() -> Vec<Project> {
    let named = std::env::var("KILN_MAKEJINJA").unwrap_or_default();
    let read = |word: &str| {
        let (name, place) = word.split_once('=').unwrap();
        let mut parts = place.split(':').map(str::to_owned);
        let folder = PathBuf::from(parts.next().unwrap());
        let target = parts.next();
        let config = target.map(|target| (target, PathBuf::from(parts.next().unwrap())));
        Project {
            name: name.to_owned(),
            folder,
            config,
        }
    };
    named.split_whitespace().map(read).collect()
}

impl Project {
    fn copy(&self) -> TempDir {
        let copy = TempDir::new().unwrap();
        let copied = Command::new("cp")
            .arg("-a")
            .arg(self.folder.join("."))
            .arg(copy.path())
            .status();
        assert!(copied.unwrap().success());
        if let Some((target, config)) = &self.config {
            fs::copy(config, copy.path().join(target)).unwrap();
        }
        copy
    }
}

/// Runs a program in a folder, and returns what it took and what it wrote.
fn timed(command: &[String], folder: &Path) -> (Duration, Output) {
    let start = Instant::now();
    let mut run = Command::new(&command[0]);
    run.args(&command[1..]).current_dir(folder);
    let output = run.env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap();
    (start.elapsed(), output)
}

/// Returns what is there now and was not, or not so.
fn written(folder: &Path, before: &Outcome) -> Outcome {
    let mut after = outcome(folder);
    after.retain(|path, file| before.get(path) != Some(file) && path != "kiln.lock");
    after
}

fn values(text: &[u8]) -> Vec<Value> {
    let documents = kiln::yaml::load(std::str::from_utf8(text).unwrap()).unwrap();
    let documents = documents.iter();
    documents
        .map(|document| document.root.to_kubernetes())
        .collect()
}

/// What came out of one project.
#[derive(Default)]
struct Compared {
    same: usize,
    sealed: usize,
    different: Vec<String>,
}

fn compare(theirs: &Outcome, ours: &Outcome, kiln: &str, folder: &Path) -> Compared {
    let mut compared = Compared::default();
    let paths: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
    for path in paths {
        match (theirs.get(path), ours.get(path)) {
            (Some(their), Some(our)) if their == our => compared.same += 1,
            (Some(their), Some(our)) if their.1 == our.1 => {
                let open = [kiln, "secrets", "decrypt", path].map(str::to_owned);
                let (_, opened) = timed(&open, folder);
                if opened.status.success() && values(&opened.stdout) == values(&their.0) {
                    compared.sealed += 1;
                } else {
                    compared.different.push(path.clone());
                }
            }
            _ => compared.different.push(path.clone()),
        }
    }
    compared
}

/// Returns whether Kiln starts Python for a project.
fn needs_python(project: &Project, kiln: &str) -> bool {
    let copy = project.copy();
    let mut run = Command::new(kiln);
    run.arg("render").current_dir(copy.path());
    let output = run.env("PATH", "").output().unwrap();
    !output.status.success()
}

/// Renders each project with both, and writes the report.
#[test]
#[ignore = "needs other people's projects: KILN_MAKEJINJA, KILN_MAKEJINJA_COMMAND and KILN_RELEASE"]
fn projects_come_out_as_makejinja_makes_them() {
    let words = |name: &str| -> Vec<String> {
        let value = std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
        value.split_whitespace().map(str::to_owned).collect()
    };
    let makejinja = words("KILN_MAKEJINJA_COMMAND");
    let kiln = words("KILN_RELEASE").remove(0);
    let mut report = String::from(
        "Projects as they are in their repositories, rendered by makejinja 2.9 and by `kiln render`: files that are the same to \
         the byte and to whether they may be run, files that Kiln has sealed and that hold the same values once they are open, and \
         files that differ. Times are medians of three runs in milliseconds, process start included: makejinja, Kiln's first run, \
         Kiln's run with nothing changed; and whether Kiln starts Python, which it does where a plugin has logic of its own. Configs are those of the projects' own tests; where there are none, one was made up.\n\n\
         | project | same | sealed | different | Python | makejinja | Kiln, new | ratio | Kiln, again | ratio |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    let mut different = Vec::new();
    for project in projects() {
        let render = vec![kiln.clone(), "render".to_owned()];
        let mut times = [Vec::new(), Vec::new(), Vec::new()];
        let mut compared = Compared::default();
        for _ in 0..3 {
            let [theirs, ours] = [(); 2].map(|()| project.copy());
            let [before, _] = [&theirs, &ours].map(|copy| outcome(copy.path()));
            let (took, done) = timed(&makejinja, theirs.path());
            let told = String::from_utf8_lossy(&done.stderr);
            assert!(done.status.success(), "{}: {told}", project.name);
            times[0].push(took);
            for time in &mut times[1..] {
                let (took, done) = timed(&render, ours.path());
                let told = String::from_utf8_lossy(&done.stderr);
                assert!(done.status.success(), "{}: {told}", project.name);
                time.push(took);
            }
            let made = [&theirs, &ours].map(|copy| written(copy.path(), &before));
            compared = compare(&made[0], &made[1], &kiln, ours.path());
        }
        let [theirs, new, again] = times.map(|mut times| {
            times.sort();
            times[1].as_secs_f64() * 1000.0
        });
        writeln!(
            report,
            "| {} | {} | {} | {} | {} | {theirs:.0} | {new:.0} | {:.0} x | {again:.0} | {:.0} x |",
            project.name,
            compared.same,
            compared.sealed,
            compared.different.len(),
            if needs_python(&project, &kiln) {
                "yes"
            } else {
                "no"
            },
            theirs / new,
            theirs / again,
        )
        .unwrap();
        different.extend(
            compared
                .different
                .iter()
                .map(|path| format!("{}: {path}", project.name)),
        );
    }
    eprintln!("{report}");
    assert!(different.is_empty(), "{different:#?}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let run = "KILN_MAKEJINJA=… just makejinja";
    write_report(root, "makejinja", run, &INPUTS, &report);
}

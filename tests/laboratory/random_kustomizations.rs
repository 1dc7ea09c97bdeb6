//! Kustomizations that nobody wrote, built here and by kustomize's own library: byte for byte the same,
//! or both refuse.

#[path = "../../crates/kustomize/tests/random/object.rs"]
mod object;
#[path = "../../crates/kustomize/tests/random/tree.rs"]
mod tree;

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use kustomize::{BuildOptions, MemoryFiles, build, to_yaml};
use serde::Deserialize;
use serde_json::json;

use crate::fuzz::mutator as dice;
use crate::support::oracle;
use tree::RandomTree;

/// How many trees a usual run builds; `KILN_FUZZ` asks for more.
const ROUNDS: u64 = 400;

/// How many differences are reduced and shown.
const SHOWN: usize = 10;

type Files = Vec<(String, String)>;

/// kustomize's library, which builds one tree after the other.
struct Library {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// What a builder makes of a tree.
#[derive(Debug, PartialEq, Deserialize)]
struct Answer {
    yaml: String,
    /// Why it refuses; empty where it does not.
    #[serde(default)]
    refused: String,
}

impl Library {
    fn start() -> Option<Self> {
        let mut command = Command::new(oracle("kz")?);
        command.arg("--stream").stderr(Stdio::null());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let questions = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Some(Self {
            child,
            questions,
            answers,
        })
    }

    fn build(&mut self, files: &Files) -> Answer {
        let texts = files
            .iter()
            .map(|(path, text)| (path.clone(), text.as_str().into()));
        let texts: serde_json::Map<_, _> = texts.collect();
        let question = json!({"files": texts, "folder": "f0", "anywhere": false});
        writeln!(self.questions, "{question}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        if line.is_empty() {
            // Not even Go recovers from a stack that overflows.
            *self = Self::start().unwrap();
            let refused = "panic: the program ended".to_owned();
            let yaml = String::new();
            return Answer { yaml, refused };
        }
        let mut answer: Answer = serde_json::from_str(&line).unwrap();
        // A library knows no version of the program around it.
        answer.yaml = answer.yaml.replace("kustomize-(devel)", "kustomize-v5.8.0");
        answer
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn build_here(files: &Files) -> Answer {
    let files: MemoryFiles = files.iter().cloned().collect();
    let built = build(&files, "f0", BuildOptions::default());
    let texts = built.resources.iter().map(|object| to_yaml(&object.root));
    let texts: Vec<String> = texts.collect();
    let problems = built.findings.problems.iter();
    let messages: Vec<String> = problems
        .map(|problem| format!("{} ({:?})", problem.message, problem.place))
        .collect();
    Answer {
        yaml: texts.join("---\n"),
        refused: messages.join("\n"),
    }
}

/// Returns which of the two refuses, where they differ.
fn difference(library: &mut Library, files: &Files) -> Option<(bool, bool)> {
    let (here, there) = (build_here(files), library.build(files));
    // A crash is no verdict. And kustomize minds a text in the place of a number only when it prints it: not
    // where a later patch takes it out.
    if there.refused.starts_with("panic: ") || here.refused.contains("is of another type") {
        return None;
    }
    let refused = (!here.refused.is_empty(), !there.refused.is_empty());
    let same = refused.0 == refused.1 && (refused.0 || here.yaml == there.yaml);
    (!same).then_some(refused)
}

/// Takes out files and lines for as long as the builders disagree in the same way.
fn reduce(library: &mut Library, mut files: Files) -> Files {
    let wanted = difference(library, &files);
    loop {
        let before = files.clone();
        for file in (0..files.len()).rev() {
            let mut fewer = files.clone();
            fewer.remove(file);
            if difference(library, &fewer) == wanted {
                files = fewer;
            } else {
                reduce_file(library, &mut files, file, wanted);
            }
        }
        if files == before {
            return files;
        }
    }
}

fn reduce_file(
    library: &mut Library,
    files: &mut Files,
    file: usize,
    wanted: Option<(bool, bool)>,
) {
    for size in [8, 4, 2, 1] {
        let mut start = 0;
        loop {
            let mut lines: Vec<&str> = files[file].1.split_inclusive('\n').collect();
            if start >= lines.len() {
                break;
            }
            lines.drain(start..(start + size).min(lines.len()));
            let mut fewer = files.clone();
            fewer[file].1 = lines.concat();
            if difference(library, &fewer) == wanted {
                *files = fewer;
            } else {
                start += 1;
            }
        }
    }
}

fn shown(library: &mut Library, files: &Files) -> String {
    let texts = files
        .iter()
        .map(|(path, text)| format!("# {path}\n{text}\n"));
    let mut shown: String = texts.collect();
    for (who, answer) in [
        ("here", build_here(files)),
        ("kustomize", library.build(files)),
    ] {
        writeln!(shown, "# {who}\n{}{}", answer.yaml, answer.refused).unwrap();
    }
    shown
}

#[test]
fn random_kustomizations_build_as_kustomize_builds_them() {
    let Some(mut library) = Library::start() else {
        return;
    };
    let number = |name: &str, usual| {
        let asked = std::env::var(name).ok();
        asked.map_or(usual, |asked| asked.parse().unwrap())
    };
    let (first, rounds) = (number("KILN_FUZZ_FROM", 0), number("KILN_FUZZ", ROUNDS));
    let (mut built, mut problems) = (0, Vec::new());
    for seed in first..first + rounds {
        let files = RandomTree::files(seed);
        built += u64::from(build_here(&files).refused.is_empty());
        if problems.len() < SHOWN && difference(&mut library, &files).is_some() {
            let reduced = reduce(&mut library, files);
            let text = shown(&mut library, &reduced);
            problems.push(format!("==== number {seed}\n{text}"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    // Refusals alone would prove little.
    assert!(built * 2 > rounds, "only {built} of {rounds} build");
}

//! Random templates, and those of a folder, rendered here and by `CPython`'s Jinja2.
//!
//!     JINJA_ORACLE_PYTHON=$(tests/oracles/install python) cargo test -p jinja -- --ignored
//!
//! With `JINJA_TREE` all templates of that folder are rendered too, which have the delimiters of
//! `onedr0p/cluster-template`. `JINJA_FUZZ` is the number of templates, `JINJA_FUZZ_FROM` the seed of the first.

use std::env;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value as Json;

use crate::case::{Answer, agree, answer, engine_of, expected_of, render};
use crate::random::{expressions, pieces, template};

/// The script, with the Python of `JINJA_ORACLE_PYTHON`.
fn script() -> Command {
    let python = env::var("JINJA_ORACLE_PYTHON").expect("JINJA_ORACLE_PYTHON");
    let mut command = Command::new(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/jinja_oracle.py"));
    command
}

/// The process that answers cases.
struct Oracle {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Oracle {
    fn start() -> Self {
        let mut child = script()
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the Python of JINJA_ORACLE_PYTHON");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Self {
            child,
            input,
            output,
        }
    }

    fn answer(&mut self, case: &Json) -> Answer {
        writeln!(self.input, "{case}").expect("a pipe");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a pipe");
        expected_of(&serde_json::from_str(&line).expect("an answer"))
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

/// Renders so many cases here and there.
fn compare(make: fn(u64) -> Json) {
    let mut oracle = Oracle::start();
    let from = number("JINJA_FUZZ_FROM").unwrap_or_default();
    let mut failures = String::new();
    let (mut found, mut texts) = (0, 0);
    let count = number("JINJA_FUZZ").unwrap_or(5000);
    for seed in from..from + count {
        let case = make(seed);
        let theirs = oracle.answer(&case);
        // Objects of Python print their address, and some constructs are not there.
        if matches!(&theirs, Answer::Output(text) if text.to_lowercase().contains(" at 0x")) {
            continue;
        }
        let ours = render(&case);
        if ours == Answer::Error("NotImplementedError".to_owned()) {
            continue;
        }
        texts += u64::from(matches!(theirs, Answer::Output(_)));
        if !agree(&ours, &theirs) {
            found += 1;
            writeln!(
                failures,
                "{seed}: {case}\n  ours   {ours:?}\n  theirs {theirs:?}"
            )
            .expect("a text");
            if found > 20 {
                break;
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(
        texts * 20 > count,
        "only {texts} of {count} templates print something"
    );
}

#[test]
#[ignore = "needs the Python of JINJA_ORACLE_PYTHON"]
fn random_templates_print_as_with_jinja2() {
    compare(template);
}

#[test]
#[ignore = "needs the Python of JINJA_ORACLE_PYTHON"]
fn random_expressions_print_as_with_jinja2() {
    compare(expressions);
}

#[test]
#[ignore = "needs the Python of JINJA_ORACLE_PYTHON"]
fn pieces_of_templates_are_taken_and_refused_as_by_jinja2() {
    compare(pieces);
}

#[test]
#[ignore = "needs the Python of JINJA_ORACLE_PYTHON"]
fn templates_of_a_folder_print_as_with_jinja2() {
    let Ok(folder) = env::var("JINJA_TREE") else {
        println!("SKIPPED templates of a folder: JINJA_TREE names none");
        return;
    };
    let output = script()
        .args(["tree", &folder])
        .output()
        .expect("the Python of JINJA_ORACLE_PYTHON");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    let mut lines = printed
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).expect("JSON"));
    let shared = lines.next().expect("what the cases share");
    let mut failures = String::new();
    let mut texts = 0;
    for run in lines {
        let mut case = shared.clone();
        case["undefined"] = run["undefined"].clone();
        let engine = engine_of(&case);
        for (name, expected) in run["answers"].as_object().expect("answers") {
            let (ours, theirs) = (
                answer(&engine, name, &run["context"]),
                expected_of(expected),
            );
            texts += usize::from(matches!(theirs, Answer::Output(_)));
            if !agree(&ours, &theirs) {
                writeln!(failures, "{name}\n  ours   {ours:?}\n  theirs {theirs:?}")
                    .expect("a text");
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(texts > 0, "nothing was printed");
    println!("{texts} texts are the same");
}

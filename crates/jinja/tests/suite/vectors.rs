//! Answers of `CPython`'s Jinja2 that are kept: `tests/oracle/jinja_oracle.py renew` writes them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use crate::case::{agree, expected_of, render};

#[test]
fn every_case_is_answered_as_by_jinja2() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .expect("vectors")
        .map(|entry| entry.expect("entry").path())
        .collect();
    paths.sort();
    let mut failures = String::new();
    let mut count = 0;
    for path in paths {
        let text = fs::read_to_string(&path).expect("a file of cases");
        let content: Json = serde_json::from_str(&text).expect("JSON");
        for case in content["cases"].as_array().expect("cases") {
            let mut case = case.clone();
            if case["context"].is_null() {
                case["context"] = content["context"].clone();
            }
            count += 1;
            let (ours, theirs) = (render(&case), expected_of(&case));
            if !agree(&ours, &theirs) {
                let name = path
                    .file_name()
                    .and_then(|name| name.to_str())
                    .unwrap_or_default();
                let case = format!(
                    "{} {} {} {}",
                    case["template"], case["templates"], case["undefined"], case["syntax"]
                );
                writeln!(
                    failures,
                    "{name}: {case}\n  ours   {ours:?}\n  theirs {theirs:?}"
                )
                .expect("a text");
            }
        }
    }
    assert!(count >= 2500, "only {count} cases");
    assert!(failures.is_empty(), "{failures}");
}

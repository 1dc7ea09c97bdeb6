//! Reports of runs that need other people's repositories: committed with their date, and refused
//! once what they judged has changed.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::support::{REPORTS, judge_report, write_report};

#[test]
fn no_report_is_older_than_what_it_judged() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let reports = fs::read_dir(root.join(REPORTS)).into_iter().flatten();
    let mut problems = Vec::new();
    for report in reports.map(|entry| entry.unwrap().path()) {
        assert_eq!(
            report.extension().and_then(|end| end.to_str()),
            Some("md"),
            "{} is no report",
            report.display()
        );
        problems.extend(judge_report(root, &report).err());
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Makes a folder with inputs and a report over them.
fn reported() -> TempDir {
    let root = TempDir::new().unwrap();
    fs::create_dir_all(root.path().join("charts/deep")).unwrap();
    for file in ["charts/a.yaml", "charts/deep/b.yaml", "other.txt"] {
        fs::write(root.path().join(file), file).unwrap();
    }
    let inputs = ["charts/**", "charts/*.yaml"];
    write_report(root.path(), "prove", "just prove", &inputs, "All is well.");
    root
}

fn judge(root: &TempDir) -> Result<(), String> {
    judge_report(root.path(), &root.path().join(REPORTS).join("prove.md"))
}

#[test]
fn a_report_holds_until_an_input_changes() {
    let root = reported();
    judge(&root).unwrap();
    fs::write(root.path().join("other.txt"), "no input").unwrap();
    judge(&root).unwrap();

    fs::write(root.path().join("charts/deep/b.yaml"), "changed").unwrap();
    let problem = judge(&root).unwrap_err();
    assert!(
        problem.starts_with("tests/oracles/reports/prove.md is of "),
        "{problem}"
    );
    let end = "and `charts/**` changed since: run `just prove` and commit the report";
    assert!(problem.ends_with(end), "{problem}");

    let root = reported();
    fs::rename(
        root.path().join("charts/a.yaml"),
        root.path().join("charts/z.yaml"),
    )
    .unwrap();
    let problem = judge(&root).unwrap_err();
    assert!(
        problem.contains("`charts/**`, `charts/*.yaml`"),
        "{problem}"
    );
}

#[test]
fn a_report_that_judges_nothing_is_refused() {
    let root = reported();
    let path = root.path().join(REPORTS).join("prove.md");
    let text = fs::read_to_string(&path).unwrap();
    let refused = |text: String, why: &str| {
        fs::write(&path, text).unwrap();
        let problem = judge(&root).unwrap_err();
        assert!(problem.contains(why), "{problem}");
    };
    refused(
        text.replace("charts/**", "gone/**"),
        "`gone/**` matches no file",
    );
    refused(text.replace("prove\n", "proof\n"), "calls itself `proof`");
    refused(text.replace("---\n", ""), "has no header");
    refused(text.replace("date: 2", "day: 2"), "day");
    refused(text.replace("date: 2", "date: 9"), "yet to come");
    let (start, rest) = text.split_once("inputs:\n").unwrap();
    let body = rest.split_once("---\n").unwrap().1;
    refused(
        format!("{start}inputs: {{}}\n---\n{body}"),
        "names no inputs",
    );
}

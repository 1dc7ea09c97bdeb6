//! Findings as `JUnit` XML, for programs that show lists of tests.
//!
//! Each file with findings is a test suite, each finding a test case: an error is a failed one, a warning one with output.
//! Source: the schema of Jenkins' xUnit plugin, which GitLab and others read.

use std::collections::BTreeMap;

use crate::cli::report::shown::Shown;
use crate::cli::report::shown::xml::XmlText;
use crate::diagnostic::Diagnostic;

/// Renders findings; a run without any is one test that passes.
pub fn render(findings: &[Diagnostic]) -> Shown {
    let mut files: BTreeMap<&str, Vec<&Diagnostic>> = BTreeMap::new();
    for finding in findings {
        let path = finding.primary.as_ref();
        let path = path.map_or("kiln", |label| label.place.source.path.as_str());
        files.entry(path).or_default().push(finding);
    }
    let errors = |all: &[&Diagnostic]| all.iter().filter(|one| one.is_error()).count();
    let total: Vec<&Diagnostic> = findings.iter().collect();
    let mut xml = XmlText::document();
    xml.open(
        "testsuites",
        &[
            ("name", "kiln check"),
            ("tests", &findings.len().max(1).to_string()),
            ("failures", &errors(&total).to_string()),
        ],
    );
    if files.is_empty() {
        xml.open(
            "testsuite",
            &[("name", "kiln check"), ("tests", "1"), ("failures", "0")],
        );
        xml.empty(
            "testcase",
            &[("classname", "kiln"), ("name", "no findings")],
        );
        xml.close("testsuite");
    }
    for (path, inside) in files {
        xml.open(
            "testsuite",
            &[
                ("name", path),
                ("tests", &inside.len().to_string()),
                ("failures", &errors(&inside).to_string()),
            ],
        );
        for finding in inside {
            case(finding, path, &mut xml);
        }
        xml.close("testsuite");
    }
    xml.close("testsuites");
    xml.finish()
}

fn case(finding: &Diagnostic, path: &str, xml: &mut XmlText) {
    let line = finding.primary.as_ref().map_or(1, |label| {
        label.place.source.line_column(label.place.span.start).0
    });
    let name = format!("{}: {}", finding.code(), finding.message);
    xml.open(
        "testcase",
        &[
            ("classname", finding.code()),
            ("name", &name),
            ("file", path),
            ("line", &line.to_string()),
        ],
    );
    let mut lines = vec![format!("{path}:{line}: {}", finding.message)];
    lines.extend(finding.list_lines());
    lines.extend(finding.hints.iter().map(|hint| format!("help: {hint}")));
    let text = lines.join("\n");
    if finding.is_error() {
        xml.with_text(
            "failure",
            &[("type", finding.code()), ("message", &finding.message)],
            &text,
        );
    } else {
        xml.with_text("system-out", &[], &text);
    }
    xml.close("testcase");
}

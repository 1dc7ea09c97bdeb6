//! Messages and reports on a terminal and in the log of a job, and the same for programs.

use std::sync::Arc;

use kiln::cli::report::audit::{self, human as scorecard};
use kiln::cli::report::diff::terminal::{self, View};
use kiln::cli::report::diff::{github as annotations, json as diff_json};
use kiln::cli::report::shown::marks::{marked, marked_line};
use kiln::cli::report::{github, human, json, shown};
use kiln::diagnostic::{Diagnostic, Listed, codes};
use kiln::source::{Source, Span};
use proptest::prelude::*;

use super::names::{NAMES, hostile};
use super::{log, poison};
use crate::support::meaning;

/// A message, all texts of which are `name`, in a file with the name in its lines.
fn diagnostic(name: &str) -> Diagnostic {
    let start = format!("a: {name}\nb: ");
    let first = Source::new(name, format!("{start}{name}\nc: 1\n"));
    let second = Source::new(format!("{name}2"), format!("{name}: 1\n"));
    let hidden = Source::sensitive(format!("{name}3"), "a: 1\n");
    let span = Span::new(start.len(), start.len() + name.len());
    let mut problem = Diagnostic::error(
        &codes::UNKNOWN_KEY,
        format!("there is no `{name}` in {name}"),
    );
    problem.list = ["", name]
        .map(|text| Listed {
            path: name.to_owned(),
            text: text.to_owned(),
        })
        .to_vec();
    problem
        .at(&first, span, name)
        .with_related(place(&second, 0..name.len()), name)
        .with_related(place(&hidden, 0..1), name)
        .with_hint(format!("did you mean {name}?"))
        .with_hint(name)
}

fn place(source: &Arc<Source>, span: std::ops::Range<usize>) -> kiln::source::Place {
    kiln::source::Place::new(source, Span::new(span.start, span.end))
}

/// Prints a name in every form for people and for the runner.
fn expect_no_orders(name: &str) {
    let problem = diagnostic(name);
    let report = poison::report(name);
    let audited = poison::audited(name);
    for color in [false, true] {
        let scores = audit::AuditReport {
            audited: &audited,
            prefix: String::new(),
            verbose: true,
            color,
        };
        let view = View {
            color,
            body_lines: None,
        };
        for text in [
            human::render(&problem, color),
            terminal::render(&report, view),
            scorecard::render(&scores),
        ] {
            let found = log::read(text.as_str());
            assert_eq!(found, Ok(Vec::new()), "{name:?}\n{text}");
        }
    }
    let told = github::render(&problem, "");
    assert_eq!(
        log::read(told.as_str()).map(|found| found.len()),
        Ok(1),
        "{told}"
    );
    let told = annotations::render(&report, "");
    // One each for the settings, for what is not compared, and for all of it.
    let expected = report.dangers.len() + 3;
    assert_eq!(
        log::read(told.as_str()).map(|found| found.len()),
        Ok(expected),
        "{told}"
    );
}

/// Reads a name out of what programs get.
fn expect_same_text(name: &str) {
    let value = json::render(&diagnostic(name));
    let report = diff_json::render(&poison::report(name));
    for value in [value, report] {
        for text in [shown::json::line(&value), shown::json::page(&value)] {
            assert_eq!(log::read(text.as_str()), Ok(Vec::new()), "{text}");
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(text.as_str()).unwrap(),
                value
            );
        }
    }
}

#[test]
fn a_name_gives_no_orders() {
    for (name, shown) in NAMES {
        assert_eq!(marked(name), *shown);
        expect_no_orders(name);
        expect_same_text(name);
        let text = human::render(&diagnostic(name), false).to_string();
        // A marker of commands gets marks of its own, on a terminal only.
        let shown = shown.replace("##[", "#\\u{23}[");
        assert!(
            text.starts_with(&format!(
                "error[unknown-key]: there is no `{shown}` in {shown}\n"
            )),
            "{text}"
        );
    }
}

#[test]
fn marks_are_underlined_as_what_they_stand_for() {
    let text = "name: a\u{202e}b\u{1b}[0m\r\n\ttab: ##[error] \u{feff}x\n";
    let source = Source::new("odd.yaml", text);
    let at = |needle: &str| {
        let start = text.find(needle).unwrap();
        place(&source, start..start + needle.len())
    };
    let problem = Diagnostic::error(meaning("odd"), "odd")
        .at_place(at("b\u{1b}[0m"), "here")
        .with_related(at("x"), "there");
    insta::assert_snapshot!(human::render(&problem, false), @r"
    error[odd]: odd
     --> odd.yaml:1:9
      |
    1 | name: a\u{202e}b\u{1b}[0m
      |                ^^^^^^^^^^ here
    2 |     tab: #\u{23}[error] \u{feff}x
      |                                 - there
    ");
}

#[test]
fn lines_of_files_keep_their_tabs() {
    assert_eq!(marked_line("\ta\u{1b}"), "\ta\\u{1b}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_gives_orders(name in hostile()) {
        expect_no_orders(&name);
        expect_same_text(&name);
    }
}

//! A scorecard as `JUnit` XML, for programs that show lists of tests.
//!
//! Each rule is a test suite, and each thing that it looks at a test case: what passes passes, a gap fails, and what is
//! exempt or not seen is skipped with the reason. Source: the schema of Jenkins' xUnit plugin, which GitLab and others
//! read.

use super::AuditReport;
use crate::cli::report::shown::Shown;
use crate::cli::report::shown::xml::XmlText;
use crate::rules::{Judgement, RuleOutcome, Verdict};

/// Renders what the rules say after hardening; a rule without anything to look at has no suite.
pub fn render(report: &AuditReport<'_>) -> Shown {
    let outcomes = report.audited.scorecard.after.outcomes.iter();
    let outcomes: Vec<&RuleOutcome> = outcomes
        .filter(|outcome| !outcome.judgements.is_empty())
        .collect();
    let judgements = outcomes.iter().flat_map(|outcome| &outcome.judgements);
    let judgements: Vec<&Judgement> = judgements.collect();
    let mut xml = XmlText::document();
    open(&mut xml, "testsuites", "kiln audit", &judgements);
    for outcome in outcomes {
        let judgements: Vec<&Judgement> = outcome.judgements.iter().collect();
        open(
            &mut xml,
            "testsuite",
            outcome.rule.meaning.code,
            &judgements,
        );
        for judgement in judgements {
            case(report, outcome.rule.meaning.code, judgement, &mut xml);
        }
        xml.close("testsuite");
    }
    xml.close("testsuites");
    xml.finish()
}

fn open(xml: &mut XmlText, element: &'static str, name: &str, judgements: &[&Judgement]) {
    let count = |is: &dyn Fn(&Verdict) -> bool| {
        let found = judgements.iter().filter(|one| is(&one.verdict));
        found.count().to_string()
    };
    xml.open(
        element,
        &[
            ("name", name),
            ("tests", &count(&|_| true)),
            (
                "failures",
                &count(&|verdict| matches!(verdict, Verdict::Fail(_))),
            ),
            ("skipped", &count(&is_skipped)),
        ],
    );
}

fn is_skipped(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Exempt(_) | Verdict::Unknown(_))
}

fn case(report: &AuditReport<'_>, code: &'static str, judgement: &Judgement, xml: &mut XmlText) {
    let (path, line) = report.spot(judgement);
    let line = line.to_string();
    let attributes = [
        ("classname", code),
        ("name", judgement.subject.as_str()),
        ("file", path.as_str()),
        ("line", line.as_str()),
    ];
    let reason = judgement.verdict.reason();
    match &judgement.verdict {
        Verdict::Pass => return xml.empty("testcase", &attributes),
        Verdict::Fail(_) => {
            xml.open("testcase", &attributes);
            let text = format!("{path}:{line}: {reason}");
            xml.with_text("failure", &[("type", code), ("message", reason)], &text);
        }
        Verdict::Exempt(_) | Verdict::Unknown(_) => {
            xml.open("testcase", &attributes);
            let told = match judgement.verdict {
                Verdict::Unknown(_) => "not seen",
                _ => "exempt",
            };
            let message = format!("{told}: {reason}");
            xml.empty("skipped", &[("message", &message)]);
        }
    }
    xml.close("testcase");
}

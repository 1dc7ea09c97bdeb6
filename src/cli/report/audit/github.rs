//! A scorecard as GitHub workflow commands, which become annotations on a pull request.

use super::{AuditReport, percent};
use crate::cli::report::counted::counted;
use crate::cli::report::github::notice;
use crate::cli::report::shown::Shown;
use crate::cli::report::shown::workflow::WorkflowCommand;
use crate::rules::{Rule, Verdict};

/// Renders the gaps, the worst rule first, and a notice with the score.
///
/// A gap is a warning, or a notice where its rule is good practice only: GitHub shows few of each, and no gap stops a run.
pub fn render(report: &AuditReport<'_>) -> Shown {
    let mut parts = Vec::new();
    let mut gaps = 0;
    for outcome in report.worst() {
        for judgement in &outcome.judgements {
            let Verdict::Fail(reason) = &judgement.verdict else {
                continue;
            };
            gaps += 1;
            let mut command = WorkflowCommand::new(level(outcome.rule));
            let (path, line) = report.spot(judgement);
            if judgement.place.is_some() {
                command.property("file", &path);
                command.number("line", line);
            }
            command.property("title", outcome.rule.meaning.code);
            parts.push(command.say([format!("{}: {reason}", judgement.subject)]));
        }
    }
    let total = percent(Some(report.audited.scorecard.after.total()));
    let sentence = format!("the score is {total}, with {}", counted(gaps, "gap"));
    parts.push(notice("kiln audit", &sentence));
    parts.into_iter().collect()
}

fn level(rule: &Rule) -> &'static str {
    match rule.weight {
        0 | 1 => "notice",
        _ => "warning",
    }
}

//! A diff as annotations of a GitHub workflow run.

use super::{counts, gap, sentences, settings};
use crate::cli::report::counted::counted;
use crate::cli::report::github::notice;
use crate::cli::report::shown::Shown;
use crate::cli::report::shown::workflow::WorkflowCommand;
use crate::diff::{Danger, DiffReport};

/// Renders a warning for each danger, and a notice that counts what differs.
///
/// `prefix` is what stands before paths, from the root of the checkout.
pub fn render(report: &DiffReport, prefix: &str) -> Shown {
    let dangers = report.dangers.iter();
    let dangers = dangers.map(|danger| annotation(report, danger, prefix));
    let settings = settings(report).map(|row| {
        let told = format!("{} {}: {}", row.sign, row.name, row.values());
        notice("kiln diff setting", &told)
    });
    let mut facts = counts(report);
    if !report.dangers.is_empty() {
        facts = format!("{facts}; {}", counted(report.dangers.len(), "danger"));
    }
    let told = format!("{} → {}: {facts}", report.before, report.after);
    let summary = std::iter::once(notice("kiln diff", &told));
    let gaps = report.gaps.iter();
    let gaps = gaps.map(|told| notice("kiln diff not compared", &gap(told)));
    dangers.chain(settings).chain(gaps).chain(summary).collect()
}

fn annotation(report: &DiffReport, danger: &Danger, prefix: &str) -> Shown {
    // A file that is only on the old side is not in the checkout.
    let is_here = |path: &str| {
        let mut places = report
            .changes
            .iter()
            .filter_map(|change| change.after.as_ref());
        places.any(|spot| spot.path == path)
    };
    let mut command = WorkflowCommand::new("warning");
    let is_here = |path: &str| danger.of_project || is_here(path);
    if let Some(spot) = danger.spot.as_ref().filter(|spot| is_here(&spot.path)) {
        command.property("file", &format!("{prefix}{}", spot.path));
        command.number("line", spot.line);
    }
    command.property("title", danger.code());
    command.say([sentences(danger)])
}

//! A diff as one HTML file that needs nothing else, light or dark as the reader's system is.

use askama::Template;

use super::rows::patch;
use super::{counts, gap, happening, noise, others, places, settings, tables, title, version};
use crate::cli::report::counted::counted;
use crate::cli::report::shown::Shown;
use crate::cli::report::shown::html::{file_line, page, parts};
use crate::diff::{DiffReport, OutputLine, ReportedChange, Subject};

/// Renders a page without scripts, fonts or images from elsewhere.
///
/// It is well-formed as XML too, so that programs can read it.
pub fn render(report: &DiffReport) -> Shown {
    let mut facts = vec![counts(report)];
    facts.extend(noise(report));
    page(&DiffHtmlPage {
        report,
        facts: facts.join("; "),
    })
}

/// What the template shows.
#[derive(Template)]
#[template(path = "page.html", config = "src/cli/report/diff/html/askama.toml")]
struct DiffHtmlPage<'r> {
    report: &'r DiffReport,
    facts: String,
}

impl DiffHtmlPage<'_> {
    /// Finds the change that tells of an object.
    fn object_of(&self, subject: &Subject) -> Option<usize> {
        let mut changes = self.report.changes.iter();
        changes.position(|change| tells_of(change, subject))
    }

    /// Counts the dangers of a change, if it has any.
    fn dangers_of(&self, change: &ReportedChange) -> Option<String> {
        let dangers = self.report.dangers.iter();
        let own = dangers.filter(|danger| tells_of(change, &danger.subject));
        Some(own.count())
            .filter(|count| *count > 0)
            .map(|count| counted(count, "danger"))
    }
}

fn tells_of(change: &ReportedChange, subject: &Subject) -> bool {
    change.subject == *subject
        || change.also.contains(subject)
        || change.was.as_ref() == Some(subject)
}

/// Returns where an object stands; a file is its own place.
fn spot(change: &ReportedChange) -> Option<&OutputLine> {
    let spot = change.after.as_ref().or(change.before.as_ref());
    spot.filter(|_| !change.subject.is_file())
}

fn causes(change: &ReportedChange) -> String {
    let causes: Vec<String> = change.causes.iter().map(ToString::to_string).collect();
    causes.join(", ")
}

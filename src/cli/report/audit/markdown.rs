//! A scorecard as a comment on a pull request.

use std::fmt::Write as _;

use super::{Report, count, percent};
use crate::audit::Category;

/// How many gaps of a check are listed.
const LISTED: usize = 10;

/// Renders a scorecard.
///
/// # Panics
/// Never: writing to a `String` cannot fail.
pub fn render(report: &Report<'_>) -> String {
    let mut text = String::new();
    write(report, &mut text).expect("writing to a String cannot fail");
    text
}

fn write(report: &Report<'_>, text: &mut String) -> std::fmt::Result {
    let card = &report.audited.scorecard;
    writeln!(
        text,
        "### Audit: {} (as rendered: {})\n",
        percent(Some(card.after.total())),
        percent(Some(card.before.total()))
    )?;
    writeln!(
        text,
        "{} with {}, by Kubernetes {}. Charts that nobody knows: {}.\n",
        count(card.after.workloads, "workload"),
        count(card.after.containers, "container"),
        report.audited.kubernetes,
        card.after.unknown_charts,
    )?;
    writeln!(
        text,
        "| Category | As rendered | After hardening |\n| --- | ---: | ---: |"
    )?;
    for category in Category::ALL {
        let scores = [
            card.before.category(category),
            card.after.category(category),
        ];
        if scores.iter().any(Option::is_some) {
            let [before, after] = scores.map(percent);
            writeln!(text, "| {} | {before} | {after} |", category.title())?;
        }
    }
    let totals = [card.before.total(), card.after.total()];
    let [before, after] = totals.map(|total| percent(Some(total)));
    writeln!(text, "| **Total** | **{before}** | **{after}** |")?;
    gaps(report, text)?;
    exempt(report, text)
}

fn gaps(report: &Report<'_>, text: &mut String) -> std::fmt::Result {
    for outcome in report.worst() {
        let counted = outcome.count();
        let gaps = super::known(outcome);
        if gaps.is_empty() {
            continue;
        }
        writeln!(
            text,
            "\n<details><summary><code>{}</code>: {} ({} of {} missing)</summary>\n",
            outcome.check.code,
            outcome.check.line.replace('`', ""),
            counted.gaps(),
            counted.counted()
        )?;
        for item in gaps.iter().take(LISTED) {
            let (path, line) = report.spot(&item.place);
            let subject = cell(&item.subject);
            let reason = cell(item.verdict.reason());
            writeln!(text, "- {subject}: {reason} (`{path}:{line}`)")?;
        }
        let more = gaps.len().saturating_sub(LISTED);
        if more > 0 {
            writeln!(text, "- … and {more} more")?;
        }
        writeln!(text, "\n</details>")?;
    }
    let unknown = report.unknown_charts();
    if !unknown.is_empty() {
        writeln!(
            text,
            "\nCharts that nobody knows, missing from every check of what runs:\n"
        )?;
    }
    for item in unknown {
        let subject = cell(&item.subject);
        writeln!(text, "- {subject}: {}", cell(item.verdict.reason()))?;
    }
    Ok(())
}

fn exempt(report: &Report<'_>, text: &mut String) -> std::fmt::Result {
    let exempt: Vec<_> = report.exempt().collect();
    if !exempt.is_empty() {
        let noun = count(exempt.len(), "exemption");
        writeln!(text, "\n<details><summary>{noun}</summary>\n")?;
        for (outcome, item) in exempt {
            let subject = cell(&item.subject);
            let reason = cell(item.verdict.reason());
            writeln!(text, "- `{}` {subject}: {reason}", outcome.check.code)?;
        }
        writeln!(text, "\n</details>")?;
    }
    Ok(())
}

/// Keeps text of files from being read as HTML or as a mention.
fn cell(text: &str) -> String {
    text.replace('<', "&lt;")
        .replace('@', "&#64;")
        .replace('\n', " ")
}

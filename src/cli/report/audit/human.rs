//! A scorecard for people: a table, the worst gaps, and what is exempt.

use std::fmt::Display;

use super::{AuditReport, percent, template};
use crate::audit::UNDECIDABLE;
use crate::cli::report::counted::counted;
use crate::cli::report::shown::Shown;
use crate::cli::report::shown::terminal::TerminalPage;
use crate::rules::{Category, Judgement, RuleOutcome};

/// How many gaps of a check are listed unless everything is.
const LISTED: usize = 5;
/// How wide a bar is.
const BAR: u64 = 10;

/// Renders a scorecard.
pub fn render(report: &AuditReport<'_>) -> Shown {
    let mut page = TerminalPage::new(report.color);
    table(report, &mut page);
    gaps(report, &mut page);
    exempt(report, &mut page);
    if report.verbose {
        passes(report, &mut page);
    }
    undecidable(report, &mut page);
    page.finish()
}

/// Names the checks of the categories shown that the tree does not tell.
fn undecidable(report: &AuditReport<'_>, page: &mut TerminalPage) {
    let outcomes = &report.audited.scorecard.after.outcomes;
    let codes: Vec<&str> = UNDECIDABLE
        .iter()
        .filter(|one| {
            outcomes
                .iter()
                .any(|outcome| outcome.rule.category == one.category)
        })
        .map(|one| one.meaning.code)
        .collect();
    if codes.is_empty() {
        return;
    }
    let codes = codes.join(", ");
    page.blank();
    page.line(format_args!(
        "Not decidable here: {codes} (`kiln explain CODE` says why)"
    ));
}

fn table(report: &AuditReport<'_>, page: &mut TerminalPage) {
    let card = &report.audited.scorecard;
    let after = &card.after;
    let unknown = match after.unknown_charts {
        0 => String::new(),
        1 => "; the chart of one release is unknown".to_owned(),
        many => format!("; the charts of {many} releases are unknown"),
    };
    page.line(format_args!(
        "{} with {}, by Kubernetes {}{unknown}",
        counted(after.workloads, "workload"),
        counted(after.containers, "container"),
        report.audited.kubernetes,
    ));
    page.blank();
    let [title, rendered, hardened] = ["", "as rendered", "after hardening"];
    page.line(format_args!("{title:<26}{rendered:<20}{hardened:<19}seen"));
    for category in Category::ALL {
        let (before, after) = (card.before.category(category), after.category(category));
        if before.is_none() && after.is_none() {
            continue;
        }
        let seen = report.audited.scorecard.after.seen(category);
        line(page, category.title(), before, after, seen);
    }
    let (before, after) = (card.before.total(), after.total());
    let seen = Some(card.after.total_seen());
    line(page, "Total", Some(before), Some(after), seen);
}

fn line(
    page: &mut TerminalPage,
    title: &str,
    before: Option<u64>,
    after: Option<u64>,
    seen: Option<u64>,
) {
    let style = |score: Option<u64>| match score {
        Some(9_000..) => "\u{1b}[32m",
        Some(6_000..) => "\u{1b}[33m",
        Some(_) => "\u{1b}[31m",
        None => "\u{1b}[2m",
    };
    let spans: [(_, &dyn Display); 6] = [
        ("", &format!("{title:<26}")),
        (style(before), &bar(before)),
        ("", &format!(" {:>6}  ", percent(before))),
        (style(after), &bar(after)),
        ("", &format!(" {:>6}", percent(after))),
        ("", &format!("  {:>6}", percent(seen))),
    ];
    page.spans(&spans);
}

fn bar(score: Option<u64>) -> String {
    let full = score.unwrap_or(0) * BAR / 10_000;
    (0..BAR)
        .map(|step| if step < full { '█' } else { '░' })
        .collect()
}

fn gaps(report: &AuditReport<'_>, page: &mut TerminalPage) {
    let worst = report.worst();
    let total: u32 = worst.iter().map(|outcome| outcome.count().failed).sum();
    if total == 0 {
        page.blank();
        page.line("No gaps are left after hardening");
        return;
    }
    let noun = counted(total as usize, "gap");
    page.blank();
    page.line(format_args!(
        "{noun} after hardening, in {}",
        counted(worst.len(), "check")
    ));
    for outcome in worst {
        of_rule(report, outcome, page);
    }
    unseen(report, page);
    let unknown = report.unknown_charts();
    if !unknown.is_empty() {
        let noun = "Charts that are not known, so that what they run is not judged";
        page.blank();
        page.line(format_args!("{noun} (`kiln profile new` makes a profile)"));
    }
    for item in unknown {
        of_item(report, item, page);
    }
}

/// Names what could not be judged, rule by rule.
fn unseen(report: &AuditReport<'_>, page: &mut TerminalPage) {
    let unseen = report.unseen();
    if unseen.is_empty() {
        return;
    }
    page.blank();
    page.line("Not seen, and so neither counted nor passed");
    for (outcome, unknown) in unseen {
        let shown = if report.verbose { unknown.len() } else { 1 };
        for item in unknown.iter().take(shown) {
            let reason = item.verdict.reason();
            let code = outcome.rule.meaning.code;
            page.line(format_args!("  {code}  {}: {reason}", item.subject));
        }
        let more = unknown.len() - shown.min(unknown.len());
        if more > 0 {
            page.line(format_args!(
                "  {}  … and {more} more (-v lists them)",
                outcome.rule.meaning.code
            ));
        }
    }
}

fn of_item(report: &AuditReport<'_>, item: &Judgement, page: &mut TerminalPage) {
    let (path, line) = report.spot(item);
    let reason = item.verdict.reason();
    page.line(format_args!("  {path}:{line}  {}: {reason}", item.subject));
}

fn of_rule(report: &AuditReport<'_>, outcome: &RuleOutcome, page: &mut TerminalPage) {
    let counted = outcome.count();
    let unknown = match counted.unknown {
        0 => String::new(),
        unknown => format!(", {unknown} not seen"),
    };
    page.blank();
    page.line(format_args!(
        "{}: {} ({} of {} missing{unknown})",
        outcome.rule.meaning.code,
        outcome.rule.meaning.summary,
        counted.failed,
        counted.counted(),
    ));
    let shown = if report.verbose { usize::MAX } else { LISTED };
    let gaps: Vec<&Judgement> = outcome.gaps().collect();
    for item in gaps.iter().take(shown) {
        of_item(report, item, page);
        if let Some((template, line)) = template(item).filter(|_| report.verbose) {
            page.line(format_args!("    from {template}:{line}"));
        }
    }
    let more = gaps.len().saturating_sub(shown);
    if more > 0 {
        page.line(format_args!("  … and {more} more (-v lists them)"));
    }
}

fn exempt(report: &AuditReport<'_>, page: &mut TerminalPage) {
    let mut first = true;
    for (outcome, item) in report.exempt() {
        if std::mem::take(&mut first) {
            page.blank();
            page.line("Exempt");
        }
        let reason = item.verdict.reason();
        page.line(format_args!(
            "  {}  {}: {reason}",
            outcome.rule.meaning.code, item.subject
        ));
    }
}

fn passes(report: &AuditReport<'_>, page: &mut TerminalPage) {
    page.blank();
    page.line("Passes");
    for outcome in &report.audited.scorecard.after.outcomes {
        let counted = outcome.count();
        let weight = match outcome.rule.weight {
            0 => " (not counted)",
            _ => "",
        };
        page.line(format_args!(
            "  {}: {} of {}{weight}",
            outcome.rule.meaning.code,
            counted.passed,
            counted.counted()
        ));
    }
}

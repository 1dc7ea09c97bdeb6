//! A scorecard for people: a table, the worst gaps, and what is exempt.

use std::fmt::Write as _;

use super::{Report, count, percent, template};
use crate::audit::{Category, Item, Outcome, UNDECIDABLE};
use crate::cli::report::plain;

/// How many gaps of a check are listed unless everything is.
const LISTED: usize = 5;
/// How wide a bar is.
const BAR: u64 = 10;

/// Renders a scorecard.
///
/// # Panics
/// Never: writing to a `String` cannot fail.
pub fn render(report: &Report<'_>) -> String {
    let mut text = String::new();
    table(report, &mut text).expect("writing to a String cannot fail");
    gaps(report, &mut text).expect("writing to a String cannot fail");
    exempt(report, &mut text).expect("writing to a String cannot fail");
    if report.verbose {
        passes(report, &mut text).expect("writing to a String cannot fail");
    }
    undecidable(report, &mut text).expect("writing to a String cannot fail");
    plain_lines(&text)
}

/// Names the checks of the categories shown that the tree does not tell.
fn undecidable(report: &Report<'_>, text: &mut String) -> std::fmt::Result {
    let outcomes = &report.audited.scorecard.after.outcomes;
    let codes: Vec<&str> = UNDECIDABLE
        .iter()
        .filter(|one| {
            outcomes
                .iter()
                .any(|outcome| outcome.check.category == one.category)
        })
        .map(|one| one.code)
        .collect();
    if codes.is_empty() {
        return Ok(());
    }
    let codes = codes.join(", ");
    writeln!(
        text,
        "\nNot decidable here: {codes} (`kiln explain CODE` says why)"
    )
}

/// Keeps what files say from steering the terminal, and leaves our own colours.
fn plain_lines(text: &str) -> String {
    text.split('\u{1b}')
        .map(plain)
        .collect::<Vec<_>>()
        .join("\u{1b}")
}

fn table(report: &Report<'_>, text: &mut String) -> std::fmt::Result {
    let card = &report.audited.scorecard;
    let after = &card.after;
    let unknown = match after.unknown_charts {
        0 => String::new(),
        1 => "; the chart of one release is unknown".to_owned(),
        many => format!("; the charts of {many} releases are unknown"),
    };
    writeln!(
        text,
        "{} with {}, by Kubernetes {}{unknown}\n",
        count(after.workloads, "workload"),
        count(after.containers, "container"),
        report.audited.kubernetes,
    )?;
    writeln!(text, "{:<26}{:<20}after hardening", "", "as rendered")?;
    for category in Category::ALL {
        let (before, after) = (card.before.category(category), after.category(category));
        if before.is_none() && after.is_none() {
            continue;
        }
        line(report, text, category.title(), before, after)?;
    }
    let (before, after) = (card.before.total(), after.total());
    line(report, text, "Total", Some(before), Some(after))
}

fn line(
    report: &Report<'_>,
    text: &mut String,
    title: &str,
    before: Option<u64>,
    after: Option<u64>,
) -> std::fmt::Result {
    let paint = |score: Option<u64>| {
        let color = match score {
            Some(9_000..) => "32",
            Some(6_000..) => "33",
            Some(_) => "31",
            None => "2",
        };
        let bar = bar(score);
        if report.color {
            format!("\u{1b}[{color}m{bar}\u{1b}[0m")
        } else {
            bar
        }
    };
    writeln!(
        text,
        "{title:<26}{} {:>6}  {} {:>6}",
        paint(before),
        percent(before),
        paint(after),
        percent(after)
    )
}

fn bar(score: Option<u64>) -> String {
    let full = score.unwrap_or(0) * BAR / 10_000;
    (0..BAR)
        .map(|step| if step < full { '█' } else { '░' })
        .collect()
}

fn gaps(report: &Report<'_>, text: &mut String) -> std::fmt::Result {
    let worst = report.worst();
    let total: u32 = worst.iter().map(|outcome| outcome.count().gaps()).sum();
    if total == 0 {
        return writeln!(text, "\nNo gaps are left after hardening");
    }
    let noun = count(total as usize, "gap");
    writeln!(
        text,
        "\n{noun} after hardening, in {}",
        count(worst.len(), "check")
    )?;
    for outcome in worst {
        if !super::known(outcome).is_empty() {
            of_check(report, outcome, text)?;
        }
    }
    let unknown = report.unknown_charts();
    if !unknown.is_empty() {
        let noun = "Charts that nobody knows, missing from every check of what runs";
        writeln!(text, "\n{noun} (`kiln profile new` makes a profile)")?;
    }
    for item in unknown {
        of_item(report, item, text)?;
    }
    Ok(())
}

fn of_item(report: &Report<'_>, item: &Item, text: &mut String) -> std::fmt::Result {
    let (path, line) = report.spot(&item.place);
    let reason = item.verdict.reason();
    writeln!(text, "  {path}:{line}  {}: {reason}", item.subject)
}

fn of_check(report: &Report<'_>, outcome: &Outcome, text: &mut String) -> std::fmt::Result {
    let counted = outcome.count();
    let unknown = match counted.unknown {
        0 => String::new(),
        unknown => format!(", {unknown} of them unknown"),
    };
    writeln!(
        text,
        "\n{}: {} ({} of {} missing{unknown})",
        outcome.check.code,
        outcome.check.line,
        counted.gaps(),
        counted.counted(),
    )?;
    let shown = if report.verbose { usize::MAX } else { LISTED };
    let gaps = super::known(outcome);
    for item in gaps.iter().take(shown) {
        of_item(report, item, text)?;
        if let Some((template, line)) = template(item).filter(|_| report.verbose) {
            writeln!(text, "    from {template}:{line}")?;
        }
    }
    let more = gaps.len().saturating_sub(shown);
    if more > 0 {
        writeln!(text, "  … and {more} more (-v lists them)")?;
    }
    Ok(())
}

fn exempt(report: &Report<'_>, text: &mut String) -> std::fmt::Result {
    let mut first = true;
    for (outcome, item) in report.exempt() {
        if std::mem::take(&mut first) {
            writeln!(text, "\nExempt")?;
        }
        let reason = item.verdict.reason();
        writeln!(text, "  {}  {}: {reason}", outcome.check.code, item.subject)?;
    }
    Ok(())
}

fn passes(report: &Report<'_>, text: &mut String) -> std::fmt::Result {
    writeln!(text, "\nPasses")?;
    for outcome in &report.audited.scorecard.after.outcomes {
        let counted = outcome.count();
        let weight = match outcome.check.weight {
            0 => " (not counted)",
            _ => "",
        };
        writeln!(
            text,
            "  {}: {} of {}{weight}",
            outcome.check.code,
            counted.passed,
            counted.counted()
        )?;
    }
    Ok(())
}

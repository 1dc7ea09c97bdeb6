//! A diff for a comment on a pull request or merge request.

use super::rows::patch;
use super::{counts, gap, noise, others, places, sentences, settings, tables, title, version};
use crate::cli::report::counted::counted;
use crate::cli::report::shown::Shown;
use crate::cli::report::shown::markdown::MarkdownText;
use crate::diff::{Bump, Danger, DiffReport, ReportedChange};

/// The first line, by which a comment is found again to be updated.
pub const MARKER: &str = "<!-- kiln-diff -->";

/// Room for the sentence that says what was left out.
const REST: usize = 400;

/// Renders a diff: the summary, dangers and versions first, then each object to be opened.
///
/// With `max_size`, a number of bytes, objects that do not fit are left out as a whole, and the text
/// says so; those with a danger are kept longest.
pub fn render(report: &DiffReport, max_size: Option<usize>) -> Shown {
    let mut text = head(report);
    for (title, bumps) in tables(report) {
        table(title, bumps, &mut text);
    }
    let limit = max_size.unwrap_or(usize::MAX);
    text = shortened_head(text, report, limit);
    if report.changes.is_empty() {
        return text.finish();
    }
    text.ours("### Objects\n\n");
    let mut room = limit.saturating_sub(text.len());
    let shown: Vec<MarkdownText> = report.changes.iter().map(object).collect();
    let total: usize = shown.iter().map(MarkdownText::len).sum();
    if total > room {
        room = room.saturating_sub(REST);
    }
    let is_dangerous = |change: &ReportedChange| {
        let mut dangers = report.dangers.iter();
        dangers
            .any(|danger| danger.subject == change.subject || danger.also.contains(&change.subject))
    };
    let mut order: Vec<usize> = (0..shown.len()).collect();
    order.sort_by_key(|at| !is_dangerous(&report.changes[*at]));
    let mut kept = vec![false; shown.len()];
    for at in order {
        if shown[at].len() <= room {
            room -= shown[at].len();
            kept[at] = true;
        }
    }
    for (object, _) in shown.iter().zip(&kept).filter(|(_, kept)| **kept) {
        text.append(object);
    }
    let left = kept.iter().filter(|kept| !**kept).count();
    if left > 0 {
        let objects = if left == 1 {
            " object is left out here**, as the text would be larger than "
        } else {
            " objects are left out here**, as the text would be larger than "
        };
        text.ours("**").number(left).ours(objects).number(limit);
        text.ours(" bytes. `kiln diff` shows everything.\n");
    }
    text.finish()
}

/// Drops the tables, and the dangers that do not fit, from a head that alone is too large.
fn shortened_head(text: MarkdownText, report: &DiffReport, limit: usize) -> MarkdownText {
    if text.len().saturating_add(REST) <= limit {
        return text;
    }
    let rest = "The lists of settings and versions and some dangers are left out here, as the text would be too large. `kiln diff` shows everything.\n\n";
    let mut text = summary(report);
    for (at, danger) in report.dangers.iter().enumerate() {
        let start = if at == 0 { ALERT } else { "" };
        let line = line_of(danger);
        if text.len() + start.len() + line.len() + rest.len() + REST > limit {
            break;
        }
        text.ours(start).append(&line);
    }
    text.ours("\n").ours(rest);
    text
}

/// The start of a list that GitHub and GitLab show in red.
const ALERT: &str = "> [!CAUTION]\n";

fn head(report: &DiffReport) -> MarkdownText {
    let mut text = summary(report);
    dangers(report, &mut text);
    gaps(report, &mut text);
    settings_table(report, &mut text);
    text
}

fn settings_table(report: &DiffReport, text: &mut MarkdownText) {
    if report.settings.is_empty() {
        return;
    }
    text.ours("### Settings\n\n| Setting | Was | Is |\n| --- | --- | --- |\n");
    for row in settings(report) {
        for cell in [&*row.name, version_of(row.before), version_of(row.after)] {
            text.ours("| ").code(cell).ours(" ");
        }
        text.ours("|\n");
    }
    text.ours("\n");
}

fn version_of(text: Option<&str>) -> &str {
    text.unwrap_or("–")
}

fn summary(report: &DiffReport) -> MarkdownText {
    let mut text = MarkdownText::new();
    text.ours(MARKER).ours("\n## Kiln diff\n\n");
    text.code(&report.before).ours(" → ").code(&report.after);
    text.ours(": **").prose(&counts(report)).ours("**");
    if !report.dangers.is_empty() {
        let dangers = counted(report.dangers.len(), "danger");
        text.ours("; **").prose(&dangers).ours("**");
    }
    if let Some(noise) = noise(report) {
        text.ours("; ").prose(&noise);
    }
    text.ours("\n\n");
    text
}

fn dangers(report: &DiffReport, text: &mut MarkdownText) {
    if report.dangers.is_empty() {
        return;
    }
    text.ours(ALERT);
    for danger in &report.dangers {
        text.append(&line_of(danger));
    }
    text.ours("\n");
}

fn gaps(report: &DiffReport, text: &mut MarkdownText) {
    if report.gaps.is_empty() {
        return;
    }
    text.ours("### Not compared\n\n");
    for told in &report.gaps {
        text.ours("- ").prose(&gap(told));
        if let Some(spot) = &told.spot {
            text.ours(" (").code(&spot.to_string()).ours(")");
        }
        text.ours("\n");
    }
    text.ours("\n");
}

fn line_of(danger: &Danger) -> MarkdownText {
    let mut text = MarkdownText::new();
    text.ours("> - **").ours(danger.code()).ours("**: ");
    text.prose(&sentences(danger));
    if let Some(spot) = &danger.spot {
        text.ours(" (").code(&spot.to_string()).ours(")");
    }
    text.ours("\n");
    text
}

fn table(title: &'static str, bumps: &[Bump], text: &mut MarkdownText) {
    text.ours("### ").ours(title).ours("\n\n");
    text.ours("| Name | From | To | Leap | Object |\n| --- | --- | --- | --- | --- |\n");
    for bump in bumps {
        text.ours("| ").code(&bump.name);
        text.ours(" | ").code(version(bump.before.as_ref()));
        text.ours(" | ").code(version(bump.after.as_ref()));
        text.ours(" | ").ours(bump.leap.word());
        text.ours(" | ").code(&bump.subject.to_string());
        text.ours(" |\n");
    }
    text.ours("\n");
}

fn object(change: &ReportedChange) -> MarkdownText {
    let mut text = MarkdownText::new();
    text.ours("<details><summary>").ours(change.kind.word());
    text.ours(" ").html_code(&title(change));
    text.ours("</summary>\n\n");
    let mut between = "";
    if let Some(spot) = change.after.as_ref().or(change.before.as_ref()) {
        text.code(&spot.to_string());
        between = "; ";
    }
    let parts = [places(change), others(change), change.note.clone()];
    for told in parts.into_iter().flatten() {
        text.ours(between).prose(&told);
        between = "; ";
    }
    for (at, cause) in change.causes.iter().enumerate() {
        let start = if at == 0 { "by " } else { "" };
        text.ours(between).ours(start).prose(&cause.to_string());
        between = ", ";
    }
    text.ours("\n\n");
    let lines = patch(change);
    if !lines.is_empty() {
        text.fenced("diff", lines.into_iter().map(|(_, line)| line));
        text.ours("\n");
    }
    text.ours("</details>\n\n");
    text
}

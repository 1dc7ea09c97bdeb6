//! A diff for a comment on a pull request or merge request.

use super::rows::patch;
use super::{amount, counts, noise, sentences, settings, tables, title, version};
use crate::cli::report::plain;
use crate::diff::{Bump, Change, Danger, Report};

/// The first line, by which a comment is found again to be updated.
pub const MARKER: &str = "<!-- kiln-diff -->";

/// Room for the sentence that says what was left out.
const REST: usize = 400;

/// Renders a diff: the summary, dangers and versions first, then each object to be opened.
///
/// With `max_size`, a number of bytes, objects that do not fit are left out as a whole, and the text
/// says so; those with a danger are kept longest.
pub fn render(report: &Report, max_size: Option<usize>) -> String {
    let mut text = head(report);
    for (title, bumps) in tables(report) {
        text.push_str(&table(title, bumps));
    }
    let limit = max_size.unwrap_or(usize::MAX);
    text = shortened_head(text, report, limit);
    if report.changes.is_empty() {
        return text;
    }
    text.push_str("### Objects\n\n");
    let mut room = limit.saturating_sub(text.len());
    let shown: Vec<String> = report.changes.iter().map(object).collect();
    let total: usize = shown.iter().map(String::len).sum();
    if total > room {
        room = room.saturating_sub(REST);
    }
    let is_dangerous = |change: &Change| {
        let mut dangers = report.dangers.iter();
        dangers.any(|danger| danger.subject == change.subject)
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
        text.push_str(object);
    }
    let left = kept.iter().filter(|kept| !**kept).count();
    if left > 0 {
        let (are, objects) = if left == 1 {
            ("is", "object")
        } else {
            ("are", "objects")
        };
        let rest = format!(
            "**{left} {objects} {are} left out here**, as the text would be larger than {limit} bytes. `kiln diff` shows everything.\n"
        );
        text.push_str(&rest);
    }
    text
}

/// Drops the tables, and the dangers that do not fit, from a head that alone is too large.
fn shortened_head(text: String, report: &Report, limit: usize) -> String {
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
        text.push_str(start);
        text.push_str(&line);
    }
    text.push('\n');
    text + rest
}

/// The start of a list that GitHub and GitLab show in red.
const ALERT: &str = "> [!CAUTION]\n";

fn head(report: &Report) -> String {
    summary(report) + &dangers(report) + &settings_table(report)
}

fn settings_table(report: &Report) -> String {
    if report.settings.is_empty() {
        return String::new();
    }
    let mut text = "### Settings\n\n| Setting | Was | Is |\n| --- | --- | --- |\n".to_owned();
    for row in settings(report) {
        let cells = [&*row.name, version_of(row.before), version_of(row.after)];
        let cells = cells.map(|cell| code(cell).replace('|', "\\|"));
        for part in ["| ", &cells.join(" | "), " |\n"] {
            text.push_str(part);
        }
    }
    text.push('\n');
    text
}

fn version_of(text: Option<&str>) -> &str {
    text.unwrap_or("–")
}

fn summary(report: &Report) -> String {
    let mut facts = vec![format!("**{}**", counts(report))];
    if !report.dangers.is_empty() {
        facts.push(format!("**{}**", amount(report.dangers.len(), "danger")));
    }
    facts.extend(noise(report));
    format!(
        "{MARKER}\n## Kiln diff\n\n{} → {}: {}\n\n",
        code(&report.before),
        code(&report.after),
        facts.join("; ")
    )
}

fn dangers(report: &Report) -> String {
    if report.dangers.is_empty() {
        return String::new();
    }
    let mut text = ALERT.to_owned();
    for danger in &report.dangers {
        text.push_str(&line_of(danger));
    }
    text.push('\n');
    text
}

fn line_of(danger: &Danger) -> String {
    let place = danger.spot.as_ref().map_or_else(String::new, |spot| {
        format!(" ({})", code(&format!("{}:{}", spot.path, spot.line)))
    });
    format!(
        "> - **{}**: {}{place}\n",
        danger.code(),
        prose(&sentences(danger))
    )
}

fn table(title: &str, bumps: &[Bump]) -> String {
    let mut text = format!(
        "### {title}\n\n| Name | From | To | Leap | Object |\n| --- | --- | --- | --- | --- |\n"
    );
    for bump in bumps {
        let cells = [
            code(&bump.name),
            code(version(bump.before.as_ref())),
            code(version(bump.after.as_ref())),
            bump.leap.word().to_owned(),
            code(&bump.subject.to_string()),
        ];
        let cells = cells.map(|cell| cell.replace('|', "\\|"));
        for part in ["| ", &cells.join(" | "), " |\n"] {
            text.push_str(part);
        }
    }
    text.push('\n');
    text
}

fn object(change: &Change) -> String {
    let mut text = format!(
        "<details><summary>{} {}</summary>\n\n",
        change.kind.word(),
        html_code(&title(change))
    );
    let spot = change.after.as_ref().or(change.before.as_ref());
    let mut facts: Vec<String> = Vec::new();
    facts.extend(spot.map(|spot| code(&format!("{}:{}", spot.path, spot.line))));
    facts.extend(change.note.as_deref().map(prose));
    if !change.causes.is_empty() {
        let causes: Vec<String> = change
            .causes
            .iter()
            .map(|cause| prose(&cause.to_string()))
            .collect();
        facts.push(format!("by {}", causes.join(", ")));
    }
    text.push_str(&facts.join("; "));
    text.push_str("\n\n");
    let lines = patch(change);
    if !lines.is_empty() {
        let lines: Vec<String> = lines.into_iter().map(|(_, line)| plain(&line)).collect();
        let lines = lines.join("\n");
        let fence = fence(&lines);
        for part in [&fence, "diff\n", &lines, "\n", &fence, "\n\n"] {
            text.push_str(part);
        }
    }
    text.push_str("</details>\n\n");
    text
}

/// Returns a fence that no line of a text ends.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// Writes a text as code that Markdown leaves as it is.
fn code(text: &str) -> String {
    let text = plain(text).replace('\n', " ");
    if text.contains('`') {
        let fence = "`".repeat(fence(&text).len());
        return format!("{fence} {text} {fence}");
    }
    format!("`{text}`")
}

/// Writes a sentence of ours, with names in backticks, so that nothing in it starts a tag or a mention.
fn prose(text: &str) -> String {
    let mut inside = false;
    let mut shown = String::new();
    for c in plain(text).chars() {
        match c {
            '`' => inside = !inside,
            '<' if !inside => {
                shown.push_str("&lt;");
                continue;
            }
            _ => {}
        }
        shown.push(if c == '\n' { ' ' } else { c });
    }
    shown
}

/// Writes a text as code in a place where only HTML is read.
fn html_code(text: &str) -> String {
    format!("<code>{}</code>", super::html::escaped(&plain(text)))
}

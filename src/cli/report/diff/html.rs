//! A diff as one HTML file that needs nothing else, light or dark as the reader's system is.

use super::rows::{Tone, patch};
use super::{SettingRow, amount, counts, noise, settings, tables, title, version};
use crate::cli::report::plain;
use crate::diff::{Bump, Change, Danger, Report, Subject};

const STYLE: &str = include_str!("style.css");

/// Renders a page without scripts, fonts or images from elsewhere.
///
/// It is well-formed as XML too, so that programs can read it.
pub fn render(report: &Report) -> String {
    let names = format!("{} → {}", report.before, report.after);
    let mut body = format!(
        "<header><h1>Kiln diff</h1>\n<p class=\"sides\"><code>{}</code> → <code>{}</code></p>\n<p class=\"counts\">{}</p></header>\n",
        text(&report.before),
        text(&report.after),
        text(&facts(report))
    );
    if !report.dangers.is_empty() {
        let items = report.dangers.iter();
        let items: String = items.map(|found| danger(found, report)).collect();
        let count = amount(report.dangers.len(), "danger");
        let section = format!(
            "<section class=\"dangers\" aria-labelledby=\"dangers\"><h2 id=\"dangers\">{count}</h2>\n<ul>\n{items}</ul></section>\n"
        );
        body.push_str(&section);
    }
    body.push_str(&settings_table(report));
    for (title, bumps) in tables(report) {
        body.push_str(&table(title, bumps, report));
    }
    if !report.changes.is_empty() {
        let changes = report.changes.iter().enumerate();
        let items: String = changes
            .map(|(index, change)| object(index, change, report))
            .collect();
        let section = format!(
            "<section aria-labelledby=\"objects\"><h2 id=\"objects\">Objects</h2>\n{items}</section>\n"
        );
        body.push_str(&section);
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n<meta name=\"color-scheme\" content=\"light dark\" />\n<title>Kiln diff: {}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n",
        text(&names)
    )
}

fn facts(report: &Report) -> String {
    let mut facts = vec![counts(report)];
    facts.extend(noise(report));
    facts.join("; ")
}

/// Makes a text lead to an object of the page.
fn linked(shown: &str, subject: &Subject, report: &Report) -> String {
    let index = report.changes.iter().position(|change| {
        change.subject == *subject
            || is_also(change, subject)
            || change.was.as_ref() == Some(subject)
    });
    match index {
        Some(index) => format!("<a href=\"#object-{index}\">{shown}</a>"),
        None => shown.to_owned(),
    }
}

/// Returns whether a change is told of an object in another namespace as well.
fn is_also(change: &Change, subject: &Subject) -> bool {
    let own = &change.subject;
    own.kind == subject.kind
        && own.group == subject.group
        && own.name == subject.name
        && change.also.contains(&subject.namespace)
}

fn danger(danger: &Danger, report: &Report) -> String {
    let place = danger.spot.as_ref().map_or_else(String::new, |spot| {
        let shown = format!("{}:{}", text(&spot.path), spot.line);
        let shown = linked(&shown, &danger.subject, report);
        format!("<br /><span class=\"place\">{shown}</span>")
    });
    format!(
        "<li><strong>{}</strong> <span class=\"code\">{}</span><br />{}{place}</li>\n",
        marked(&danger.message),
        danger.code(),
        marked(&danger.why)
    )
}

fn settings_table(report: &Report) -> String {
    if report.settings.is_empty() {
        return String::new();
    }
    let row = |row: SettingRow<'_>| {
        let cell = |side: Option<&str>| text(side.unwrap_or("–"));
        format!(
            "<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>\n",
            text(&row.name),
            cell(row.before),
            cell(row.after)
        )
    };
    let rows: String = settings(report).map(row).collect();
    format!(
        "<section><h2>Settings</h2>\n<div class=\"wide\"><table>\n<thead><tr><th>Setting</th><th>Was</th><th>Is</th></tr></thead>\n<tbody>\n{rows}</tbody></table></div></section>\n"
    )
}

fn table(title: &str, bumps: &[Bump], report: &Report) -> String {
    let row = |bump: &Bump| {
        format!(
            "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td class=\"{leap}\">{leap}</td><td>{}</td></tr>\n",
            text(&bump.name),
            text(version(bump.before.as_ref())),
            text(version(bump.after.as_ref())),
            linked(&text(&bump.subject.to_string()), &bump.subject, report),
            leap = bump.leap.word(),
        )
    };
    let rows: String = bumps.iter().map(row).collect();
    format!(
        "<section><h2>{title}</h2>\n<div class=\"wide\"><table>\n<thead><tr><th>Name</th><th>From</th><th>To</th><th>Leap</th><th>Object</th></tr></thead>\n<tbody>\n{rows}</tbody></table></div></section>\n"
    )
}

fn object(index: usize, change: &Change, report: &Report) -> String {
    let spot = change.after.as_ref().or(change.before.as_ref());
    let spot = spot.filter(|_| !change.subject.is_file());
    let mut facts: Vec<String> = Vec::new();
    facts.extend(spot.map(|spot| format!("{}:{}", text(&spot.path), spot.line)));
    facts.extend(change.note.as_deref().map(marked));
    if !change.causes.is_empty() {
        let causes: Vec<String> = change
            .causes
            .iter()
            .map(|cause| marked(&cause.to_string()))
            .collect();
        facts.push(format!("by {}", causes.join(", ")));
    }
    let mut lines = String::new();
    for (tone, line) in patch(change) {
        let class = match tone {
            Tone::Same => "same",
            Tone::Added => "new",
            Tone::Removed => "gone",
            Tone::Head => "head",
            Tone::Secret => "secret",
        };
        let line = text(&line);
        for part in ["<span class=\"", class, "\">", &line, "</span>\n"] {
            lines.push_str(part);
        }
    }
    let is_own = |danger: &&Danger| {
        danger.subject == change.subject
            || is_also(change, &danger.subject)
            || change.was.as_ref() == Some(&danger.subject)
    };
    let dangers = report.dangers.iter().filter(is_own).count();
    let mark = match dangers {
        0 => String::new(),
        count => format!(" <span class=\"mark\">{}</span>", amount(count, "danger")),
    };
    let mut about = String::new();
    for fact in facts {
        for part in ["<p class=\"place\">", &fact, "</p>\n"] {
            about.push_str(part);
        }
    }
    format!(
        "<details id=\"object-{index}\"{}><summary><span class=\"kind {kind}\">{kind}</span> <code>{}</code>{mark}</summary>\n{about}<pre>{lines}</pre></details>\n",
        if change.body.is_none() {
            " open=\"open\""
        } else {
            ""
        },
        text(&title(change)),
        kind = change.kind.word(),
    )
}

/// Writes a sentence of ours, names in backticks as code.
fn marked(sentence: &str) -> String {
    let parts = sentence.split('`').enumerate();
    let shown = parts.map(|(at, part)| {
        if at % 2 == 1 {
            format!("<code>{}</code>", text(part))
        } else {
            text(part)
        }
    });
    shown.collect()
}

fn text(text: &str) -> String {
    escaped(&plain(text))
}

/// Writes a text so that nothing in it is markup.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

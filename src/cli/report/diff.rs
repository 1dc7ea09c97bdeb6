//! What differs between two trees, in the form that the reader wants.

pub mod github;
pub mod html;
pub mod json;
pub mod markdown;
pub mod terminal;

mod rows;

use crate::cli::report::counted::counted;
use crate::diff::{Bump, ChangeKind, ComparisonGap, Danger, DiffReport, ReportedChange};

/// Says in a few words how much differs: `1 added, 2 changed`.
pub fn counts(report: &DiffReport) -> String {
    let counts = ChangeKind::ALL.map(|kind| (report.count(kind), kind.word()));
    let filled = counts.iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> = filled
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let settings = report.settings.len();
    let told = (settings > 0).then(|| format!("{} changed", counted(settings, "setting")));
    let words: Vec<String> = words.into_iter().chain(told).collect();
    if !words.is_empty() {
        words.join(", ")
    } else if report.is_empty() && report.gaps.is_empty() {
        "no difference".to_owned()
    } else if report.is_empty() {
        "no difference in what is compared".to_owned()
    } else {
        "no object differs".to_owned()
    }
}

/// Says what became of a setting: its sign, its name, and what it said and says.
fn settings(report: &DiffReport) -> impl Iterator<Item = SettingRow<'_>> {
    report.settings.iter().map(|setting| SettingRow {
        sign: match (&setting.before, &setting.after) {
            (None, _) => '+',
            (_, None) => '-',
            _ => '~',
        },
        name: format!("{} {}", setting.file, setting.setting),
        before: setting.before.as_deref(),
        after: setting.after.as_deref(),
    })
}

/// A setting of the project that differs, as a row.
struct SettingRow<'r> {
    sign: char,
    name: String,
    before: Option<&'r str>,
    after: Option<&'r str>,
}

impl SettingRow<'_> {
    /// Writes what it said and says.
    fn values(&self) -> String {
        match (self.before, self.after) {
            (Some(old), Some(new)) => format!("{old} → {new}"),
            (old, new) => old.or(new).unwrap_or_default().to_owned(),
        }
    }
}

/// Names the object of a change, its other namespaces and its old name.
fn title(change: &ReportedChange) -> String {
    let mut title = change.subject.to_string();
    match change.also.as_slice() {
        [] => {}
        [one] => title = format!("{title} and {one}"),
        all => title = format!("{title} and {} more objects", all.len()),
    }
    if let Some(was) = &change.was {
        title = format!("{title} (was {was})");
    }
    title
}

/// Lists the other objects of a change that has many.
fn others(change: &ReportedChange) -> Option<String> {
    (change.also.len() > 1).then(|| {
        let names: Vec<String> = change.also.iter().map(ToString::to_string).collect();
        format!("also {}", names.join(", "))
    })
}

/// Lists the places that what differs comes from.
fn places(change: &ReportedChange) -> Option<String> {
    let places: Vec<String> = change.places.iter().map(ToString::to_string).collect();
    (!places.is_empty()).then(|| format!("from {}", places.join(", ")))
}

/// Says what happens, and to how many objects.
fn happening(danger: &Danger) -> String {
    match danger.also.len() {
        0 => danger.message.clone(),
        1 => format!("{} (and 1 more object)", danger.message),
        count => format!("{} (and {count} more objects)", danger.message),
    }
}

/// Says what cannot be compared, and why.
fn gap(gap: &ComparisonGap) -> String {
    let how = if gap.refused {
        "Flux refuses it"
    } else {
        "it is not seen"
    };
    let left = match gap.objects {
        0 => String::new(),
        1 => "; 1 object of the other side is left out".to_owned(),
        count => format!("; {count} objects of the other side are left out"),
    };
    format!(
        "{} of {}: {how}, because {}{left}",
        gap.what, gap.side, gap.why
    )
}

/// Writes what happens and why as two sentences.
fn sentences(danger: &Danger) -> String {
    let mut why = danger.why.chars();
    let first = why.next().map(char::to_uppercase).into_iter().flatten();
    let why: String = first.chain(why).collect();
    format!("{}. {why}.", happening(danger))
}

/// Says how many differences were left out, if any were.
fn noise(report: &DiffReport) -> Option<String> {
    match report.hidden {
        0 => None,
        count => Some(format!(
            "{} left out as noise",
            counted(count, "difference")
        )),
    }
}

/// The tables of versions that changed, with their titles.
fn tables(report: &DiffReport) -> impl Iterator<Item = (&'static str, &[Bump])> {
    let tables = [
        ("Images", report.images.as_slice()),
        ("Charts", report.charts.as_slice()),
    ];
    tables.into_iter().filter(|(_, bumps)| !bumps.is_empty())
}

/// Shows a version that may not be there.
fn version(text: Option<&String>) -> &str {
    text.map_or("–", String::as_str)
}

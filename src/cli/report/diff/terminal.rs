//! A diff for people at a terminal.

use std::fmt::Display;

use super::rows::{Row, rows};
use super::{counts, gap, happening, noise, others, places, settings, tables, title, version};
use crate::cli::report::counted::counted;
use crate::cli::report::shown::Shown;
use crate::cli::report::shown::terminal::TerminalPage;
use crate::diff::{ChangeKind, Danger, DiffReport, LineMark, ReportedChange, Secrecy};

/// How to show a diff.
#[derive(Clone, Copy, Debug, Default)]
pub struct View {
    /// Whether to use colour.
    pub color: bool,
    /// How many lines of an object that came or went are shown; `None` for all.
    pub body_lines: Option<usize>,
}

impl View {
    /// How many lines of a new or removed object fit a glance.
    pub const BODY_LINES: usize = 12;
}

const RED: &str = "\x1b[31m";
const GREEN: &str = "\x1b[32m";
const YELLOW: &str = "\x1b[33m";
const CYAN: &str = "\x1b[36m";
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const DANGER: &str = "\x1b[1m\x1b[91m";

/// Renders a diff: dangers, each change with its fields, versions, and a last line that counts.
///
/// Says one line where nothing differs. Ends in a line break.
pub fn render(report: &DiffReport, view: View) -> Shown {
    let mut page = DiffTerminalPage {
        view,
        text: TerminalPage::new(view.color),
    };
    page.line(DIM, format_args!("{} → {}", report.before, report.after));
    if !report.dangers.is_empty() {
        page.blank();
        page.line(DANGER, counted(report.dangers.len(), "danger"));
        report.dangers.iter().for_each(|danger| page.danger(danger));
    }
    if !report.settings.is_empty() {
        page.blank();
        page.line(BOLD, "Settings");
        for row in settings(report) {
            page.line(
                "",
                format_args!("  {} {}: {}", row.sign, row.name, row.values()),
            );
        }
    }
    report.changes.iter().for_each(|change| page.change(change));
    if !report.gaps.is_empty() {
        page.blank();
        page.line(BOLD, "Not compared");
        for told in &report.gaps {
            page.line(YELLOW, format_args!("  {}", gap(told)));
            if let Some(spot) = &told.spot {
                page.line(DIM, format_args!("    {spot}"));
            }
        }
    }
    for (title, bumps) in tables(report) {
        page.blank();
        page.line(BOLD, title);
        for bump in bumps {
            let (old, new) = (version(bump.before.as_ref()), version(bump.after.as_ref()));
            let (name, leap) = (&bump.name, bump.leap.word());
            page.line("", format_args!("  {name}  {old} → {new}  {leap}"));
        }
    }
    page.blank();
    let noise = noise(report).map_or_else(String::new, |noise| format!("; {noise}"));
    page.line(BOLD, format_args!("{}{noise}", counts(report)));
    page.text.finish()
}

struct DiffTerminalPage {
    view: View,
    text: TerminalPage,
}

impl DiffTerminalPage {
    fn blank(&mut self) {
        self.text.blank();
    }

    fn line(&mut self, color: &'static str, text: impl Display) {
        self.text.styled(color, text);
    }

    fn danger(&mut self, danger: &Danger) {
        self.line(
            RED,
            format_args!("  ! {} [{}]", happening(danger), danger.code()),
        );
        self.line("", format_args!("    {}", danger.why));
        if let Some(spot) = &danger.spot {
            self.line(DIM, format_args!("    {}:{}", spot.path, spot.line));
        }
    }

    fn change(&mut self, change: &ReportedChange) {
        self.blank();
        let color = match change.kind {
            ChangeKind::Added => GREEN,
            ChangeKind::Removed => RED,
            ChangeKind::Renamed => CYAN,
            ChangeKind::Changed => YELLOW,
        };
        let title = format!("{} {}", change.kind.sign(), title(change));
        self.line(color, title);
        let spot = change.after.as_ref().or(change.before.as_ref());
        if let Some(spot) = spot.filter(|_| !change.subject.is_file()) {
            self.line(DIM, format_args!("  {}:{}", spot.path, spot.line));
        }
        if let Some(places) = places(change) {
            self.line(DIM, format_args!("  {places}"));
        }
        if let Some(others) = others(change) {
            self.line("", format_args!("  {others}"));
        }
        if let Some(note) = &change.note {
            self.line("", format_args!("  {note}"));
        }
        self.rows(change);
        if !change.causes.is_empty() {
            let causes: Vec<String> = change.causes.iter().map(ToString::to_string).collect();
            self.line(DIM, format_args!("  by {}", causes.join(", ")));
        }
    }

    fn rows(&mut self, change: &ReportedChange) {
        let rows = rows(change);
        let limit = match (&change.body, self.view.body_lines) {
            (Some(_), Some(limit)) if rows.len() > limit + 1 => limit,
            _ => rows.len(),
        };
        let same = |row: &&Row| {
            matches!(
                row,
                Row::Secret {
                    secrecy: Secrecy::Same,
                    ..
                }
            )
        };
        for row in rows.iter().take(limit).filter(|row| !same(row)) {
            self.row(row);
        }
        let unchanged = rows.iter().filter(same).count();
        if unchanged > 0 {
            self.line(
                DIM,
                format_args!("  {} the same", counted(unchanged, "key")),
            );
        }
        if limit < rows.len() {
            let left = counted(rows.len() - limit, "more line");
            self.line(DIM, format_args!("  … {left}"));
        }
    }

    fn row(&mut self, row: &Row) {
        match row {
            Row::Head(route) => self.line("", format_args!("  {route}")),
            Row::Value {
                route,
                before: Some(old),
                after: Some(new),
            } => {
                let route = format!("  {route}: ");
                let spans: [(_, &dyn Display); 4] =
                    [("", &route), (RED, old), ("", &" → "), (GREEN, new)];
                self.text.spans(&spans);
            }
            Row::Value {
                route,
                before,
                after,
            } => {
                if let Some(old) = before {
                    self.line(RED, format_args!("  - {route}: {old}"));
                }
                if let Some(new) = after {
                    self.line(GREEN, format_args!("  + {route}: {new}"));
                }
            }
            Row::Line(mark, text) => {
                let color = match mark {
                    LineMark::Added => GREEN,
                    LineMark::Removed => RED,
                    LineMark::Same => DIM,
                };
                let sign = format!("    {} ", mark.sign());
                self.text.file_line(color, sign, text);
            }
            Row::Hunk(old, new) => self.line(CYAN, format_args!("    @@ -{old} +{new} @@")),
            Row::Order {
                route,
                before,
                after,
            } => {
                self.line("", format_args!("  {route}: another order"));
                self.line(RED, format_args!("    - {before}"));
                self.line(GREEN, format_args!("    + {after}"));
            }
            Row::Secret { route, secrecy } => {
                let route = if route.is_empty() {
                    "the whole file"
                } else {
                    route
                };
                let text = format!("  {route}: secret {}", secrecy.phrase());
                self.line(YELLOW, text);
            }
        }
    }
}

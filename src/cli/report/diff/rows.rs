//! The fields of a change as rows, the same for every form.

use serde_json::Value;

use crate::diff::{ChangeKind, ChangedField, FieldEdit, LineMark, ReportedChange, Secrecy};
use crate::yaml::{self, Resolver, Scalar, Style};

/// A row of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// The way to what the next rows show.
    Head(String),
    /// A plain value, on the sides that have it.
    Value {
        route: String,
        before: Option<String>,
        after: Option<String>,
    },
    /// A line of a text.
    Line(LineMark, String),
    /// The start of lines from the middle of a text: their numbers on both sides.
    Hunk(usize, usize),
    /// A list in two orders.
    Order {
        route: String,
        before: String,
        after: String,
    },
    /// A secret.
    Secret { route: String, secrecy: Secrecy },
}

/// Returns the rows of a change: of its fields, or of its body where it came or went.
pub(super) fn rows(change: &ReportedChange) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Some(body) = &change.body {
        let mark = match change.kind {
            ChangeKind::Removed => LineMark::Removed,
            _ => LineMark::Added,
        };
        rows.extend(body.lines().map(|line| Row::Line(mark, line.to_owned())));
    }
    for field in &change.fields {
        of_field(field, &mut rows);
    }
    rows
}

fn of_field(field: &ChangedField, rows: &mut Vec<Row>) {
    let route = field.route.to_string();
    match &field.edit {
        FieldEdit::Added(value) => one(route, value, LineMark::Added, rows),
        FieldEdit::Removed(value) => one(route, value, LineMark::Removed, rows),
        FieldEdit::Changed(old, new) => {
            if let (Some(old), Some(new)) = (scalar(old), scalar(new)) {
                rows.push(Row::Value {
                    route,
                    before: Some(old),
                    after: Some(new),
                });
            } else {
                rows.push(Row::Head(route));
                block(old, LineMark::Removed, rows);
                block(new, LineMark::Added, rows);
            }
        }
        FieldEdit::Items { removed, added } => {
            rows.push(Row::Head(route));
            for (items, mark) in [(removed, LineMark::Removed), (added, LineMark::Added)] {
                for item in items {
                    let text = scalar(item).unwrap_or_else(|| item.to_string());
                    rows.push(Row::Line(mark, text));
                }
            }
        }
        FieldEdit::Reordered(old, new) => rows.push(Row::Order {
            route,
            before: old.join(", "),
            after: new.join(", "),
        }),
        FieldEdit::Text(hunks) => {
            if !route.is_empty() {
                rows.push(Row::Head(route));
            }
            for hunk in hunks {
                if hunk.before > 1 || hunk.after > 1 || hunks.len() > 1 {
                    rows.push(Row::Hunk(hunk.before, hunk.after));
                }
                let lines = hunk.lines.iter();
                rows.extend(lines.map(|line| Row::Line(line.mark, line.text.clone())));
            }
        }
        FieldEdit::Secret(secrecy) => rows.push(Row::Secret {
            route,
            secrecy: *secrecy,
        }),
    }
}

fn one(route: String, value: &Value, mark: LineMark, rows: &mut Vec<Row>) {
    let Some(text) = scalar(value) else {
        rows.push(Row::Head(route));
        block(value, mark, rows);
        return;
    };
    let (before, after) = match mark {
        LineMark::Removed => (Some(text), None),
        _ => (None, Some(text)),
    };
    rows.push(Row::Value {
        route,
        before,
        after,
    });
}

fn block(value: &Value, mark: LineMark, rows: &mut Vec<Row>) {
    let text = match value {
        Value::String(text) => text.clone(),
        value => yaml::emit(value),
    };
    rows.extend(text.lines().map(|line| Row::Line(mark, line.to_owned())));
}

/// Returns the text of a value that fits a line; strings that could be taken for something else in
/// quotes.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.contains('\n') => None,
        Value::Object(entries) if !entries.is_empty() => None,
        Value::Array(items) if !items.is_empty() => None,
        Value::String(text) if is_plainly_text(text) => Some(text.clone()),
        value => Some(value.to_string()),
    }
}

/// Returns whether nobody takes a text for anything else without quotes around it.
fn is_plainly_text(text: &str) -> bool {
    let scalar = Scalar {
        text: text.to_owned(),
        style: Style::Plain,
        tagged_string: false,
    };
    !text.is_empty() && text.trim() == text && Resolver::Kubernetes.resolve(&scalar).is_string()
}

/// How a line of a block is to be coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// As it is.
    Same,
    /// New.
    Added,
    /// Gone.
    Removed,
    /// A route or a place in a text.
    Head,
    /// A secret.
    Secret,
}

impl Tone {
    /// Returns the class of a style sheet.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Added => "new",
            Self::Removed => "gone",
            Self::Head => "head",
            Self::Secret => "secret",
        }
    }
}

/// Returns a change as the lines of a block in the form of a patch, which forms that colour patches
/// know.
pub(super) fn patch(change: &ReportedChange) -> Vec<(Tone, String)> {
    let mut lines = Vec::new();
    for row in rows(change) {
        match row {
            Row::Head(route) => lines.push((Tone::Head, format!("@@ {route} @@"))),
            Row::Value {
                route,
                before,
                after,
            } => {
                if let Some(old) = before {
                    lines.push((Tone::Removed, format!("- {route}: {old}")));
                }
                if let Some(new) = after {
                    lines.push((Tone::Added, format!("+ {route}: {new}")));
                }
            }
            Row::Line(mark, text) => {
                let tone = match mark {
                    LineMark::Same => Tone::Same,
                    LineMark::Added => Tone::Added,
                    LineMark::Removed => Tone::Removed,
                };
                lines.push((tone, format!("{} {text}", mark.sign())));
            }
            Row::Hunk(old, new) => lines.push((Tone::Head, format!("@@ -{old} +{new} @@"))),
            Row::Order {
                route,
                before,
                after,
            } => lines.extend([
                (Tone::Head, format!("@@ {route}: another order @@")),
                (Tone::Removed, format!("- {before}")),
                (Tone::Added, format!("+ {after}")),
            ]),
            Row::Secret { route, secrecy } => {
                let (tone, sign) = match secrecy {
                    Secrecy::Same => (Tone::Same, ' '),
                    Secrecy::Added => (Tone::Added, '+'),
                    Secrecy::Removed => (Tone::Removed, '-'),
                    Secrecy::Changed | Secrecy::Unknown => (Tone::Secret, '!'),
                };
                let route = if route.is_empty() {
                    "the whole file"
                } else {
                    &route
                };
                lines.push((tone, format!("{sign} {route}: secret {}", secrecy.phrase())));
            }
        }
    }
    lines
}

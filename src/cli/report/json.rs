//! Diagnostics for programs: one JSON object a line.

use serde_json::{Value, json};

use super::SCHEMA_VERSION;
use crate::diagnostic::{Diagnostic, Label, Severity};

/// Renders a diagnostic as an object; lines and columns count from 1, columns in characters, the end
/// is exclusive.
pub fn render(diagnostic: &Diagnostic) -> Value {
    json!({
        "schemaVersion": SCHEMA_VERSION,
        "type": "diagnostic",
        "code": diagnostic.code(),
        "severity": match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "message": diagnostic.message,
        "primary": diagnostic.primary.as_ref().map(label),
        "related": diagnostic.related.iter().map(label).collect::<Vec<_>>(),
        "list": diagnostic.list.iter().map(|listed| json!({"path": listed.path, "text": listed.text})).collect::<Vec<_>>(),
        "hints": diagnostic.hints,
    })
}

fn label(label: &Label) -> Value {
    let source = &label.place.source;
    let (line, column) = source.line_column(label.place.span.start);
    let (end_line, end_column) =
        source.line_column(label.place.span.end.max(label.place.span.start));
    json!({
        "path": source.path,
        "line": line,
        "column": column,
        "endLine": end_line,
        "endColumn": end_column,
        "text": label.text,
    })
}

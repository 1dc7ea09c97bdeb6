//! Diagnostics as GitHub workflow commands, which become annotations on a pull request.
//!
//! Escaping as the runner undoes it: `%`, CR and LF everywhere, `:` and `,` in properties as well.

use crate::cli::error::Failed;
use crate::diagnostic::{Diagnostic, Label, Severity};

/// Renders a diagnostic as one line; `prefix` leads from the checkout to the project.
pub fn render(diagnostic: &Diagnostic, prefix: &str) -> String {
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut properties = Vec::new();
    if let Some(label) = diagnostic
        .primary
        .as_ref()
        .filter(|label| is_in_checkout(&label.place.source.path))
    {
        let source = &label.place.source;
        let (line, column) = source.line_column(label.place.span.start);
        let (end_line, end_column) =
            source.line_column(label.place.span.end.max(label.place.span.start));
        properties.push(format!(
            "file={}",
            property(&format!("{prefix}{}", source.path))
        ));
        properties.push(format!("line={line}"));
        if end_line == line {
            properties.push(format!("col={column},endColumn={end_column}"));
        } else {
            properties.push(format!("endLine={end_line}"));
        }
    }
    properties.push(format!("title={}", property(diagnostic.code)));
    format!(
        "::{level} {}::{}",
        properties.join(","),
        message(&text(diagnostic))
    )
}

/// Returns whether a path can name a file of the user's; those of the embedded catalogue cannot.
fn is_in_checkout(path: &str) -> bool {
    !path.starts_with("catalogue:")
}

/// Renders a failure of the world as one line.
pub fn failure(failed: &Failed) -> String {
    let mut lines = vec![failed.message.clone()];
    lines.extend(
        failed
            .causes
            .iter()
            .map(|cause| format!("because: {cause}")),
    );
    lines.extend(failed.hints.iter().map(|hint| format!("help: {hint}")));
    format!("::error title=kiln::{}", message(&lines.join("\n")))
}

fn text(diagnostic: &Diagnostic) -> String {
    let mut lines = vec![diagnostic.message.clone()];
    match &diagnostic.primary {
        Some(label) if !is_in_checkout(&label.place.source.path) => lines.push(placed(label)),
        Some(label) if !label.text.is_empty() => lines.push(label.text.clone()),
        _ => {}
    }
    lines.extend(diagnostic.related.iter().map(placed));
    lines.extend(diagnostic.list_lines());
    lines.extend(diagnostic.hints.iter().map(|hint| format!("help: {hint}")));
    lines.join("\n")
}

/// Names the place of a label in words.
fn placed(label: &Label) -> String {
    let source = &label.place.source;
    let (line, column) = source.line_column(label.place.span.start);
    let separator = if label.text.is_empty() { "" } else { ": " };
    format!("{}:{line}:{column}{separator}{}", source.path, label.text)
}

/// Writes a text so that it stays one workflow command.
pub(super) fn message(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Writes a text as the value of a property of a workflow command.
pub(super) fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

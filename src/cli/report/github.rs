//! Diagnostics as GitHub workflow commands, which become annotations on a pull request.

use super::shown::Shown;
use super::shown::workflow::WorkflowCommand;
use crate::cli::error::FailedCommand;
use crate::diagnostic::{Diagnostic, Label, Severity};

/// Renders a diagnostic as one line; `prefix` leads from the checkout to the project.
pub fn render(diagnostic: &Diagnostic, prefix: &str) -> Shown {
    let mut command = WorkflowCommand::new(match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    });
    let place = diagnostic.primary.as_ref().map(|label| &label.place);
    if let Some(place) = place.filter(|place| is_in_checkout(&place.source.path)) {
        let (source, span) = (&place.source, place.span);
        let (line, column) = source.line_column(span.start);
        let (end_line, end_column) = source.line_column(span.end.max(span.start));
        command.property("file", &format!("{prefix}{}", source.path));
        command.number("line", line);
        if end_line == line {
            command.number("col", column);
            command.number("endColumn", end_column);
        } else {
            command.number("endLine", end_line);
        }
    }
    command.property("title", diagnostic.code());
    command.say(lines(diagnostic))
}

/// Returns whether a path can name a file of the user's; those of the embedded catalogue cannot.
fn is_in_checkout(path: &str) -> bool {
    !path.starts_with("catalogue:")
}

/// Renders a failure of the world as one line.
pub fn failure(failed: &FailedCommand) -> Shown {
    let mut lines = vec![failed.message.clone()];
    lines.extend(
        failed
            .causes
            .iter()
            .map(|cause| format!("because: {cause}")),
    );
    lines.extend(failed.hints.iter().map(|hint| format!("help: {hint}")));
    let mut command = WorkflowCommand::new("error");
    command.property("title", "kiln");
    command.say(lines)
}

/// Renders a sentence that is about no place.
pub fn notice(title: &str, sentence: &str) -> Shown {
    let mut command = WorkflowCommand::new("notice");
    command.property("title", title);
    command.say([sentence])
}

fn lines(diagnostic: &Diagnostic) -> Vec<String> {
    let mut lines = vec![diagnostic.message.clone()];
    match &diagnostic.primary {
        Some(label) if !is_in_checkout(&label.place.source.path) => lines.push(placed(label)),
        Some(label) if !label.text.is_empty() => lines.push(label.text.clone()),
        _ => {}
    }
    lines.extend(diagnostic.related.iter().map(placed));
    lines.extend(diagnostic.list_lines());
    lines.extend(diagnostic.hints.iter().map(|hint| format!("help: {hint}")));
    lines
}

/// Names the place of a label in words.
fn placed(label: &Label) -> String {
    let source = &label.place.source;
    let (line, column) = source.line_column(label.place.span.start);
    let separator = if label.text.is_empty() { "" } else { ": " };
    format!("{}:{line}:{column}{separator}{}", source.path, label.text)
}

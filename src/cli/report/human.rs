//! Diagnostics for people, as rustc shows them.
//!
//! The one file that knows the snippet renderer.

use std::sync::Arc;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::shown::Shown;
use super::shown::marks::marked;
use super::shown::terminal::{self, MarkedSource, TerminalPage};
use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::source::{Source, Span};

/// Renders a diagnostic with the lines it is about, and a blank line after it.
///
/// Of a source that is sensitive only path, line and column are shown.
pub fn render(diagnostic: &Diagnostic, color: bool) -> Shown {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = level
        .primary_title(marked(&diagnostic.message))
        .id(diagnostic.code())
        .elements(NOTHING);
    for (source, labels) in by_source(diagnostic) {
        group = match source.visible() {
            None => points(group, source, &labels),
            Some(text) => snippet(group, source, text, &labels),
        };
    }
    let list = diagnostic.list_lines();
    if !list.is_empty() {
        let list: Vec<_> = list.iter().map(|line| marked(line)).collect();
        group = group.element(Level::NOTE.message(list.join("\n")));
    }
    for hint in &diagnostic.hints {
        group = group.element(Level::HELP.message(marked(hint)));
    }
    let text = with_true_columns(renderer.render(&[group]), diagnostic);
    terminal::drawn(&format!("{text}\n\n"))
}

/// Renders warnings of one code in a line each, under a head that counts them.
pub fn render_briefly(code: &str, warnings: &[&Diagnostic], color: bool) -> Shown {
    let mut page = TerminalPage::new(color);
    let head = format!("warning[{code}]");
    let count = warnings.len();
    let told = format!(
        ": {count} findings; `-v` shows each with its lines, `kiln explain {code}` tells more"
    );
    page.spans(&[(WARNING, &head), (BOLD, &told)]);
    for warning in warnings {
        let place = warning.primary.as_ref().map(|label| {
            let source = &label.place.source;
            let (line, column) = source.line_column(label.place.span.start);
            format!("{}:{line}:{column}: ", source.path)
        });
        let message = &warning.message;
        page.line(format_args!("  {}{message}", place.unwrap_or_default()));
    }
    page.blank();
    page.finish()
}

const WARNING: &str = "\u{1b}[1m\u{1b}[33m";
const BOLD: &str = "\u{1b}[1m";

const NOTHING: [Origin<'static>; 0] = [];

type Labels<'d> = Vec<(AnnotationKind, &'d Label)>;

/// Groups the labels of a diagnostic by source, the primary one first.
fn by_source(diagnostic: &Diagnostic) -> Vec<(&Arc<Source>, Labels<'_>)> {
    let primary = diagnostic
        .primary
        .iter()
        .map(|label| (AnnotationKind::Primary, label));
    let related = diagnostic
        .related
        .iter()
        .map(|label| (AnnotationKind::Context, label));
    let mut groups: Vec<(&Arc<Source>, Labels<'_>)> = Vec::new();
    for (kind, label) in primary.chain(related) {
        let source = &label.place.source;
        match groups.iter_mut().find(|(known, _)| *known == source) {
            Some((_, labels)) => labels.push((kind, label)),
            None => groups.push((source, vec![(kind, label)])),
        }
    }
    groups
}

fn snippet<'d>(
    group: Group<'d>,
    source: &'d Source,
    text: &'d str,
    labels: &Labels<'d>,
) -> Group<'d> {
    let around = lines_around(text, labels);
    let shown = MarkedSource::of(&text[around.start..around.end]);
    let annotations = labels.iter().map(|(kind, label)| {
        let span = visible(text, label.place.span);
        let word = (!label.text.is_empty()).then(|| marked(&label.text));
        let start = shown.place_of(span.start - around.start);
        kind.span(start..shown.place_of(span.end - around.start))
            .label(word)
    });
    let annotations: Vec<Annotation<'d>> = annotations.collect();
    let (line, _) = source.line_column(around.start);
    let snippet = Snippet::source(shown.text).line_start(line);
    group.element(snippet.annotations(annotations).path(marked(&source.path)))
}

/// Returns the lines that labels are in, with one more on both sides: all that is looked at, since a file may be long and
/// its problems many.
fn lines_around(text: &str, labels: &Labels<'_>) -> Span {
    let spans = labels
        .iter()
        .map(|(_, label)| visible(text, label.place.span));
    let Some(span) = spans.reduce(Span::cover) else {
        return Span::default();
    };
    let start_of_line = |at: usize| text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let end_of_line = |at: usize| {
        text[at..]
            .find('\n')
            .map_or(text.len(), |newline| at + newline + 1)
    };
    let start = start_of_line(start_of_line(span.start).saturating_sub(1));
    Span::new(start, end_of_line(end_of_line(span.end)))
}

/// Puts right the columns of places behind marks, which the renderer counts in what is shown.
fn with_true_columns(mut text: String, diagnostic: &Diagnostic) -> String {
    for (source, labels) in by_source(diagnostic) {
        let (Some(visible), Some((_, label))) = (source.visible(), labels.first()) else {
            continue;
        };
        let start = floor(visible, label.place.span.start);
        let (line, column) = source.line_column(start);
        let before = visible[..start].rfind('\n').map_or(0, |at| at + 1);
        let end = visible[start..].find('\n');
        let end = end.map_or(visible.len(), |at| start + at);
        // The whole line, since what gets a mark may begin before the place and end behind it.
        let shown = MarkedSource::of(&visible[before..end]);
        let counted = shown.text[..shown.place_of(start - before)].chars().count() + 1;
        if counted != column {
            let place = format!("{}:{line}:", marked(&source.path));
            let wrong = format!("{place}{counted}\n");
            text = text.replacen(&wrong, &format!("{place}{column}\n"), 1);
        }
    }
    text
}

fn origin<'d>(source: &'d Source, label: &Label) -> Origin<'d> {
    let (line, column) = source.line_column(label.place.span.start);
    Origin::path(marked(&source.path))
        .line(line)
        .char_column(column)
}

/// Names the places in a source whose text may not be shown.
fn points<'d>(mut group: Group<'d>, source: &'d Source, labels: &Labels<'d>) -> Group<'d> {
    for (_, label) in labels {
        group = group.element(origin(source, label));
        if !label.text.is_empty() {
            group = group.element(Level::NOTE.message(marked(&label.text)));
        }
    }
    group
}

/// Moves a span to what can be underlined: inside the text, on whole characters, and without the
/// white space at its end, which would pull in the next line.
fn visible(text: &str, span: Span) -> Span {
    let start = floor(text, span.start);
    let end = floor(text, span.end).max(start);
    let shown = text[start..end].trim_end().len();
    if shown == 0 {
        return Span::new(
            start,
            end.min(start + text[start..].chars().next().map_or(0, char::len_utf8)),
        );
    }
    Span::new(start, start + shown)
}

fn floor(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

//! Says in our words, and in the template that the user wrote, what Tera found wrong.

use std::collections::BTreeSet;

use tera::{ErrorKind, ReportError};

use super::callable::Failure;
use super::condition::lower_first;
use super::scan::Kind;
use super::template::{ByName, Template};
use super::{filters, functions};
use crate::diagnostic::Diagnostic;
use crate::source::{Place, Span};

/// Reports a template that does not parse.
pub(super) fn syntax(report: &ReportError, template: &Template) -> Diagnostic {
    if report.message() == "Unexpected end of input"
        && let Some(unclosed) = unclosed(template)
    {
        return unclosed;
    }
    let span = clamp(template, &report.span().range);
    Diagnostic::error("template-syntax", tidy(report.message())).at(&template.source, span, "")
}

/// Finds the statement whose end is missing.
fn unclosed(template: &Template) -> Option<Diagnostic> {
    let text = &template.source.text;
    let mut open = Vec::new();
    for tag in template.tags.iter().filter(|tag| tag.kind == Kind::Block) {
        let keyword = tag.keyword(text);
        if let Some(closed) = keyword.strip_prefix("end") {
            if open.last().is_some_and(|(opener, _)| *opener == closed) {
                open.pop();
            }
        } else if matches!(keyword, "if" | "for" | "block" | "filter" | "component")
            || (matches!(keyword, "set" | "set_global") && !text[tag.inner.clone()].contains('='))
        {
            open.push((keyword, tag));
        }
    }
    let (keyword, tag) = open.pop()?;
    let span = Span::new(tag.outer.start, tag.outer.end);
    let diagnostic = Diagnostic::error("template-syntax", format!("this `{keyword}` is never closed"));
    Some(diagnostic.at(&template.source, span, "").with_hint(format!("close it with `#% end{keyword} %#`")))
}

/// Reports what Tera found when it put templates together, each with the name of its template.
///
/// A template without a diagnostic is left out for the sake of one that is reported elsewhere.
pub(super) fn references(
    error: &tera::Error,
    templates: &ByName<'_>,
    broken: &BTreeSet<String>,
) -> Vec<(String, Option<Diagnostic>)> {
    let ErrorKind::Msg(text) = error.kind() else {
        return Vec::new();
    };
    if let Some(rest) = text.strip_prefix("Component `") {
        return duplicate_component(text, rest, templates);
    }
    let components_missing =
        templates.values().any(|template| broken.contains(&template.name) && template.defines_components());
    let mut found = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(message) = line.strip_prefix("error: ") else {
            continue;
        };
        let place = lines.peek().and_then(|line| line.trim_start().strip_prefix("--> "));
        let Some((template, at)) = place.and_then(|place| locate(place, templates)) else {
            continue;
        };
        let follow_up = components_missing && message.starts_with("Unknown component");
        let problem = (!follow_up).then(|| unknown(message, template, at));
        found.push((template.name.clone(), problem));
    }
    found
}

/// Finds the template and the byte that `name:line:column` stands for.
fn locate<'t>(place: &str, templates: &ByName<'t>) -> Option<(&'t Template, usize)> {
    let mut parts = place.rsplitn(3, ':');
    let column: usize = parts.next()?.parse().ok()?;
    let line: usize = parts.next()?.parse().ok()?;
    let template = *templates.get(parts.next()?)?;
    let start = template.source.line_span(line).start;
    let within = template.source.text[start..].char_indices().nth(column.saturating_sub(1));
    Some((template, within.map_or(template.source.text.len(), |(at, _)| start + at)))
}

/// Reports a name that is not known: ``Unknown filter `x` ``.
fn unknown(message: &str, template: &Template, at: usize) -> Diagnostic {
    let mut words = message.splitn(3, ' ');
    let sort = words.nth(1).unwrap_or_default();
    let name = words.next().unwrap_or_default().trim_matches('`');
    let (code, candidates): (_, Vec<&str>) = match sort {
        "filter" => ("unknown-filter", names(filters::FILTERS.iter().map(|f| f.name), filters::BUILT_IN)),
        "function" => ("unknown-function", names(functions::FUNCTIONS.iter().map(|f| f.name), functions::BUILT_IN)),
        "test" => ("unknown-test", filters::TESTS.to_vec()),
        "component" => ("unknown-component", Vec::new()),
        _ => ("template-syntax", Vec::new()),
    };
    let rest = &template.source.text[at..];
    let span = match rest.find(name) {
        Some(offset) if offset < 200 => Span::new(at + offset, at + offset + name.len()),
        _ => Span::new(at, at),
    };
    let text = if code == "template-syntax" { tidy(message) } else { format!("there is no {sort} `{name}`") };
    Diagnostic::error(code, text).at(&template.source, span, "").with_suggestion(name, candidates)
}

fn names(own: impl Iterator<Item = &'static str>, built_in: &[&'static str]) -> Vec<&'static str> {
    own.chain(built_in.iter().copied()).collect()
}

fn duplicate_component(
    text: &str,
    rest: &str,
    templates: &ByName<'_>,
) -> Vec<(String, Option<Diagnostic>)> {
    let name = rest.split('`').next().unwrap_or_default();
    let mut owners = rest.split('`').skip(1).filter_map(|part| templates.get(part));
    let (Some(first), Some(second)) = (owners.next(), owners.next()) else {
        return Vec::new();
    };
    let place = |template: &Template| {
        let source = &template.source;
        let tag = template.tags.iter().find(|tag| {
            tag.keyword(&source.text) == "component" && source.text[tag.inner.clone()].contains(name)
        });
        Place::new(source, tag.map_or(Span::default(), |tag| Span::new(tag.outer.start, tag.outer.end)))
    };
    let problem = Diagnostic::error("template-syntax", tidy(text))
        .at_place(place(second), "")
        .with_related(place(first), "first defined here");
    vec![(second.name.clone(), Some(problem))]
}

/// Reports an error of Tera that belongs to no template.
pub(super) fn unexplained(error: &tera::Error) -> Diagnostic {
    Diagnostic::error("template-syntax", tidy(&error.to_string()))
}

/// Reports a rendering that failed in `template` or in one that it includes.
pub(super) fn rendering(
    error: &tera::Error,
    failure: Option<Failure>,
    template: &Template,
    templates: &ByName<'_>,
) -> Diagnostic {
    let ErrorKind::RenderingError(report) = error.kind() else {
        let diagnostic = match failure {
            Some(failure) => from_failure(failure),
            None => Diagnostic::error("template-failed", conceal(&tidy(&error.to_string()))),
        };
        return diagnostic.at(&template.source, Span::default(), "");
    };
    let owner = templates.get(report.filename()).copied().unwrap_or(template);
    let span = clamp(owner, &report.span().range);
    let written = &owner.source.text[span.start..span.end];
    let diagnostic = match failure {
        Some(failure) => from_failure(failure),
        None => undefined(report.message(), written)
            .unwrap_or_else(|| Diagnostic::error("template-failed", conceal(&tidy(report.message())))),
    };
    callers(error, templates).into_iter().fold(
        diagnostic.at(&owner.source, span, ""),
        |diagnostic, place| diagnostic.with_related(place, "included from here"),
    )
}

fn from_failure(failure: Failure) -> Diagnostic {
    let diagnostic = Diagnostic::error(failure.code, failure.message);
    failure.hints.into_iter().fold(diagnostic, Diagnostic::with_hint)
}

/// Reports a variable or key that does not exist, if that is what the message says.
fn undefined(message: &str, written: &str) -> Option<Diagnostic> {
    let hint = "test it with `is defined`, or give it a `default(value=…)`, if it may be missing";
    let (what, list) = message.split_once(". Available ").unwrap_or((message, ""));
    let what = what.trim_end_matches('.');
    let candidates: Vec<&str> = list.split_once(": ").map_or_else(Vec::new, |(_, names)| names.split(", ").collect());
    let quoted = |prefix: &str| what.strip_prefix(prefix)?.strip_suffix("` is not defined");
    let (text, name) = if let Some(name) = quoted("Variable `") {
        (format!("there is no variable `{name}`"), name)
    } else if let Some(name) = quoted("Field `") {
        (missing_key(name, written), name)
    } else if message.contains("undefined") {
        (format!("`{}` is not defined", written.trim()), "")
    } else {
        return None;
    };
    let diagnostic = Diagnostic::error("undefined-variable", text);
    let suggested = diagnostic.clone().with_suggestion(name, candidates);
    Some(if suggested == diagnostic { diagnostic.with_hint(hint) } else { suggested })
}

/// Names the object that lacks a key, when the template spells it.
fn missing_key(name: &str, written: &str) -> String {
    let written = written.trim();
    let parent = written
        .strip_suffix(name)
        .map(|parent| parent.trim_end_matches(['.', '?']))
        .or_else(|| written.strip_suffix("\"]")?.strip_suffix(name)?.strip_suffix("[\""));
    match parent {
        Some(parent) if !parent.is_empty() => format!("`{parent}` has no key `{name}`"),
        _ => format!("there is no key `{name}`"),
    }
}

/// Lists the includes that led to an error, the innermost first.
///
/// Tera gives them in its printed report only.
fn callers(error: &tera::Error, templates: &ByName<'_>) -> Vec<Place> {
    let text = error.to_string();
    let notes = text.lines().filter_map(|line| line.strip_prefix("note: called from "));
    notes
        .filter_map(|note| locate(note, templates))
        .map(|(template, at)| {
            let tag = template.tags.iter().rev().find(|tag| tag.outer.start <= at);
            let span = tag.map_or(Span::new(at, at), |tag| Span::new(tag.outer.start, tag.outer.end));
            Place::new(&template.source, span)
        })
        .collect()
}

/// Fits a range of Tera's into the text of a template, without the white space around it.
fn clamp(template: &Template, range: &std::ops::Range<usize>) -> Span {
    let text = &template.source.text;
    let inside = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (start, end) = (inside(range.start), inside(range.end.max(range.start)));
    let part = &text[start..end];
    if part.trim().is_empty() {
        return Span::new(start, end);
    }
    let start = start + (part.len() - part.trim_start().len());
    Span::new(start, start + part.trim().len())
}

/// Turns a message of Tera into our form: our delimiters, lower case, no final period.
fn tidy(message: &str) -> String {
    let text = message
        .replace("{{", "#{")
        .replace("}}", "}#")
        .replace("{%", "#%")
        .replace("%}", "%#");
    lower_first(text.trim().trim_end_matches('.'))
}

/// Takes values out of the messages in which Tera quotes them, since they may be secret.
fn conceal(message: &str) -> String {
    const VALUES: &[(&str, &str)] = &[
        ("the string `", "the string"),
        ("value `", "the value"),
        ("operand `", "the operand"),
        ("number `", "the number"),
        ("the float ", "the number"),
    ];
    for (start, name) in VALUES {
        if message.starts_with(start) {
            let end = if start.ends_with('`') { message.rfind("` ").map(|at| at + 1) } else { message.find(" cannot") };
            return format!("{name}{}", end.map_or(" does not fit", |end| &message[end..]));
        }
    }
    for start in ["unable to perform ", "cannot negate ", "exponent "] {
        if message.starts_with(start) {
            return "the numbers are too large for this".to_owned();
        }
    }
    if message.starts_with("map does not have a key ") {
        return "the map does not have this key, and there is no default".to_owned();
    }
    message.to_owned()
}

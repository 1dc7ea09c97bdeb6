//! Says in our words, and in the template that the user wrote, what Tera found wrong.

use std::collections::BTreeSet;

use tera::{Context, ErrorKind, ReportError};

use super::callable::FunctionFailure;
use super::scan::{self, Tag, TagKind};
use super::template::{ByName, PreparedTemplate};
use super::{filters, functions, sealed_text, undefined};
use crate::diagnostic::Diagnostic;
use crate::render::codes;
use crate::render::condition::lower_first;
use crate::source::{Place, Span};

/// The statements of Tera 2.
const STATEMENTS: &[&str] = &[
    "if",
    "elif",
    "else",
    "endif",
    "for",
    "endfor",
    "set",
    "endset",
    "set_global",
    "endset_global",
    "include",
    "extends",
    "block",
    "endblock",
    "filter",
    "endfilter",
    "component",
    "endcomponent",
    "raw",
    "endraw",
    "break",
    "continue",
];

/// How text stays that is not meant for Kiln.
const RAW_HINT: &str =
    "what is meant for another tool stays as it is between `#% raw %#` and `#% endraw %#`";

/// Reports a template that does not parse.
pub(super) fn syntax(report: &ReportError, template: &PreparedTemplate) -> Diagnostic {
    let span = clamp(template, &report.span().range);
    let better = match report.message() {
        "Unexpected end of input" => unclosed(template),
        "Unknown tag" => match template.tag_at(span.start) {
            Some(tag) if span.start < tag.outer.end => Some(unknown_statement(template, span)),
            _ => unclosed(template),
        },
        _ => None,
    };
    let problem = better.unwrap_or_else(|| {
        Diagnostic::error(&codes::TEMPLATE_SYNTAX, tidy(report.message())).at(
            &template.source,
            span,
            "",
        )
    });
    let problem = if is_of_another_tool(template, span.start) {
        problem.with_hint(RAW_HINT)
    } else {
        problem
    };
    sealed_text::without_quotes(problem, template)
}

/// Returns whether the tag around a byte looks like the text of another tool: one that is never closed, or that has the
/// braces of one, as `#{record["host"]}` of Fluentd.
fn is_of_another_tool(template: &PreparedTemplate, at: usize) -> bool {
    let text = &template.source.text;
    if scan::unclosed(text, &template.tags).is_some_and(|(start, _)| start <= at) {
        return true;
    }
    let Some(tag) = template.tag_at(at) else {
        return false;
    };
    let behind = &text[tag.outer.start..];
    let line = behind.lines().next().unwrap_or_default();
    let close = line.find('}').map(|close| &line[close..]);
    tag.kind == TagKind::Variable && close.is_some_and(|close| !close.starts_with(scan::VARIABLE.1))
}

/// Finds the tag or the statement whose end is missing.
fn unclosed(template: &PreparedTemplate) -> Option<Diagnostic> {
    let source = &template.source;
    if let Some((at, kind)) = scan::unclosed(&source.text, &template.tags) {
        let span = Span::new(at, source.line_span(source.line_column(at).0).end);
        return Some(
            Diagnostic::error(&codes::TEMPLATE_SYNTAX, "this tag is never closed")
                .at(source, span, "")
                .with_hint(format!("close it with `{}`", kind.delimiters().1)),
        );
    }
    let (keyword, tag) = open_statements(template, source.text.len()).pop()?;
    Some(
        Diagnostic::error(
            &codes::TEMPLATE_SYNTAX,
            format!("this `{keyword}` is never closed"),
        )
        .at(source, tag.span(), "")
        .with_hint(format!("close it with `#% end{keyword} %#`")),
    )
}

/// Lists the statements that are open at a byte, the innermost last.
fn open_statements(template: &PreparedTemplate, at: usize) -> Vec<(&str, &Tag)> {
    let text = &template.source.text;
    let mut open: Vec<(&str, &Tag)> = Vec::new();
    for tag in template
        .tags
        .iter()
        .filter(|tag| tag.kind == TagKind::Block && tag.outer.end <= at)
    {
        let keyword = tag.keyword(text);
        if let Some(closed) = keyword.strip_prefix("end") {
            if open.last().is_some_and(|(opener, _)| *opener == closed) {
                open.pop();
            }
        } else if tag.opens_block(text) {
            open.push((keyword, tag));
        }
    }
    open
}

/// Reports a statement that does not exist, or that ends what is not open.
fn unknown_statement(template: &PreparedTemplate, span: Span) -> Diagnostic {
    let source = &template.source;
    let keyword = template
        .tag_at(span.start)
        .map_or("", |tag| tag.keyword(&source.text));
    let problem =
        |message: String| Diagnostic::error(&codes::TEMPLATE_SYNTAX, message).at(source, span, "");
    if !STATEMENTS.contains(&keyword) {
        let statements = STATEMENTS.iter().copied();
        return problem(format!("there is no statement `{keyword}`"))
            .with_suggestion(keyword, statements);
    }
    match open_statements(template, span.start).pop() {
        Some((opener, tag)) if keyword.starts_with("end") => problem(format!(
            "`{keyword}` stands where the `end{opener}` of this `{opener}` is missing"
        ))
        .with_related(Place::new(source, tag.span()), "still open"),
        _ => problem(format!("`{keyword}` has nothing open before it")),
    }
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
    let components_missing = templates
        .values()
        .any(|template| broken.contains(&template.name) && template.components().next().is_some());
    let components: Vec<&str> = templates
        .values()
        .flat_map(|template| template.components())
        .collect();
    let mut found = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(message) = line.strip_prefix("error: ") else {
            continue;
        };
        let place = lines
            .peek()
            .and_then(|line| line.trim_start().strip_prefix("--> "));
        let Some((template, at)) = place.and_then(|place| locate(place, templates)) else {
            continue;
        };
        let follow_up = components_missing && message.starts_with("Unknown component");
        let problem = (!follow_up).then(|| unknown(message, template, at, &components));
        found.push((template.name.clone(), problem));
    }
    found
}

/// Finds the template and the byte that `name:line:column` stands for.
fn locate<'t>(place: &str, templates: &ByName<'t>) -> Option<(&'t PreparedTemplate, usize)> {
    let mut parts = place.rsplitn(3, ':');
    let column: usize = parts.next()?.parse().ok()?;
    let line: usize = parts.next()?.parse().ok()?;
    let template = *templates.get(parts.next()?)?;
    let text = template.text();
    let mut lines = text.split_inclusive('\n');
    let start: usize = lines
        .by_ref()
        .take(line.checked_sub(1)?)
        .map(str::len)
        .sum();
    let mut within = text.get(start..)?.char_indices();
    let within = within.nth(column.saturating_sub(1));
    let at = template.original(within.map_or(text.len(), |(at, _)| start + at));
    Some((template, char_boundary(&template.source.text, at)))
}

/// Reports a name that is not known: ``Unknown filter `x` ``.
fn unknown(
    message: &str,
    template: &PreparedTemplate,
    at: usize,
    components: &[&str],
) -> Diagnostic {
    let mut words = message.splitn(3, ' ');
    let sort = words.nth(1).unwrap_or_default();
    let name = words.next().unwrap_or_default().trim_matches('`');
    let (meaning, candidates): (_, Vec<&str>) = match sort {
        "filter" => (
            &codes::UNKNOWN_FILTER,
            names(filters::FILTERS.iter().map(|f| f.name), filters::BUILT_IN),
        ),
        "function" => (
            &codes::UNKNOWN_FUNCTION,
            names(
                functions::FUNCTIONS.iter().map(|f| f.name),
                functions::BUILT_IN,
            ),
        ),
        "test" => (&codes::UNKNOWN_TEST, filters::TESTS.to_vec()),
        "component" => (&codes::UNKNOWN_COMPONENT, components.to_vec()),
        _ => (&codes::TEMPLATE_SYNTAX, Vec::new()),
    };
    let rest = &template.source.text[at..];
    let span = match rest.find(name) {
        Some(offset) if offset < 200 => Span::new(at + offset, at + offset + name.len()),
        _ => Span::new(at, at),
    };
    let text = if *meaning == codes::TEMPLATE_SYNTAX {
        tidy(message)
    } else {
        format!("there is no {sort} `{name}`")
    };
    Diagnostic::error(meaning, text)
        .at(&template.source, span, "")
        .with_suggestion(name, candidates)
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
    let mut owners = rest
        .split('`')
        .skip(1)
        .filter_map(|part| templates.get(part));
    let (Some(first), Some(second)) = (owners.next(), owners.next()) else {
        return Vec::new();
    };
    let place = |template: &PreparedTemplate| {
        let source = &template.source;
        let tag = template.tags.iter().find(|tag| {
            tag.keyword(&source.text) == "component"
                && source.text[tag.inner.clone()].contains(name)
        });
        Place::new(source, tag.map_or(Span::default(), Tag::span))
    };
    let problem = Diagnostic::error(&codes::TEMPLATE_SYNTAX, tidy(text))
        .at_place(place(second), "")
        .with_related(place(first), "first defined here");
    vec![(second.name.clone(), Some(problem))]
}

/// Reports an error of Tera that belongs to no template.
pub(super) fn unexplained(error: &tera::Error) -> Diagnostic {
    Diagnostic::error(&codes::TEMPLATE_SYNTAX, tidy(&error.to_string()))
}

/// Reports a rendering that failed in `template` or in one that it includes.
pub(super) fn rendering(
    error: &tera::Error,
    failure: Option<FunctionFailure>,
    template: &PreparedTemplate,
    templates: &ByName<'_>,
    variables: &Context,
) -> Diagnostic {
    let ErrorKind::RenderingError(report) = error.kind() else {
        let diagnostic = match failure {
            Some(failure) => from_failure(failure),
            None => Diagnostic::error(&codes::TEMPLATE_FAILED, conceal(&tidy(&error.to_string()))),
        };
        return diagnostic.at(&template.source, Span::default(), "");
    };
    let owner = templates
        .get(report.filename())
        .copied()
        .unwrap_or(template);
    let source = &owner.source;
    let span = clamp(owner, &report.span().range);
    let tag = owner.tag_at(span.start);
    let missing = match &failure {
        Some(failure) if *failure.meaning != codes::UNDEFINED_VARIABLE => None,
        None if !report.message().contains("defined") => None,
        _ => undefined::named(report.message(), source, span, tag, variables)
            .or_else(|| undefined::unnamed(source, span, tag?, variables)),
    };
    let diagnostic = missing.unwrap_or_else(|| {
        let diagnostic = match failure {
            Some(failure) => from_failure(failure),
            None => Diagnostic::error(&codes::TEMPLATE_FAILED, conceal(&tidy(report.message()))),
        };
        diagnostic.at(source, span, "")
    });
    // `#{a}#{b}` of tmux ends as one of ours does.
    let braces = tag.is_some_and(|tag| {
        tag.kind == TagKind::Variable && source.text[tag.outer.end..].starts_with('{')
    });
    let diagnostic = if braces {
        diagnostic.with_hint(RAW_HINT)
    } else {
        diagnostic
    };
    let diagnostic = sealed_text::without_quotes(diagnostic, owner);
    callers(error, templates)
        .into_iter()
        .fold(diagnostic, |diagnostic, place| {
            diagnostic.with_related(place, "included from here")
        })
}

fn from_failure(failure: FunctionFailure) -> Diagnostic {
    let diagnostic = Diagnostic::error(failure.meaning, failure.message);
    failure
        .hints
        .into_iter()
        .fold(diagnostic, Diagnostic::with_hint)
}

/// Lists the includes that led to an error, the innermost first.
///
/// Tera gives them in its printed report only.
fn callers(error: &tera::Error, templates: &ByName<'_>) -> Vec<Place> {
    let text = error.to_string();
    let notes = text
        .lines()
        .filter_map(|line| line.strip_prefix("note: called from "));
    notes
        .filter_map(|note| locate(note, templates))
        .map(|(template, at)| {
            let span = template.tag_at(at).map_or(Span::new(at, at), Tag::span);
            Place::new(&template.source, span)
        })
        .collect()
}

/// Fits a range of Tera's into the text of a template, without the white space around it.
fn clamp(template: &PreparedTemplate, range: &std::ops::Range<usize>) -> Span {
    let text = &template.source.text;
    let inside = |at: usize| char_boundary(text, template.original(at));
    let (start, end) = (inside(range.start), inside(range.end.max(range.start)));
    let part = &text[start..end];
    if part.trim().is_empty() {
        let next = text[start..]
            .chars()
            .next()
            .filter(|c| !c.is_whitespace())
            .map_or(0, char::len_utf8);
        return Span::new(start, end.max(start + next));
    }
    let start = start + (part.len() - part.trim_start().len());
    Span::new(start, start + part.trim().len())
}

/// Returns the last byte up to `at` where a character of the text starts.
fn char_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Turns a message of Tera into our form: our delimiters, lower case, no final period.
fn tidy(message: &str) -> String {
    let text = message
        .replace("expected }}", "expected `}#`")
        .replace("expected %}", "expected `%#`")
        .replace("{{", "#{")
        .replace("}}", "}#")
        .replace("{%", "#%")
        .replace("%}", "%#");
    let text = TYPES
        .iter()
        .fold(text, |text, (tera, ours)| text.replace(tera, ours));
    lower_first(text.trim().trim_end_matches('.'))
}

/// Tera's names of types, and ours.
const TYPES: &[(&str, &str)] = &[
    ("`i64`", "`number`"),
    ("`u64`", "`number`"),
    ("`i128`", "`number`"),
    ("`u128`", "`number`"),
    ("`f64`", "`number`"),
    ("`array`", "`list`"),
    ("`map/struct`", "`map`"),
    ("`none`", "`null`"),
];

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
            let end = if start.ends_with('`') {
                message.rfind("` ").map(|at| at + 1)
            } else {
                message.find(" cannot")
            };
            return format!(
                "{name}{}",
                end.map_or(" does not fit", |end| &message[end..])
            );
        }
    }
    for start in ["unable to perform ", "cannot negate ", "exponent "] {
        if message.starts_with(start) {
            return "the numbers are too large for this".to_owned();
        }
    }
    message.to_owned()
}

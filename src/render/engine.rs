//! Tera, set up for our dialect, with limits and a map of lines.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use tera::{Context, Delimiters, ErrorKind, Tera};

use super::callable::Failure;
use super::environment::Environment;
use super::report;
use super::scan::{BLOCK, COMMENT, Tag, VARIABLE, scan};
use super::session::{self, Limit, Session};
use super::sourcemap::{Line, Marked, mark, unmark};
use super::template::{ByName, Template, check_includes, tainted};
use super::{filters, functions};
use crate::diagnostic::Diagnostic;
use crate::source::{Files, Span};

/// How many bytes one template may print.
const MAX_OUTPUT: usize = 8 << 20;

/// All templates of a run, parsed.
pub(super) struct Engine<'t> {
    all: &'t [Template],
    templates: ByName<'t>,
    plain: Tera,
    marked: Option<Tera>,
    marks: Vec<Marked>,
    unusable: BTreeSet<String>,
}

/// What a template printed.
pub(super) struct Printed {
    /// The text.
    pub(super) text: String,
    /// Where each line came from; empty when that cannot be known.
    pub(super) lines: Vec<Line>,
}

impl<'t> Engine<'t> {
    /// Parses all templates; those with problems are left out and reported, all of them.
    pub(super) fn new(
        templates: &'t [Template],
        environment: &Arc<Environment>,
        problems: &mut Vec<Diagnostic>,
    ) -> Self {
        let by_name: ByName<'t> = templates
            .iter()
            .map(|template| (template.name.as_str(), template))
            .collect();
        let mut broken = check_includes(&by_name, problems);
        let marks: Vec<Marked> = templates
            .iter()
            .enumerate()
            .map(|(id, template)| mark(&template.prepared, &scan(&template.prepared), id))
            .collect();
        let base = base(environment);
        let (plain, marked) = rayon::join(
            || parse_all(&base, &by_name, &mut broken, problems),
            || parse_marked(&base, templates, &marks),
        );
        let unusable = if broken.is_empty() {
            broken
        } else {
            tainted(&by_name, &broken)
        };
        Self {
            all: templates,
            templates: by_name,
            plain,
            marked,
            marks,
            unusable,
        }
    }

    /// Renders a template; `None` when it, or one that it includes, has been reported already.
    pub(super) fn render(
        &self,
        name: &str,
        context: &Context,
        environment: &Environment,
        files: &dyn Files,
    ) -> Option<Result<Printed, Box<Diagnostic>>> {
        if self.unusable.contains(name) {
            return None;
        }
        let marked = self
            .marked
            .as_ref()
            .map(|tera| attempt(tera, name, context, environment, files));
        let lines = match marked {
            Some(Err(failed)) if failed.session.limit.is_some() => {
                return Some(Err(self.beyond(name, &failed)));
            }
            Some(Ok(text)) => unmark(&text),
            _ => None,
        };
        let text = match attempt(&self.plain, name, context, environment, files) {
            Ok(text) => text,
            Err(failed) => return Some(Err(Box::new(self.failed(name, *failed, context)))),
        };
        let lines = lines
            .filter(|(unmarked, _)| *unmarked == text)
            .map_or_else(Vec::new, |(_, lines)| lines);
        Some(Ok(Printed { text, lines }))
    }

    /// Points at the loop whose round was one too many, or at the variable that grew too large.
    fn beyond(&self, name: &str, failed: &Failed) -> Box<Diagnostic> {
        let diagnostic = if failed.session.limit == Some(Limit::Weight) {
            let message = format!(
                "this variable holds more than {} MiB",
                session::MAX_WEIGHT >> 20
            );
            Diagnostic::error("endless-value", message)
        } else {
            let message = format!(
                "the loops of this template take more than {} rounds",
                session::MAX_STEPS
            );
            Diagnostic::error("endless-loop", message)
        };
        let (owner, at) = match failed.error.kind() {
            ErrorKind::RenderingError(report) => (report.filename(), report.span().range.start),
            _ => (name, 0),
        };
        let Some(id) = self.all.iter().position(|template| template.name == owner) else {
            return Box::new(diagnostic);
        };
        let template = &self.all[id];
        let tag = template.tag_at(self.marks[id].unmarked(at).saturating_sub(1));
        Box::new(diagnostic.at(&template.source, tag.map_or(Span::default(), Tag::span), ""))
    }

    fn failed(&self, name: &str, failed: Failed, variables: &Context) -> Diagnostic {
        let Some(template) = self.templates.get(name) else {
            return Diagnostic::error("template-failed", format!("there is no template `{name}`"));
        };
        match failed.cause {
            Cause::Unreadable(message) => {
                let failure = Failure::new("unreadable-file", message);
                report::rendering(
                    &failed.error,
                    Some(failure),
                    template,
                    &self.templates,
                    variables,
                )
            }
            Cause::TooLong => {
                let message = format!("this template prints more than {} MiB", MAX_OUTPUT >> 20);
                Diagnostic::error("output-too-long", message).at(
                    &template.source,
                    Span::default(),
                    "",
                )
            }
            Cause::Tera => report::rendering(
                &failed.error,
                failed.session.failure,
                template,
                &self.templates,
                variables,
            ),
        }
    }

    /// Returns the template of a number that a line map holds.
    pub(super) fn template(&self, number: usize) -> Option<&'t Template> {
        self.all.get(number)
    }
}

fn base(environment: &Arc<Environment>) -> Tera {
    let mut tera = Tera::default();
    tera.set_delimiters(Delimiters {
        block_start: BLOCK.0.into(),
        block_end: BLOCK.1.into(),
        variable_start: VARIABLE.0.into(),
        variable_end: VARIABLE.1.into(),
        comment_start: COMMENT.0.into(),
        comment_end: COMMENT.1.into(),
    })
    .expect("our delimiters are two bytes long and differ");
    tera.autoescape_on(Vec::<&str>::new());
    functions::register(&mut tera, environment);
    filters::register(&mut tera);
    tera
}

/// Parses the marked templates; a template that only parses without markers goes without.
///
/// `None` when there are problems, which [`parse_all`] finds and reports.
fn parse_marked(base: &Tera, templates: &[Template], marks: &[Marked]) -> Option<Tera> {
    let mut tera = base.clone();
    let texts = || {
        templates
            .iter()
            .zip(marks)
            .map(|(template, mark)| (&template.name, &mark.text))
    };
    if tera.add_raw_templates(texts()).is_ok() {
        return Some(tera);
    }
    let parses = |name: &str, text: &str| {
        let alone = base.clone().add_raw_template(name, text);
        !alone.is_err_and(|error| matches!(error.kind(), ErrorKind::SyntaxError(_)))
    };
    let texts = texts().zip(templates).map(|((name, text), template)| {
        (
            name,
            if parses(name, text) {
                text
            } else {
                &template.prepared
            },
        )
    });
    tera.add_raw_templates(texts).is_ok().then_some(tera)
}

/// Parses the templates, those in `broken` as empty ones, until none is left that has a problem.
///
/// Tera stops at the first syntax error of a batch, so a batch that fails is parsed one by one.
fn parse_all(
    base: &Tera,
    templates: &ByName<'_>,
    broken: &mut BTreeSet<String>,
    problems: &mut Vec<Diagnostic>,
) -> Tera {
    let mut tera = base.clone();
    if tera.add_raw_templates(texts(templates, broken)).is_ok() {
        return tera;
    }
    for template in templates
        .values()
        .filter(|template| !broken.contains(&template.name))
        .collect::<Vec<_>>()
    {
        let alone = base
            .clone()
            .add_raw_template(&template.name, &template.prepared);
        if let Err(error) = alone
            && let ErrorKind::SyntaxError(report) = error.kind()
        {
            problems.push(report::syntax(report, template));
            broken.insert(template.name.clone());
        }
    }
    loop {
        let Err(error) = tera.add_raw_templates(texts(templates, broken)) else {
            return tera;
        };
        let found = report::references(&error, templates, broken);
        let names: Vec<String> = found.iter().map(|(name, _)| name.clone()).collect();
        let before = broken.len();
        problems.extend(found.into_iter().filter_map(|(_, problem)| problem));
        broken.extend(names);
        if broken.len() == before {
            broken.extend(templates.keys().map(|name| (*name).to_owned()));
            problems.push(report::unexplained(&error));
            return base.clone();
        }
    }
}

fn texts<'a>(
    templates: &'a ByName<'_>,
    broken: &'a BTreeSet<String>,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    templates.values().map(|template| {
        let text = if broken.contains(&template.name) {
            ""
        } else {
            template.prepared.as_str()
        };
        (template.name.as_str(), text)
    })
}

/// A rendering that did not come to its end.
struct Failed {
    error: tera::Error,
    session: Session,
    cause: Cause,
}

enum Cause {
    Tera,
    TooLong,
    Unreadable(String),
}

/// Renders once, and again for each file that a function asks for.
fn attempt(
    tera: &Tera,
    name: &str,
    context: &Context,
    environment: &Environment,
    files: &dyn Files,
) -> Result<String, Box<Failed>> {
    loop {
        let mut output = Output::default();
        session::begin();
        let result = tera.render_to(name, context, &mut output);
        let session = session::end();
        let Err(error) = result else {
            // The error of a failed conversion would hold the bytes, which may be secret.
            let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            return Ok(
                String::from_utf8(output.bytes).unwrap_or_else(|error| lossy(error.as_bytes()))
            );
        };
        let cause = match &session.wanted {
            Some(path) => match environment.load(path, files) {
                Ok(()) => continue,
                Err(error) => Cause::Unreadable(error.to_string()),
            },
            None if output.full => Cause::TooLong,
            None => Cause::Tera,
        };
        return Err(Box::new(Failed {
            error,
            session,
            cause,
        }));
    }
}

/// Collects what a template prints, up to a limit.
#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    full: bool,
}

impl io::Write for Output {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + buffer.len() > MAX_OUTPUT {
            self.full = true;
            return Err(io::Error::other("the output is too long"));
        }
        self.bytes.extend_from_slice(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! Rendering with Tera, with limits and a map of lines.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use tera::{Context, ErrorKind, Tera};

use super::callable::FunctionFailure;
use super::environment::{Other, TemplateEnvironment};
use super::parsed::{Copies, ParsedTemplates};
use super::report;
use super::scan::Tag;
use super::session::{self, Limit, RenderSession};
use super::sourcemap::{Copy, TemplateLine, unmark};
use super::template::{ByName, PreparedTemplate, check_includes, tainted};
use super::variables::TemplateVariables;
use crate::diagnostic::Diagnostic;
use crate::render::codes;
use crate::render::engine::{Printed, TemplateEngine};
use crate::source::{Files, Span};
use crate::tree::Origin;

/// What Tera's templates are loaded from.
pub(in crate::render) struct TeraTemplates<'t> {
    pub(in crate::render) all: &'t [PreparedTemplate],
    pub(in crate::render) environment: &'t Arc<TemplateEnvironment>,
}

/// What one template sees while it is rendered.
#[derive(Clone, Copy)]
pub(in crate::render) struct TeraView<'v> {
    pub(in crate::render) variables: &'v TemplateVariables<'v>,
    pub(in crate::render) from: Surroundings<'v>,
}

/// All templates of a run, parsed.
pub(in crate::render) struct TeraEngine<'t> {
    all: &'t [PreparedTemplate],
    templates: ByName<'t>,
    copies: Copies<'t>,
    parsed: ParsedTemplates,
    unusable: BTreeSet<String>,
}

/// What functions read from while a template is rendered.
#[derive(Clone, Copy)]
pub(in crate::render) struct Surroundings<'f> {
    pub(in crate::render) environment: &'f TemplateEnvironment,
    /// The project.
    pub(in crate::render) files: &'f dyn Files,
    /// What is other than in the rendering that counts.
    pub(in crate::render) other: Option<&'f Arc<Other>>,
}

impl<'t> TemplateEngine for TeraEngine<'t> {
    type Templates = TeraTemplates<'t>;
    type View<'v> = TeraView<'v>;

    fn load(from: TeraTemplates<'t>, problems: &mut Vec<Diagnostic>) -> Self {
        let TeraTemplates {
            all: templates,
            environment,
        } = from;
        let by_name: ByName<'t> = templates
            .iter()
            .map(|template| (template.name.as_str(), template))
            .collect();
        let mut broken = check_includes(&by_name, problems);
        let copies = Copies::new(templates);
        let parsed = ParsedTemplates::of(
            templates,
            &by_name,
            &copies,
            environment,
            &mut broken,
            problems,
        );
        let unusable = if broken.is_empty() {
            broken
        } else {
            tainted(&by_name, &broken)
        };
        Self {
            all: templates,
            templates: by_name,
            copies,
            parsed,
            unusable,
        }
    }

    /// What markers do not disturb is rendered once, with them; anything else twice, and what the one without
    /// prints counts. Both pay for their work. One that fails is rendered as it is, which fails at the same
    /// place, for the report.
    fn render(&self, name: &str, view: TeraView<'_>) -> Option<Result<Printed, Box<Diagnostic>>> {
        let TeraView { variables, from } = view;
        let context = variables.at(name);
        if self.unusable.contains(name) {
            return None;
        }
        let attempt = |tera: &Tera| attempt(tera, name, context, from);
        let alone = self.parsed.alone(name);
        let lines = match alone.or(self.parsed.marked()).map(attempt) {
            Some(Err(failed)) if failed.session.limit.is_some() => {
                return Some(Err(self.beyond(name, &failed, Copy::Marked)));
            }
            Some(Ok(text)) => unmark(&text),
            _ => None,
        };
        let disturbed = self.parsed.is_disturbed(name);
        let lines = match lines {
            Some((text, lines)) if !disturbed && !from.environment.may_hold_markers() => {
                return Some(Ok(self.printed(name, text, lines)));
            }
            lines => lines,
        };
        let metered = self.parsed.metered(self.all, &self.copies, disturbed);
        let text = match attempt(metered) {
            Ok(text) => text,
            Err(failed) if failed.session.limit.is_some() => {
                return Some(Err(self.beyond(name, &failed, Copy::Metered)));
            }
            Err(failed) => {
                let failed = attempt(self.parsed.plain(self.all)).err().unwrap_or(failed);
                return Some(Err(Box::new(self.failed(name, *failed, context))));
            }
        };
        let lines = lines
            .filter(|(unmarked, _)| *unmarked == text)
            .map_or_else(Vec::new, |(_, lines)| lines);
        Some(Ok(self.printed(name, text, lines)))
    }
}

impl TeraEngine<'_> {
    /// Names the template behind each line of a text.
    fn printed(&self, name: &str, text: String, lines: Vec<TemplateLine>) -> Printed {
        let own = self.templates.get(name).copied();
        let origin = |line: TemplateLine| {
            let template = self.all.get(line.template).or(own)?;
            Some(Origin::Template {
                template: Arc::clone(&template.source),
                line: line.line,
            })
        };
        let lines = lines.into_iter().map_while(origin).collect();
        Printed { text, lines }
    }

    /// Points at the tag at which a limit was reached, in the copy that was rendered.
    fn beyond(&self, name: &str, failed: &FailedRendering, copy: Copy) -> Box<Diagnostic> {
        let diagnostic = failed.session.limit.unwrap_or(Limit::Steps).problem();
        let (owner, at) = match failed.error.kind() {
            ErrorKind::RenderingError(report) => (report.filename(), report.span().range.start),
            _ => (name, 0),
        };
        let Some(id) = self.all.iter().position(|template| template.name == owner) else {
            return Box::new(diagnostic);
        };
        let template = &self.all[id];
        let tag = template.tag_at(self.copies.get(id, copy).subject(at));
        Box::new(diagnostic.at(&template.source, tag.map_or(Span::default(), Tag::span), ""))
    }

    fn failed(&self, name: &str, failed: FailedRendering, variables: &Context) -> Diagnostic {
        let Some(template) = self.templates.get(name) else {
            return Diagnostic::error(
                &codes::TEMPLATE_FAILED,
                format!("there is no template `{name}`"),
            );
        };
        match failed.cause {
            FailureCause::Unreadable(message) => {
                let failure = FunctionFailure::new(&codes::UNREADABLE_FILE, message);
                report::rendering(
                    &failed.error,
                    Some(failure),
                    template,
                    &self.templates,
                    variables,
                )
            }
            FailureCause::TooLong => {
                let message = format!(
                    "this template prints more than {} MiB",
                    session::MAX_OUTPUT >> 20
                );
                Diagnostic::error(&codes::OUTPUT_TOO_LONG, message).at(
                    &template.source,
                    Span::default(),
                    "",
                )
            }
            FailureCause::Tera => report::rendering(
                &failed.error,
                failed.session.failure,
                template,
                &self.templates,
                variables,
            ),
        }
    }
}

/// A rendering that did not come to its end.
struct FailedRendering {
    error: tera::Error,
    session: RenderSession,
    cause: FailureCause,
}

enum FailureCause {
    Tera,
    TooLong,
    Unreadable(String),
}

/// Renders once, and again for each file that a function asks for.
fn attempt(
    tera: &Tera,
    name: &str,
    context: &Context,
    from: Surroundings<'_>,
) -> Result<String, Box<FailedRendering>> {
    loop {
        let mut output = LimitedOutput::default();
        session::begin(from.other);
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
            Some((path, secret)) => match from.environment.load(path, *secret, from.files) {
                Ok(()) => continue,
                Err(error) => FailureCause::Unreadable(error.to_string()),
            },
            None if output.full => FailureCause::TooLong,
            None => FailureCause::Tera,
        };
        return Err(Box::new(FailedRendering {
            error,
            session,
            cause,
        }));
    }
}

/// Collects what a template prints, up to a limit.
#[derive(Default)]
struct LimitedOutput {
    bytes: Vec<u8>,
    full: bool,
}

impl io::Write for LimitedOutput {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + buffer.len() > session::MAX_OUTPUT {
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

//! Jinja2, as `crates/jinja` has it: messages in the template that the user wrote.

use std::collections::BTreeSet;
use std::sync::Arc;

use jinja::{Engine, ErrorKind, ExceededLimit, TemplateError, Value};

use super::{Printed, TemplateEngine};
use crate::diagnostic::Diagnostic;
use crate::render::codes;
use crate::source::{Place, Source, Span};
use crate::tree::Origin;

/// Finds the text that the name of a template means, as the engine finds it.
pub type FindSource<'s> = dyn Fn(&str) -> Option<&'s Arc<Source>> + Sync + 's;

/// What templates of Jinja2 are loaded from.
pub(in crate::render) struct JinjaTemplates<'t> {
    /// The engine, with its globals.
    pub(in crate::render) engine: &'t Engine,
    /// Finds their texts.
    pub(in crate::render) sources: &'t FindSource<'t>,
    /// The names of those that are rendered by themselves; the others are loaded when they are used.
    pub(in crate::render) rendered: Vec<&'t str>,
}

/// Templates of Jinja2.
pub(in crate::render) struct JinjaEngine<'t> {
    engine: &'t Engine,
    sources: &'t FindSource<'t>,
    /// Those that have been reported.
    broken: BTreeSet<&'t str>,
}

impl<'t> TemplateEngine for JinjaEngine<'t> {
    type Templates = JinjaTemplates<'t>;
    type View<'v> = &'v Value;

    fn load(from: JinjaTemplates<'t>, problems: &mut Vec<Diagnostic>) -> Self {
        let JinjaTemplates {
            engine,
            sources,
            rendered,
        } = from;
        let mut broken = BTreeSet::new();
        for name in rendered {
            if let Err(error) = engine.load(name) {
                problems.push(diagnose(error, sources));
                broken.insert(name);
            }
        }
        Self {
            engine,
            sources,
            broken,
        }
    }

    fn render(&self, name: &str, view: &Value) -> Option<Result<Printed, Box<Diagnostic>>> {
        if self.broken.contains(name) {
            return None;
        }
        let printed = match self.engine.render(name, view) {
            Ok(printed) => printed,
            Err(error) => return Some(Err(Box::new(diagnose(error, self.sources)))),
        };
        let origin = |line: jinja::LineOrigin| {
            Some(Origin::Template {
                template: Arc::clone((self.sources)(&line.template)?),
                line: line.line,
            })
        };
        Some(Ok(Printed {
            text: printed.text,
            lines: printed.lines.into_iter().map_while(origin).collect(),
        }))
    }
}

/// Says in our words what Jinja2 found wrong, and where.
fn diagnose(error: TemplateError, sources: &FindSource<'_>) -> Diagnostic {
    let TemplateError {
        kind,
        message,
        template,
        span,
        variable,
        cause,
        ..
    } = error;
    let diagnostic = match cause.map(<dyn std::error::Error + Send + Sync>::downcast::<CallFailure>)
    {
        Some(Ok(failure)) => failure.0,
        _ => of_kind(kind, message, variable),
    };
    let Some(source) = sources(&template) else {
        return diagnostic;
    };
    let place = Place::new(source, Span::new(span.start, span.end));
    if diagnostic.primary.is_some() {
        return diagnostic.with_related(place, "called here");
    }
    diagnostic.at_place(place, "")
}

fn of_kind(kind: ErrorKind, message: String, variable: Option<String>) -> Diagnostic {
    match kind {
        ErrorKind::Syntax => Diagnostic::error(&codes::TEMPLATE_SYNTAX, message),
        ErrorKind::Unsupported => Diagnostic::error(&codes::TEMPLATE_CONSTRUCT, message),
        ErrorKind::Undefined => {
            let diagnostic = Diagnostic::error(&codes::UNDEFINED_VARIABLE, message);
            match variable {
                Some(name) => diagnostic.with_hint(format!(
                    "set `{name}` in the data, or give it a default: `{name} | default(…)`"
                )),
                None => diagnostic,
            }
        }
        ErrorKind::MissingTemplate => Diagnostic::error(&codes::UNKNOWN_INCLUDE, message),
        ErrorKind::Limit(ExceededLimit::Output) => {
            Diagnostic::error(&codes::OUTPUT_TOO_LONG, message)
        }
        ErrorKind::Limit(_) => Diagnostic::error(&codes::ENDLESS_LOOP, message),
        _ => Diagnostic::error(&codes::TEMPLATE_FAILED, message),
    }
}

/// A failed call, as the engine hands it through.
#[derive(Debug)]
pub struct CallFailure(pub Diagnostic);

impl std::fmt::Display for CallFailure {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0.message)
    }
}

impl std::error::Error for CallFailure {}

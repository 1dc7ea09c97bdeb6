//! What the crate of makejinja's contract tells, as diagnostics.

use std::collections::BTreeMap;
use std::sync::Arc;

use makejinja::{Problem, ProblemKind};

use crate::diagnostic::Diagnostic;
use crate::source::{Files, Source, Span};

/// The texts that problems point into: files, variables of the environment, the command line.
pub(super) struct ProblemSources<'s> {
    files: &'s dyn Files,
    known: BTreeMap<String, Arc<Source>>,
}

impl<'s> ProblemSources<'s> {
    pub(super) fn new(
        files: &'s dyn Files,
        variables: &[(String, String)],
        arguments: &[String],
    ) -> Self {
        let variables = variables
            .iter()
            .filter(|(name, _)| name.starts_with("MAKEJINJA_"));
        let variables = variables
            .map(|(name, value)| (name.clone(), Source::new(name.as_str(), value.as_str())));
        let mut known: BTreeMap<String, Arc<Source>> = variables.collect();
        let line = "command line";
        known.insert(line.to_owned(), Source::new(line, arguments.join(" ")));
        Self { files, known }
    }

    fn find(&self, name: &str) -> Arc<Source> {
        let read = || {
            let bytes = self.files.read(name).ok().flatten()?;
            // Data may hold secrets, which no snippet shows.
            let text = String::from_utf8(bytes).ok()?;
            Some(if name.ends_with("makejinja.toml") {
                Source::new(name, text)
            } else {
                Source::sensitive(name, text)
            })
        };
        let known = self.known.get(name).map(Arc::clone);
        known.or_else(read).unwrap_or_else(|| Source::new(name, ""))
    }

    pub(super) fn error(&self, problem: Problem) -> Diagnostic {
        let code = code_of(problem.kind);
        self.placed(Diagnostic::error(code, ""), problem)
    }

    pub(super) fn warning(&self, problem: Problem) -> Diagnostic {
        let code = code_of(problem.kind);
        self.placed(Diagnostic::warning(code, ""), problem)
    }

    fn placed(&self, mut diagnostic: Diagnostic, problem: Problem) -> Diagnostic {
        diagnostic.message = problem.message;
        if let Some(hint) = problem.hint {
            diagnostic = diagnostic.with_hint(hint);
        }
        match problem.at {
            Some(origin) => {
                let span = Span::new(origin.span.start, origin.span.end);
                diagnostic.at(&self.find(&origin.source), span, "")
            }
            None => diagnostic,
        }
    }
}

/// Names a kind of problem as `kiln explain` knows it.
fn code_of(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::UnknownOption
        | ProblemKind::InvalidValue
        | ProblemKind::MissingOption
        | ProblemKind::InvalidPattern => "makejinja-option",
        ProblemKind::WithoutEffect => "makejinja-no-effect",
        ProblemKind::Skipped | ProblemKind::MissingFolder | ProblemKind::FileAndFolder => {
            "makejinja-input"
        }
        ProblemKind::Missing | ProblemKind::Unreadable => "makejinja-missing",
        ProblemKind::Syntax
        | ProblemKind::UnsupportedValue
        | ProblemKind::NotMapping
        | ProblemKind::NamespaceTaken => "makejinja-data",
    }
}

//! What the crate of makejinja's contract tells, as diagnostics.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use makejinja::{Problem, ProblemKind, settings_files};

use crate::diagnostic::{self, Diagnostic, Meaning};
use crate::makejinja::codes;
use crate::source::{Files, Source, Span};

/// The texts that problems point into: files, variables of the environment, the command line.
pub(super) struct ProblemSources<'s> {
    files: &'s dyn Files,
    /// Those that are no files.
    known: BTreeMap<String, Arc<Source>>,
    /// The files with settings, which are shown; all others are data, which may hold secrets.
    settings: BTreeSet<String>,
}

/// The option of the command line whose values are data, in both spellings.
const DATA_OPTIONS: [&str; 2] = ["-D", "--data-var"];
/// The variable whose value is data.
const DATA_VARIABLE: &str = "MAKEJINJA_DATA_VARS";

impl<'s> ProblemSources<'s> {
    pub(super) fn new(
        files: &'s dyn Files,
        variables: &[(String, String)],
        arguments: &[String],
    ) -> Self {
        let settings = settings_files(variables).into_iter();
        let own = variables.iter();
        let own = own.filter(|(name, _)| name.starts_with("MAKEJINJA_"));
        let own = own.map(|(name, value)| {
            let source = if name == DATA_VARIABLE {
                Source::sensitive(name.as_str(), value.as_str())
            } else {
                Source::new(name.as_str(), value.as_str())
            };
            (name.clone(), source)
        });
        let mut known: BTreeMap<String, Arc<Source>> = own.collect();
        known.insert(COMMAND_LINE.to_owned(), command_line(arguments));
        Self {
            files,
            known,
            settings: settings.map(|file| file.path).collect(),
        }
    }

    fn find(&self, name: &str) -> Arc<Source> {
        let read = || {
            let bytes = self.files.read(name).ok().flatten()?;
            let text = String::from_utf8(bytes).ok()?;
            Some(if self.settings.contains(name) {
                Source::new(name, text)
            } else {
                Source::sensitive(name, text)
            })
        };
        let known = self.known.get(name).map(Arc::clone);
        known.or_else(read).unwrap_or_else(|| Source::new(name, ""))
    }

    pub(super) fn error(&self, problem: Problem) -> Diagnostic {
        let meaning = meaning_of(problem.kind);
        self.placed(Diagnostic::error(meaning, ""), problem)
    }

    pub(super) fn warning(&self, problem: Problem) -> Diagnostic {
        let meaning = meaning_of(problem.kind);
        self.placed(Diagnostic::warning(meaning, ""), problem)
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

/// What the crate calls the options of the command line.
const COMMAND_LINE: &str = "command line";

/// Returns the options as they are given, the values of data hidden.
fn command_line(arguments: &[String]) -> Arc<Source> {
    let mut hidden = Vec::new();
    let mut at = 0;
    let mut before = "";
    for argument in arguments {
        let end = at + argument.len();
        let mut options = DATA_OPTIONS.iter();
        if DATA_OPTIONS.contains(&before) {
            hidden.push(Span::new(at, end));
        } else if let Some(value) = options.find_map(|option| argument.strip_prefix(option)) {
            hidden.push(Span::new(end - value.len(), end));
        }
        at = end + 1;
        before = argument;
    }
    Source::new(COMMAND_LINE, arguments.join(" ")).veiled(hidden)
}

/// Names a kind of problem as `kiln explain` knows it.
fn meaning_of(kind: ProblemKind) -> &'static Meaning {
    match kind {
        ProblemKind::UnknownOption
        | ProblemKind::InvalidValue
        | ProblemKind::MissingOption
        | ProblemKind::InvalidPattern => &codes::MAKEJINJA_OPTION,
        ProblemKind::WithoutEffect => &diagnostic::codes::MAKEJINJA_NO_EFFECT,
        ProblemKind::Skipped | ProblemKind::MissingFolder | ProblemKind::FileAndFolder => {
            &codes::MAKEJINJA_INPUT
        }
        ProblemKind::Missing | ProblemKind::Unreadable => &codes::MAKEJINJA_MISSING,
        ProblemKind::Syntax
        | ProblemKind::UnsupportedValue
        | ProblemKind::NotMapping
        | ProblemKind::NamespaceTaken => &codes::MAKEJINJA_DATA,
    }
}

//! From what the loader refuses to what people read.

use std::sync::Arc;

use spanned_yaml::LoadError;
use spanned_yaml::decode::{DecodeProblem, DecodeProblemKind};

use crate::diagnostic::{Diagnostic, Meaning};
use crate::source::{Place, Source};

/// Turns a refusal of the loader into a diagnostic on the text it was found in.
pub fn diagnose(error: &LoadError, meaning: &'static Meaning, source: &Arc<Source>) -> Diagnostic {
    let diagnostic = Diagnostic::error(meaning, error.message.clone()).at(source, error.span, "");
    match error.first {
        Some(first) => diagnostic.with_related(Place::new(source, first), "first set here"),
        None => diagnostic,
    }
}

/// Turns what is wrong with a decoded document into diagnostics, in the order of the text; each kind of problem has its
/// meaning.
///
/// A document with something in it that nobody knows may be another file than it seems: of that, messages show keys only.
pub fn diagnose_decoding(
    mut problems: Vec<DecodeProblem>,
    meaning_of: impl Fn(DecodeProblemKind) -> &'static Meaning,
    source: &Arc<Source>,
) -> Vec<Diagnostic> {
    let shown = if problems.iter().any(DecodeProblem::is_strange) {
        &source.keys_only()
    } else {
        source
    };
    problems.sort_by_key(|problem| problem.span);
    problems
        .into_iter()
        .map(|problem| {
            let meaning = meaning_of(problem.kind);
            let diagnostic = Diagnostic::error(meaning, problem.message)
                .at(shown, problem.span, "")
                .with_suggestion(&problem.given, problem.known.iter().copied());
            let diagnostic = match problem.kind {
                DecodeProblemKind::UnknownKey => {
                    let keys = problem.known.join("`, `");
                    diagnostic.with_hint(format!("the keys are `{keys}`"))
                }
                _ => diagnostic,
            };
            problem
                .hints
                .into_iter()
                .fold(diagnostic, Diagnostic::with_hint)
        })
        .collect()
}

//! What is wrong with what Flux would apply, and what of it is not seen.

use std::collections::BTreeSet;

use kustomize::{Place, Problem, ProblemKind};

use super::applied_object::ObjectKey;
use super::tree_files::TreeFiles;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source;

/// A problem that keeps Flux from applying a build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FluxProblem {
    /// The code of its diagnostic.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one sentence without a final period.
    pub message: String,
    /// Where.
    pub place: Option<Place>,
    /// Another place that matters.
    pub related: Option<Place>,
    /// What to do; empty where the message says it.
    pub help: String,
    /// The builds that have it, as indexes.
    pub builds: BTreeSet<usize>,
}

/// A part of what Flux applies that cannot be seen from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnseenPart {
    /// What is not seen: `Kustomization/flux-system/apps`, a URL, a ConfigMap.
    pub what: String,
    /// Why, in one sentence without a final period.
    pub why: String,
    /// What would make it seen; empty where nothing here can.
    pub remedy: String,
    /// Whether there may be objects in it, and not only values of variables.
    pub hides_objects: bool,
    /// The namespace that its objects go to, where that is known.
    pub namespace: Option<String>,
    /// The build that it is missing from, as an index.
    pub build: usize,
    /// Where it is asked for.
    pub place: Option<Place>,
}

impl FluxProblem {
    pub(super) fn error(code: &'static str, message: impl Into<String>, place: &Place) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            place: Some(place.clone()),
            related: None,
            help: String::new(),
            builds: BTreeSet::new(),
        }
    }

    #[must_use]
    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// Takes a refusal of kustomize's.
    pub(super) fn of_kustomize(problem: Problem) -> Self {
        Self {
            code: match problem.kind {
                ProblemKind::Missing => "resource-missing",
                ProblemKind::Duplicate => "duplicate-object",
                ProblemKind::UnknownField => "kustomization-unknown-key",
                ProblemKind::NoTarget | ProblemKind::Ambiguous => "kustomize-no-target",
                ProblemKind::Circle
                | ProblemKind::Outside
                | ProblemKind::Malformed
                | ProblemKind::Refused => "kustomize-refused",
            },
            severity: Severity::Error,
            message: problem.message,
            place: problem.place,
            related: problem.related,
            help: problem.help,
            builds: BTreeSet::new(),
        }
    }

    /// Turns the problem into a diagnostic on the file that the user wrote.
    pub fn diagnostic(&self, files: &TreeFiles<'_>, owners: &[&ObjectKey]) -> Diagnostic {
        let mut diagnostic = match self.severity {
            Severity::Error => Diagnostic::error(self.code, self.message.clone()),
            Severity::Warning => Diagnostic::warning(self.code, self.message.clone()),
        };
        if let Some(place) = self.place.as_ref().and_then(|place| place_in(files, place)) {
            diagnostic = diagnostic.at_place(place, "");
        }
        if let Some(place) = self
            .related
            .as_ref()
            .and_then(|place| place_in(files, place))
        {
            diagnostic = diagnostic.with_related(place, "here as well");
        }
        if !self.help.is_empty() {
            diagnostic = diagnostic.with_hint(self.help.clone());
        }
        match owners {
            [] => diagnostic,
            [one] => diagnostic.with_hint(format!("Flux builds it for `{one}`")),
            [first, rest @ ..] => diagnostic.with_hint(format!(
                "Flux builds it for `{first}` and {} more",
                rest.len()
            )),
        }
    }
}

/// Returns a place of a build as one in a message; `None` for a file that was not read from the tree.
pub fn place_in(files: &TreeFiles<'_>, place: &Place) -> Option<source::Place> {
    let source = files.source(&place.file.path)?;
    Some(source::Place::new(source, place.span))
}

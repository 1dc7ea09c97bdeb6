//! What stops a build, and what a build does not see.

use super::field::Field;
use super::place::Place;

/// Why kustomize refuses to build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// A file or folder that is named is not there.
    Missing,
    /// A path leads out of the folder that may be read.
    Outside,
    /// Kustomizations name each other in a circle.
    Circle,
    /// A file is no YAML, or not of the shape that is asked for.
    Malformed,
    /// A kustomization has a key that kustomize does not know.
    UnknownField,
    /// Two objects have the same group, kind, namespace and name.
    Duplicate,
    /// A patch, replacement or generator has no object that it is for.
    NoTarget,
    /// A patch, replacement or generator has more than one object that it may be for.
    Ambiguous,
    /// Anything else that kustomize refuses.
    Refused,
}

/// A problem in what the user wrote, which kustomize refuses as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of problem it is.
    pub kind: ProblemKind,
    /// What is wrong, in one sentence without a final period, names in backticks; no value of a field.
    pub message: String,
    /// Where; `None` only where the folder asked for is not there.
    pub place: Option<Place>,
    /// Another place that matters: the first of two duplicates.
    pub related: Option<Place>,
    /// What to do, one sentence without a final period; empty where the message says it.
    pub help: String,
}

impl Problem {
    /// Makes a problem at a place.
    pub fn new(kind: ProblemKind, message: impl Into<String>, place: &Place) -> Self {
        Self {
            kind,
            message: message.into(),
            place: Some(place.clone()),
            related: None,
            help: String::new(),
        }
    }

    /// Says what to do.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// Adds another place that matters.
    #[must_use]
    pub fn with_related(mut self, place: &Place) -> Self {
        self.related = Some(place.clone());
        self
    }
}

/// A part of a build that cannot be seen from the files at hand; the rest of the build holds without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotSeen {
    /// What is not seen: a remote resource, a chart, a plugin.
    pub what: String,
    /// Why, in one sentence without a final period.
    pub why: String,
    /// Where it is asked for.
    pub place: Place,
}

/// The `target` of a patch, or the `select` of a replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetNote {
    /// What it asks for.
    pub field: Field,
    /// Whether it is that of a replacement.
    pub is_replacement: bool,
    /// Whether it is for any object.
    pub matched: bool,
}

/// What a build has to say besides its objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// The problems, in the order found; a build with a problem has no objects.
    pub problems: Vec<Problem>,
    /// What is not seen.
    pub not_seen: Vec<NotSeen>,
    /// The targets of patches and replacements; kustomize is silent about those that no object matches.
    pub targets: Vec<TargetNote>,
}

impl Findings {
    /// Adds a problem.
    pub fn refuse(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Lists the places of the targets that no object matches.
    pub fn unmatched(&self) -> impl Iterator<Item = &Place> {
        let targets = self.targets.iter().filter(|target| !target.matched);
        targets.map(|target| target.field.place())
    }

    /// Notes whether the `target` of a patch, or the `select` of a replacement, is for any object.
    pub(crate) fn note_target(&mut self, field: &Field, matched: bool, is_replacement: bool) {
        self.targets.push(TargetNote {
            field: field.clone(),
            is_replacement,
            matched,
        });
    }

    /// Adds something that is not seen; once, however often a build comes by.
    pub fn not_seen(&mut self, what: impl Into<String>, why: impl Into<String>, place: &Place) {
        let unseen = NotSeen {
            what: what.into(),
            why: why.into(),
            place: place.clone(),
        };
        if !self.not_seen.contains(&unseen) {
            self.not_seen.push(unseen);
        }
    }
}

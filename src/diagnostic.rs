//! What Kiln tells the user about the user's own input.

pub mod codes;

use std::fmt;
use std::sync::Arc;

use crate::source::{Place, Source, Span};

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth a look; the run goes on.
    Warning,
    /// The run stops after this stage, and nothing is written.
    Error,
}

/// What a code means, for `kiln explain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The stable kebab-case name.
    pub code: &'static str,
    /// What it says, in one sentence without a final period.
    pub summary: &'static str,
    /// Why that matters and what to do, with a tiny example as an indented block.
    pub text: &'static str,
}

/// Defines the codes of a stage, each as a static of its name, and `ALL` of them in the order in which they are listed.
///
/// A diagnostic is made from one of these, so that the compiler knows that every code is explained.
macro_rules! meanings {
    ($($name:ident { code: $code:literal, summary: $summary:literal, text: $text:literal, })+) => {
        $(
            #[doc = $summary]
            pub static $name: $crate::diagnostic::Meaning = $crate::diagnostic::Meaning {
                code: $code,
                summary: $summary,
                text: $text,
            };
        )+

        /// Every code, in the order in which they are listed.
        pub static ALL: &[&$crate::diagnostic::Meaning] = &[$(&$name),+];
    };
}

pub(crate) use meanings;

/// A place with a word about what is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub place: Place,
    /// What is there; empty for a bare underline.
    pub text: String,
}

/// One of many things that a problem is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The file, as the project names it.
    pub path: String,
    /// What is to be said of it; empty for nothing but the name.
    pub text: String,
}

impl fmt::Display for Listed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, text } = self;
        match text.as_str() {
            "" => write!(formatter, "`{path}`"),
            text => write!(formatter, "`{path}` {text}"),
        }
    }
}

/// How much of a list is shown to people; programs get all of it.
const LIST_SHOWN: usize = 10;

/// One problem in the user's input: what is wrong, where, and what to do.
///
/// The message is one sentence without a final period, with names in backticks. A diagnostic never
/// carries the value of a secret; the source of a label decides whether its text may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What it means, for `kiln explain`.
    pub meaning: &'static Meaning,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Where it is wrong, if it is anywhere.
    pub primary: Option<Label>,
    /// Other places that matter: the first of two duplicates, the template behind an output.
    pub related: Vec<Label>,
    /// What it is about where that is many things of one kind, the most important first.
    pub list: Vec<Listed>,
    /// What the user can do, one sentence each.
    pub hints: Vec<String>,
}

impl Diagnostic {
    /// Starts an error.
    pub fn error(meaning: &'static Meaning, message: impl Into<String>) -> Self {
        Self::new(meaning, Severity::Error, message.into())
    }

    /// Starts a warning.
    pub fn warning(meaning: &'static Meaning, message: impl Into<String>) -> Self {
        Self::new(meaning, Severity::Warning, message.into())
    }

    fn new(meaning: &'static Meaning, severity: Severity, message: String) -> Self {
        Self {
            meaning,
            severity,
            message,
            primary: None,
            related: Vec::new(),
            list: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// Returns the stable kebab-case name of what it means.
    pub fn code(&self) -> &'static str {
        self.meaning.code
    }

    /// Says where it is wrong.
    #[must_use]
    pub fn at(self, source: &Arc<Source>, span: Span, text: impl Into<String>) -> Self {
        self.at_place(Place::new(source, span), text)
    }

    /// Says where it is wrong.
    #[must_use]
    pub fn at_place(mut self, place: Place, text: impl Into<String>) -> Self {
        self.primary = Some(Label {
            place,
            text: text.into(),
        });
        self
    }

    /// Says where it is wrong, if anyone knows.
    #[must_use]
    pub fn at_place_if(self, place: Option<&Place>) -> Self {
        match place {
            Some(place) => self.at_place(place.clone(), ""),
            None => self,
        }
    }

    /// Adds another place that matters.
    #[must_use]
    pub fn with_related(mut self, place: Place, text: impl Into<String>) -> Self {
        self.related.push(Label {
            place,
            text: text.into(),
        });
        self
    }

    /// Names the files that it is about, the most important first.
    #[must_use]
    pub fn with_files(mut self, paths: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let listed = paths.into_iter().map(|path| Listed {
            path: path.into(),
            text: String::new(),
        });
        self.list.extend(listed);
        self
    }

    /// Says what the user can do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds "did you mean" when one of `candidates` is close to `given`.
    #[must_use]
    pub fn with_suggestion<'c>(
        self,
        given: &str,
        candidates: impl IntoIterator<Item = &'c str>,
    ) -> Self {
        match closest(given, candidates) {
            Some(name) => self.with_hint(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// Returns the lines of the list for people: those of which something is said and the first of the others, and how
    /// many more there are.
    pub fn list_lines(&self) -> Vec<String> {
        let said = self.list.iter().filter(|listed| !listed.text.is_empty());
        let shown = said.count().max(LIST_SHOWN).min(self.list.len());
        let mut lines: Vec<String> = self.list[..shown].iter().map(Listed::to_string).collect();
        match self.list.len() - shown {
            0 => {}
            more => lines.push(format!(
                "and {more} more, which `--message-format json` names"
            )),
        }
        lines
    }

    /// Shows the text of `source` wherever a label is in the file of its path.
    pub fn show_in(&mut self, source: &Arc<Source>) {
        for label in self.primary.iter_mut().chain(&mut self.related) {
            if label.place.source.path == source.path {
                label.place.source = Arc::clone(source);
            }
        }
    }

    /// Returns whether this stops the run.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Returns the candidate that someone who typed `given` most likely meant, if one is close enough.
pub fn closest<'c>(given: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let limit = (given.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(given, name), name))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, name)| name)
}

/// A value with the warnings that came up while it was made.
#[derive(Clone, Debug)]
pub struct Warned<T> {
    /// The value.
    pub value: T,
    /// The warnings, in the order of the input.
    pub warnings: Vec<Diagnostic>,
}

impl<T> Warned<T> {
    /// Splits problems by severity: the value with warnings, or every problem if one is an error.
    pub fn unless_errors(value: T, problems: Vec<Diagnostic>) -> StageResult<T> {
        if problems.iter().any(Diagnostic::is_error) {
            Err(problems)
        } else {
            Ok(Self {
                value,
                warnings: problems,
            })
        }
    }
}

/// What a stage returns: its value with warnings, or all its problems.
pub type StageResult<T> = Result<Warned<T>, Vec<Diagnostic>>;

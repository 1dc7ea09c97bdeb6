//! What is wrong with a project, and what of it has no effect.

use std::fmt;
use std::ops::Range;

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// An option that makejinja does not know.
    UnknownOption,
    /// A value that an option does not take.
    InvalidValue,
    /// An option without which nothing can be done.
    MissingOption,
    /// A pattern that names no path.
    InvalidPattern,
    /// A file or folder that is named and not there.
    Missing,
    /// A file that cannot be read.
    Unreadable,
    /// A file that is not of its format.
    Syntax,
    /// A value that Python cannot make of what is written.
    UnsupportedValue,
    /// A data file, or a document of one, that is no mapping.
    NotMapping,
    /// A name below which data should go, while it has a value that is no mapping.
    NamespaceTaken,
    /// An output whose folder is never made.
    MissingFolder,
    /// A path that would be a file and a folder.
    FileAndFolder,
    /// Something that is accepted and changes nothing.
    WithoutEffect,
    /// A file that is not used.
    Skipped,
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::UnknownOption => "unknown-option",
            Self::InvalidValue => "invalid-value",
            Self::MissingOption => "missing-option",
            Self::InvalidPattern => "invalid-pattern",
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
            Self::Syntax => "syntax",
            Self::UnsupportedValue => "unsupported-value",
            Self::NotMapping => "not-mapping",
            Self::NamespaceTaken => "namespace-taken",
            Self::MissingFolder => "missing-folder",
            Self::FileAndFolder => "file-and-folder",
            Self::WithoutEffect => "without-effect",
            Self::Skipped => "skipped",
        })
    }
}

/// Where something is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The path of a file, the name of an environment variable, or `command line`.
    pub source: String,
    /// The bytes: of the file, of the variable's value, or of the arguments joined by single spaces.
    pub span: Range<usize>,
}

impl Origin {
    /// Makes an origin.
    pub fn new(source: impl Into<String>, span: Range<usize>) -> Self {
        let source = source.into();
        Self { source, span }
    }
}

/// Something wrong, or something to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of thing is wrong.
    pub kind: ProblemKind,
    /// What is wrong, in one sentence without a final period, names in backticks; never a value of the data.
    pub message: String,
    /// What to do, without a final period.
    pub hint: Option<String>,
    /// Where.
    pub at: Option<Origin>,
}

impl Problem {
    /// Makes a problem without a place.
    pub fn new(kind: ProblemKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
            at: None,
        }
    }

    /// Says where.
    #[must_use]
    pub fn at(mut self, origin: Option<Origin>) -> Self {
        self.at = origin;
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.kind, self.message)
    }
}

/// A value, and what there is to know about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded<T> {
    /// The value.
    pub value: T,
    /// What is accepted and has no effect, or is skipped.
    pub notices: Vec<Problem>,
}

impl<T> Loaded<T> {
    /// Returns the value with its notices, unless there are problems.
    pub(crate) fn unless(
        problems: Vec<Problem>,
        value: T,
        notices: Vec<Problem>,
    ) -> Result<Self, Vec<Problem>> {
        if problems.is_empty() {
            Ok(Self { value, notices })
        } else {
            Err(problems)
        }
    }
}

//! Errors of templates, with their place in what the user wrote.

use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// What went wrong, as a program tells cases apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The template does not parse, or names a filter or a test that does not exist.
    Syntax,
    /// The template uses a construct of Jinja2 that this crate does not have.
    Unsupported,
    /// The template does with an undefined value what its mode forbids.
    Undefined,
    /// A function, filter or test of the embedding program failed; its error is the cause.
    Call,
    /// The template went over a limit.
    Limit(ExceededLimit),
    /// A template that is named does not exist.
    MissingTemplate,
    /// What Python would raise: see [`TemplateError::exception`].
    Other,
}

/// The limit that a template went over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExceededLimit {
    /// More steps than [`Limits::steps`](crate::Limits::steps).
    Steps,
    /// More text than [`Limits::output_bytes`](crate::Limits::output_bytes), in what is printed or in one value.
    Output,
    /// Macros, includes, expressions or values inside of one another, too deep.
    Depth,
}

/// An error of a template: what, where, and which name it is about.
#[derive(Debug)]
pub struct TemplateError {
    /// What went wrong.
    pub kind: ErrorKind,
    /// The name of the exception that `CPython` raises here, such as `TypeError` or `UndefinedError`.
    pub exception: &'static str,
    /// One sentence without a final period.
    pub message: String,
    /// The name of the template that [`span`](Self::span) points into.
    pub template: String,
    /// Bytes of the text of that template, as the loader gave it.
    pub span: Range<usize>,
    /// The variable or attribute that is undefined.
    pub variable: Option<String>,
    /// What a function of the embedding program failed with.
    pub cause: Option<Box<dyn Error + Send + Sync>>,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Error for TemplateError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.cause {
            Some(cause) => Some(cause.as_ref()),
            None => None,
        }
    }
}

/// An error on its way up, which gets its place from the innermost expression that it passes.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    pub(crate) exception: &'static str,
    pub(crate) message: String,
    pub(crate) variable: Option<String>,
    pub(crate) cause: Option<Box<dyn Error + Send + Sync>>,
    pub(crate) place: Option<(Arc<str>, Range<usize>)>,
    /// Whether the bytes of the place are those of the loader's text.
    pub(crate) is_original: bool,
}

pub(crate) type Outcome<T> = Result<T, Box<Failure>>;

impl Failure {
    pub(crate) fn new(
        kind: ErrorKind,
        exception: &'static str,
        message: impl Into<String>,
    ) -> Box<Self> {
        Box::new(Self {
            kind,
            exception,
            message: message.into(),
            variable: None,
            cause: None,
            place: None,
            is_original: false,
        })
    }

    /// What Python raises as an exception of this name.
    pub(crate) fn raised(exception: &'static str, message: impl Into<String>) -> Box<Self> {
        Self::new(ErrorKind::Other, exception, message)
    }

    pub(crate) fn of_type(message: impl Into<String>) -> Box<Self> {
        Self::raised("TypeError", message)
    }

    pub(crate) fn of_value(message: impl Into<String>) -> Box<Self> {
        Self::raised("ValueError", message)
    }

    pub(crate) fn syntax(message: impl Into<String>) -> Box<Self> {
        Self::new(ErrorKind::Syntax, "TemplateSyntaxError", message)
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Box<Self> {
        Self::new(ErrorKind::Unsupported, "NotImplementedError", message)
    }

    pub(crate) fn over(limit: ExceededLimit) -> Box<Self> {
        let (exception, message) = match limit {
            ExceededLimit::Steps => ("TimeoutError", "the template takes more steps than it may"),
            ExceededLimit::Output => ("MemoryError", "the template makes more text than it may"),
            ExceededLimit::Depth => ("RecursionError", "the template goes deeper than it may"),
        };
        Self::new(ErrorKind::Limit(limit), exception, message)
    }

    /// Gives the error its place, unless something further inside did.
    pub(crate) fn at(mut self: Box<Self>, template: &Arc<str>, span: &Range<usize>) -> Box<Self> {
        if self.place.is_none() {
            self.place = Some((Arc::clone(template), span.clone()));
        }
        self
    }
}

//! The delimiters of templates and the treatment of white space around them.

/// How templates are written: Jinja2's options of an environment, pairs of delimiters together.
///
/// A start and an end may be equal, as in the comments `#| … #|`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syntax {
    /// Start and end of a statement, `{%` and `%}`.
    pub block: (String, String),
    /// Start and end of an expression that is printed, `{{` and `}}`.
    pub variable: (String, String),
    /// Start and end of a comment, `{#` and `#}`.
    pub comment: (String, String),
    /// What makes the rest of a line a statement.
    pub line_statement: Option<String>,
    /// What makes the rest of a line a comment.
    pub line_comment: Option<String>,
    /// Drops the line break after a statement or a comment.
    pub trim_blocks: bool,
    /// Drops blanks between the start of a line and a statement or a comment.
    pub lstrip_blocks: bool,
    /// Keeps the line break at the end of a template.
    pub keep_trailing_newline: bool,
    /// What a line break of a template is printed as.
    pub newline: String,
}

impl Default for Syntax {
    fn default() -> Self {
        let pair = |start: &str, end: &str| (start.to_owned(), end.to_owned());
        Self {
            block: pair("{%", "%}"),
            variable: pair("{{", "}}"),
            comment: pair("{#", "#}"),
            line_statement: None,
            line_comment: None,
            trim_blocks: false,
            lstrip_blocks: false,
            keep_trailing_newline: false,
            newline: "\n".to_owned(),
        }
    }
}

/// What may be done with a value that is not defined, by Jinja2's class of that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UndefinedMode {
    /// `Undefined`: prints as nothing, is false and empty; anything else is an error.
    #[default]
    Default,
    /// `ChainableUndefined`: the same, and its attributes and items are undefined too.
    Chainable,
    /// `DebugUndefined`: the same as the default, and prints as what was asked for.
    Debug,
    /// `StrictUndefined`: only asking whether it is defined, and a default, are no error.
    Strict,
}

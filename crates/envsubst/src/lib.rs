//! Substitution of `${variable}` in a text as Flux does it after a build (`postBuild`).
//!
//! The language is that of `github.com/fluxcd/pkg/envsubst` 1.9: a subset of the shell's parameter expansion, with
//! habits of its own, which this crate has too:
//!
//! - `${name}`, `${#name}` (length in bytes), `${name^}`, `${name^^}`, `${name,}`, `${name,,}`;
//! - `${name:=default}`, `${name:-default}`, `${name=default}`; `:?` and `:+` are spellings of the same;
//! - `${name:offset}`, `${name:offset:length}`;
//! - `${name#pattern}`, `##`, `%`, `%%`: the pattern is a glob;
//! - `${name/old/new}`, `//`, `/#`, `/%`: `old` is a text, no glob; `/#` and `/%` with nothing as `new` change nothing;
//! - `$$` is one `$` outside of an expression; `$name` is text.
//!
//! ```
//! use envsubst::{Lookup, expand};
//!
//! let lookup = |name: &str| match name {
//!     "domain" => Lookup::Value("example.com".into()),
//!     "password" => Lookup::NotSeen,
//!     _ => Lookup::Undefined,
//! };
//! let text = "host: ${app:=web}.${domain}\nurl: $${HOME}\npassword: ${password}\n";
//! let expansion = expand(text, &lookup, true)?;
//! assert_eq!(expansion.text, "host: web.example.com\nurl: ${HOME}\npassword: ${password}\n");
//! assert!(expansion.variables[0].default_used);
//! assert!(expansion.variables[2].not_seen);
//! # Ok::<(), envsubst::ExpandError>(())
//! ```

mod evaluate;
mod function;
mod glob;
mod letter_case;
mod template;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// What is known of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<'v> {
    /// It has a value.
    Value(Cow<'v, str>),
    /// Nothing gives it a value.
    Undefined,
    /// Something gives it a value that is not at hand, such as a sealed secret.
    NotSeen,
}

/// A text in which the variables are substituted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expansion {
    /// The text.
    pub text: String,
    /// The variables that the text asks for, in the order in which their expressions start.
    pub variables: Vec<VariableUse>,
}

/// An expression with a variable, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariableUse {
    /// The name of the variable.
    pub name: String,
    /// The bytes of the expression in the text given, from `${` to `}`.
    pub input: Range<usize>,
    /// The bytes of the new text that it has a part in.
    ///
    /// An expression within another one has the bytes of its own where it stands there unchanged, else those of the
    /// outer one; it has none where it is a default that is not used.
    pub output: Option<Range<usize>>,
    /// Whether the expression has a default, and the variable no value or an empty one.
    pub default_used: bool,
    /// Whether what the expression yields is not seen: it stands in the new text as it was written.
    pub not_seen: bool,
}

/// Why a text cannot be substituted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpandError {
    /// An expression is not in the language, or its result cannot be had.
    #[error("{kind}")]
    Malformed {
        /// Where: from the `${` of the expression to where it goes wrong, or the end of that line.
        span: Range<usize>,
        /// What is wrong.
        kind: MalformedKind,
    },
    /// Variables have neither a value nor a default, in strict mode.
    #[error("{} not defined", undefined_names(.0))]
    Undefined(Vec<UndefinedVariable>),
}

/// A variable that has neither a value nor a default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndefinedVariable {
    /// Its name.
    pub name: String,
    /// The bytes of the expression, from `${` to `}`.
    pub span: Range<usize>,
}

/// What is wrong with an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedKind {
    /// No name stands behind `${`.
    #[error("no name of a variable stands behind `${{`")]
    Name,
    /// Neither `}` nor a function that Flux knows stands behind the name.
    #[error("neither `}}` nor a function stands behind the name of the variable")]
    Function,
    /// A function has no argument where it needs one.
    #[error("the function has no argument where it needs one")]
    Argument,
    /// The expression does not end as its function asks.
    #[error("the expression does not end as its function asks")]
    End,
    /// Expressions are nested deeper than 200 levels.
    #[error("expressions are nested too deeply")]
    Depth,
    /// Patterns take too many steps to be tried on long values.
    #[error("the pattern takes too many steps on a long value")]
    Cost,
    /// A function cuts a character that has more than one byte, so that the result is no text.
    #[error("the function cuts a character into pieces")]
    Character,
}

impl ExpandError {
    /// Lists the places of the error in the text given; one at least.
    pub fn spans(&self) -> Vec<Range<usize>> {
        match self {
            Self::Malformed { span, .. } => vec![span.clone()],
            Self::Undefined(variables) => variables
                .iter()
                .map(|variable| variable.span.clone())
                .collect(),
        }
    }
}

fn undefined_names(variables: &[UndefinedVariable]) -> String {
    let mut names: Vec<String> = variables
        .iter()
        .map(|variable| format!("`{}`", variable.name))
        .collect();
    names.sort();
    names.dedup();
    names.join(", ")
}

/// Substitutes the variables of a text.
///
/// A variable not seen stays as it is written, with the whole expression around it that depends on it. In strict mode
/// an undefined variable is an error unless its expression gives a default; without it, it is empty. Defaults that are
/// not used are expanded as well, so that their variables have to be defined.
///
/// As in Flux, the text ends at a NUL.
///
/// # Errors
///
/// The first expression that is malformed, or all undefined variables.
///
/// The cost is linear in the lengths of the text and of the new text; that of glob patterns is quadratic in the length
/// of the value, and bounded.
pub fn expand<'v>(
    text: &str,
    lookup: &dyn Fn(&str) -> Lookup<'v>,
    strict: bool,
) -> Result<Expansion, ExpandError> {
    let template = template::parse(text)?;
    evaluate::evaluate(text, &template, lookup, strict)
}

/// Returns whether Flux takes a name for a variable that a `ConfigMap`, `Secret` or `substitute` defines.
pub fn is_variable_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes
        .next()
        .is_some_and(|first| first == b'_' || first.is_ascii_alphabetic())
        && bytes.all(|byte| byte == b'_' || byte.is_ascii_alphanumeric())
}

/// Returns whether a character may stand in a name in an expression.
///
/// That is more than [`is_variable_name`] takes: such a name has no value, and may have a default.
fn is_name_character(character: char) -> bool {
    static LETTER_OR_DIGIT: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^[\p{L}\p{Nd}]$").ok());
    if character.is_ascii() {
        return character == '_' || character.is_ascii_alphanumeric();
    }
    LETTER_OR_DIGIT
        .as_ref()
        .is_some_and(|class| class.is_match(character.encode_utf8(&mut [0; 4])))
}

#[cfg(test)]
mod tests;

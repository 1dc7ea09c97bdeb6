//! The tokens of a template.

use std::ops::Range;

use num_bigint::BigInt;

/// A token and the bytes that it is.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TokenKind {
    /// Text that is printed as it stands; its bytes are those of the span.
    Data,
    BlockBegin,
    BlockEnd,
    VariableBegin,
    VariableEnd,
    Name(String),
    Text(String),
    Integer(BigInt),
    Float(f64),
    Operator(&'static str),
    End,
}

impl TokenKind {
    /// What a message calls it.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Data => "text".to_owned(),
            Self::BlockBegin => "the start of a statement".to_owned(),
            Self::BlockEnd => "the end of the statement".to_owned(),
            Self::VariableBegin => "the start of an expression".to_owned(),
            Self::VariableEnd => "the end of the expression".to_owned(),
            Self::Name(name) => format!("`{name}`"),
            Self::Text(_) => "a text in quotes".to_owned(),
            Self::Integer(number) => format!("`{number}`"),
            Self::Float(number) => format!("`{number}`"),
            Self::Operator(operator) => format!("`{operator}`"),
            Self::End => "the end of the template".to_owned(),
        }
    }
}

//! YAML 1.1, as `PyYAML`'s `SafeLoader` reads it.
//!
//! `spanned-yaml` reads as go-yaml does, keeps no tags, and knows keys by their text only. Here, the type of each key and
//! each tag counts.

mod compose;
mod construct;
mod scalar;

use std::ops::Range;

use super::Data;
use crate::problem::{Origin, Problem, ProblemKind};

/// Reads all documents of a text, each with its place.
pub(super) fn read_yaml(path: &str, text: &str) -> Result<Vec<(Data, Range<usize>)>, Problem> {
    compose::compose(text)
        .and_then(|stream| construct::construct(&stream))
        .map_err(|error| {
            let mut problem = Problem::new(error.kind, error.message);
            problem.hint = error.hint.map(str::to_owned);
            problem.at(Some(Origin::new(path, error.span)))
        })
}

/// Why a text is not read.
struct YamlError {
    kind: ProblemKind,
    message: String,
    hint: Option<&'static str>,
    span: Range<usize>,
}

impl YamlError {
    fn syntax(message: impl Into<String>, span: Range<usize>) -> Self {
        Self {
            kind: ProblemKind::Syntax,
            message: message.into(),
            hint: None,
            span,
        }
    }

    fn value(message: impl Into<String>, hint: &'static str, span: Range<usize>) -> Self {
        Self {
            kind: ProblemKind::UnsupportedValue,
            message: message.into(),
            hint: Some(hint),
            span,
        }
    }
}

/// A text's documents as graphs of nodes.
struct YamlStream {
    nodes: Vec<YamlNode>,
    /// The root of each document.
    documents: Vec<NodeId>,
}

/// A node by its position in [`YamlStream::nodes`].
type NodeId = usize;

struct YamlNode {
    tag: Tag,
    span: Range<usize>,
    content: NodeContent,
}

enum NodeContent {
    Scalar(String),
    Sequence(Vec<NodeId>),
    Mapping(Vec<(NodeId, NodeId)>),
}

/// What type a node is of.
#[derive(Clone, PartialEq, Eq)]
enum Tag {
    Null,
    Bool,
    Integer,
    Float,
    Text,
    Binary,
    Timestamp,
    Sequence,
    Mapping,
    OrderedMap,
    Pairs,
    Set,
    /// `<<`.
    Merge,
    /// `=`.
    Value,
    /// One that `PyYAML` knows no type for.
    Unknown(String),
}

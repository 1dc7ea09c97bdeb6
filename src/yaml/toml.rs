//! TOML as the nodes of YAML, so that one reader serves both.

use std::sync::Arc;

use spanned_yaml::{Content, Entry, Node, Scalar, Span, Style};
use toml_span::value::ValueInner;
use toml_span::{Error, ErrorKind};

use crate::diagnostic::{Diagnostic, Meaning};
use crate::source::{Place, Source, shown_key};

/// Reads TOML into the nodes of YAML.
///
/// # Errors
/// One diagnostic of that meaning at the place. What is no TOML may be another file than it seems: messages show keys only.
pub fn read_toml(source: &Arc<Source>, meaning: &'static Meaning) -> Result<Node, Diagnostic> {
    match toml_span::parse(&source.text) {
        Ok(mut value) => Ok(toml_node(&mut value)),
        Err(error) => Err(not_toml(&error, meaning, &source.keys_only())),
    }
}

fn not_toml(error: &Error, meaning: &'static Meaning, shown: &Arc<Source>) -> Diagnostic {
    let at = Span::new(error.span.start, error.span.end.max(error.span.start));
    match &error.kind {
        ErrorKind::DuplicateKey { key: name, first }
        | ErrorKind::DuplicateTable { name, first } => {
            let first = Place::new(shown, Span::new(first.start, first.end));
            let message = format!("the key `{}` is set twice", shown_key(name));
            Diagnostic::error(meaning, message)
                .at(shown, at, "")
                .with_related(first, "first set here")
        }
        _ => Diagnostic::error(meaning, format!("this is not TOML: {error}")).at(shown, at, ""),
    }
}

/// Turns a TOML value into the nodes of YAML; texts are quoted scalars, all other values plain ones.
///
/// Entries stand in the order of the file.
fn toml_node(value: &mut toml_span::Value<'_>) -> Node {
    let span = Span::new(value.span.start, value.span.end);
    let plain = |text: String| scalar(text, Style::Plain);
    let content = match value.take() {
        ValueInner::String(text) => scalar(text.into_owned(), Style::Quoted),
        ValueInner::Integer(number) => plain(number.to_string()),
        ValueInner::Float(number) => plain(number.to_string()),
        ValueInner::Boolean(flag) => plain(flag.to_string()),
        ValueInner::Array(mut items) => Content::Sequence {
            items: items.iter_mut().map(toml_node).collect(),
            flow: true,
        },
        ValueInner::Table(table) => {
            let mut entries: Vec<Entry> = table
                .into_iter()
                .map(|(key, mut value)| Entry {
                    key: key.name.to_string(),
                    key_span: Span::new(key.span.start, key.span.end),
                    value: toml_node(&mut value),
                })
                .collect();
            entries.sort_by_key(|entry| entry.key_span);
            Content::Mapping {
                entries,
                flow: false,
            }
        }
    };
    Node {
        span,
        content,
        alias_of: None,
        anchored: false,
    }
}

fn scalar(text: String, style: Style) -> Content {
    Content::Scalar(Scalar {
        text,
        style,
        tagged_string: false,
    })
}

//! TOML as the nodes of YAML, so that one reader serves both.

use spanned_yaml::{Content, Entry, Node, Scalar, Span, Style};
use toml_span::value::ValueInner;

/// Turns a TOML value into the nodes of YAML; texts are quoted scalars, all other values plain ones.
///
/// Entries stand in the order of the file.
pub fn toml_node(value: &mut toml_span::Value<'_>) -> Node {
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

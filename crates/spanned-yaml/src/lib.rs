//! YAML with its places: reading with byte spans, resolving scalars as Kubernetes does, routes, and edits that leave
//! the rest of a text alone.
//!
//! The reader keeps what a person wrote (order, styles, comments, spans), so that every later
//! message can point at a line and every edit can leave the rest alone.

pub mod decode;
pub mod edit;
mod key;
mod load;
mod refusal;
mod resolve;
mod source_text;
mod span;
mod tabs;
mod timestamp;

pub use key::{is_of_key, is_plain_key, shown_key};
pub use load::{ALIAS_BUDGET, LoadError, load, load_last_of_equal_keys};
pub use resolve::Resolver;
pub use span::Span;

use serde_json::{Map, Value};

/// One document of a YAML stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The content; an empty document has a null scalar.
    pub root: Node,
    /// From the `---` line, or the first byte, up to the next document.
    pub span: Span,
    /// The comments in it, in order, with `#` and without the line break.
    pub comments: Vec<Span>,
}

/// A value in a document, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The bytes of the value; of a block scalar the content without its `|` header.
    pub span: Span,
    /// What is there.
    pub content: Content,
    /// Of a node that stands here through an alias (`*name`), the bytes of the value; its span is that of the alias.
    pub alias_of: Option<Box<Span>>,
    /// Whether the node carries an anchor (`&name`).
    pub anchored: bool,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A scalar.
    Scalar(Scalar),
    /// A mapping, in the order written.
    Mapping {
        /// The entries.
        entries: Vec<Entry>,
        /// Whether it is written in braces.
        flow: bool,
    },
    /// A sequence.
    Sequence {
        /// The items.
        items: Vec<Node>,
        /// Whether it is written in brackets.
        flow: bool,
    },
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: its text decides its type.
    Plain,
    /// In quotes of either kind.
    Quoted,
    /// As a `|` or `>` block.
    Block,
}

/// A scalar as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// The text after unescaping.
    pub text: String,
    /// How it is written.
    pub style: Style,
    /// Whether a `!!str` tag makes it a string whatever its text.
    pub tagged_string: bool,
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key's text.
    pub key: String,
    /// The bytes of the key.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

/// Writes a key as a step of a JSON pointer (RFC 6901).
pub fn pointer_step(key: &str) -> String {
    if key.contains(['~', '/']) {
        key.replace('~', "~0").replace('/', "~1")
    } else {
        key.to_owned()
    }
}

/// Returns whether a JSON pointer leads to where another one leads, or to something below.
pub fn lies_in(pointer: &str, outer: &str) -> bool {
    let rest = pointer.strip_prefix(outer);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// One step of a route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Into a mapping by key.
    Key(String),
    /// Into a sequence by index.
    Index(usize),
}

impl From<&str> for Step {
    fn from(key: &str) -> Self {
        Self::Key(key.to_owned())
    }
}

impl From<usize> for Step {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// The way from a document's root to a value: `spec.values.probes[0]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route(pub Vec<Step>);

impl Route {
    /// Splits a dotted route of keys; keys that hold dots need [`Route::then`].
    pub fn parse(dotted: &str) -> Self {
        Self(
            dotted
                .split('.')
                .filter(|key| !key.is_empty())
                .map(Step::from)
                .collect(),
        )
    }

    /// Returns the route one step further.
    #[must_use]
    pub fn then(&self, step: impl Into<Step>) -> Self {
        let mut steps = self.0.clone();
        steps.push(step.into());
        Self(steps)
    }

    /// Writes a JSON pointer (RFC 6901).
    pub fn to_pointer(&self) -> String {
        let steps = self.0.iter().map(|step| match step {
            Step::Key(key) => format!("/{}", pointer_step(key)),
            Step::Index(index) => format!("/{index}"),
        });
        steps.collect()
    }

    /// Reads a JSON pointer (RFC 6901): a step of digits is an index.
    pub fn from_pointer(pointer: &str) -> Self {
        let steps = pointer.split('/').skip(1).map(|step| {
            let step = step.replace("~1", "/").replace("~0", "~");
            step.parse().map_or_else(|_| Step::Key(step), Step::Index)
        });
        Self(steps.collect())
    }
}

impl std::fmt::Display for Route {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if key.contains('.') => write!(formatter, "[\"{key}\"]")?,
                Step::Key(key) if position == 0 => formatter.write_str(key)?,
                Step::Key(key) => write!(formatter, ".{key}")?,
                Step::Index(index) => write!(formatter, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl Node {
    /// Returns whether the node stands here through an alias.
    pub fn is_alias(&self) -> bool {
        self.alias_of.is_some()
    }

    /// Visits every scalar in document order, with the JSON pointer (RFC 6901) from this node.
    pub fn each_scalar(&self, visit: &mut impl FnMut(&str, &Scalar)) {
        self.each_scalar_from("", visit);
    }

    fn each_scalar_from(&self, pointer: &str, visit: &mut impl FnMut(&str, &Scalar)) {
        match &self.content {
            Content::Scalar(scalar) => visit(pointer, scalar),
            Content::Sequence { items, .. } => {
                for (index, item) in items.iter().enumerate() {
                    item.each_scalar_from(&format!("{pointer}/{index}"), visit);
                }
            }
            Content::Mapping { entries, .. } => {
                for entry in entries {
                    let pointer = format!("{pointer}/{}", pointer_step(&entry.key));
                    entry.value.each_scalar_from(&pointer, visit);
                }
            }
        }
    }

    /// Returns the entries when this is a mapping.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.content {
            Content::Mapping { entries, .. } => Some(entries),
            _ => None,
        }
    }

    /// Returns the items when this is a sequence.
    pub fn items(&self) -> Option<&[Self]> {
        match &self.content {
            Content::Sequence { items, .. } => Some(items),
            _ => None,
        }
    }

    /// Returns the text when this is a scalar, whatever its type.
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// Returns the entry of a key, its own or one merged in by `<<`.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        let entries = self.entries()?;
        entries.iter().find(|entry| entry.key == key).or_else(|| {
            entries
                .iter()
                .filter(|entry| entry.key == "<<")
                .find_map(|merged| match &merged.value.content {
                    Content::Sequence { items, .. } => {
                        items.iter().find_map(|item| item.entry(key))
                    }
                    _ => merged.value.entry(key),
                })
        })
    }

    /// Returns the value of a key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Follows a route to a value.
    pub fn at(&self, route: &Route) -> Option<&Self> {
        route.0.iter().try_fold(self, |node, step| node.step(step))
    }

    /// Follows a dotted route of keys to a value.
    pub fn find(&self, dotted: &str) -> Option<&Self> {
        dotted.split('.').try_fold(self, |node, key| node.get(key))
    }

    /// Returns the text of the scalar at a dotted route.
    pub fn find_text(&self, dotted: &str) -> Option<&str> {
        self.find(dotted).and_then(Self::text)
    }

    /// Returns the span to underline for a route: the last key for a mapping step, the item for an
    /// index, and the deepest existing ancestor when the route leads nowhere.
    pub fn span_of(&self, route: &Route) -> Span {
        let mut node = self;
        let mut span = self.first_line_span();
        for step in &route.0 {
            let (next, place) = match step {
                Step::Key(key) => match node.entry(key) {
                    Some(entry) => (&entry.value, entry.key_span),
                    None => return span,
                },
                Step::Index(index) => match node.items().and_then(|items| items.get(*index)) {
                    Some(item) => (item, item.first_line_span()),
                    None => return span,
                },
            };
            node = next;
            span = place;
        }
        span
    }

    /// Returns the key of a mapping or the span of a scalar: what to underline for a whole value.
    pub fn first_line_span(&self) -> Span {
        match &self.content {
            Content::Scalar(_) => self.span,
            Content::Mapping { entries, .. } => {
                entries.first().map_or(self.span, |entry| entry.key_span)
            }
            Content::Sequence { items, .. } => {
                items.first().map_or(self.span, Self::first_line_span)
            }
        }
    }

    fn step(&self, step: &Step) -> Option<&Self> {
        match step {
            Step::Key(key) => self.get(key),
            Step::Index(index) => self.items()?.get(*index),
        }
    }

    /// Converts to JSON by the scalar rules of `resolver`; `<<` keys are merged.
    pub fn to_value(&self, resolver: Resolver) -> Value {
        match &self.content {
            Content::Scalar(scalar) => resolver.resolve(scalar),
            Content::Sequence { items, .. } => {
                Value::Array(items.iter().map(|item| item.to_value(resolver)).collect())
            }
            Content::Mapping { entries, .. } => Value::Object(mapping_value(entries, resolver)),
        }
    }

    /// Converts to JSON as the Kubernetes API server reads it.
    pub fn to_kubernetes(&self) -> Value {
        self.to_value(Resolver::Kubernetes)
    }

    /// Returns whether this is a scalar that is null by every reading.
    pub fn is_null(&self) -> bool {
        matches!(&self.content, Content::Scalar(scalar) if Resolver::Core.resolve(scalar).is_null())
    }
}

fn mapping_value(entries: &[Entry], resolver: Resolver) -> Map<String, Value> {
    let mut map = Map::with_capacity(entries.len());
    for entry in entries.iter().filter(|entry| entry.key != "<<") {
        map.insert(entry.key.clone(), entry.value.to_value(resolver));
    }
    for merged in entries.iter().filter(|entry| entry.key == "<<") {
        let sources = match &merged.value.content {
            Content::Sequence { items, .. } => items.iter().collect(),
            _ => vec![&merged.value],
        };
        for source in sources {
            for (key, value) in mapping_value(source.entries().unwrap_or_default(), resolver) {
                map.entry(key).or_insert(value);
            }
        }
    }
    map
}

/// Writes a value as block YAML that Kubernetes reads back as the same value, with a final newline.
///
/// Strings that any YAML version could take for another type are quoted; long strings are not
/// folded; lists stand indented below their key.
///
/// # Panics
/// Never: each JSON value has a YAML form.
pub fn emit(value: &Value) -> String {
    let options = serde_saphyr::ser_options! {
        prefer_block_scalars: true,
        compact_list_indent: false,
        min_fold_chars: 100_000,
        folded_wrap_chars: 100_000,
    };
    let mut text = String::new();
    serde_saphyr::to_fmt_writer_with_options(&mut text, value, options)
        .expect("a JSON value is always expressible in YAML");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_lies_in_another_by_steps_and_not_by_letters() {
        assert!(lies_in("/a/b", "/a") && lies_in("/a", "/a") && lies_in("/a", ""));
        assert!(!lies_in("/ab", "/a") && !lies_in("/a", "/a/b"));
        assert_eq!(pointer_step("a/b~c"), "a~1b~0c");
    }
}

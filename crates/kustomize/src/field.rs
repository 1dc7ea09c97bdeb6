//! Values of objects, each with its origin.

use serde_json::Value;
use spanned_yaml::{Content, Entry, Node, Resolver, Style};

use super::folded::{is_folded, written_anew};
use super::place::{Origin, Place, SourceFile};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A value in an object, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The value.
    pub value: FieldValue,
    /// Where it comes from; of a mapping or sequence, the place where it was first written.
    pub origin: Origin,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// A scalar.
    Scalar(FieldScalar),
    /// A list.
    Sequence(Vec<Field>),
    /// Keys with values; no key twice, in the order in which they came.
    Mapping(Vec<FieldEntry>),
}

/// A scalar: its text, and the type that it has whatever the text looks like.
///
/// Both are kept, as kustomize does: a replacement puts `8080` into a string, and it stays a string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldScalar {
    /// The text, after quotes and escapes are taken off.
    pub text: String,
    /// The type.
    pub kind: ScalarKind,
}

/// The type of a scalar, by go-yaml v3's reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalarKind {
    /// Nothing: `null`, `~`, or no text at all.
    Null,
    /// `true` or `false`; `yes`, `no`, `on`, `off` and `y` are text.
    Boolean,
    /// A whole number in any of Go's spellings.
    Integer,
    /// Any other number.
    Float,
    /// A date or a point in time, while a build goes on; in its results each is a text, as RFC 3339 writes it.
    Timestamp,
    /// Text.
    Text,
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldEntry {
    /// The key.
    pub key: String,
    /// The value.
    pub value: Field,
}

impl Field {
    /// Takes a value from a document as kustomize reads it: aliases and `<<` are resolved, and a date is a text.
    pub fn of_node(node: &Node, file: &Arc<SourceFile>, document: usize) -> Self {
        let mut field = Self::of_written(node, file, document);
        field.write_timestamps();
        field
    }

    /// Takes a value from a document as kustomize holds it during a build: a date is as it is written.
    pub(crate) fn of_written(node: &Node, file: &Arc<SourceFile>, document: usize) -> Self {
        Self::of_node_by(Resolver::Kustomize, node, file, document)
    }

    /// Takes a value from a kustomization file, which go-yaml v2 reads: `yes` and `no` are booleans there.
    pub fn of_kustomization(node: &Node, file: &Arc<SourceFile>, document: usize) -> Self {
        Self::of_node_by(Resolver::Kubernetes, node, file, document)
    }

    fn of_node_by(
        resolver: Resolver,
        node: &Node,
        file: &Arc<SourceFile>,
        document: usize,
    ) -> Self {
        let mut origin = Origin::new(Place::new(file, document, node.span));
        if let (Some(written), Content::Scalar(_)) = (&node.alias_of, &node.content) {
            origin = origin.and(&Place::new(file, document, **written));
        }
        let value = match &node.content {
            // The reader gives a value that is not written the text `~`.
            Content::Scalar(scalar) if scalar.style == Style::Plain && node.span.is_empty() => {
                FieldValue::Scalar(FieldScalar::read("", true))
            }
            Content::Scalar(scalar)
                if scalar.style == Style::Block
                    && resolver == Resolver::Kustomize
                    && is_folded(file.bytes(), node.span) =>
            {
                FieldValue::Scalar(FieldScalar::read(&written_anew(&scalar.text), false))
            }
            Content::Scalar(scalar) => FieldValue::Scalar(FieldScalar::read_by(
                resolver,
                &scalar.text,
                scalar.style == Style::Plain && !scalar.tagged_string,
            )),
            Content::Sequence { items, .. } => FieldValue::Sequence(
                items
                    .iter()
                    .map(|item| Self::of_node_by(resolver, item, file, document))
                    .collect(),
            ),
            Content::Mapping { .. } => {
                FieldValue::Mapping(entries_of(resolver, node, file, document))
            }
        };
        Self { value, origin }
    }

    /// Makes a text.
    pub fn text(text: impl Into<String>, origin: impl Into<Origin>) -> Self {
        Self::scalar(text, ScalarKind::Text, origin)
    }

    /// Makes a scalar of a type.
    pub fn scalar(text: impl Into<String>, kind: ScalarKind, origin: impl Into<Origin>) -> Self {
        Self {
            value: FieldValue::Scalar(FieldScalar {
                text: text.into(),
                kind,
            }),
            origin: origin.into(),
        }
    }

    /// Makes a mapping without keys.
    pub fn mapping(origin: impl Into<Origin>) -> Self {
        Self {
            value: FieldValue::Mapping(Vec::new()),
            origin: origin.into(),
        }
    }

    /// Makes a list without items.
    pub fn sequence(origin: impl Into<Origin>) -> Self {
        Self {
            value: FieldValue::Sequence(Vec::new()),
            origin: origin.into(),
        }
    }

    /// Returns the place that decides it.
    pub fn place(&self) -> &Place {
        &self.origin.place
    }

    /// Returns whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, FieldValue::Scalar(scalar) if scalar.kind == ScalarKind::Null)
    }

    /// Returns the scalar, if it is one.
    pub fn as_scalar(&self) -> Option<&FieldScalar> {
        match &self.value {
            FieldValue::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// Returns the text of a scalar of any type but null.
    pub fn as_text(&self) -> Option<&str> {
        let scalar = self.as_scalar()?;
        (scalar.kind != ScalarKind::Null).then_some(scalar.text.as_str())
    }

    /// Returns whether it is a scalar written in quotes or as a block, as far as its text and its place show.
    pub fn is_quoted(&self) -> bool {
        let Some(scalar) = self.as_scalar().filter(|all| all.kind == ScalarKind::Text) else {
            return false;
        };
        let Place { file, span, .. } = self.place();
        let written = file.bytes().get(span.start..span.end).unwrap_or_default();
        ScalarKind::of(&scalar.text) != ScalarKind::Text
            || scalar.text.contains('\n')
            || matches!(written.first(), Some(b'"' | b'\''))
    }

    /// Returns the entries, if it is a mapping.
    pub fn entries(&self) -> Option<&[FieldEntry]> {
        match &self.value {
            FieldValue::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// Returns the entries to change, if it is a mapping.
    pub fn entries_mut(&mut self) -> Option<&mut Vec<FieldEntry>> {
        match &mut self.value {
            FieldValue::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// Returns the items, if it is a list.
    pub fn items(&self) -> Option<&[Self]> {
        match &self.value {
            FieldValue::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the items to change, if it is a list.
    pub fn items_mut(&mut self) -> Option<&mut Vec<Self>> {
        match &mut self.value {
            FieldValue::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the value of a key.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let entry = self.entries()?.iter().find(|entry| entry.key == key)?;
        Some(&entry.value)
    }

    /// Returns the value of a key, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let entries = self.entries_mut()?;
        let entry = entries.iter_mut().find(|entry| entry.key == key)?;
        Some(&mut entry.value)
    }

    /// Returns the field at a dotted path of keys; a key that holds a dot is not reached.
    pub fn find_dotted(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |field, key| field.get(key))
    }

    /// Follows keys.
    pub fn find(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |field, key| field.get(key))
    }

    /// Follows keys, to change what is there.
    pub fn find_mut(&mut self, path: &[&str]) -> Option<&mut Self> {
        path.iter().try_fold(self, |field, key| field.get_mut(key))
    }

    /// Returns the text of the scalar that keys lead to.
    pub fn find_text(&self, path: &[&str]) -> Option<&str> {
        self.find(path)?.as_text()
    }

    /// Sets the value of a key, in the place of the old one or at the end.
    ///
    /// What is no mapping becomes one.
    pub fn set(&mut self, key: &str, value: Self) {
        if self.entries().is_none() {
            self.value = FieldValue::Mapping(Vec::new());
        }
        let Some(entries) = self.entries_mut() else {
            return;
        };
        match entries.iter_mut().find(|entry| entry.key == key) {
            Some(entry) => entry.value = value,
            None => entries.push(FieldEntry {
                key: key.to_owned(),
                value,
            }),
        }
    }

    /// Takes a key out, and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<Self> {
        let entries = self.entries_mut()?;
        let at = entries.iter().position(|entry| entry.key == key)?;
        Some(entries.remove(at).value)
    }

    /// Returns the mapping of a key; makes one where there is none, or null.
    ///
    /// # Panics
    /// Never: the key is there once it is set.
    pub fn mapping_at(&mut self, key: &str, origin: &Origin) -> &mut Self {
        let missing = self.get(key).is_none_or(Self::is_null);
        if missing {
            self.set(key, Self::mapping(origin.clone()));
        }
        self.get_mut(key)
            .expect("the key was set in the line before")
    }

    /// Converts to JSON, as the API server gets it.
    ///
    /// Numbers that JSON cannot hold stay text.
    pub fn to_json(&self) -> Value {
        match &self.value {
            FieldValue::Scalar(scalar) => scalar.to_json(),
            FieldValue::Sequence(items) => items.iter().map(Self::to_json).collect(),
            FieldValue::Mapping(entries) => {
                let pair = |entry: &FieldEntry| (entry.key.clone(), entry.value.to_json());
                Value::Object(entries.iter().map(pair).collect())
            }
        }
    }

    /// Makes texts of all dates, as kustomize does where it writes an object as JSON.
    pub(crate) fn write_timestamps(&mut self) {
        match &mut self.value {
            FieldValue::Scalar(scalar) => {
                if let (ScalarKind::Timestamp, Value::String(text)) =
                    (scalar.kind, scalar.to_json())
                {
                    scalar.text = text;
                    scalar.kind = ScalarKind::Text;
                }
            }
            FieldValue::Sequence(items) => items.iter_mut().for_each(Self::write_timestamps),
            FieldValue::Mapping(entries) => entries
                .iter_mut()
                .for_each(|entry| entry.value.write_timestamps()),
        }
    }

    /// Visits every scalar, with the JSON pointer (RFC 6901) from this field.
    pub fn each_scalar<'f>(&'f self, visit: &mut impl FnMut(&str, &'f Self)) {
        self.each_scalar_from(&mut String::new(), visit);
    }

    /// Returns whether a value of a Secret has a part in any scalar: see [`Origin::is_of_secret`].
    pub fn holds_secret(&self) -> bool {
        match &self.value {
            FieldValue::Scalar(_) => self.origin.is_of_secret(),
            FieldValue::Sequence(items) => items.iter().any(Self::holds_secret),
            FieldValue::Mapping(entries) => entries.iter().any(|entry| entry.value.holds_secret()),
        }
    }

    /// Visits every scalar below a pointer, which is the same when it is done.
    fn each_scalar_from<'f>(
        &'f self,
        pointer: &mut String,
        visit: &mut impl FnMut(&str, &'f Self),
    ) {
        let length = pointer.len();
        match &self.value {
            FieldValue::Scalar(_) => visit(pointer, self),
            FieldValue::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    pointer.push('/');
                    pointer.push_str(&index.to_string());
                    item.each_scalar_from(pointer, visit);
                    pointer.truncate(length);
                }
            }
            FieldValue::Mapping(entries) => {
                for FieldEntry { key, value } in entries {
                    pointer.push('/');
                    pointer.push_str(&spanned_yaml::pointer_step(key));
                    value.each_scalar_from(pointer, visit);
                    pointer.truncate(length);
                }
            }
        }
    }
}

impl FieldScalar {
    /// Reads a scalar; only a plain one can be other than text.
    pub fn read(text: &str, plain: bool) -> Self {
        Self::read_by(Resolver::Kustomize, text, plain)
    }

    fn read_by(resolver: Resolver, text: &str, plain: bool) -> Self {
        let value = if plain {
            resolver.value_of(text)
        } else {
            Value::from(text)
        };
        let special = plain && matches!(value, Value::String(_)) && !resolver.is_string(text);
        let kind = if special && has_no_digit(text) {
            // `.inf` and `.nan`, which JSON has not.
            ScalarKind::Float
        } else if special && resolver == Resolver::Kustomize {
            ScalarKind::Timestamp
        } else if plain && value.is_number() && is_spelled_as_float(text) {
            ScalarKind::Float
        } else {
            ScalarKind::of_value(&value)
        };
        let text = match (resolver, value) {
            // Whoever reads a boolean reads `true`, also where the author wrote `yes`.
            (Resolver::Kubernetes, Value::Bool(truth)) => truth.to_string(),
            _ => text.to_owned(),
        };
        Self { text, kind }
    }

    /// Returns whether it is `.inf`, `-.inf` or `.nan`.
    pub(crate) fn is_not_finite(&self) -> bool {
        self.kind == ScalarKind::Float && has_no_digit(&self.text)
    }

    /// Converts to JSON.
    pub(crate) fn to_json(&self) -> Value {
        match self.kind {
            ScalarKind::Null => Value::Null,
            ScalarKind::Text => Value::from(self.text.as_str()),
            ScalarKind::Boolean => Value::Bool(self.text.eq_ignore_ascii_case("true")),
            ScalarKind::Integer | ScalarKind::Float | ScalarKind::Timestamp => {
                Resolver::Kustomize.value_of(&self.text)
            }
        }
    }
}

impl ScalarKind {
    /// Returns the type of a plain scalar.
    pub fn of(text: &str) -> Self {
        FieldScalar::read(text, true).kind
    }

    fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if number.is_f64() => Self::Float,
            Value::Number(_) => Self::Integer,
            _ => Self::Text,
        }
    }
}

/// Returns whether a number has a fraction or an exponent, whatever its value.
fn is_spelled_as_float(text: &str) -> bool {
    let is_hexadecimal = text.contains(['x', 'X']);
    text.contains('.') || (!is_hexadecimal && text.contains(['e', 'E']))
}

fn has_no_digit(text: &str) -> bool {
    !text.contains(|character: char| character.is_ascii_digit())
}

/// Returns the key that a mapping's key becomes on the way to JSON: `0x1F` is a number, so `31`.
pub(crate) fn json_key(resolver: Resolver, entry: &Entry, written: &[u8]) -> String {
    let Entry { key, key_span, .. } = entry;
    let plain = written.get(key_span.start..key_span.end) == Some(key.as_bytes());
    match resolver.value_of(key) {
        Value::Bool(truth) if plain && resolver == Resolver::Kubernetes => truth.to_string(),
        Value::Number(number) if plain && !number.is_f64() => number.to_string(),
        Value::String(date) if plain => date,
        _ => key.clone(),
    }
}

/// Leaves of entries with the same key, which differed in how they were spelled, the last.
fn last_of_equal_keys(entries: Vec<FieldEntry>) -> Vec<FieldEntry> {
    let keys = entries.iter().enumerate();
    let last: BTreeMap<String, usize> = keys
        .map(|(index, entry)| (entry.key.clone(), index))
        .collect();
    let mut indices = 0..;
    let mut entries = entries;
    entries.retain(|entry| last.get(&entry.key).copied() == indices.next());
    entries
}

/// Lists the entries of a mapping, then those that `<<` brings and the mapping does not set itself.
fn entries_of(
    resolver: Resolver,
    node: &Node,
    file: &Arc<SourceFile>,
    document: usize,
) -> Vec<FieldEntry> {
    let own = node.entries().unwrap_or_default();
    let mut entries: Vec<FieldEntry> = Vec::with_capacity(own.len());
    let mut is_rewritten = false;
    for entry in own.iter().filter(|entry| entry.key != "<<") {
        let key = json_key(resolver, entry, file.bytes());
        is_rewritten |= key != entry.key;
        entries.push(FieldEntry {
            key,
            value: Field::of_node_by(resolver, &entry.value, file, document),
        });
    }
    if is_rewritten {
        entries = last_of_equal_keys(entries);
    }
    for merged in own.iter().filter(|entry| entry.key == "<<") {
        let sources = match &merged.value.content {
            Content::Sequence { items, .. } => items.iter().collect(),
            _ => vec![&merged.value],
        };
        for source in sources {
            for entry in entries_of(resolver, source, file, document) {
                if entries.iter().all(|known| known.key != entry.key) {
                    entries.push(entry);
                }
            }
        }
    }
    entries
}

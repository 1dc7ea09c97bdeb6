//! Where each part of the merged config was written.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::source::{Place, Source, Span, is_plain_key};
use crate::yaml::{Content, Node, Style};

/// Where one value stands.
#[derive(Clone, Copy, Debug)]
struct ConfigPosition {
    source: usize,
    key: Option<Span>,
    value: Span,
    /// Whether it is a text, number or truth value and no table or list of them.
    single: bool,
    /// Whether it is a text without quotes.
    plain: bool,
}

/// A data file.
#[derive(Clone, Debug)]
struct DataFile {
    /// The text, secrets included.
    text: Arc<Source>,
    /// What of it messages may show.
    shown: Arc<Source>,
    /// The bytes of all keys (shown) and of all texts, numbers and truth values (not shown).
    parts: Vec<(Span, bool)>,
}

/// The places of a config by JSON pointer (RFC 6901); the root is the empty pointer.
///
/// Messages show keys only until [`ConfigPlaces::show`] says which values they may show.
#[derive(Clone, Debug, Default)]
pub struct ConfigPlaces {
    files: Vec<DataFile>,
    positions: BTreeMap<String, ConfigPosition>,
}

impl ConfigPlaces {
    /// Notes a data file with its documents; returns its number, and its text as messages may show it.
    pub(super) fn add_file(&mut self, text: &Arc<Source>, roots: &[Node]) -> (usize, Arc<Source>) {
        let mut parts = Vec::new();
        roots
            .iter()
            .for_each(|root| collect_parts(root, &mut parts));
        let shown = text.layered(parts.iter().copied());
        self.files.push(DataFile {
            text: Arc::clone(text),
            shown: Arc::clone(&shown),
            parts,
        });
        (self.files.len() - 1, shown)
    }

    /// Notes where a value stands; the first note of a pointer stays.
    pub(super) fn insert(&mut self, pointer: &str, source: usize, key: Option<Span>, node: &Node) {
        self.positions
            .entry(pointer.to_owned())
            .or_insert(ConfigPosition {
                source,
                key,
                value: node.span,
                single: matches!(node.content, Content::Scalar(_)),
                plain: matches!(&node.content, Content::Scalar(it) if it.style == Style::Plain),
            });
    }

    /// Notes a value that stands in no data file but elsewhere, where nothing is hidden.
    pub(super) fn note(&mut self, pointer: &str, place: &Place) {
        let all = Span::new(0, place.source.text.len());
        self.files.push(DataFile {
            text: Arc::clone(&place.source),
            shown: Arc::clone(&place.source),
            parts: vec![(all, true)],
        });
        let position = ConfigPosition {
            source: self.files.len() - 1,
            key: None,
            value: place.span,
            single: true,
            plain: false,
        };
        self.positions.insert(pointer.to_owned(), position);
    }

    /// Returns the place of a value, or of its nearest ancestor that was written.
    pub fn value(&self, pointer: &str) -> Option<Place> {
        let position = self.nearest(pointer)?;
        let exact = self.positions.contains_key(pointer);
        let span = if exact {
            position.value
        } else {
            position.key.unwrap_or(position.value)
        };
        Some(Place::new(&self.files.get(position.source)?.shown, span))
    }

    /// Returns the place of a key, or of its nearest ancestor that was written.
    pub fn key(&self, pointer: &str) -> Option<Place> {
        let position = self.nearest(pointer)?;
        let span = position.key.unwrap_or(position.value);
        Some(Place::new(&self.files.get(position.source)?.shown, span))
    }

    /// Lists the paths of the data files, in the order in which they are read.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.text.path.as_str())
    }

    /// Returns whether a value was written, rather than defaulted.
    pub fn contains(&self, pointer: &str) -> bool {
        self.positions.contains_key(pointer)
    }

    /// Lists the pointers of texts without quotes that go on in the next line: one that is indented too far, or has
    /// lost its colon, becomes a part of the value before it.
    pub fn folded(&self) -> impl Iterator<Item = &str> {
        let is_folded = |position: &ConfigPosition| {
            let text = self.files.get(position.source).map(|file| &file.text.text);
            let written = text.and_then(|text| text.get(position.value.start..position.value.end));
            position.plain && written.is_some_and(|written| written.trim_end().contains('\n'))
        };
        let positions = self.positions.iter();
        positions
            .filter(move |(_, position)| is_folded(position))
            .map(|(pointer, _)| pointer.as_str())
    }

    /// Lets messages show the values, but for those that are hidden.
    ///
    /// A value that is used in several places is shown if it is hidden in none of them.
    pub fn show(&mut self, is_hidden: impl Fn(&str) -> bool) {
        let mut layers: Vec<[Vec<(Span, bool)>; 2]> = vec![Default::default(); self.files.len()];
        for (pointer, position) in &self.positions {
            let Some([open, hidden]) = layers.get_mut(position.source) else {
                continue;
            };
            if is_hidden(pointer) {
                hidden.push((position.value, false));
            } else if position.single {
                open.push((position.value, true));
            }
        }
        for (file, [open, hidden]) in self.files.iter_mut().zip(layers) {
            let parts = file.parts.iter().copied();
            file.shown = file.text.layered(parts.chain(open).chain(hidden));
        }
    }

    fn nearest(&self, pointer: &str) -> Option<&ConfigPosition> {
        let mut pointer = pointer;
        loop {
            if let Some(position) = self.positions.get(pointer) {
                return Some(position);
            }
            pointer = &pointer[..pointer.rfind('/')?];
        }
    }
}

fn collect_parts(node: &Node, parts: &mut Vec<(Span, bool)>) {
    match &node.content {
        Content::Scalar(_) => parts.push((node.span, false)),
        Content::Sequence { items, .. } => {
            items.iter().for_each(|item| collect_parts(item, parts));
        }
        Content::Mapping { entries, .. } => {
            for entry in entries {
                parts.push((entry.key_span, is_plain_key(&entry.key)));
                collect_parts(&entry.value, parts);
            }
        }
    }
}

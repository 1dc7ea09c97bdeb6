//! Where each part of the merged config was written.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::source::{Place, Source, Span};

/// Where one value stands.
#[derive(Clone, Copy, Debug)]
struct Position {
    source: usize,
    key: Option<Span>,
    value: Span,
}

/// The places of a config by JSON pointer (RFC 6901); the root is the empty pointer.
#[derive(Clone, Debug, Default)]
pub struct Places {
    sources: Vec<Arc<Source>>,
    positions: BTreeMap<String, Position>,
}

impl Places {
    /// Notes a source and returns its number.
    pub(super) fn add_source(&mut self, source: &Arc<Source>) -> usize {
        self.sources.push(Arc::clone(source));
        self.sources.len() - 1
    }

    /// Notes where a value stands; the first note of a pointer stays.
    pub(super) fn insert(&mut self, pointer: &str, source: usize, key: Option<Span>, value: Span) {
        self.positions
            .entry(pointer.to_owned())
            .or_insert(Position { source, key, value });
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
        Some(Place::new(self.sources.get(position.source)?, span))
    }

    /// Returns the place of a key, or of its nearest ancestor that was written.
    pub fn key(&self, pointer: &str) -> Option<Place> {
        let position = self.nearest(pointer)?;
        let span = position.key.unwrap_or(position.value);
        Some(Place::new(self.sources.get(position.source)?, span))
    }

    /// Lists the paths of the data files, in the order in which they are read.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(|source| source.path.as_str())
    }

    /// Returns whether a value was written, rather than defaulted.
    pub fn contains(&self, pointer: &str) -> bool {
        self.positions.contains_key(pointer)
    }

    /// Blots out the values at pointers, and all that is below them, in every text that messages can show.
    pub fn mask<'p>(&mut self, pointers: impl IntoIterator<Item = &'p str>) {
        let mut spans: BTreeMap<usize, Vec<Span>> = BTreeMap::new();
        for pointer in pointers {
            // The parts have spans of their own: a table may be written in several places, or files.
            let start = format!("{pointer}/");
            let below = self.positions.range(start.clone()..);
            let below = below.take_while(|(place, _)| place.starts_with(&start));
            let own = self.positions.get(pointer).into_iter();
            for position in own.chain(below.map(|(_, position)| position)) {
                spans
                    .entry(position.source)
                    .or_default()
                    .push(position.value);
            }
        }
        for (number, spans) in spans {
            if let Some(source) = self.sources.get_mut(number) {
                *source = masked(source, &spans);
            }
        }
    }

    fn nearest(&self, pointer: &str) -> Option<&Position> {
        let mut pointer = pointer;
        loop {
            if let Some(position) = self.positions.get(pointer) {
                return Some(position);
            }
            pointer = &pointer[..pointer.rfind('/')?];
        }
    }
}

/// Returns the source with the bytes of spans as `*`, line breaks kept, so that all spans still fit.
pub(super) fn masked(source: &Arc<Source>, spans: &[Span]) -> Arc<Source> {
    let mut spans = spans.to_vec();
    spans.sort_by_key(|span| (span.start, span.end));
    let mut text = String::with_capacity(source.text.len());
    let mut rest = 0;
    for span in spans {
        let start = span.start.max(rest);
        if start >= span.end {
            continue;
        }
        text.push_str(&source.text[rest..start]);
        for letter in source.text[start..span.end].chars() {
            if letter == '\n' {
                text.push(letter);
            } else {
                text.extend(std::iter::repeat_n('*', letter.len_utf8()));
            }
        }
        rest = span.end;
    }
    text.push_str(&source.text[rest..]);
    Arc::new(Source {
        path: source.path.clone(),
        text: text.into(),
        sensitive: source.sensitive,
    })
}

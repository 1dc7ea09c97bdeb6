//! Which collection a comment belongs to, and which value it governs.
//!
//! SOPS authenticates a comment with the keys of the collection it stands in, and go-yaml decides
//! which one that is. The rules here give the same answer for comments before an entry, behind a
//! value, and at the end of a block; where go-yaml is more subtle, `sops` leaves the comment as it is
//! and warns, as comments are in no MAC. A comment is never taken to lie outside a collection when
//! the next entry after it lies inside, so that none is left in plain text in an encrypted part.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use spanned_yaml::{Route, Span};

use super::{Content, Leaf, Spot};
use crate::value::{Kind, Value};

/// A mapping or sequence.
pub(super) struct Collection {
    pub(super) keys: Arc<[String]>,
    pub(super) route: Route,
    /// The entry whose value this is; the root has none.
    pub(super) owner: Option<Position>,
    /// How far from the left its keys or dashes stand, in bytes.
    pub(super) column: usize,
    /// Its bytes when it is written in braces or brackets.
    pub(super) flow: Option<Span>,
    /// Whether it has keys.
    pub(super) mapping: bool,
}

/// An entry of a mapping or an item of a sequence.
#[derive(Clone, Copy)]
pub(super) struct Position {
    pub(super) collection: usize,
    pub(super) index: usize,
    /// The byte at which its key or dash stands.
    pub(super) start: usize,
}

/// The collections of a document and where their entries start.
#[derive(Default)]
pub(super) struct Layout {
    collections: Vec<Collection>,
    counts: Vec<usize>,
    /// In the order of the text.
    entries: Vec<Position>,
}

impl Layout {
    /// Opens a collection; its entries follow with [`Layout::add_entry`].
    pub(super) fn open(&mut self, collection: Collection) -> usize {
        self.collections.push(collection);
        self.counts.push(0);
        self.collections.len() - 1
    }

    pub(super) fn add_entry(&mut self, collection: usize, start: usize) -> Position {
        let position = Position {
            start,
            ..self.at_next_entry(collection)
        };
        self.counts[collection] += 1;
        let at = self.entries.partition_point(|entry| entry.start <= start);
        self.entries.insert(at, position);
        position
    }

    /// Returns the position that the next entry of a collection will have, but for its start.
    pub(super) fn at_next_entry(&self, collection: usize) -> Position {
        Position {
            collection,
            index: self.counts[collection],
            start: 0,
        }
    }

    /// Puts the comments among the values, and tells each value which comments govern it.
    pub(super) fn merge(
        &self,
        text: &str,
        values: Vec<(Position, Leaf)>,
        comments: &[Span],
    ) -> Vec<Leaf> {
        let mut ranked: Vec<(Position, Leaf)> = Vec::with_capacity(values.len() + comments.len());
        let place = |position: &Position| (position.collection, position.index);
        let nulls = values.iter().filter(|(position, leaf)| {
            leaf.content == Content::Null && !self.collections[position.collection].mapping
        });
        let nulls: BTreeSet<(usize, usize)> = nulls.map(|(position, _)| place(position)).collect();
        for span in comments {
            let home = self.home(text, *span);
            let mut leaf = self.comment_leaf(text, *span, home);
            leaf.losable |= nulls.contains(&place(&home));
            ranked.push((home, leaf));
        }
        ranked.extend(values);
        // Stable, so that comments come before the value they govern and keep their order.
        ranked.sort_by_key(|(position, _)| position.start);
        if ranked.iter().any(|(_, leaf)| leaf.is_comment()) {
            self.govern(&mut ranked);
        }
        ranked.into_iter().map(|(_, leaf)| leaf).collect()
    }

    fn govern(&self, ranked: &mut [(Position, Leaf)]) {
        let mut before: BTreeMap<(usize, usize), Vec<String>> = BTreeMap::new();
        for (position, leaf) in ranked {
            let mut place = Some(*position);
            while let Some(Position {
                collection, index, ..
            }) = place
            {
                let found = before
                    .get(&(collection, index))
                    .map(Vec::as_slice)
                    .unwrap_or_default();
                leaf.comments.splice(0..0, found.iter().cloned());
                place = self.collections[collection].owner;
            }
            if let Some(comment) = leaf.comment() {
                let place = (position.collection, position.index);
                before.entry(place).or_default().push(comment.to_owned());
            }
        }
    }

    fn comment_leaf(&self, text: &str, span: Span, home: Position) -> Leaf {
        let collection = &self.collections[home.collection];
        let comment = text[span.start..span.end].trim_end_matches('\r');
        Leaf {
            keys: Arc::clone(&collection.keys),
            route: collection.route.clone(),
            content: Content::Value(Value::new(
                Kind::Comment,
                comment.strip_prefix('#').unwrap_or(comment),
            )),
            spot: Spot::Comment(Span::new(span.start, span.start + comment.len())),
            comments: Vec::new(),
            astray: self.is_astray(text, span),
            loose: self.is_loose(text, span),
            losable: home.collection > 0 && self.counts[home.collection] == 0,
            tie: None,
        }
    }

    fn is_astray(&self, text: &str, comment: Span) -> bool {
        let after = self
            .entries
            .partition_point(|entry| entry.start < comment.start);
        let at = column(text, comment.start);
        let own_line = text[comment.start - at..comment.start]
            .trim_ascii()
            .is_empty();
        own_line
            && self
                .entries
                .get(after)
                .is_some_and(|next| column(text, next.start) != at)
    }

    fn is_loose(&self, text: &str, comment: Span) -> bool {
        let at = column(text, comment.start);
        let last = self
            .entries
            .last()
            .filter(|last| last.start < comment.start);
        let mut entry = last.copied();
        while let Some(Position { collection, .. }) = entry {
            let collection = &self.collections[collection];
            if !collection.mapping && collection.flow.is_none() && collection.column == at {
                return true;
            }
            entry = collection.owner;
        }
        false
    }

    /// Returns where a comment belongs: before the entry of this index, its `start` being the byte
    /// that ranks it among the values.
    fn home(&self, text: &str, comment: Span) -> Position {
        let after = self
            .entries
            .partition_point(|entry| entry.start < comment.start);
        let next = self.entries.get(after).copied();
        // `sops` writes a comment behind `{}` into the braces.
        let mut empty = self.collections.iter().zip(&self.counts).enumerate();
        let around = empty.find(|(_, (collection, count))| {
            let flow = collection.flow;
            **count == 0
                && flow.is_some_and(|span| span.start < comment.start && comment.end < span.end)
        });
        if let Some((collection, _)) = around {
            return Position {
                collection,
                index: 0,
                start: comment.start,
            };
        }
        let Some(last) = after.checked_sub(1).map(|at| self.entries[at]) else {
            return Position {
                collection: 0,
                index: 0,
                start: comment.start,
            };
        };
        let line = text[..comment.start]
            .rfind('\n')
            .map_or(0, |newline| newline + 1);
        if text[line..comment.start].trim_ascii().is_empty() {
            self.own_line(comment, comment.start - line, last, next)
        } else {
            self.behind_flow(text, comment)
                .unwrap_or_else(|| self.behind(comment, last))
        }
    }

    /// A comment behind the braces or brackets that are the value of a key stands first inside of them to SOPS.
    fn behind_flow(&self, text: &str, comment: Span) -> Option<Position> {
        let ends_before = |span: Span| {
            span.end <= comment.start && text[span.end..comment.start].trim_ascii().is_empty()
        };
        let mut collections = self.collections.iter().enumerate();
        let (collection, span) = collections.find_map(|(at, collection)| {
            let span = collection.flow.filter(|span| ends_before(*span))?;
            let owner = collection.owner?;
            self.collections[owner.collection]
                .mapping
                .then_some((at, span))
        })?;
        Some(Position {
            collection,
            index: 0,
            start: span.start,
        })
    }

    /// A comment behind something on its line belongs to the entry there.
    fn behind(&self, comment: Span, last: Position) -> Position {
        let entry = self.climb(last, |collection| {
            collection.flow.is_none_or(|span| comment.start < span.end)
        });
        Position {
            collection: entry.collection,
            index: entry.index,
            start: entry.start,
        }
    }

    /// A comment on a line of its own belongs before the next entry, unless it stands further right:
    /// then it belongs to the end of the innermost collection at its column or left of it.
    fn own_line(
        &self,
        comment: Span,
        column: usize,
        last: Position,
        next: Option<Position>,
    ) -> Position {
        let start = comment.start;
        let is_next = |home: usize| next.filter(|next| next.collection == home);
        if let Some(next) = next {
            let owner = self.collections[next.collection].owner;
            let first_inside =
                owner.is_some_and(|owner| owner.start == last.start && next.index == 0);
            let not_deeper = column <= self.collections[next.collection].column;
            let in_flow = self.collections[next.collection]
                .flow
                .is_some_and(|span| comment.start < span.end);
            if first_inside || not_deeper || in_flow {
                return Position {
                    collection: next.collection,
                    index: next.index,
                    start,
                };
            }
        }
        // At the end of a file, as it will be once the metadata follows.
        if next.is_none() && column <= self.collections[0].column {
            return Position {
                start,
                ..self.at_next_entry(0)
            };
        }
        let entry = self.climb(last, |collection| match collection.flow {
            Some(span) => comment.start < span.end,
            None => collection.column <= column,
        });
        let index = is_next(entry.collection).map_or(entry.index + 1, |next| next.index);
        Position {
            collection: entry.collection,
            index,
            start,
        }
    }

    /// Goes outwards from an entry to the first collection that is right, or to the root.
    fn climb(&self, from: Position, right: impl Fn(&Collection) -> bool) -> Position {
        let mut entry = from;
        loop {
            let collection = &self.collections[entry.collection];
            match collection.owner {
                Some(owner) if !right(collection) => entry = owner,
                _ => return entry,
            }
        }
    }
}

/// Returns how far from the left a byte stands.
pub(crate) fn column(text: &str, at: usize) -> usize {
    at - text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

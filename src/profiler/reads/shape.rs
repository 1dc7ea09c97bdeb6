//! What an expression of a template may stand for, as far as values are concerned.

use std::collections::{BTreeMap, BTreeSet};

/// How deep a shape may nest: beyond it, templates call themselves.
const DEPTH: usize = 8;
/// How many things a shape may hold.
const SIZE: usize = 4000;
/// How many literals an expression may stand for before they count as any text.
const TEXTS: usize = 64;

/// Stands for any text within a literal.
pub(super) const ANY: char = '\0';

/// Everything that an expression may stand for; empty for what has nothing to do with values.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ExpressionShape(pub(super) BTreeSet<Atom>);

/// One thing that an expression may stand for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Atom {
    /// The root object of a chart, by its number.
    Context(usize),
    /// The value at a path.
    Value(Vec<String>),
    /// A mapping that a template made.
    Mapping(BTreeMap<String, ExpressionShape>),
    /// A list that a template made, by what its items may be.
    List(ExpressionShape),
    /// A list that a template spelled out, item by item.
    Tuple(Vec<ExpressionShape>),
    /// A literal, with [`ANY`] for what is not known of it.
    Text(String),
}

impl ExpressionShape {
    pub(super) fn of(atom: Atom) -> Self {
        Self(BTreeSet::from([atom]))
    }

    pub(super) fn text(text: &str) -> Self {
        Self::of(Atom::Text(text.to_owned()))
    }

    /// Adds everything that another shape may stand for.
    pub(super) fn join(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
        let texts = self
            .0
            .iter()
            .filter(|atom| matches!(atom, Atom::Text(_)))
            .count();
        if texts > TEXTS {
            self.0.retain(|atom| !matches!(atom, Atom::Text(_)));
            self.0.insert(Atom::Text(ANY.to_string()));
        }
    }

    /// Joins several shapes.
    pub(super) fn union<'s>(shapes: impl IntoIterator<Item = &'s Self>) -> Self {
        let mut all = Self::default();
        for shape in shapes {
            all.join(shape);
        }
        all
    }

    /// Returns the literals that it may be; none when something of it is not a literal.
    pub(super) fn texts(&self) -> Vec<&str> {
        let texts: Vec<&str> = self
            .0
            .iter()
            .filter_map(|atom| match atom {
                Atom::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect();
        if texts.len() == self.0.len() {
            texts
        } else {
            Vec::new()
        }
    }

    /// Returns the values and literals among what it may be.
    pub(super) fn plain(&self) -> Self {
        let plain = |atom: &&Atom| matches!(atom, Atom::Value(_) | Atom::Text(_));
        Self(self.0.iter().filter(plain).cloned().collect())
    }

    /// Returns what its items may be.
    pub(super) fn items(&self) -> Self {
        let mut all = Self::default();
        for atom in &self.0 {
            match atom {
                Atom::List(items) => all.join(items),
                Atom::Mapping(entries) => all.join(&Self::union(entries.values())),
                Atom::Tuple(items) => all.join(&Self::union(items)),
                Atom::Context(_) | Atom::Value(_) | Atom::Text(_) => {}
            }
        }
        all
    }

    /// Returns whether it is so deep or so large that templates must be calling themselves.
    pub(super) fn is_wild(&self) -> bool {
        self.depth() > DEPTH || self.size() > SIZE
    }

    fn size(&self) -> usize {
        let sizes = self.0.iter().map(|atom| match atom {
            Atom::Mapping(entries) => entries.values().map(Self::size).sum(),
            Atom::List(items) => items.size(),
            Atom::Tuple(items) => items.iter().map(Self::size).sum(),
            Atom::Context(_) | Atom::Value(_) | Atom::Text(_) => 0,
        });
        sizes.map(|size: usize| size + 1).sum()
    }

    /// Returns how deep it nests.
    fn depth(&self) -> usize {
        let depths = self.0.iter().map(|atom| match atom {
            Atom::Mapping(entries) => 1 + entries.values().map(Self::depth).max().unwrap_or(0),
            Atom::List(items) => 1 + items.depth(),
            Atom::Tuple(items) => 1 + items.iter().map(Self::depth).max().unwrap_or(0),
            Atom::Context(_) | Atom::Value(_) | Atom::Text(_) => 0,
        });
        depths.max().unwrap_or(0)
    }
}

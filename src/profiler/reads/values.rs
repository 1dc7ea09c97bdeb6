//! Values as templates reach them, and the record of which are used.

use super::super::known::Use;
use super::reader::ChartReader;
use super::shape::{Atom, ExpressionShape};

impl ChartReader {
    pub(super) fn fields(&self, shape: ExpressionShape, path: &[String]) -> ExpressionShape {
        path.iter()
            .fold(shape, |shape, key| self.field(&shape, key))
    }

    pub(super) fn field(&self, shape: &ExpressionShape, key: &str) -> ExpressionShape {
        let mut found = ExpressionShape::default();
        for atom in &shape.0 {
            match atom {
                Atom::Context(number) => found.join(&self.root_field(*number, key)),
                Atom::Value(path) => {
                    let mut path = path.clone();
                    path.push(key.to_owned());
                    found.0.insert(Atom::Value(self.global(path)));
                }
                Atom::Mapping(entries) => {
                    for key in [key, "\0"] {
                        if let Some(entry) = entries.get(key) {
                            found.join(entry);
                        }
                    }
                }
                Atom::List(_) | Atom::Tuple(_) | Atom::Text(_) => {}
            }
        }
        found
    }

    pub(super) fn root_field(&self, number: usize, key: &str) -> ExpressionShape {
        let mut found = match key {
            "Values" => ExpressionShape::of(Atom::Value(self.prefixes[number].clone())),
            "Subcharts" => {
                let entries = self.subcharts[number].iter();
                let entries = entries.map(|(key, number)| {
                    (key.clone(), ExpressionShape::of(Atom::Context(*number)))
                });
                ExpressionShape::of(Atom::Mapping(entries.collect()))
            }
            _ => ExpressionShape::default(),
        };
        if let Some(extra) = self.extras.get(&(number, key.to_owned())) {
            found.join(extra);
        }
        found
    }

    /// Takes a subchart's `global` for the one that it gets from the outermost chart.
    pub(super) fn global(&self, path: Vec<String>) -> Vec<String> {
        let inner = path.split_last().filter(|(last, _)| *last == "global");
        match inner {
            Some((_, prefix)) if self.prefixes.iter().any(|known| known == prefix) => {
                vec!["global".to_owned()]
            }
            _ => path,
        }
    }

    /// A hash of all values tells of none of them.
    pub(super) fn mark(&mut self, path: &[String], used: Use) {
        if self.hashing && self.prefixes.iter().any(|prefix| prefix == path) {
            return;
        }
        self.present.0.mark(path, used);
    }

    /// Notes that all values that a shape stands for are used.
    pub(super) fn consume(&mut self, shape: &ExpressionShape, used: Use) {
        for atom in &shape.0 {
            match atom {
                Atom::Value(path) => self.mark(&path.clone(), used),
                Atom::Context(number) if used == Use::Whole => {
                    let prefix = self.prefixes[*number].clone();
                    self.mark(&prefix, Use::Whole);
                }
                Atom::Mapping(entries) if used == Use::Whole => {
                    for entry in entries.values() {
                        self.consume(entry, used);
                    }
                }
                Atom::List(items) if used == Use::Whole => self.consume(items, used),
                Atom::Tuple(items) if used == Use::Whole => {
                    items.iter().for_each(|item| self.consume(item, used));
                }
                _ => {}
            }
        }
    }

    /// Notes that the values themselves are used, but not what templates made of others.
    pub(super) fn consume_values(&mut self, shape: &ExpressionShape, used: Use) {
        for atom in &shape.0 {
            if let Atom::Value(path) = atom {
                self.mark(&path.clone(), used);
            }
        }
    }
}

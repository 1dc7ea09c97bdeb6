//! The way to a value, with list items by what names them: `spec.containers[echo].image`.

use std::fmt;

/// One step of a route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiffStep {
    /// Into a mapping by key.
    Key(String),
    /// Into a list by what names the item there (`echo`, `8080/TCP`).
    Item(String),
    /// Into a list whose items have no names, by position; counted from 0.
    Index(usize),
}

/// The way from a document's root to a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route(pub Vec<DiffStep>);

impl Route {
    /// Returns the route one step further.
    #[must_use]
    pub fn then(&self, step: DiffStep) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// Returns the route one key further.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.then(DiffStep::Key(key.to_owned()))
    }

    /// Returns the keys alone, without the steps into lists.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.iter().filter_map(|step| match step {
            DiffStep::Key(key) => Some(key.as_str()),
            DiffStep::Item(_) | DiffStep::Index(_) => None,
        })
    }

    /// Returns the last key; empty at the root.
    pub fn last_key(&self) -> &str {
        self.keys().next_back().unwrap_or_default()
    }

    /// Returns whether the route starts with these keys.
    pub fn starts_with(&self, keys: &[&str]) -> bool {
        self.0.len() >= keys.len()
            && self
                .0
                .iter()
                .zip(keys)
                .all(|(step, key)| matches!(step, DiffStep::Key(own) if own == key))
    }
}

impl fmt::Display for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                DiffStep::Key(key) if key.is_empty() || key.contains(['.', '[', ' ']) => {
                    write!(formatter, "[\"{key}\"]")?;
                }
                DiffStep::Key(key) if position == 0 => formatter.write_str(key)?,
                DiffStep::Key(key) => write!(formatter, ".{key}")?,
                DiffStep::Item(name) => write!(formatter, "[{name}]")?,
                DiffStep::Index(index) => write!(formatter, "[{index}]")?,
            }
        }
        Ok(())
    }
}

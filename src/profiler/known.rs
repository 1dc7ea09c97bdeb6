//! The tree of values that a chart knows.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// How a value is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Only whether it is there or true, its kind or its length.
    Truth,
    /// As it is, with all that is below it.
    Whole,
}

/// What a chart knows of a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct LearnedValue {
    /// Whether anything goes below.
    pub(super) open: bool,
    /// What is known below.
    pub(super) keys: BTreeMap<String, Self>,
}

impl LearnedValue {
    /// Notes that the value at a path is used.
    pub(super) fn mark(&mut self, path: &[String], used: Use) {
        let node = path
            .iter()
            .fold(self, |node, key| node.keys.entry(key.clone()).or_default());
        node.open |= used == Use::Whole;
    }

    /// Adds all that another tree knows.
    pub(super) fn join(&mut self, other: &Self) {
        self.open |= other.open;
        for (key, node) in &other.keys {
            self.keys.entry(key.clone()).or_default().join(node);
        }
    }

    /// Returns whether a value at the path may have an effect.
    pub(super) fn covers(&self, path: &[String]) -> bool {
        let mut node = self;
        for key in path {
            if node.is_open() {
                return true;
            }
            match node.keys.get(key) {
                Some(next) => node = next,
                None => return false,
            }
        }
        true
    }

    /// Returns whether anything goes below.
    pub(super) fn is_open(&self) -> bool {
        self.open || self.keys.is_empty()
    }

    /// Calls `visit` with every known path.
    pub(super) fn visit(&self, visit: &mut dyn FnMut(&[String], &Self)) {
        self.visit_below(&mut Vec::new(), visit);
    }

    fn visit_below(&self, path: &mut Vec<String>, visit: &mut dyn FnMut(&[String], &Self)) {
        for (key, node) in &self.keys {
            path.push(key.clone());
            visit(path, node);
            node.visit_below(path, visit);
            path.pop();
        }
    }

    /// Returns the tree as a profile has it: `null` where anything goes.
    pub(super) fn to_value(&self) -> Value {
        if self.is_open() {
            return Value::Null;
        }
        let keys: Map<String, Value> = self
            .keys
            .iter()
            .map(|(key, node)| (key.clone(), node.to_value()))
            .collect();
        Value::Object(keys)
    }
}

/// Splits a dotted path.
pub(super) fn split(path: &str) -> Vec<String> {
    path.split('.').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn closes_what_is_only_tested_and_entered() {
        let mut known = LearnedValue::default();
        known.mark(&split("a"), Use::Truth);
        known.mark(&split("a.b"), Use::Whole);
        known.mark(&split("c"), Use::Whole);
        known.mark(&split("c.d"), Use::Whole);
        assert_eq!(known.to_value(), json!({"a": {"b": null}, "c": null}));
        assert!(known.covers(&split("a.b.x")));
        assert!(known.covers(&split("c.x")));
        assert!(!known.covers(&split("a.x")));
        assert!(!known.covers(&split("x")));
    }
}

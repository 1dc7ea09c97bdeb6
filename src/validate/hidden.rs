//! The places of a config of which no message shows anything.

use std::collections::BTreeSet;

use serde_json::Value;

use super::pointer::Pointer;
use super::walk::{ApplicableSchemas, visit};
use crate::secret::{Secrets, names_a_secret};

/// The pointers (RFC 6901) of values that are hidden with all that is below them.
#[derive(Debug, Default)]
pub(super) struct HiddenPlaces(BTreeSet<String>);

impl HiddenPlaces {
    /// Finds the values that a schema calls `writeOnly`, beside those that are `known` to be secret.
    pub(super) fn secrets(
        schemas: &ApplicableSchemas<'_>,
        value: &Value,
        known: &BTreeSet<String>,
    ) -> Self {
        let mut found = known.clone();
        let mut pointer = Pointer::default();
        visit(
            schemas,
            value,
            &mut pointer,
            &mut |schemas, value, pointer| {
                let secret = schemas.is_secret() && !value.is_null();
                if secret {
                    found.insert(pointer.as_str().to_owned());
                }
                !secret
            },
        );
        Self(found)
    }

    /// Finds the values that no schema knows.
    ///
    /// One of them may be a secret behind a misspelt key.
    pub(super) fn unknown(schemas: &ApplicableSchemas<'_>, value: &Value) -> Self {
        fn walk(
            schemas: &ApplicableSchemas<'_>,
            value: &Value,
            pointer: &mut Pointer,
            found: &mut BTreeSet<String>,
        ) {
            if schemas.is_unknown() {
                found.insert(pointer.as_str().to_owned());
                return;
            }
            for (key, child) in value.as_object().into_iter().flatten() {
                let below = schemas.property(key);
                pointer.below(key, |pointer| walk(&below, child, pointer, found));
            }
            for (index, child) in value.as_array().into_iter().flatten().enumerate() {
                let below = schemas.item(index);
                pointer.below(index, |pointer| walk(&below, child, pointer, found));
            }
        }
        let mut found = BTreeSet::new();
        walk(schemas, value, &mut Pointer::default(), &mut found);
        Self(found)
    }

    /// Finds the values behind keys that say that they are secret, whatever the schema says.
    ///
    /// The name of an app is no such key: `external-secrets` has none.
    pub(super) fn named(value: &Value) -> Self {
        Self::find(value, &|pointer, _| {
            let (above, key) = pointer.rsplit_once('/').unwrap_or_default();
            above != "/apps" && names_a_secret(key)
        })
    }

    /// Finds the texts into which a secret beside them may have run: a lost quote, comma or line break makes
    /// `"provider": none""token": "…"` one text, and `none token …` too.
    pub(super) fn run_together(value: &Value) -> Self {
        Self::find(value, &|_, value| {
            value.as_str().is_some_and(may_hold_another)
        })
    }

    /// Finds the values of which `is_hidden` says so, by pointer and value; it is not asked about what is below one.
    fn find(value: &Value, is_hidden: &dyn Fn(&str, &Value) -> bool) -> Self {
        fn walk(
            value: &Value,
            pointer: &mut Pointer,
            is_hidden: &dyn Fn(&str, &Value) -> bool,
            found: &mut BTreeSet<String>,
        ) {
            if is_hidden(pointer.as_str(), value) {
                found.insert(pointer.as_str().to_owned());
                return;
            }
            for (key, child) in value.as_object().into_iter().flatten() {
                pointer.below(key, |pointer| walk(child, pointer, is_hidden, found));
            }
            for (index, child) in value.as_array().into_iter().flatten().enumerate() {
                pointer.below(index, |pointer| walk(child, pointer, is_hidden, found));
            }
        }
        let mut found = BTreeSet::new();
        walk(value, &mut Pointer::default(), is_hidden, &mut found);
        Self(found)
    }

    /// Adds more pointers.
    pub(super) fn extend(&mut self, more: impl IntoIterator<Item = String>) {
        self.0.extend(more);
    }

    /// Lists the pointers, sorted.
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Hands out the pointers, sorted.
    pub(super) fn into_pointers(self) -> impl Iterator<Item = String> {
        self.0.into_iter()
    }

    /// Returns whether the value at a pointer is hidden.
    pub(super) fn covers(&self, pointer: &str) -> bool {
        let mut here = pointer;
        loop {
            if self.0.contains(here) {
                return true;
            }
            let Some(end) = here.rfind('/') else {
                return false;
            };
            here = &here[..end];
        }
    }

    /// Notes every text, number and truth value in the hidden values as a secret.
    pub(super) fn note(&self, value: &Value, secrets: &mut Secrets) {
        for pointer in &self.0 {
            if let Some(value) = value.pointer(pointer) {
                let origin = pointer.trim_start_matches('/').replace('/', ".");
                note_leaves(value, &origin, secrets);
            }
        }
    }

    /// Copies a value with nothing of what is hidden in it: other texts, numbers and truth values of the same type.
    pub(super) fn stand_ins(&self, value: &Value) -> Value {
        let mut value = value.clone();
        for pointer in &self.0 {
            if let Some(value) = value.pointer_mut(pointer) {
                blot(value);
            }
        }
        value
    }
}

/// Returns whether a text may be several: it has a quote in it, or a word that names a secret before another word.
fn may_hold_another(text: &str) -> bool {
    let mut before_another = text.split_whitespace().rev().skip(1);
    text.contains(['"', '\'']) || before_another.any(names_a_secret)
}

fn note_leaves(value: &Value, origin: &str, secrets: &mut Secrets) {
    match value {
        Value::Null => {}
        Value::String(text) => secrets.insert(text, origin),
        Value::Bool(_) | Value::Number(_) => secrets.insert(&value.to_string(), origin),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                note_leaves(item, &format!("{origin}.{index}"), secrets);
            }
        }
        Value::Object(entries) => {
            for (key, item) in entries {
                note_leaves(item, &format!("{origin}.{key}"), secrets);
            }
        }
    }
}

fn blot(value: &mut Value) {
    match value {
        Value::Null => {}
        Value::String(text) => "…".clone_into(text),
        Value::Number(number) => *number = 0.into(),
        Value::Bool(truth) => *truth = false,
        Value::Array(items) => items.iter_mut().for_each(blot),
        Value::Object(entries) => entries.values_mut().for_each(blot),
    }
}

#[cfg(test)]
mod tests {
    use super::HiddenPlaces;

    #[test]
    fn a_text_that_may_hold_a_secret_beside_it_is_hidden() {
        let value = serde_json::json!({
            "a": ["none\"\"token\":\"x", "none token x", "it's"],
            "b": "none",
            "c": "a token",
        });
        let hidden = HiddenPlaces::run_together(&value);
        assert_eq!(hidden.iter().collect::<Vec<_>>(), ["/a/0", "/a/1", "/a/2"]);
    }

    #[test]
    fn a_place_is_one_of_steps_and_not_of_letters() {
        let hidden = HiddenPlaces(["/a/b".to_owned(), "/c".to_owned()].into());
        assert!(hidden.covers("/a/b") && hidden.covers("/a/b/0") && hidden.covers("/c/d"));
        assert!(!hidden.covers("/a") && !hidden.covers("/a/bc") && !hidden.covers("/cd"));
        assert!(!hidden.covers("") && !hidden.covers("/b"));
    }
}

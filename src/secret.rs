//! Values that must not be seen, and the list of those a run has met.

mod terms;

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroizing;

pub use terms::SealTerms;

/// A text that is wiped from memory when dropped and that no formatter shows.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(Zeroizing<String>);

impl PartialOrd for Secret {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Secret {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.expose().cmp(other.expose())
    }
}

impl Secret {
    /// Takes a text into custody.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// Hands out the text, for encryption and for comparison.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// The secret values of a run, each with where it came from (`dns.token`, `deploy.key`).
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    values: BTreeMap<Secret, String>,
}

impl Secrets {
    /// Notes a secret value and its origin; values shorter than 6 bytes are too common to look for.
    pub fn insert(&mut self, value: &str, origin: impl Into<String>) {
        if value.trim().len() >= 6 {
            self.values
                .entry(Secret::new(value.trim()))
                .or_insert_with(|| origin.into());
        }
    }

    /// Takes over all of `other`.
    pub fn extend(&mut self, other: Self) {
        for (value, origin) in other.values {
            self.values.entry(value).or_insert(origin);
        }
    }

    /// Lists the values with their origins, sorted by value.
    pub fn iter(&self) -> impl Iterator<Item = (&Secret, &str)> {
        self.values
            .iter()
            .map(|(value, origin)| (value, origin.as_str()))
    }
}

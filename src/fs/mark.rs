//! What stood at a path when it was looked at, to tell later whether it changed.

use std::collections::BTreeSet;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::{Error, read_anywhere};

/// What stood at a path; of the content only a digest, which is never stored.
#[derive(Clone, Debug)]
pub enum Mark {
    /// Nothing.
    Missing,
    /// A file with this SHA-256.
    File([u8; 32]),
    /// A folder with these files below it.
    Listing(BTreeSet<String>),
    /// Something that could not be read, and why.
    Failed(String),
    /// Two looks saw two things, so that it is like nothing that a later look can see.
    Torn,
}

impl Mark {
    pub(super) fn of_file(found: &Result<Option<Vec<u8>>, Error>) -> Self {
        match found {
            Ok(None) => Self::Missing,
            Ok(Some(bytes)) => Self::of_bytes(bytes),
            Err(error) => Self::Failed(error.to_string()),
        }
    }

    pub(super) fn of_listing(found: &Result<Vec<String>, Error>) -> Self {
        match found {
            Ok(paths) => Self::Listing(paths.iter().cloned().collect()),
            Err(error) => Self::Failed(error.to_string()),
        }
    }

    /// Returns the mark of a file with these bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::File(Sha256::digest(bytes).into())
    }

    /// Looks at a file outside of any project.
    pub fn anywhere(path: &Path) -> Self {
        Self::of_file(&read_anywhere(path))
    }

    /// Returns whether a later look saw the same.
    pub fn is_same(&self, later: &Self) -> bool {
        match (self, later) {
            (Self::Missing, Self::Missing) => true,
            (Self::File(one), Self::File(other)) => one == other,
            (Self::Listing(one), Self::Listing(other)) => one == other,
            (Self::Failed(one), Self::Failed(other)) => one == other,
            _ => false,
        }
    }

    /// Takes in a second look at the same path.
    pub(super) fn join(&mut self, second: &Self) {
        if !self.is_same(second) {
            *self = Self::Torn;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_looks_that_differ_are_like_nothing() {
        let mut mark = Mark::of_bytes(b"one");
        mark.join(&Mark::of_bytes(b"one"));
        assert!(mark.is_same(&Mark::of_bytes(b"one")));
        mark.join(&Mark::Missing);
        for later in [Mark::of_bytes(b"one"), Mark::Missing, Mark::Torn] {
            assert!(!mark.is_same(&later), "{later:?}");
        }
    }
}

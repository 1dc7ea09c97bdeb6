//! What stood at a path when it was looked at, to tell later whether it changed.

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, io};

use sha2::{Digest as _, Sha256};

use super::{DiskError, read_anywhere};

/// What a file holds.
#[derive(Debug)]
pub(super) struct FileContent {
    pub(super) bytes: Vec<u8>,
    pub(super) executable: bool,
}

impl FileContent {
    fn of(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            executable: false,
        }
    }
}

/// What stood at a path; of the content only a digest, which is never stored.
#[derive(Clone, Debug)]
pub enum PathMark {
    /// Nothing.
    Missing,
    /// A file with this SHA-256, and whether it may be run as a program.
    File([u8; 32], bool),
    /// A folder with these files below it.
    Listing(BTreeSet<String>),
    /// Something that could not be read, and why.
    Failed(String),
    /// Two looks saw two things, so that it is like nothing that a later look can see.
    Torn,
}

impl PathMark {
    pub(super) fn of_file(found: &Result<Option<FileContent>, DiskError>) -> Self {
        match found {
            Ok(None) => Self::Missing,
            Ok(Some(found)) => Self::of_bytes(&found.bytes, found.executable),
            Err(error) => Self::Failed(error.to_string()),
        }
    }

    pub(super) fn of_listing(found: &Result<Vec<String>, DiskError>) -> Self {
        match found {
            Ok(paths) => Self::Listing(paths.iter().cloned().collect()),
            Err(error) => Self::Failed(error.to_string()),
        }
    }

    /// Returns the mark of a file with these bytes.
    pub fn of_bytes(bytes: &[u8], executable: bool) -> Self {
        Self::File(Sha256::digest(bytes).into(), executable)
    }

    /// Looks at a file outside of any project.
    pub fn anywhere(path: &Path) -> Self {
        let found = read_anywhere(path);
        Self::of_file(&found.map(|bytes| bytes.map(FileContent::of)))
    }

    /// Looks at the names in a folder outside of any project; those in its own folders are not looked at.
    pub fn names_in(folder: &Path) -> Self {
        let entries = fs::read_dir(folder).and_then(|entries| {
            let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
            names.collect::<io::Result<BTreeSet<String>>>()
        });
        match entries {
            Ok(names) => Self::Listing(names),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Self::Missing,
            Err(cause) => Self::Failed(cause.to_string()),
        }
    }

    /// Returns whether a later look saw the same.
    pub fn is_same(&self, later: &Self) -> bool {
        match (self, later) {
            (Self::Missing, Self::Missing) => true,
            (Self::File(one, runs), Self::File(other, also)) => one == other && runs == also,
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
    fn a_mode_is_a_difference() {
        let [plain, program] = [false, true].map(|runs| PathMark::of_bytes(b"one", runs));
        assert!(!plain.is_same(&program) && program.is_same(&program));
    }

    #[test]
    fn two_looks_that_differ_are_like_nothing() {
        let mut mark = PathMark::of_bytes(b"one", false);
        mark.join(&PathMark::of_bytes(b"one", false));
        assert!(mark.is_same(&PathMark::of_bytes(b"one", false)));
        mark.join(&PathMark::Missing);
        for later in [
            PathMark::of_bytes(b"one", false),
            PathMark::Missing,
            PathMark::Torn,
        ] {
            assert!(!mark.is_same(&later), "{later:?}");
        }
    }
}

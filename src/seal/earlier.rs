//! The sealed files that are there, opened.
//!
//! Opening one takes longer than to compare it, and needs nothing of what it will be compared with: it can be done
//! before that is known.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::keyring::Keyring;
use super::metadata::Metadata;
use super::outline::Outline;
use super::reader::{self, Opened};
use crate::diagnostic::Diagnostic;
use crate::source::Source;

/// The files that are there, by path.
#[derive(Default)]
pub struct Earlier {
    files: BTreeMap<String, File>,
}

/// One of them.
pub(super) struct File {
    /// What is on disk.
    pub(super) bytes: Vec<u8>,
    pub(super) state: State,
}

/// How far a file could be opened.
pub(super) enum State {
    /// SOPS did not seal it.
    Plain,
    /// It cannot be read.
    Broken(Diagnostic),
    /// No identity at hand opens it.
    Closed(Outline, Metadata),
    /// It is open, or was tampered with.
    Open(Metadata, Result<Opened, Diagnostic>),
}

impl Earlier {
    /// Opens what is at some paths, as far as the identities go; `existing` returns the bytes.
    pub fn open<'p>(
        paths: impl IntoIterator<Item = &'p str>,
        existing: &(dyn Fn(&str) -> Option<Vec<u8>> + Sync),
        keyring: &Keyring,
    ) -> Self {
        let paths: Vec<&str> = paths.into_iter().collect();
        let files = paths.into_par_iter().filter_map(|path| {
            let bytes = existing(path)?;
            let state = state(path, &bytes, keyring);
            Some((path.to_owned(), File { bytes, state }))
        });
        Self {
            files: files.collect(),
        }
    }

    /// Adds files that were opened later.
    pub fn extend(&mut self, more: Self) {
        self.files.extend(more.files);
    }

    pub(super) fn get(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }
}

fn state(path: &str, bytes: &[u8], keyring: &Keyring) -> State {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return State::Plain;
    };
    let outline = match Outline::read_sealed(&Source::new(path, text)) {
        None => return State::Plain,
        Some(Ok(outline)) => outline,
        Some(Err(problems)) => {
            let first = problems.into_iter().next();
            return first.map_or(State::Plain, State::Broken);
        }
    };
    let metadata = match reader::metadata(&outline) {
        Ok(metadata) => metadata,
        Err(problem) => return State::Broken(problem),
    };
    match reader::unlock(&outline, &metadata, keyring) {
        Err(_) => State::Closed(outline, metadata),
        Ok(key) => {
            let opened = reader::open_with(outline, &metadata, &key);
            State::Open(metadata, opened)
        }
    }
}

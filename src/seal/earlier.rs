//! The sealed files that are there, opened.
//!
//! Opening one takes longer than to compare it, and needs nothing of what it will be compared with: it can be done
//! before that is known.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use sops_age::keys::Keyring;
use sops_age::{Metadata, OpenedFile, SealedFile, Store};

use super::identities::listed_keys;
use super::report;
use crate::diagnostic::Diagnostic;
use crate::seal::codes;
use crate::source::Source;

/// The files that are there, by path.
#[derive(Default)]
pub struct Earlier {
    files: BTreeMap<String, EarlierFile>,
}

/// One of them.
pub(super) struct EarlierFile {
    /// What is on disk.
    pub(super) bytes: Vec<u8>,
    pub(super) state: OpeningState,
}

/// How far a file could be opened.
pub(super) enum OpeningState {
    /// SOPS did not seal it.
    Plain,
    /// It cannot be read.
    Broken(Diagnostic),
    /// No identity at hand opens it.
    Closed(Box<SealedFile>),
    /// It was changed since it was sealed.
    Damaged(Metadata, Diagnostic),
    /// It is open.
    Open(Box<OpenedFile>),
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
            Some((path.to_owned(), EarlierFile { bytes, state }))
        });
        Self {
            files: files.collect(),
        }
    }

    /// Adds files that were opened later.
    pub fn extend(&mut self, more: Self) {
        self.files.extend(more.files);
    }

    /// Lists for whom those are sealed that no identity at hand opens.
    pub fn closed(&self) -> impl Iterator<Item = Vec<String>> {
        self.files.values().filter_map(|file| match &file.state {
            OpeningState::Closed(sealed) => {
                let copies = sealed.metadata.age.iter();
                Some(copies.map(|copy| copy.recipient.clone()).collect())
            }
            _ => None,
        })
    }

    pub(super) fn get(&self, path: &str) -> Option<&EarlierFile> {
        self.files.get(path)
    }

    /// Says that a key opens nothing of what is sealed here and in `others`, if that is so; `origin` names its
    /// file.
    ///
    /// One file that opens with any identity at hand is enough: a new key above the old one is how a key is
    /// replaced step by step.
    pub fn wrong_key(&self, others: &Self, keyring: &Keyring, origin: &str) -> Option<Diagnostic> {
        let at_hand = keyring.recipients_from(origin);
        let mut closed = Vec::new();
        for (path, file) in self.files.iter().chain(&others.files) {
            match &file.state {
                OpeningState::Open(_) | OpeningState::Damaged(..) => return None,
                OpeningState::Closed(sealed) => closed.push((path, &sealed.metadata)),
                OpeningState::Plain | OpeningState::Broken(_) => {}
            }
        }
        let (first, _) = closed.first()?;
        if at_hand.is_empty() {
            return None;
        }
        let copies = closed.iter().flat_map(|(_, metadata)| &metadata.age);
        let sealed_for: BTreeSet<&str> = copies.map(|copy| copy.recipient.as_str()).collect();
        let sealed_for = listed_keys(sealed_for.into_iter());
        let message = format!(
            "`{origin}` is the key for {}, and what is sealed here is for {sealed_for}",
            listed_keys(at_hand.iter().map(String::as_str)),
        );
        let files = match closed.len() {
            1 => format!("no identity at hand opens `{first}`"),
            count => format!(
                "no identity at hand opens any of {count} sealed files, the first being `{first}`"
            ),
        };
        let problem = Diagnostic::error(&codes::WRONG_KEY, message).with_hint(files);
        Some(
            problem
                .with_hint(format!("put the key for {sealed_for} back into `{origin}`"))
                .with_hint(
                    "to replace that key by this one, run `kiln secrets rekey --old-key FILE`",
                ),
        )
    }
}

fn state(path: &str, bytes: &[u8], keyring: &Keyring) -> OpeningState {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return OpeningState::Plain;
    };
    let source = Source::new(path, text);
    let sealed = match SealedFile::find(text, Store::of(path)) {
        None => return OpeningState::Plain,
        Some(Ok(sealed)) => sealed,
        Some(Err(problem)) => {
            return OpeningState::Broken(report::sealed_problem(&source, &problem));
        }
    };
    let Ok(key) = sealed.unlock(keyring) else {
        return OpeningState::Closed(Box::new(sealed));
    };
    let metadata = sealed.metadata.clone();
    match sealed.open(key) {
        Ok(opened) => OpeningState::Open(Box::new(opened)),
        Err(problem) => OpeningState::Damaged(metadata, report::open_problem(&source, &problem)),
    }
}

//! Whether what is on disk can stay.

use std::collections::{BTreeMap, BTreeSet};

use sops_age::{
    Content, Leaf, Metadata, OpenedFile, Outline, PlainFile, SealTarget, Store, Token, Value,
    covered_value,
};

use super::DataKeys;
use super::earlier::{EarlierFile, OpeningState};
use super::identities::names;
use crate::diagnostic::Diagnostic;
use crate::yaml::Route;

/// What to do about a sealed file that is there.
pub(super) enum KeepVerdict<'e> {
    /// It holds the same: every byte stays.
    Same,
    /// It may hold the same, and there is no identity to tell: it stays.
    Unverified,
    /// It is open and sealed by the same rule, and holds something else or is for others: what has not changed of it
    /// stays.
    Changed(&'e OpenedFile),
    /// It cannot be opened and certainly holds something else, is sealed by another rule, or is none.
    Differs,
    /// It was tampered with or is broken, as told.
    Damaged(Diagnostic),
}

/// A file that is to be sealed.
#[derive(Clone, Copy)]
pub(super) struct WantedFile<'w> {
    pub(super) file: &'w PlainFile,
    /// The same file with other values made up, if some are made up.
    pub(super) unseen: Option<&'w PlainFile>,
    pub(super) target: SealTarget<'w>,
    pub(super) store: Store,
    pub(super) data_keys: DataKeys,
}

/// Compares the plain text of a file with the sealed one that is there.
///
/// Where `unseen` holds another value than the file, the value is made up, and nothing here knows whether the sealed one
/// is the same.
pub(super) fn judge<'e>(wanted: &WantedFile<'_>, earlier: &'e EarlierFile) -> KeepVerdict<'e> {
    let same_rule = |metadata: &Metadata| metadata.is_of_rule(&wanted.target, wanted.store);
    match &earlier.state {
        OpeningState::Plain => KeepVerdict::Differs,
        OpeningState::Closed(sealed) => {
            let metadata = &sealed.metadata;
            let same = same_rule(metadata) && metadata.sealed_for() == recipients(wanted);
            if same && could_hold(&sealed.outline, wanted) {
                KeepVerdict::Unverified
            } else {
                KeepVerdict::Differs
            }
        }
        OpeningState::Damaged(metadata, _)
            if !same_rule(metadata) || metadata.sealed_for() != recipients(wanted) =>
        {
            KeepVerdict::Differs
        }
        OpeningState::Broken(problem) | OpeningState::Damaged(_, problem) => {
            KeepVerdict::Damaged(problem.clone())
        }
        OpeningState::Open(opened) if !same_rule(&opened.metadata) => KeepVerdict::Differs,
        OpeningState::Open(opened) if opened.metadata.sealed_for() != recipients(wanted) => {
            match wanted.data_keys {
                DataKeys::Kept => KeepVerdict::Changed(opened),
                DataKeys::Replaced => KeepVerdict::Differs,
            }
        }
        OpeningState::Open(opened) if opened.holds(wanted.file) => KeepVerdict::Same,
        OpeningState::Open(opened) if could_be_open(opened, wanted) => KeepVerdict::Unverified,
        OpeningState::Open(opened) => KeepVerdict::Changed(opened),
    }
}

/// Returns for whom a file is to be sealed.
pub(super) fn recipients(wanted: &WantedFile<'_>) -> BTreeSet<String> {
    names(wanted.target.recipients)
}

/// Returns whether an open file differs in nothing but in values that are made up.
fn could_be_open(opened: &OpenedFile, wanted: &WantedFile<'_>) -> bool {
    match (wanted.file, wanted.unseen) {
        (PlainFile::Tree(plain), unseen) => {
            let known = KnownValues::of(plain, unseen.and_then(PlainFile::outline));
            known.is_partial()
                && plain.same_shape(&opened.outline, |plain, sealed| {
                    plain.content == sealed.content || !known.knows(plain)
                })
        }
        (PlainFile::Binary(bytes), Some(PlainFile::Binary(other))) => bytes != other,
        (PlainFile::Binary(_), _) => false,
    }
}

/// Returns whether a closed file could hold what is wanted.
fn could_hold(sealed: &Outline, wanted: &WantedFile<'_>) -> bool {
    match (wanted.file, wanted.unseen) {
        (PlainFile::Tree(plain), unseen) => {
            let known = KnownValues::of(plain, unseen.and_then(PlainFile::outline));
            plain.same_shape(sealed, |plain, sealed| {
                could_be(plain, sealed, wanted, known.knows(plain))
            })
        }
        (PlainFile::Binary(bytes), unseen) => {
            let made_up = matches!(unseen, Some(PlainFile::Binary(other)) if other != bytes);
            let tokens = sealed.leaves().filter_map(token);
            let lengths: Vec<usize> = tokens.map(|token| token.hidden_length()).collect();
            made_up || lengths == [bytes.len()] || lengths.is_empty() && bytes.is_empty()
        }
    }
}

fn token(leaf: &Leaf) -> Option<Token> {
    match &leaf.content {
        Content::Value(value) => Token::read(value.text.expose()),
        _ => None,
    }
}

/// Which values of a file are real.
struct KnownValues {
    /// The routes of those that are made up, by document.
    made_up: BTreeSet<Route>,
}

impl KnownValues {
    fn of(plain: &Outline, unseen: Option<&Outline>) -> Self {
        let others: BTreeMap<&Route, &Content> = unseen
            .into_iter()
            .flat_map(Outline::leaves)
            .map(|leaf| (&leaf.route, &leaf.content))
            .collect();
        let differs = |leaf: &&Leaf| {
            let other = others.get(&leaf.route);
            unseen.is_some() && other.is_none_or(|other| **other != leaf.content)
        };
        let made_up = plain.leaves().filter(differs);
        Self {
            made_up: made_up.map(|leaf| leaf.route.clone()).collect(),
        }
    }

    fn knows(&self, leaf: &Leaf) -> bool {
        !self.made_up.contains(&leaf.route)
    }

    fn is_partial(&self) -> bool {
        !self.made_up.is_empty()
    }
}

/// Returns whether a sealed value could be a plain one: what is not encrypted must be equal, and a
/// ciphertext shows the type and the length of what it hides.
fn could_be(plain: &Leaf, sealed: &Leaf, wanted: &WantedFile<'_>, known: bool) -> bool {
    let (Some(value), Content::Value(Value { text, .. })) =
        (covered_value(plain, wanted.target.scope), &sealed.content)
    else {
        return plain.content == sealed.content;
    };
    let token = Token::read(text.expose());
    token.is_some_and(|token| !known || token.could_hold(value))
}

//! Whether what is on disk can stay.

use std::collections::{BTreeMap, BTreeSet};

use super::earlier::{File, State};
use super::metadata::Metadata;
use super::outline::{Content, Leaf, Outline};
use super::rules::Rule;
use super::writer::covered_value;
use crate::diagnostic::Diagnostic;
use crate::yaml::Route;
use sops_age::cipher::Token;
use sops_age::value::Value;

/// What to do about a sealed file that is there.
pub(super) enum Verdict {
    /// It holds the same: every byte stays.
    Same,
    /// It may hold the same, and there is no identity to tell: it stays.
    Unverified,
    /// It holds something else, is sealed otherwise, or is none.
    ///
    /// Here is where a later version keeps the data key and the ciphertexts of unchanged values: it
    /// needs the opened file and its key, which [`judge`] has at hand.
    Differs,
    /// It was tampered with or is broken, as told.
    Damaged(Diagnostic),
}

/// Compares the plain text of a file with the sealed one that is there.
///
/// Where `unseen` holds another value than `plain`, the value is made up, and nothing here knows whether the sealed one is
/// the same.
pub(super) fn judge(
    plain: &Outline,
    rule: &Rule,
    earlier: &File,
    unseen: Option<&Outline>,
) -> Verdict {
    let known = KnownValues::of(plain, unseen);
    match &earlier.state {
        State::Closed(_, metadata) | State::Open(metadata, _) if !same_rule(metadata, rule) => {
            Verdict::Differs
        }
        State::Closed(sealed, _)
            if plain.same_shape(sealed, |plain, sealed| {
                could_be(plain, sealed, rule, known.knows(plain))
            }) =>
        {
            Verdict::Unverified
        }
        State::Open(_, Ok(opened)) if opened.outline.same_content(plain) => Verdict::Same,
        State::Open(_, Ok(opened))
            if known.is_partial()
                && plain.same_shape(&opened.outline, |plain, sealed| {
                    plain.content == sealed.content || !known.knows(plain)
                }) =>
        {
            Verdict::Unverified
        }
        State::Broken(problem) | State::Open(_, Err(problem)) => Verdict::Damaged(problem.clone()),
        State::Plain | State::Closed(..) | State::Open(..) => Verdict::Differs,
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

fn same_rule(metadata: &Metadata, rule: &Rule) -> bool {
    let sealed_for: BTreeSet<String> = metadata
        .age
        .iter()
        .map(|key| key.recipient.clone())
        .collect();
    let wanted: BTreeSet<String> = rule.recipients.iter().map(ToString::to_string).collect();
    metadata.scope == rule.scope
        && metadata.mac_only_encrypted == rule.mac_only_encrypted
        && metadata.foreign.is_empty()
        && sealed_for == wanted
}

/// Returns whether a sealed value could be a plain one: what is not encrypted must be equal, and a
/// ciphertext shows the type and the length of what it hides.
fn could_be(plain: &Leaf, sealed: &Leaf, rule: &Rule, known: bool) -> bool {
    let (Some(value), Content::Value(Value { text, .. })) =
        (covered_value(plain, &rule.scope), &sealed.content)
    else {
        return plain.content == sealed.content;
    };
    let token = Token::read(text.expose());
    token.is_some_and(|token| !known || token.could_hold(value))
}

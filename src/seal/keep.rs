//! Whether what is on disk can stay.

use std::collections::BTreeSet;

use super::cipher::Token;
use super::earlier::{File, State};
use super::metadata::Metadata;
use super::outline::{Content, Leaf, Outline};
use super::rules::Rule;
use super::value::Value;
use super::writer::covered_value;
use crate::diagnostic::Diagnostic;

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
pub(super) fn judge(plain: &Outline, rule: &Rule, earlier: &File) -> Verdict {
    match &earlier.state {
        State::Closed(_, metadata) | State::Open(metadata, _) if !same_rule(metadata, rule) => {
            Verdict::Differs
        }
        State::Closed(sealed, _)
            if plain.same_shape(sealed, |plain, sealed| could_be(plain, sealed, rule)) =>
        {
            Verdict::Unverified
        }
        State::Open(_, Ok(opened)) if opened.outline.same_content(plain) => Verdict::Same,
        State::Broken(problem) | State::Open(_, Err(problem)) => Verdict::Damaged(problem.clone()),
        State::Plain | State::Closed(..) | State::Open(..) => Verdict::Differs,
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
fn could_be(plain: &Leaf, sealed: &Leaf, rule: &Rule) -> bool {
    let (Some(value), Content::Value(Value { text, .. })) =
        (covered_value(plain, &rule.scope), &sealed.content)
    else {
        return plain.content == sealed.content;
    };
    Token::read(text.expose()).is_some_and(|token| token.could_hold(value))
}

//! What is told of identities.

use std::collections::BTreeSet;

use sops_age::keys::{
    IdentityFlaw, IdentityProblem, KeySourceProblem, Keyring, Recipient, UnlockError, WrappedKey,
    is_same_recipient, shown_recipient,
};

use crate::diagnostic::{self, Diagnostic};
use crate::seal::codes;
use crate::secret::Secret;

const WHOLE_KEY: &str =
    "copy the whole file again: `AGE-SECRET-KEY-1…` has 74 characters, `AGE-SECRET-KEY-PQ-1…` 77";

/// Reads age identity files, each handed over with the name to show for it, as [`Keyring::parse`] does.
pub fn read_identities(texts: &[(String, Secret)]) -> (Keyring, Vec<Diagnostic>) {
    let (keyring, problems) = Keyring::parse(texts);
    (keyring, problems.iter().map(diagnose).collect())
}

fn diagnose(problem: &IdentityProblem) -> Diagnostic {
    let message = problem.to_string();
    match problem.flaw {
        IdentityFlaw::NoneThere | IdentityFlaw::Broken(_) => {
            Diagnostic::error(&codes::BAD_IDENTITY, message).with_hint(WHOLE_KEY)
        }
        IdentityFlaw::NoIdentity => Diagnostic::warning(&codes::BAD_IDENTITY, message)
            .with_hint("an identity is a line that starts with `AGE-SECRET-KEY-`"),
        IdentityFlaw::Unsupported(_) => Diagnostic::warning(&codes::UNSUPPORTED_IDENTITY, message),
    }
}

/// Says what is wrong with a place where keys are looked for.
pub fn key_source_problem(problem: &KeySourceProblem) -> Diagnostic {
    let code = &codes::KEY_SOURCE;
    let told = if problem.is_error() {
        Diagnostic::error(code, problem.to_string())
    } else {
        Diagnostic::warning(code, problem.to_string())
    };
    told.with_hint(problem.advice())
}

/// Says that nothing here opens a file, what it is sealed for and where Kiln looked.
pub(super) fn cannot_open(
    keyring: &Keyring,
    path: &str,
    copies: &[WrappedKey],
    failure: &UnlockError,
) -> Diagnostic {
    let at_hand = keyring.recipients();
    // Identities of plugins do not know their public keys, and count all the same.
    let diagnostic = match keyring.kinds().len() {
        0 => Diagnostic::error(
            &diagnostic::codes::MISSING_IDENTITY,
            format!("there is no age identity to open `{path}` with"),
        ),
        1 => Diagnostic::error(
            &codes::WRONG_IDENTITY,
            format!("the age identity at hand does not open `{path}`"),
        ),
        count => Diagnostic::error(
            &codes::WRONG_IDENTITY,
            format!("none of the {count} age identities at hand opens `{path}`"),
        ),
    };
    let sealed_for = listed_keys(copies.iter().map(|copy| copy.recipient.as_str()));
    let mut diagnostic = diagnostic.with_hint(format!("the file is sealed for {sealed_for}"));
    if !at_hand.is_empty() {
        let at_hand = listed_keys(at_hand.iter().map(String::as_str));
        diagnostic = diagnostic.with_hint(format!("the identity at hand is for {at_hand}"));
    }
    for obstacle in &failure.obstacles {
        diagnostic = diagnostic.with_hint(obstacle.to_string());
    }
    if keyring.places().is_empty() {
        return diagnostic.with_hint("hand over the private key of one of these");
    }
    let places = listed(keyring.places().iter().map(String::as_str));
    diagnostic.with_hint(format!("Kiln looked for identities in {places}"))
}

/// Lists public keys in backticks, the long ones in short.
pub(super) fn listed_keys<'n>(keys: impl Iterator<Item = &'n str>) -> String {
    let keys: Vec<String> = keys.map(shown_recipient).collect();
    listed(keys.iter().map(String::as_str))
}

/// Lists those of some public keys that are not among others, however they are spelled.
pub(super) fn without<'k>(keys: &'k BTreeSet<String>, others: &BTreeSet<String>) -> Vec<&'k str> {
    let known = |key: &&String| others.iter().any(|other| is_same_recipient(key, other));
    let keys = keys.iter();
    keys.filter(|key| !known(key)).map(String::as_str).collect()
}

/// Returns recipients as they are written.
pub(super) fn names(recipients: &[Recipient]) -> BTreeSet<String> {
    recipients.iter().map(ToString::to_string).collect()
}

/// Lists names in backticks.
pub(super) fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

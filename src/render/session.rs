//! What one rendering of one template is up to, for the functions that it calls.
//!
//! Tera's functions outlive every borrow and see neither the writer nor, inside a component, the
//! context. A rendering never leaves its thread, so the thread holds its state between [`begin`] and
//! [`end`]; nothing in it outlives the call.

use std::cell::RefCell;

use super::callable::Failure;

/// How many rounds all loops of one template may make together.
pub(super) const MAX_STEPS: u64 = 1_000_000;

/// What a rendering did besides printing.
#[derive(Default)]
pub(super) struct Session {
    /// The rounds that loops and `range` took.
    steps: u64,
    /// The file that a function wants to read and that is not loaded yet.
    pub(super) wanted: Option<String>,
    /// Why a function or filter refused.
    pub(super) failure: Option<Failure>,
    /// Whether the loops ran out of rounds.
    pub(super) endless: bool,
}

thread_local! {
    static SESSION: RefCell<Session> = RefCell::default();
}

/// Starts anew.
pub(super) fn begin() {
    end();
}

/// Hands out what happened since [`begin`].
pub(super) fn end() -> Session {
    SESSION.take()
}

/// Notes why a call failed; the first reason stays.
pub(super) fn fail(failure: Failure) {
    SESSION.with_borrow_mut(|session| {
        session.failure.get_or_insert(failure);
    });
}

/// Notes the file that is wanted.
pub(super) fn want(path: &str) {
    SESSION.with_borrow_mut(|session| {
        session.wanted.get_or_insert_with(|| path.to_owned());
    });
}

/// Counts rounds and returns whether there are any left.
pub(super) fn step(rounds: u64) -> bool {
    SESSION.with_borrow_mut(|session| {
        session.steps = session.steps.saturating_add(rounds);
        session.endless = session.steps > MAX_STEPS;
        !session.endless
    })
}

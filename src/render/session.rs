//! What one rendering of one template is up to, for the functions that it calls.
//!
//! Tera's functions outlive every borrow and see neither the writer nor, inside a component, the
//! context. A rendering never leaves its thread, so the thread holds its state between [`begin`] and
//! [`end`]; nothing in it outlives the call.

use std::cell::RefCell;
use std::sync::Arc;

use tera::Value;

use super::callable::Failure;
use super::environment::Other;

/// How many rounds all loops of one template may make together.
pub(super) const MAX_STEPS: u64 = 250_000;

/// How much a variable of a template may hold, in bytes.
pub(super) const MAX_WEIGHT: usize = 8 << 20;

/// What a value costs besides its text.
const ITEM: usize = 16;

/// What a rendering did besides printing.
#[derive(Default)]
pub(super) struct Session {
    /// The rounds that loops and `range` took.
    steps: u64,
    /// The file that a function wants to read and that is not loaded yet, and whether it wants it as a secret.
    pub(super) wanted: Option<(String, bool)>,
    /// What is other in this rendering than in the one that counts.
    other: Option<Arc<Other>>,
    /// Why a function or filter refused.
    pub(super) failure: Option<Failure>,
    /// The limit that was reached, if one was.
    pub(super) limit: Option<Limit>,
}

/// What a template may not have without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// Rounds of loops.
    Steps,
    /// The size of a variable.
    Weight,
}

thread_local! {
    static SESSION: RefCell<Session> = RefCell::default();
}

/// Starts anew.
pub(super) fn begin(other: Option<&Arc<Other>>) {
    let other = other.cloned();
    SESSION.set(Session {
        other,
        ..Session::default()
    });
}

/// Returns what is other in this rendering than in the one that counts.
pub(super) fn other() -> Option<Arc<Other>> {
    SESSION.with_borrow(|session| session.other.clone())
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
pub(super) fn want(path: &str, secret: bool) {
    SESSION.with_borrow_mut(|session| {
        session
            .wanted
            .get_or_insert_with(|| (path.to_owned(), secret));
    });
}

/// Counts rounds and returns whether there are any left.
pub(super) fn step(rounds: u64) -> bool {
    SESSION.with_borrow_mut(|session| {
        session.steps = session.steps.saturating_add(rounds);
        if session.steps > MAX_STEPS {
            session.limit.get_or_insert(Limit::Steps);
        }
        session.limit.is_none()
    })
}

/// Weighs a value and returns whether it is within the limit.
pub(super) fn weigh(value: &Value) -> bool {
    let fits = weight_left(value, MAX_WEIGHT).is_some();
    if !fits {
        SESSION.with_borrow_mut(|session| session.limit.get_or_insert(Limit::Weight).to_owned());
    }
    fits
}

/// Returns what is left of `budget` once the bytes and members of a value are paid for.
///
/// Lists can share their items, so a short program can make one that would fill the memory if printed.
fn weight_left(value: &Value, budget: usize) -> Option<usize> {
    let own = ITEM + value.as_str().map_or(0, str::len);
    let left = budget.checked_sub(own)?;
    let left = value
        .as_array()
        .into_iter()
        .flatten()
        .try_fold(left, |left, item| weight_left(item, left))?;
    value
        .as_map()
        .into_iter()
        .flatten()
        .try_fold(left, |left, (_, item)| weight_left(item, left))
}

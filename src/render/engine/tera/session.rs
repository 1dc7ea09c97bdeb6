//! What one rendering of one template is up to, for the functions that it calls.
//!
//! Tera's functions outlive every borrow and see neither the writer nor, inside a component, the
//! context. A rendering never leaves its thread, so the thread holds its state between [`begin`] and
//! [`end`]; nothing in it outlives the call.

use std::cell::RefCell;
use std::sync::Arc;

use tera::Value;

use super::callable::FunctionFailure;
use super::environment::Other;
use crate::diagnostic::Diagnostic;
use crate::render::codes;

/// How many rounds all loops and includes of one template may make together.
pub const MAX_STEPS: u64 = 250_000;

/// How many rounds an include, or the call of a component, is.
pub const CALL_STEPS: u64 = 25;

/// How much a value of a template may hold, in bytes.
pub const MAX_WEIGHT: usize = 8 << 20;

/// How many bytes one template may print.
pub const MAX_OUTPUT: usize = 8 << 20;

/// How many bytes one template may work through: what its filters read and make, what its operators copy, compare
/// and search, and what it collects in variables.
pub const MAX_WORK: usize = 64 << 20;

/// What a value costs besides its text.
const ITEM: usize = 16;

/// What a rendering did besides printing.
#[derive(Default)]
pub(super) struct RenderSession {
    /// The rounds that loops and `range` took.
    steps: u64,
    /// The bytes that were worked through.
    work: usize,
    /// The file that a function wants to read and that is not loaded yet, and whether it wants it as a secret.
    pub(super) wanted: Option<(String, bool)>,
    /// What is other in this rendering than in the one that counts.
    other: Option<Arc<Other>>,
    /// Why a function or filter refused.
    pub(super) failure: Option<FunctionFailure>,
    /// The limit that was reached, if one was.
    pub(super) limit: Option<Limit>,
}

/// What a template may not have without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// Rounds of loops.
    Steps,
    /// The size of a value.
    Weight,
    /// The bytes that are worked through.
    Work,
}

impl Limit {
    /// Says that the limit is reached.
    pub(super) fn problem(self) -> Diagnostic {
        match self {
            Self::Steps => Diagnostic::error(
                &codes::ENDLESS_LOOP,
                format!("the loops and includes of this template take more than {MAX_STEPS} rounds"),
            )
            .with_hint("loop over less, or do the inner loop once"),
            Self::Weight => Diagnostic::error(
                &codes::ENDLESS_VALUE,
                format!("a value of this tag is larger than {} MiB", MAX_WEIGHT >> 20),
            )
            .with_hint("print it piece by piece instead of collecting it"),
            Self::Work => Diagnostic::error(
                &codes::ENDLESS_WORK,
                format!("this template works through more than {} MiB", MAX_WORK >> 20),
            )
            .with_hint("do this once and keep the result in a variable, instead of in each round of a loop"),
        }
    }
}

thread_local! {
    static SESSION: RefCell<RenderSession> = RefCell::default();
}

/// Starts anew.
pub(super) fn begin(other: Option<&Arc<Other>>) {
    let other = other.cloned();
    SESSION.set(RenderSession {
        other,
        ..RenderSession::default()
    });
}

/// Returns what is other in this rendering than in the one that counts.
pub(super) fn other() -> Option<Arc<Other>> {
    SESSION.with_borrow(|session| session.other.clone())
}

/// Hands out what happened since [`begin`].
pub(super) fn end() -> RenderSession {
    SESSION.take()
}

/// Notes why a call failed; the first reason stays.
pub(super) fn fail(failure: FunctionFailure) {
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

/// Weighs a value that is kept, pays for it, and returns whether it is within the limits.
pub(super) fn weigh(value: &Value) -> bool {
    if let Some(left) = weight_left(value, MAX_WEIGHT) {
        return pay(MAX_WEIGHT - left);
    }
    reach(Limit::Weight);
    false
}

/// Notes the limit that was reached; the first stays.
fn reach(limit: Limit) {
    SESSION.with_borrow_mut(|session| {
        session.limit.get_or_insert(limit);
    });
}

/// Pays for work on a number of bytes, and returns whether there are any left.
pub(super) fn pay(bytes: usize) -> bool {
    SESSION.with_borrow_mut(|session| {
        session.work = session.work.saturating_add(bytes);
        if session.work > MAX_WORK {
            session.limit.get_or_insert(Limit::Work);
        }
        session.limit.is_none()
    })
}

/// Pays for a value of `bytes` bytes that is about to be made.
///
/// # Errors
/// When it is beyond a limit; then it must not be made.
pub(super) fn pay_for_text(bytes: usize) -> Result<(), FunctionFailure> {
    if bytes > MAX_WEIGHT {
        reach(Limit::Weight);
    }
    if pay(bytes) { Ok(()) } else { Err(spent()) }
}

/// Pays for looking through a value.
///
/// # Errors
/// When nothing is left to pay with.
pub(super) fn pay_for_reading(value: &Value) -> Result<(), FunctionFailure> {
    if pay(weight(value)) {
        Ok(())
    } else {
        Err(spent())
    }
}

/// Pays for a value that was made.
///
/// # Errors
/// When it is larger than a value may be, or nothing is left to pay with.
pub(super) fn pay_for_result(value: &Value) -> Result<(), FunctionFailure> {
    if weigh(value) { Ok(()) } else { Err(spent()) }
}

/// Says that a limit is reached; the engine knows which.
pub(super) fn spent() -> FunctionFailure {
    FunctionFailure::argument("a limit is reached")
}

/// Weighs a value, at most up to what one template may work through.
pub(super) fn weight(value: &Value) -> usize {
    weight_left(value, MAX_WORK).map_or(MAX_WORK + 1, |left| MAX_WORK - left)
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

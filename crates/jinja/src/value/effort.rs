//! The work that values take, for who runs them to charge.
//!
//! Values that share parts are compared and printed in a time that has nothing to do with the size of the template, and
//! where they are there is no budget at hand. So the work is counted for each thread, and [`take`] hands it over.

use std::cell::Cell;

use crate::error::{ExceededLimit, Failure, Outcome};

/// Work that one comparison, printing or copying may take before it ends by itself.
const LARGEST: usize = 2_000_000;

thread_local! {
    static SPENT: Cell<usize> = const { Cell::new(0) };
}

/// Counts work that is bounded by what is there.
pub(crate) fn note(work: usize) {
    SPENT.with(|spent| spent.set(spent.get().saturating_add(work)));
}

/// Counts work of which more may follow.
pub(crate) fn spend(work: usize) -> Outcome<()> {
    note(work);
    if SPENT.with(Cell::get) > LARGEST {
        return Err(Failure::over(ExceededLimit::Steps));
    }
    Ok(())
}

/// The work since it was asked for last.
pub(crate) fn take() -> usize {
    SPENT.with(Cell::take)
}

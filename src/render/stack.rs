//! The stack that rendering needs, and threads that have it.

use std::cell::Cell;

use rayon::ThreadPoolBuilder;

/// Enough for includes within components within includes, as deep as they may nest, in a build without
/// optimization too.
const SIZE: usize = 32 << 20;

thread_local! {
    /// Whether this thread has that much.
    static IS_DEEP: Cell<bool> = const { Cell::new(false) };
}

/// Starts to build a pool of threads that can render.
///
/// A render in any other pool makes one for itself, which costs more than it takes to render a small project.
pub fn threads() -> ThreadPoolBuilder {
    ThreadPoolBuilder::new()
        .stack_size(SIZE)
        .start_handler(|_| IS_DEEP.set(true))
}

/// Works where the stack is deep enough: here, or in a pool of as many threads as this one has.
pub(super) fn deep<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    if IS_DEEP.get() {
        return work();
    }
    match threads().num_threads(rayon::current_num_threads()).build() {
        Ok(pool) => pool.install(work),
        Err(_) => work(),
    }
}

//! The `kiln` binary.

use std::process::ExitCode;

/// A compile makes and drops a million small values on several threads, which is what the system's
/// allocator is slowest at (ADR 14).
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    kiln::cli::main()
}

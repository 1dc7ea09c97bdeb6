//! Sealed files, against the real `sops` and against people who change them.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests panic to fail, set up folders, and say what they skip"
)]

/// Random files with their rules, and what `sops` says they hold.
mod cases;
/// What `sops` and this crate make of each other's files.
mod differential;
/// Random files in every format that is sealed.
mod documents;
/// What `sops` makes of our files when it changes them.
mod edits;
/// The real tools.
#[path = "../../../../tests/support/oracle.rs"]
mod oracle;
/// What moves when a file is sealed again.
mod renewal;
/// Key pairs, randomness and rules of a test.
mod setting;
/// The real `sops`.
mod sops;
/// What go-yaml reads otherwise than others.
mod spelling;
/// Fixed randomness.
#[path = "../../../../tests/seal/stream.rs"]
mod stream;
/// Files that somebody changed after they were sealed.
mod tampering;

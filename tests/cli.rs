//! The real binary, as a user runs it: what it prints and how it ends.

/// `kiln apps`, `check` and `schema`.
mod inspect;
/// `kiln catalogue`.
mod catalogue;
/// `kiln explain`.
mod explain;
/// The help text of every command.
mod help;
/// `kiln init`.
mod init;
/// `kiln render`.
mod render;
/// Diagnostics in every form.
mod report;
/// Colour, quiet, closed pipes, wrong arguments.
mod streams;

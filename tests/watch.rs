//! `kiln watch`: the real binary beside someone who edits.

/// What ends a run, and what it says.
mod options;
/// What the Python of a makejinja project reads.
mod plugins;
/// A day of edits, as editors and git make them.
mod script;
/// The running program, and its events.
mod watcher;

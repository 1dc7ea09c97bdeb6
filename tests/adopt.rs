//! Live repositories that Kiln takes over.

/// What a repository is told to be.
mod kinds;
/// A small repository as cluster-template leaves it, with apps of its user's.
mod live;
/// What the switch shows, refuses and writes.
mod switch;
/// Older configs, names of key files, and talhelper.
mod older;

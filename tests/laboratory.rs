//! What the field's own tools say of the output; `tests/oracles` has the tools.

/// The one entry to the tools.
mod entry;
/// What Flux applies of the examples.
mod flux;
/// Reports of the maintainers' runs are of today's tree.
mod reports;

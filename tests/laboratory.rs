//! What the field's own tools say of the output; `tests/oracles` has the tools.

/// The language server of editors.
mod editor;
/// Reports of the maintainers' runs are of today's tree.
mod reports;

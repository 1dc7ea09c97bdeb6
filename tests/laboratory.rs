//! What the field's own tools say of the output; `tests/oracles` has the tools.

/// The custom resources that the server knows.
mod definitions;

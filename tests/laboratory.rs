//! The laboratory: the field's own tools judge what Kiln makes.

/// The language server of editors.
mod editor;

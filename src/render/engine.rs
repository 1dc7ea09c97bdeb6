//! What turns templates into text: each dialect in a folder of its own, behind one trait.

pub(super) mod jinja;
pub(super) mod tera;

use crate::diagnostic::Diagnostic;
use crate::tree::Origin;

/// A dialect of templates, loaded and ready to render.
pub(super) trait TemplateEngine: Sized {
    /// What the templates are loaded from.
    type Templates;
    /// What one template sees while it is rendered.
    type View<'v>: Copy;

    /// Loads templates; those with problems are left out and reported, all of them.
    fn load(templates: Self::Templates, problems: &mut Vec<Diagnostic>) -> Self;

    /// Renders a template; `None` when it, or one that it uses, has been reported already.
    fn render(&self, name: &str, view: Self::View<'_>) -> Option<Result<Printed, Box<Diagnostic>>>;
}

/// What a template printed.
pub(super) struct Printed {
    /// The text.
    pub(super) text: String,
    /// Where each line came from; empty when that cannot be known.
    pub(super) lines: Vec<Origin>,
}

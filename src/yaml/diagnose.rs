//! From what the loader refuses to what people read.

use std::sync::Arc;

use spanned_yaml::LoadError;

use crate::diagnostic::Diagnostic;
use crate::source::{Place, Source};

/// Turns a refusal of the loader into a diagnostic on the text it was found in.
pub fn diagnose(error: &LoadError, code: &'static str, source: &Arc<Source>) -> Diagnostic {
    let diagnostic = Diagnostic::error(code, error.message.clone()).at(source, error.span, "");
    match error.first {
        Some(first) => diagnostic.with_related(Place::new(source, first), "first set here"),
        None => diagnostic,
    }
}

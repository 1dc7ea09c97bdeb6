//! Meanings that no stage has, for diagnostics that are made in tests.

use kiln::diagnostic::Meaning;

/// Makes the meaning of a code; it stays in memory until the tests end.
pub(crate) fn meaning(code: &'static str) -> &'static Meaning {
    Box::leak(Box::new(Meaning {
        code,
        summary: "",
        text: "",
    }))
}

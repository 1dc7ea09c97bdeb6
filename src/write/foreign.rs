//! Files that Kiln did not write, where outputs go.

use crate::diagnostic::Diagnostic;
use crate::tree::{Sealed, Tree};

use super::problem::pointed;
use crate::write::codes;

/// A file that Kiln did not write, in the place of an output.
pub(super) struct ForeignFile<'t> {
    /// The path of the output.
    pub(super) path: &'t str,
    /// The same as the project names it.
    pub(super) shown: String,
}

/// Names them all.
pub(super) fn problem(tree: &Tree<Sealed>, files: &[ForeignFile<'_>]) -> Option<Diagnostic> {
    let first = files.first()?;
    let (message, them) = match files {
        [one] => (
            format!("`{}` is not Kiln's, so it is not overwritten", one.shown),
            "it",
        ),
        all => (
            format!(
                "{} files are not Kiln's, so they are not overwritten, and nothing is written",
                all.len()
            ),
            "them",
        ),
    };
    let mut problem = Diagnostic::error(&codes::FOREIGN_OUTPUT, message);
    if files.len() == 1 {
        problem = pointed(problem, tree, first.path);
    } else {
        problem = problem.with_files(files.iter().map(|file| file.shown.as_str()));
    }
    Some(
        problem
            .with_hint(format!(
                "`kiln adopt` shows what it does to the cluster that Kiln takes {them} over, keeps what is yours, and does it with `--write`"
            ))
            .with_hint(format!(
                "to keep {them} as a file of your own, remove the template or switch its app off"
            )),
    )
}

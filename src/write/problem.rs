//! What can be wrong with the places where outputs go.

use crate::diagnostic::Diagnostic;
use crate::fs::FolderEntry;
use crate::tree::{Sealed, Tree};
use crate::write::codes;

/// Points at the template behind an output, if one is known.
pub(super) fn pointed(diagnostic: Diagnostic, tree: &Tree<Sealed>, path: &str) -> Diagnostic {
    match tree.get(path).and_then(|file| file.template_place(0)) {
        Some(place) => diagnostic.at_place(place, "made by this template"),
        None => diagnostic,
    }
}

/// The path is none that an output can have.
pub(super) fn bad_path(tree: &Tree<Sealed>, path: &str, reason: &str) -> Diagnostic {
    let problem = Diagnostic::error(
        &codes::BAD_OUTPUT_PATH,
        format!(
            "`{}` cannot be the path of an output: {reason}",
            path.escape_debug()
        ),
    );
    pointed(problem, tree, path)
        .with_hint("rename the template, as its path is the path of its output")
}

/// Two outputs are one file on some disks.
pub(super) fn one_file(tree: &Tree<Sealed>, path: &str, twin: &str) -> Diagnostic {
    let problem = Diagnostic::error(
        &codes::BAD_OUTPUT_PATH,
        format!(
            "the outputs `{twin}` and `{path}` are one file where a disk tells neither capitals nor accents apart, as on macOS and Windows"
        ),
    );
    pointed(problem, tree, path).with_hint("rename one of the two templates")
}

/// One output would have to be a file and a folder.
pub(super) fn file_and_folder(tree: &Tree<Sealed>, path: &str, parent: &str) -> Diagnostic {
    let problem = Diagnostic::error(
        &codes::BAD_OUTPUT_PATH,
        format!(
            "the outputs `{parent}` and `{path}` exclude each other, as one is a file and the other needs a folder of that name"
        ),
    );
    pointed(problem, tree, path).with_hint("rename one of the two templates")
}

/// Something other than a file is where an output goes.
pub(super) fn in_the_way(
    tree: &Tree<Sealed>,
    path: &str,
    shown: &str,
    found: &FolderEntry,
) -> Diagnostic {
    let message = match found {
        FolderEntry::Symlink => {
            format!("`{shown}` is a symlink, and Kiln does not write through symlinks")
        }
        FolderEntry::Folder => {
            format!("`{shown}` is a folder, so the output of that name cannot be written")
        }
        FolderEntry::Below {
            parent,
            symlink: true,
        } => {
            format!(
                "`{shown}` lies behind the symlink `{parent}`, and Kiln does not write through symlinks"
            )
        }
        FolderEntry::Below { parent, .. } => {
            format!("`{shown}` cannot be written, as `{parent}` is a file, not a folder")
        }
        _ => format!("`{shown}` is a special file, so the output of that name cannot be written"),
    };
    let blocker = match found {
        FolderEntry::Below { parent, .. } => parent,
        _ => shown,
    };
    pointed(
        Diagnostic::error(&codes::BLOCKED_OUTPUT, message),
        tree,
        path,
    )
    .with_hint(format!("move `{blocker}` away, or rename the template"))
}

/// An output was edited by hand and its template says something else.
pub(super) fn edited(tree: &Tree<Sealed>, path: &str, shown: &str) -> Diagnostic {
    let problem = Diagnostic::warning(
        &codes::EDITED_OUTPUT,
        format!("`{shown}` was edited since Kiln wrote it, so it is kept as it is"),
    );
    pointed(problem, tree, path)
        .with_hint("move the edit into the template or the config, or overwrite it with `--force`")
}

/// An output that no template makes any more was edited by hand.
pub(super) fn edited_stale(shown: &str) -> Diagnostic {
    Diagnostic::warning(
        &codes::EDITED_OUTPUT,
        format!("`{shown}` is no longer made by any template, but was edited since Kiln wrote it, so it is kept"),
    )
    .with_hint("delete it, or have it removed with `--force`")
}

/// A killed run has left work, and this run may not do it.
pub(super) fn interrupted(shown: &str) -> Diagnostic {
    Diagnostic::error(
        &codes::INTERRUPTED_WRITE,
        format!("an earlier run was killed while it wrote to `{shown}`, so what is there cannot be compared"),
    )
    .with_hint("run `kiln render` once: it completes that run first")
}

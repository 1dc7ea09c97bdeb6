//! What the codes of writing mean, for `kiln explain`.

use crate::diagnostic::Meaning;

/// Every code, in the order in which they are listed.
pub static CODES: &[Meaning] = &[
    Meaning {
        code: "bad-lock",
        summary: "`kiln.lock` cannot be read",
        text: "\
It lists the outputs that Kiln owns, and so what Kiln may overwrite and remove; with a broken list
nothing is safe to touch. A merge conflict is the usual cause.

Keep the lines of both sides and render again, or take the file from git. Without it Kiln takes over
the outputs that are as it would write them, and names the others.

    git checkout --theirs -- kiln.lock && kiln render",
    },
    Meaning {
        code: "bad-output-path",
        summary: "An output cannot be written to where it belongs",
        text: "\
The system or Kiln's own bookkeeping forbids the path, or two outputs exclude each other: one is a
file where the other needs a folder.

Rename the template, as its path is the path of its output.

    templates/a.yaml
    templates/a.yaml/b.yaml           # not both",
    },
    Meaning {
        code: "foreign-output",
        summary: "A file is in the way that Kiln did not write",
        text: "\
It is not in `kiln.lock`, so it is yours, and Kiln never overwrites what is not its own.

Move it away or delete it if the template should make it; rename the template if not.

    git mv kubernetes/apps/default/echo/ks.yaml old-ks.yaml",
    },
    Meaning {
        code: "blocked-output",
        summary: "Something that is no file is in the way of an output",
        text: "\
A folder, a symlink or a device stands where an output goes, or on the way there. Kiln does not
write through symlinks.

Move it away, or rename the template.

    rm kubernetes               # the symlink, not what it leads to",
    },
    Meaning {
        code: "edited-output",
        summary: "An output was edited by hand since Kiln wrote it, and is kept",
        text: "\
Its digest is not the one in `kiln.lock`. What the template would write differs as well, so that one
of the two is lost; Kiln keeps yours, and says so on each run (exit code 1).

Move the edit into the template or the config, then let Kiln have the file.

    kiln explain kubernetes/apps/default/echo/ks.yaml:12
    kiln render --force",
    },
    Meaning {
        code: "interrupted-write",
        summary: "An earlier run was killed while it wrote",
        text: "\
The output folder is between two trees, so that a run that may not write has nothing to compare
with.

Render once: that completes the earlier run first.

    kiln render",
    },
];

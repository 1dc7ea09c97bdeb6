//! What the codes of writing mean, for `kiln explain`.

use crate::diagnostic::meanings;

meanings! {
    BAD_LOCK {
        code: "bad-lock",
        summary: "`kiln.lock` cannot be read, or lists what is no output",
        text: "\
It lists the outputs that Kiln owns, and so what Kiln may overwrite and remove; with a broken list
nothing is safe to touch. A merge conflict is the usual cause. Config, keys, templates, schemas and
what is in `.git` are never outputs: a list that has one of them was not written by Kiln.

Keep the lines of both sides and render again, or take the file from git. Where it is lost, `--force`
takes over the files that are just as Kiln would write them; without it they are yours.

    git checkout --theirs -- kiln.lock && kiln render",
    }

    BAD_OUTPUT_PATH {
        code: "bad-output-path",
        summary: "An output cannot be written to where it belongs",
        text: "\
The system, git or Kiln's own bookkeeping forbids the path, Kiln reads what is there, or some system cannot
check the path out (`nul.yaml`, `a:b`). Or two outputs exclude each other: one is a file where the other needs
a folder, or both are one file where a disk tells neither capitals nor accents apart.

Rename the template, as its path is the path of its output.

    templates/a.yaml
    templates/a.yaml/b.yaml           # not both",
    }

    FOREIGN_OUTPUT {
        code: "foreign-output",
        summary: "Files are in the way that Kiln did not write",
        text: "\
They are not in `kiln.lock`, so they are yours, and `kiln render` never overwrites or removes what is not its
own. A file that happens to be just as Kiln would write it stays yours as well.

`kiln adopt` is the way in: it shows what the switch does to the cluster, dangers first, keeps the entries
of your lists that Kiln's versions lack, refuses to drop what Flux applies today, and takes the files over
with `--write`. To keep a file, remove its template or switch its app off.

    kiln adopt                  # look
    kiln adopt --write",
    }

    BLOCKED_OUTPUT {
        code: "blocked-output",
        summary: "Something that is no file is in the way of an output",
        text: "\
A folder, a symlink or a device stands where an output goes, or on the way there. Kiln does not
write through symlinks.

Move it away, or rename the template.

    rm kubernetes               # the symlink, not what it leads to",
    }

    EDITED_OUTPUT {
        code: "edited-output",
        summary: "An output was edited by hand since Kiln wrote it, and is kept",
        text: "\
Its digest is not the one in `kiln.lock`. What the template would write differs as well, so that one
of the two is lost; Kiln keeps yours, and says so on each run (exit code 1).

Move the edit into the template or the config, then let Kiln have the file.

    kiln explain kubernetes/apps/default/echo/ks.yaml:12
    kiln render --force",
    }

    INTERRUPTED_WRITE {
        code: "interrupted-write",
        summary: "An earlier run was killed while it wrote",
        text: "\
The output folder is between two trees, so that a run that may not write has nothing to compare
with.

Render once: that completes the earlier run first.

    kiln render",
    }
}

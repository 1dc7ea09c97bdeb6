//! What the codes of the commands mean, for `kiln explain`.

use crate::diagnostic::{Meaning, meanings};
use crate::diff::DANGERS;
use crate::{adopt, pipeline, write};

meanings! {
    KEY_TRACKED {
        code: "key-tracked",
        summary: "Git tracks a file with credentials",
        text: "\
What is pushed once stays in the history, for everybody who can read the repository. Nothing is
written until the file is out of the index.

Take it out and commit that. If it was pushed, it counts as known: seal everything for a new key
with `kiln secrets rekey`, and change the secrets themselves. The key of an example, which opens
nothing, may be let in by its name in the `.gitignore` beside it.

    git rm --cached age.key
    !/cloudflare-tunnel.json        # a line of .gitignore",
    }

    KEY_NOT_IGNORED {
        code: "key-not-ignored",
        summary: "The next `git add` would take a file with credentials",
        text: "\
Git is not told to leave it alone, so that `git add -A` stages it.

`kiln init` adds the rules for all files of that kind; or write the line yourself.

    echo /age.key >> .gitignore",
    }

    KEY_READABLE {
        code: "key-readable",
        summary: "Other users of the machine can read a key file",
        text: "\
Its permissions let the group or everybody read it: typical for a file that was copied.

Take the permission away.

    chmod 600 age.key",
    }

    SECRET_TRACKED {
        code: "secret-tracked",
        summary: "A secret of the config is written out in a file that git tracks",
        text: "\
The schema calls the value `writeOnly`, and whoever can read the repository can read it, now and in its
history.

Change it at its source, and put the new one into the encrypted config, which takes the old one out of
the plain file.

    kiln secrets set dns.token",
    }

    STALE_OUTPUT {
        code: "stale-output",
        summary: "A file is not what would be rendered",
        text: "\
`kiln render --check` compares the output folder with a fresh render, and this file is missing,
differs, or is made by no template any more: someone changed the config or a template and did not
render, or edited an output.

Render and commit the result. `kiln diff --disk` shows what that changes in the cluster.

    kiln render --stage",
    }

    MAKEJINJA_OVERWRITTEN {
        code: "makejinja-overwritten",
        summary: "Files that Kiln had not written are in the places of outputs",
        text: "\
`force = true` in the settings of makejinja says that outputs take the place of files that are there,
and without it these files stay and the outputs are left out. Kiln does so for what it has not written
itself. What it has replaced is its own from then on: what is edited by hand after that is kept and
named.

Look at what has changed.

    git diff --stat",
    }
}

/// Lists the codes of all diagnostics by where they come from, but for those of rules and checks.
pub fn diagnostics() -> Vec<(&'static str, &'static [&'static Meaning])> {
    let mut found = pipeline::findings();
    found.push(("Write", write::codes::ALL));
    found.push(("Adopt", adopt::codes::ALL));
    found.push(("Commands", ALL));
    found
}

/// Lists every code that there is; a few stand for a rule and for its remedy.
pub fn all() -> Vec<&'static Meaning> {
    let of_stages = diagnostics().into_iter().flat_map(|(_, codes)| codes);
    pipeline::rule_explanations()
        .chain(pipeline::remedy_explanations())
        .chain(of_stages.copied())
        .chain(pipeline::undecidable_explanations())
        .chain(DANGERS)
        .collect()
}

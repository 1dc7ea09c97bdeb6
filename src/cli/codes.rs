//! What the codes of the commands mean, for `kiln explain`.

use crate::diagnostic::Meaning;
use crate::diff::DANGERS;
use crate::{adopt, pipeline, write};

/// Every code, in the order in which they are listed.
pub static CODES: &[Meaning] = &[
    KEY_TRACKED,
    KEY_NOT_IGNORED,
    KEY_READABLE,
    SECRET_TRACKED,
    STALE_OUTPUT,
];

const KEY_TRACKED: Meaning = Meaning {
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
};

const KEY_NOT_IGNORED: Meaning = Meaning {
    code: "key-not-ignored",
    summary: "The next `git add` would take a file with credentials",
    text: "\
Git is not told to leave it alone, so that `git add -A` stages it.

`kiln init` adds the rules for all files of that kind; or write the line yourself.

    echo /age.key >> .gitignore",
};

const KEY_READABLE: Meaning = Meaning {
    code: "key-readable",
    summary: "Other users of the machine can read a key file",
    text: "\
Its permissions let the group or everybody read it: typical for a file that was copied.

Take the permission away.

    chmod 600 age.key",
};

const SECRET_TRACKED: Meaning = Meaning {
    code: "secret-tracked",
    summary: "A secret of the config is written out in a file that git tracks",
    text: "\
The schema calls the value `writeOnly`, and whoever can read the repository can read it, now and in its
history.

Change it at its source, and put the new one into the encrypted config, which takes the old one out of
the plain file.

    kiln secrets set dns.token",
};

const STALE_OUTPUT: Meaning = Meaning {
    code: "stale-output",
    summary: "A file is not what would be rendered",
    text: "\
`kiln render --check` compares the output folder with a fresh render, and this file is missing,
differs, or is made by no template any more: someone changed the config or a template and did not
render, or edited an output.

Render and commit the result. `kiln diff --disk` shows what that changes in the cluster.

    kiln render --stage",
};

/// Lists the codes of all diagnostics by where they come from, but for those of rules and checks.
pub fn diagnostics() -> Vec<(&'static str, Vec<Meaning>)> {
    let mut found = pipeline::findings();
    found.push(("Write", write::CODES.to_vec()));
    found.push(("Adopt", adopt::CODES.to_vec()));
    found.push(("Commands", CODES.to_vec()));
    found
}

/// Lists every code that there is; a few stand for a rule and for its remedy.
pub fn all() -> Vec<Meaning> {
    let dangers = DANGERS.iter().map(|danger| Meaning {
        code: danger.code,
        summary: danger.summary,
        text: "A danger that `kiln diff` tells of; docs/diff.md lists all.",
    });
    let mut found = pipeline::rule_explanations();
    found.extend(pipeline::remedy_explanations());
    found.extend(diagnostics().into_iter().flat_map(|(_, codes)| codes));
    found.extend(pipeline::undecidable_explanations());
    found.extend(dangers);
    found
}

//! What the codes of the commands mean, for `kiln explain`.

use crate::diagnostic::Meaning;
use crate::diff::DANGERS;
use crate::{pipeline, write};

/// Every code, in the order in which they are listed.
pub static CODES: &[Meaning] = &[Meaning {
    code: "stale-output",
    summary: "A file is not what would be rendered",
    text: "\
`kiln render --check` compares the output folder with a fresh render, and this file is missing,
differs, or is made by no template any more: someone changed the config or a template and did not
render, or edited an output.

Render and commit the result. `kiln diff --disk` shows what that changes in the cluster.

    kiln render --stage",
}];

/// Lists the codes of all diagnostics by where they come from, but for those of rules and checks.
pub fn diagnostics() -> Vec<(&'static str, Vec<Meaning>)> {
    let mut found = pipeline::findings();
    found.push(("Write", write::CODES.to_vec()));
    found.push(("Commands", CODES.to_vec()));
    found
}

/// Lists every code that there is; a few stand for a check of the tree and one of the audit.
pub fn all() -> Vec<Meaning> {
    let dangers = DANGERS.iter().map(|danger| Meaning {
        code: danger.code,
        summary: danger.summary,
        text: "A danger that `kiln diff` tells of; docs/diff.md lists all.",
    });
    let mut found = pipeline::explanations();
    found.extend(diagnostics().into_iter().flat_map(|(_, codes)| codes));
    found.extend(pipeline::audit_explanations());
    found.extend(dangers);
    found
}

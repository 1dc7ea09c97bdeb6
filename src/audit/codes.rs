//! What the codes of the audit mean, for `kiln explain`.

use crate::diagnostic::Meaning;

/// Every code, in the order in which they are listed.
pub static CODES: &[Meaning] = &[Meaning {
    code: "exemption-unknown-check",
    summary: "An exemption names a check of the audit that there is not",
    text: "\
It would exempt nothing, and a typo would look like an exemption.

Take the suggestion; docs/audit-checks.md lists all checks.

    [[audit.exempt]]
    check = \"image-digest\"
    reason = \"tags are pinned by Renovate\"",
}];

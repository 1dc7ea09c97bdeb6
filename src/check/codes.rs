//! What the codes of checking, besides those of the rules, mean, for `kiln explain`.

use crate::diagnostic::meanings;

meanings! {
    BASELINE_INVALID {
        code: "baseline-invalid",
        summary: "The baseline is no list of findings",
        text: "\
`[check] baseline` names the file of the findings that are known already. One that cannot be read would let
everything through, or nothing.

Write it anew.

    kiln check --write-baseline",
    }

    NOT_SEEN {
        code: "not-seen",
        summary: "A rule cannot judge something, and the project wants to fail then",
        text: "\
With `not-seen` in `[check] fail-on`, what could not be judged is an error: the chart of a release that no
profile knows, a value in another repository, a part of the cluster that is built elsewhere.

Make it seen, by a profile, by `[flux] sources` or `[flux] values`, or take the word out.

    [check]
    fail-on = [\"warning\"]",
    }
}

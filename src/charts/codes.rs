//! What the codes of charts mean, for `kiln explain`.

use crate::diagnostic::meanings;

meanings! {
    CHART_PROFILE_INVALID {
        code: "chart-profile-invalid",
        summary: "A chart profile does not follow its schema",
        text: "\
A profile says which value of a chart reaches what. One with a typo would harden nothing, or the
wrong thing.

Mend what is shown; docs/profiles.md explains the parts, and `kiln profile new` writes one.

    # charts/whoami.yaml
    chart: whoami",
    }
}

//! What the codes of hardening, besides those of its rules, mean, for `kiln explain`.

use crate::diagnostic::Meaning;

/// Every code, in the order in which they are listed.
pub static CODES: &[Meaning] = &[
    Meaning {
        code: "chart-profile-invalid",
        summary: "A chart profile does not follow its schema",
        text: "\
A profile says which value of a chart reaches what. One with a typo would harden nothing, or the
wrong thing.

Mend what is shown; docs/profiles.md explains the parts, and `kiln profile new` writes one.

    # charts/whoami.yaml
    chart: whoami",
    },
    Meaning {
        code: "edit-refused",
        summary: "A default could not be added to a file without changing something else",
        text: "\
Kiln adds lines and never rewrites what is there. Where an anchor is shared, or a mapping stands in
braces over several lines, a line cannot be added without meaning something else.

Set the value by hand, or write the mapping in block form.

    resources:
      limits: { memory: 64Mi }",
    },
    Meaning {
        code: "exemption-unknown-rule",
        summary: "An exemption names a rule that there is not, or one that nothing can be exempt from",
        text: "\
It would exempt nothing, and a typo would look like an exemption. From `secret-leak` nothing can be exempt.

Take the suggestion; docs/rules.md lists all rules and remedies.

    [[exempt]]
    rule = \"probes\"
    name = \"echo\"
    reason = \"It answers nothing\"",
    },
    Meaning {
        code: "exemption-without-reason",
        summary: "An exemption does not say why",
        text: "\
Someone will ask, and the one who knows may be gone.

Write a sentence.

    reason = \"The program has no endpoint for probes\"",
    },
    Meaning {
        code: "exemption-unused",
        summary: "An exemption exempts nothing",
        text: "\
The object is gone or has another name, or the rule has nothing to add to it or to say of it any more.

Remove it, or mend the name.

    [[exempt]]
    rule = \"probes\"
    name = \"echo\"",
    },
    Meaning {
        code: "resources-invalid",
        summary: "A default for resources is no amount, or a request above its limit",
        text: "\
Kubernetes refuses pods with such resources.

Write amounts as Kubernetes does, the request no higher than the limit.

    [harden.resources]
    requests = { cpu = \"10m\", memory = \"32Mi\" }",
    },
];

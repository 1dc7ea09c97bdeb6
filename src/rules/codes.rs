//! What the codes of rules mean, for `kiln explain`.

use crate::diagnostic::meanings;

meanings! {
    EXEMPTION_UNKNOWN_RULE {
        code: "exemption-unknown-rule",
        summary: "An exemption names a rule that there is not, or one that nothing can be exempt from",
        text: "\
It would exempt nothing, and a typo would look like an exemption. From `secret-leak` nothing can be exempt.

Take the suggestion; docs/rules.md lists all rules and remedies.

    [[exempt]]
    rule = \"probes\"
    name = \"echo\"
    reason = \"It answers nothing\"",
    }

    EXEMPTION_WITHOUT_REASON {
        code: "exemption-without-reason",
        summary: "An exemption does not say why",
        text: "\
Someone will ask, and the one who knows may be gone.

Write a sentence.

    reason = \"The program has no endpoint for probes\"",
    }

    EXEMPTION_UNUSED {
        code: "exemption-unused",
        summary: "An exemption exempts nothing",
        text: "\
The object is gone or has another name, or the rule has nothing to add to it or to say of it any more.

Remove it, or mend the name.

    [[exempt]]
    rule = \"probes\"
    name = \"echo\"",
    }

    RESOURCES_INVALID {
        code: "resources-invalid",
        summary: "A default for resources is no amount, or a request above its limit",
        text: "\
Kubernetes refuses pods with such resources.

Write amounts as Kubernetes does, the request no higher than the limit.

    [harden.resources]
    requests = { cpu = \"10m\", memory = \"32Mi\" }",
    }

    POD_SECURITY_UNKNOWN {
        code: "pod-security-unknown",
        summary: "A namespace gets no level to enforce since what some of its pods need is not seen",
        text: "\
A level that is too strict stops pods. What a chart without a profile brings is not seen, nor are the pods
that an operator makes of a custom resource, what a remote base or another repository holds, or what a build
holds that is refused. The namespace audits and warns all the same. A namespace whose manifest makes others
too, which can enforce something else, gets its level by a patch, and none where no kustomization
takes in that namespace alone.

Make a profile, say in `charts/custom-resources.yaml` what comes of a custom resource (see
docs/custom-resources.md), or wish for a level that you know to fit.

    kiln profile new oci://ghcr.io/example/charts/whoami",
    }

    POD_SECURITY_NO_NAMESPACE {
        code: "pod-security-no-namespace",
        summary: "A level is wished for a namespace that is not in the tree",
        text: "\
The wish in the config changes nothing: the name has a typo, or the namespace is not made by a
template.

Mend the name, or add the Namespace.

    security:
      pod_security:
        media: baseline",
    }

    NETWORK_POLICY_NO_NAMESPACE {
        code: "network-policy-no-namespace",
        summary: "A namespace is to be closed that is not in the tree",
        text: "\
The name in `kiln.toml` has a typo, or the namespace is not made by a template, so that it stays
open.

Mend the name, or add the Namespace.

    [harden]
    network-policies = [\"default\", \"media\"]",
    }

    PRIORITY_CLASS_NO_HOME {
        code: "priority-class-no-home",
        summary: "Nothing says where Flux starts, so the classes cannot be defined",
        text: "\
The classes are written beside the first Flux Kustomization. There is none in the tree, so that pods
of such a class would be rejected; none gets one.

Render the Kustomization that Flux starts with, or exempt everything from the rule.

    [[exempt]]
    rule = \"priority-class\"
    reason = \"The classes come from elsewhere\"",
    }
}

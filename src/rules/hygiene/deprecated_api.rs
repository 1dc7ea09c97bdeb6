//! API versions that are gone, or on their way out.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::flux::builds::Member;
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};

/// An API version that gave way to another.
struct OldVersion {
    version: &'static str,
    /// The kinds that it served; empty for all.
    kinds: &'static [&'static str],
    /// What took its place.
    successor: &'static str,
    /// Since when it is no longer served; `None` where it still is.
    gone: Option<&'static str>,
}

/// Source: the deprecated API migration guide of Kubernetes, and the release notes and the roadmap of Flux.
const OLD: [OldVersion; 30] = [
    gone(
        "extensions/v1beta1",
        &[],
        "apps/v1 or networking.k8s.io/v1",
        "Kubernetes 1.22",
    ),
    gone("apps/v1beta1", &[], "apps/v1", "Kubernetes 1.16"),
    gone("apps/v1beta2", &[], "apps/v1", "Kubernetes 1.16"),
    gone("batch/v1beta1", &[], "batch/v1", "Kubernetes 1.25"),
    gone("policy/v1beta1", &[], "policy/v1", "Kubernetes 1.25"),
    gone(
        "autoscaling/v2beta1",
        &[],
        "autoscaling/v2",
        "Kubernetes 1.25",
    ),
    gone(
        "autoscaling/v2beta2",
        &[],
        "autoscaling/v2",
        "Kubernetes 1.26",
    ),
    gone(
        "networking.k8s.io/v1beta1",
        &["Ingress", "IngressClass"],
        "networking.k8s.io/v1",
        "Kubernetes 1.22",
    ),
    gone(
        "discovery.k8s.io/v1beta1",
        &[],
        "discovery.k8s.io/v1",
        "Kubernetes 1.25",
    ),
    gone(
        "events.k8s.io/v1beta1",
        &[],
        "events.k8s.io/v1",
        "Kubernetes 1.25",
    ),
    gone(
        "node.k8s.io/v1beta1",
        &[],
        "node.k8s.io/v1",
        "Kubernetes 1.25",
    ),
    gone(
        "scheduling.k8s.io/v1beta1",
        &[],
        "scheduling.k8s.io/v1",
        "Kubernetes 1.22",
    ),
    gone(
        "storage.k8s.io/v1beta1",
        &[
            "CSIDriver",
            "CSINode",
            "CSIStorageCapacity",
            "StorageClass",
            "VolumeAttachment",
        ],
        "storage.k8s.io/v1",
        "Kubernetes 1.27",
    ),
    gone(
        "coordination.k8s.io/v1beta1",
        &["Lease"],
        "coordination.k8s.io/v1",
        "Kubernetes 1.22",
    ),
    gone(
        "rbac.authorization.k8s.io/v1beta1",
        &[],
        "rbac.authorization.k8s.io/v1",
        "Kubernetes 1.22",
    ),
    gone(
        "apiextensions.k8s.io/v1beta1",
        &[],
        "apiextensions.k8s.io/v1",
        "Kubernetes 1.22",
    ),
    gone(
        "apiregistration.k8s.io/v1beta1",
        &[],
        "apiregistration.k8s.io/v1",
        "Kubernetes 1.22",
    ),
    gone(
        "admissionregistration.k8s.io/v1beta1",
        &[
            "MutatingWebhookConfiguration",
            "ValidatingWebhookConfiguration",
        ],
        "admissionregistration.k8s.io/v1",
        "Kubernetes 1.22",
    ),
    gone(
        "flowcontrol.apiserver.k8s.io/v1beta3",
        &[],
        "flowcontrol.apiserver.k8s.io/v1",
        "Kubernetes 1.32",
    ),
    gone(
        "helm.toolkit.fluxcd.io/v2beta1",
        &[],
        "helm.toolkit.fluxcd.io/v2",
        "Flux 2.7",
    ),
    gone(
        "helm.toolkit.fluxcd.io/v2beta2",
        &[],
        "helm.toolkit.fluxcd.io/v2",
        "Flux 2.8",
    ),
    gone(
        "kustomize.toolkit.fluxcd.io/v1beta1",
        &[],
        "kustomize.toolkit.fluxcd.io/v1",
        "Flux 2.7",
    ),
    gone(
        "kustomize.toolkit.fluxcd.io/v1beta2",
        &[],
        "kustomize.toolkit.fluxcd.io/v1",
        "Flux 2.8",
    ),
    gone(
        "source.toolkit.fluxcd.io/v1beta1",
        &[],
        "source.toolkit.fluxcd.io/v1",
        "Flux 2.7",
    ),
    gone(
        "source.toolkit.fluxcd.io/v1beta2",
        &[],
        "source.toolkit.fluxcd.io/v1",
        "Flux 2.8",
    ),
    going(
        "image.toolkit.fluxcd.io/v1beta1",
        "image.toolkit.fluxcd.io/v1",
    ),
    going(
        "image.toolkit.fluxcd.io/v1beta2",
        "image.toolkit.fluxcd.io/v1",
    ),
    going("resource.k8s.io/v1beta1", "resource.k8s.io/v1"),
    going("resource.k8s.io/v1beta2", "resource.k8s.io/v1"),
    going("external-secrets.io/v1beta1", "external-secrets.io/v1"),
];

const fn gone(
    version: &'static str,
    kinds: &'static [&'static str],
    successor: &'static str,
    since: &'static str,
) -> OldVersion {
    OldVersion {
        version,
        kinds,
        successor,
        gone: Some(since),
    }
}

const fn going(version: &'static str, successor: &'static str) -> OldVersion {
    OldVersion {
        version,
        kinds: &[],
        successor,
        gone: None,
    }
}

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "deprecated-api",
        summary: "No object uses an API version that is gone or going",
        text: "\
The API server refuses an object of a version that it no longer serves, and Flux with it the whole Kustomization. A
version that is still served, and will not be for long, is a warning. The list follows the migration guide of Kubernetes
up to 1.36, and the release notes of Flux up to 2.9; objects in the cluster are converted by themselves, so that only
the line has to change as a rule.",
    },
    category: Category::Hygiene,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    let mut seen = BTreeSet::new();
    for member in facts.all() {
        if !seen.insert(member.spot()) {
            continue;
        }
        let version = member.text("apiVersion").unwrap_or_default();
        let old = OLD.iter().find(|old| {
            let is_kind = old.kinds.is_empty() || old.kinds.contains(&member.kind());
            old.version == version && is_kind
        });
        let findings = old.map(|old| problem(facts, member, old));
        let subject = JudgedSubject::member(member).at(member.value_place("apiVersion"));
        judge.found(subject, findings.into_iter().collect());
    }
}

fn problem(facts: &Facts<'_>, member: &Member<'_>, old: &OldVersion) -> Diagnostic {
    let (label, version) = (member.label(), old.version);
    let problem = match old.gone {
        Some(since) => Diagnostic::error(
            &RULE.meaning,
            format!("`{label}` is of `{version}`, which is no longer served since {since}"),
        ),
        None => Diagnostic::warning(
            &RULE.meaning,
            format!("`{label}` is of `{version}`, which is deprecated"),
        ),
    };
    facts
        .at(problem, &member.value_place("apiVersion"), "")
        .with_hint(format!("use `{}`", old.successor))
}

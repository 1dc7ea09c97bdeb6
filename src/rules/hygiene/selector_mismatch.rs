//! Workloads that do not select their own pods.

use kustomize::Field;

use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::rules::facts::is_substituted;
use crate::rules::judge::Judge;
use crate::rules::manifest_pod::ManifestPod;
use crate::rules::{Category, Facts, Rule};
use crate::source::Place;

/// The kinds that must have a selector.
const SELECTING: [&str; 4] = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"];

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "selector-mismatch",
        summary: "Every workload selects its own pods",
        text: "\
A Deployment, StatefulSet, DaemonSet or ReplicaSet finds its pods by `spec.selector`. The API server refuses one without
a selector, and one whose selector does not match the labels in its own template. The selector cannot be changed
afterwards, so that it is best kept short. Asked of manifests.

    spec:
      selector:
        matchLabels: {app: echo}
      template:
        metadata:
          labels: {app: echo}",
    },
    category: Category::Hygiene,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    for pod in ManifestPod::all(facts) {
        let kind = pod.workload.kind.as_str();
        if !SELECTING.contains(&kind) {
            continue;
        }
        let findings: Vec<Diagnostic> = problem(facts, pod).into_iter().collect();
        let mut subject = pod.subject();
        subject.place = Some(pod.workload.member.value_place("spec.selector"));
        judge.found(subject, findings);
    }
}

fn problem(facts: &Facts<'_>, pod: ManifestPod<'_>) -> Option<Diagnostic> {
    let member = pod.workload.member;
    let error = |message: String, place: &Place| {
        facts.at(Diagnostic::error(&RULE.meaning, message), place, "")
    };
    let label = pod.label();
    let selector = member
        .find("spec.selector")
        .filter(|field| !field.is_null());
    let labels = member.find("spec.template.metadata.labels");
    let Some(selector) = selector else {
        let message = format!("`{label}` has no selector, and the API server refuses it");
        let hint = "set `spec.selector.matchLabels` to labels of its template";
        return Some(error(message, &member.name_place()).with_hint(hint));
    };
    let held = |key: &str| labels.and_then(|labels| labels.get(key));
    for entry in selector.get("matchLabels").and_then(Field::entries)? {
        let (Some(wanted), key) = (entry.value.as_text(), &entry.key) else {
            continue;
        };
        let value = held(key).and_then(Field::as_text);
        let is_open = is_substituted(wanted) || value.is_some_and(is_substituted);
        if is_open || value == Some(wanted) {
            continue;
        }
        let message = format!(
            "`{label}` selects pods by `{key}: {wanted}`, and its own pods do not have that label"
        );
        let error = error(message, &member.field_place(&entry.value));
        return Some(match held(key) {
            Some(other) => error
                .with_related(member.field_place(other), "they have this")
                .with_hint("the API server refuses it: make both the same"),
            None => error.with_hint(
                "the API server refuses it: add the label to `spec.template.metadata.labels`, or take it out of the selector",
            ),
        });
    }
    None
}

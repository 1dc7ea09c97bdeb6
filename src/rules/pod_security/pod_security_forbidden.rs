//! Pods that their namespace refuses.

use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::flux::builds::Member;
use crate::pod_security::Level;
use crate::rules::hygiene::{label_route, namespace_level};
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};
use crate::source::Place;
use crate::workload::standing::PodSecurityStanding;

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "pod-security-forbidden",
        summary: "Every pod satisfies the level that its namespace enforces, hooks included",
        text: "\
The API server refuses a pod that its namespace's `pod-security.kubernetes.io/enforce` label forbids. What makes
the pod, a Deployment or a chart's Job, is accepted, and waits for ever.

Hardening says the same as `pod-security-too-strict` while it labels namespaces. This check holds where it does not look:
with hardening switched off, and in a namespace that is exempt from it. Only what is certain is reported: pods
of manifests, and of charts whose values are all in the tree.",
    },
    category: Category::PodSecurity,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    for namespace in facts.objects("", "Namespace") {
        let Some(level) = namespace_level(namespace, "enforce") else {
            continue;
        };
        let place = namespace.place(&label_route("enforce"));
        let subject = JudgedSubject::member(namespace).at(place.clone());
        let standings = facts.standings_in(namespace);
        let refused = standings
            .iter()
            .copied()
            .filter(|one| one.level.is_some_and(|reached| reached < level));
        let (certain, doubtful): (Vec<&PodSecurityStanding>, Vec<&PodSecurityStanding>) =
            refused.partition(|standing| standing.certain);
        let findings: Vec<Diagnostic> = certain
            .into_iter()
            .map(|standing| refusal(facts, namespace, level, standing, &place))
            .collect();
        let open = standings
            .iter()
            .copied()
            .find(|one| one.level.is_none() && level > Level::Privileged);
        match (findings.is_empty(), doubtful.first().copied().or(open)) {
            (true, Some(standing)) => {
                let why = format!("what the pods of {} need is not known", standing.told());
                judge.unseen(subject, why, None);
            }
            _ => judge.found(subject, findings),
        }
    }
}

fn refusal(
    facts: &Facts<'_>,
    namespace: &Member<'_>,
    level: Level,
    standing: &PodSecurityStanding,
    place: &Place,
) -> Diagnostic {
    let reached = standing.level.unwrap_or(Level::Privileged);
    let message = format!(
        "namespace `{}` refuses the pods of `{}`: it enforces `{level}`, and they satisfy `{reached}`",
        namespace.name, standing.label
    );
    let mut problem = facts.at(Diagnostic::error(&RULE.meaning, message), place, "");
    for (reason, place) in &standing.obstacles {
        problem = problem.with_related(place.clone(), reason.clone());
    }
    problem.with_hint(format!("set what it lacks, or enforce `{reached}`"))
}

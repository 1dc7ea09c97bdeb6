//! Rules about requests, limits and quotas.

mod quantity_invalid;

use serde_json::Value;

use super::judge::Judge;
use super::{Category, Facts, Rule, Verdict, remedies};
use crate::diagnostic::Meaning;

pub(super) const RULES: &[Rule] = &[
    Rule {
        meaning: Meaning {
            code: "mem-limit",
            summary: "Every container has a limit of memory",
            text: "\
A container without one that leaks memory takes its whole node down with it. A limit counts only where it reaches the
container: one in values that the chart does not know is not there.",
        },
        category: Category::Resources,
        severity: None,
        weight: 3,
        remedy: Some(&remedies::resources::REMEDY),
        judge: |judge| amount(judge, "limits", "memory"),
    },
    Rule {
        meaning: Meaning {
            code: "mem-request",
            summary: "Every container requests memory",
            text: "\
The scheduler fills nodes by requests. A limit alone counts as a request of the same amount.",
        },
        category: Category::Resources,
        severity: None,
        weight: 2,
        remedy: Some(&remedies::resources::REMEDY),
        judge: |judge| amount(judge, "requests", "memory"),
    },
    Rule {
        meaning: Meaning {
            code: "cpu-request",
            summary: "Every container requests CPU",
            text: "\
Under pressure, CPU is shared in proportion to the requests; a container without one gets next to nothing.",
        },
        category: Category::Resources,
        severity: None,
        weight: 2,
        remedy: Some(&remedies::resources::REMEDY),
        judge: |judge| amount(judge, "requests", "cpu"),
    },
    Rule {
        meaning: Meaning {
            code: "cpu-limit",
            summary: "Every container has a limit of CPU",
            text: "\
Shown and not counted: the tools contradict each other. A limit slows a container down even on an idle node, and
requests alone share a busy one fairly.",
        },
        category: Category::Resources,
        severity: None,
        weight: 0,
        remedy: None,
        judge: |judge| amount(judge, "limits", "cpu"),
    },
    Rule {
        meaning: Meaning {
            code: "ephemeral-storage",
            summary: "Every container has a limit of ephemeral storage",
            text: "\
Shown and not counted: few know the amount for their programs, and the kubelet evicts who goes beyond it.",
        },
        category: Category::Resources,
        severity: None,
        weight: 0,
        remedy: None,
        judge: |judge| amount(judge, "limits", "ephemeral-storage"),
    },
    Rule {
        meaning: Meaning {
            code: "ns-quota",
            summary: "Every namespace has a quota or default limits",
            text: "\
Shown and not counted: a ResourceQuota or LimitRange is for clusters with several tenants.",
        },
        category: Category::Resources,
        severity: None,
        weight: 0,
        remedy: None,
        judge: |judge| {
            judge.objects("", "Namespace", "metadata.name", |facts, member| {
                let has = |kind| has(facts, "", kind, &member.name);
                let fine = has("ResourceQuota") || has("LimitRange");
                Some(Verdict::when(fine, "it has neither"))
            });
        },
    },
    Rule {
        meaning: Meaning {
            code: "vpa",
            summary: "Every vertical autoscaler has its target",
            text: "\
A VerticalPodAutoscaler that names a workload that is not there does nothing, without a word.",
        },
        category: Category::Resources,
        severity: None,
        weight: 1,
        remedy: None,
        judge: |judge| {
            let (group, kind) = ("autoscaling.k8s.io", "VerticalPodAutoscaler");
            judge.objects(group, kind, "spec.targetRef.name", |facts, member| {
                let name = member.text("spec.targetRef.name")?;
                let namespace = member.namespace_name();
                let mut workloads = facts.workloads.iter();
                let found = workloads.any(|one| one.name == name && one.namespace == namespace);
                let reason = format!("no workload `{name}` is known there");
                Some(match (found, facts.has_release(namespace)) {
                    (true, _) => Verdict::Pass,
                    (false, true) => Verdict::Unknown(reason),
                    (false, false) => Verdict::Fail(reason),
                })
            });
        },
    },
    quantity_invalid::RULE,
];

fn amount(judge: &mut Judge<'_, '_>, list: &'static str, resource: &'static str) {
    judge.containers(
        "resources",
        |_| true,
        |workload, container| {
            let own = &container.value["resources"];
            let pod = &workload.pod["spec"]["resources"];
            let set = |resources: &Value| {
                // The API server fills in a request that is missing beside a limit.
                let lists = if list == "requests" {
                    &["requests", "limits"][..]
                } else {
                    &["limits"]
                };
                lists
                    .iter()
                    .any(|list| !resources[*list][resource].is_null())
            };
            Some(Verdict::when(set(own) || set(pod), "it has none"))
        },
    );
}

fn has(facts: &Facts<'_>, group: &str, kind: &str, namespace: &str) -> bool {
    let objects = facts.objects(group, kind);
    objects
        .iter()
        .any(|member| member.namespace_name() == namespace)
}

//! Rules about requests, limits and quotas.

mod quantity_invalid;

use serde_json::Value;

use super::judge::Judge;
use super::{Category, Facts, Rule, Verdict, remedies};

pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "mem-limit",
        category: Category::Resources,
        severity: None,
        summary: "Every container has a limit of memory",
        weight: 3,
        remedy: Some(&remedies::resources::REMEDY),
        explanation: "\
A container without one that leaks memory takes its whole node down with it. A limit counts only where it reaches the
container: one in values that the chart does not know is not there.",
        judge: |judge| amount(judge, "limits", "memory"),
    },
    Rule {
        code: "mem-request",
        category: Category::Resources,
        severity: None,
        summary: "Every container requests memory",
        weight: 2,
        remedy: Some(&remedies::resources::REMEDY),
        explanation: "\
The scheduler fills nodes by requests. A limit alone counts as a request of the same amount.",
        judge: |judge| amount(judge, "requests", "memory"),
    },
    Rule {
        code: "cpu-request",
        category: Category::Resources,
        severity: None,
        summary: "Every container requests CPU",
        weight: 2,
        remedy: Some(&remedies::resources::REMEDY),
        explanation: "\
Under pressure, CPU is shared in proportion to the requests; a container without one gets next to nothing.",
        judge: |judge| amount(judge, "requests", "cpu"),
    },
    Rule {
        code: "cpu-limit",
        category: Category::Resources,
        severity: None,
        summary: "Every container has a limit of CPU",
        weight: 0,
        remedy: None,
        explanation: "\
Shown and not counted: the tools contradict each other. A limit slows a container down even on an idle node, and
requests alone share a busy one fairly.",
        judge: |judge| amount(judge, "limits", "cpu"),
    },
    Rule {
        code: "ephemeral-storage",
        category: Category::Resources,
        severity: None,
        summary: "Every container has a limit of ephemeral storage",
        weight: 0,
        remedy: None,
        explanation: "\
Shown and not counted: few know the amount for their programs, and the kubelet evicts who goes beyond it.",
        judge: |judge| amount(judge, "limits", "ephemeral-storage"),
    },
    Rule {
        code: "ns-quota",
        category: Category::Resources,
        severity: None,
        summary: "Every namespace has a quota or default limits",
        weight: 0,
        remedy: None,
        explanation: "\
Shown and not counted: a ResourceQuota or LimitRange is for clusters with several tenants.",
        judge: |judge| {
            judge.objects("", "Namespace", "metadata.name", |facts, member| {
                let has = |kind| has(facts, "", kind, &member.name);
                let fine = has("ResourceQuota") || has("LimitRange");
                Some(Verdict::when(fine, "it has neither"))
            });
        },
    },
    Rule {
        code: "vpa",
        category: Category::Resources,
        severity: None,
        summary: "Every vertical autoscaler has its target",
        weight: 1,
        remedy: None,
        explanation: "\
A VerticalPodAutoscaler that names a workload that is not there does nothing, without a word.",
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

//! Checks of requests, limits and quotas.

use serde_json::Value;

use crate::audit::review::{Review, Subject};
use crate::audit::{Category, Check, Verdict};

pub(super) const CHECKS: &[Check] = &[
    Check {
        code: "mem-limit",
        category: Category::Resources,
        line: "Every container has a limit of memory",
        weight: 3,
        rule: Some("resources"),
        explanation: "\
A container without one that leaks memory takes its whole node down with it. A limit counts only where it reaches the
container: one in values that the chart does not know is not there.",
        run: |review| amount(review, "limits", "memory"),
    },
    Check {
        code: "mem-request",
        category: Category::Resources,
        line: "Every container requests memory",
        weight: 2,
        rule: Some("resources"),
        explanation: "\
The scheduler fills nodes by requests. A limit alone counts as a request of the same amount.",
        run: |review| amount(review, "requests", "memory"),
    },
    Check {
        code: "cpu-request",
        category: Category::Resources,
        line: "Every container requests CPU",
        weight: 2,
        rule: Some("resources"),
        explanation: "\
Under pressure, CPU is shared in proportion to the requests; a container without one gets next to nothing.",
        run: |review| amount(review, "requests", "cpu"),
    },
    Check {
        code: "cpu-limit",
        category: Category::Resources,
        line: "Every container has a limit of CPU",
        weight: 0,
        rule: None,
        explanation: "\
Shown and not counted: the tools contradict each other. A limit slows a container down even on an idle node, and
requests alone share a busy one fairly.",
        run: |review| amount(review, "limits", "cpu"),
    },
    Check {
        code: "ephemeral-storage",
        category: Category::Resources,
        line: "Every container has a limit of ephemeral storage",
        weight: 0,
        rule: None,
        explanation: "\
Shown and not counted: few know the amount for their programs, and the kubelet evicts who goes beyond it.",
        run: |review| amount(review, "limits", "ephemeral-storage"),
    },
    Check {
        code: "ns-quota",
        category: Category::Resources,
        line: "Every namespace has a quota or default limits",
        weight: 0,
        rule: None,
        explanation: "\
Shown and not counted: a ResourceQuota or LimitRange is for clusters with several tenants.",
        run: |review| {
            review.objects("", "Namespace", "metadata.name", |subject, member| {
                let has = |kind| has(subject, "", kind, &member.name);
                let fine = has("ResourceQuota") || has("LimitRange");
                Some(Verdict::when(fine, "it has neither"))
            });
        },
    },
    Check {
        code: "vpa",
        category: Category::Resources,
        line: "Every vertical autoscaler has its target",
        weight: 1,
        rule: None,
        explanation: "\
A VerticalPodAutoscaler that names a workload that is not there does nothing, without a word.",
        run: |review| {
            let (group, kind) = ("autoscaling.k8s.io", "VerticalPodAutoscaler");
            review.objects(group, kind, "spec.targetRef.name", |subject, member| {
                let name = member.object.text("spec.targetRef.name")?;
                let namespace = member.namespace_name();
                let mut workloads = subject.workloads.iter();
                let found = workloads.any(|one| one.name == name && one.namespace == namespace);
                let reason = format!("no workload `{name}` is known there");
                Some(match (found, subject.has_release(namespace)) {
                    (true, _) => Verdict::Pass,
                    (false, true) => Verdict::Unknown(reason),
                    (false, false) => Verdict::Fail(reason),
                })
            });
        },
    },
];

fn amount(review: &mut Review<'_, '_>, list: &'static str, resource: &'static str) {
    review.containers(
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

fn has(subject: &Subject<'_>, group: &str, kind: &str, namespace: &str) -> bool {
    let objects = subject.objects(group, kind);
    objects
        .iter()
        .any(|member| member.namespace_name() == namespace)
}

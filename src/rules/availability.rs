//! Rules about replicas, budgets, priorities and kinds of workloads.

mod budgets;
mod pdb_no_eviction;
mod pdb_on_daemonset;
mod pdb_overlap;
mod priority_class_unknown;
mod volume_claim_missing;

use super::{Category, Facts, Rule, Verdict, remedies};
use crate::diagnostic::Meaning;
use crate::workload::{Home, Workload};

pub(super) const RULES: &[Rule] = &[
    Rule {
        meaning: Meaning {
            code: "replicas-min",
            summary: "Every Deployment and StatefulSet has two replicas or more",
            text: "\
One replica is gone while its node is drained. Many programs cannot run twice: exempt those with a reason. A workload
that is scaled to nothing is not counted.",
        },
        category: Category::Availability,
        severity: None,
        weight: 1,
        remedy: None,
        judge: |judge| {
            judge.workloads("replicas", Workload::is_scalable, |_, workload| {
                match workload.replicas {
                    Some(0) => None,
                    Some(1) => Some(Verdict::Fail("it has one replica".to_owned())),
                    Some(_) => Some(Verdict::Pass),
                    None => Some(Verdict::Unknown("nobody knows how many it has".to_owned())),
                }
            });
        },
    },
    budgets::EXISTS,
    budgets::POLICY,
    pdb_no_eviction::RULE,
    budgets::UNHEALTHY,
    budgets::AUTOSCALED,
    pdb_overlap::RULE,
    pdb_on_daemonset::RULE,
    volume_claim_missing::RULE,
    Rule {
        meaning: Meaning {
            code: "topology-spread",
            summary: "Replicas are spread over nodes",
            text: "\
Two replicas on one node are gone together. Topology spread constraints or a pod anti-affinity keep them apart; asked
of workloads with two replicas or more.",
        },
        category: Category::Availability,
        severity: None,
        weight: 2,
        remedy: Some(&remedies::topology_spread::REMEDY),
        judge: |judge| {
            let key = "topologySpreadConstraints";
            judge.workloads(key, Workload::is_replicated, |_, workload| {
                let spec = &workload.pod["spec"];
                let spread = spec[key].as_array().is_some_and(|list| !list.is_empty());
                let apart = !spec["affinity"]["podAntiAffinity"].is_null();
                Some(Verdict::when(spread || apart, "nothing keeps its replicas apart"))
            });
        },
    },
    Rule {
        meaning: Meaning {
            code: "rolling-update",
            summary: "Deployments are updated without a break",
            text: "\
`Recreate` stops the old pods before it starts the new ones. It is right for what cannot run twice, such as a program
with a volume of its own: exempt that. Asked of manifests and of app-template, whose default is `Recreate`.",
        },
        category: Category::Availability,
        severity: None,
        weight: 1,
        remedy: None,
        judge: |judge| {
            judge.workloads("replicas", is_deployment, |_, workload| {
                let written = match &workload.home {
                    Home::Manifest(_) => workload.member.text("spec.strategy.type"),
                    Home::AppTemplate(release, name) => Some(
                        release.values.get("controllers")?[name]["strategy"]
                            .as_str()
                            .unwrap_or("Recreate"),
                    ),
                    _ => return None,
                };
                let recreate = written == Some("Recreate");
                Some(Verdict::when(!recreate, "its strategy is `Recreate`"))
            });
        },
    },
    Rule {
        meaning: Meaning {
            code: "priority-class",
            summary: "Every pod has a priority class",
            text: "\
When a node is full or gone, the scheduler has to choose, and without classes every pod is worth the same: a web page
may keep the ingress from starting.",
        },
        category: Category::Availability,
        severity: None,
        weight: 2,
        remedy: Some(&remedies::priority_class::REMEDY),
        judge: |judge| {
            judge.workloads("priorityClassName", |_| true, |_, workload| {
                Some(Verdict::when(class(workload).is_some(), "it has none"))
            });
        },
    },
    priority_class_unknown::RULE,
    Rule {
        meaning: Meaning {
            code: "hpa-target",
            summary: "Every autoscaler has a target, room, and no rival",
            text: "\
A HorizontalPodAutoscaler must name a workload of its namespace, have at least two replicas to start from and more to go to.
A manifest that sets `replicas` itself fights with it at every apply.",
        },
        category: Category::Availability,
        severity: None,
        weight: 2,
        remedy: None,
        judge: |judge| {
            let (group, kind) = ("autoscaling", "HorizontalPodAutoscaler");
            judge.objects(group, kind, "spec.scaleTargetRef", |facts, member| {
                let number = |route| member.text(route)?.parse::<u64>().ok();
                let least = number("spec.minReplicas").unwrap_or(1);
                if least < 2 {
                    return Some(Verdict::Fail("it starts from less than two".to_owned()));
                }
                if number("spec.maxReplicas").is_some_and(|most| most <= least) {
                    return Some(Verdict::Fail("it has no room to grow".to_owned()));
                }
                let name = member.text("spec.scaleTargetRef.name")?;
                let kind = member.text("spec.scaleTargetRef.kind")?;
                let namespace = member.namespace_name();
                let verdict = target(facts, kind, namespace, name);
                Some(facts.unless_hidden(member, namespace, verdict))
            });
        },
    },
    Rule {
        meaning: Meaning {
            code: "cronjob-deadline",
            summary: "CronJobs have a deadline to start and a valid restart policy",
            text: "\
Without `startingDeadlineSeconds`, a CronJob that missed a hundred starts never starts again. Asked of manifests.",
        },
        category: Category::Availability,
        severity: None,
        weight: 1,
        remedy: None,
        judge: |judge| {
            judge.manifests("CronJob", "spec", |_, object, workload| {
                let restart = workload.pod["spec"]["restartPolicy"].as_str();
                if !matches!(restart, Some("OnFailure" | "Never")) {
                    let reason = "its restart policy is neither `OnFailure` nor `Never`";
                    return Some(Verdict::Fail(reason.to_owned()));
                }
                let set = object.find("spec.startingDeadlineSeconds").is_some();
                Some(Verdict::when(set, "it has no `startingDeadlineSeconds`"))
            });
        },
    },
    Rule {
        meaning: Meaning {
            code: "job-ttl",
            summary: "Jobs are removed when they are done",
            text: "\
A Job stays with its pods until someone removes it, unless it has `ttlSecondsAfterFinished`. Asked of manifests.",
        },
        category: Category::Availability,
        severity: None,
        weight: 1,
        remedy: None,
        judge: |judge| {
            judge.manifests("Job", "spec", |_, object, _| {
                let set = object.find("spec.ttlSecondsAfterFinished").is_some();
                Some(Verdict::when(set, "it has no `ttlSecondsAfterFinished`"))
            });
        },
    },
    Rule {
        meaning: Meaning {
            code: "statefulset-service",
            summary: "StatefulSets have the headless service that they name",
            text: "\
The pods of a StatefulSet get their names in DNS from a Service without an address. Asked of manifests.",
        },
        category: Category::Availability,
        severity: None,
        weight: 2,
        remedy: None,
        judge: |judge| {
            judge.manifests("StatefulSet", "spec.serviceName", |facts, object, workload| {
                let Some(name) = object.text("spec.serviceName") else {
                    return Some(Verdict::Fail("it names no service".to_owned()));
                };
                let services = facts.objects("", "Service");
                let service = services.iter().find(|member| {
                    member.name == name && member.namespace_name() == workload.namespace
                });
                Some(match service {
                    Some(member) if member.text("spec.clusterIP") == Some("None") => {
                        Verdict::Pass
                    }
                    Some(_) => Verdict::Fail(format!("its service `{name}` is not headless")),
                    None => {
                        let none = Verdict::Fail(format!("there is no service `{name}`"));
                        facts.unless_hidden(object, &workload.namespace, none)
                    }
                })
            });
        },
    },
    Rule {
        meaning: Meaning {
            code: "naked-pod",
            summary: "No pod stands by itself",
            text: "\
Nobody starts a bare Pod again when its node is gone. A Deployment of one replica does.",
        },
        category: Category::Availability,
        severity: None,
        weight: 2,
        remedy: None,
        judge: |judge| {
            judge.workloads("restartPolicy", |_| true, |_, workload| {
                Some(Verdict::when(workload.kind != "Pod", "it is a bare Pod"))
            });
        },
    },
];

fn is_deployment(workload: &Workload<'_>) -> bool {
    workload.kind == "Deployment"
}

fn class<'w>(workload: &'w Workload<'_>) -> Option<&'w str> {
    let class = workload.pod["spec"]["priorityClassName"].as_str();
    class.filter(|class| !class.is_empty())
}

fn target(facts: &Facts<'_>, kind: &str, namespace: &str, name: &str) -> Verdict {
    let found = facts
        .workloads
        .iter()
        .find(|one| one.kind == kind && one.name == name && one.namespace == namespace);
    match found {
        Some(one) if matches!(one.home, Home::Manifest(_)) => {
            let free = one.member.find("spec.replicas").is_none();
            Verdict::when(free, "the manifest of its target sets `replicas` too")
        }
        Some(_) => Verdict::Pass,
        None if facts.has_release(namespace) || facts.unseen_pods(namespace).is_some() => {
            Verdict::Unknown(format!("no workload `{name}` is known there"))
        }
        None => Verdict::Fail(format!("there is no {kind} `{name}`")),
    }
}

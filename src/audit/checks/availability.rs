//! Checks of replicas, autoscalers and kinds of workloads; budgets are next door.

mod budgets;

use crate::audit::review::Subject;
use crate::audit::{Category, Check, Verdict};
use crate::workload::{Home, Workload};

const BUILT_IN: [&str; 2] = ["system-cluster-critical", "system-node-critical"];

pub(super) const CHECKS: &[Check] = &[
    Check {
        code: "replicas-min",
        category: Category::Availability,
        line: "Every Deployment and StatefulSet has two replicas or more",
        weight: 1,
        rule: None,
        explanation: "\
One replica is gone while its node is drained. Many programs cannot run twice: exempt those with a reason. A workload
that is scaled to nothing is not counted.",
        run: |review| {
            review.workloads("replicas", Workload::is_scalable, |_, workload| {
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
    budgets::BLOCKS,
    budgets::UNHEALTHY,
    budgets::AUTOSCALED,
    budgets::OVERLAP,
    budgets::DAEMONSET,
    Check {
        code: "anti-affinity",
        category: Category::Availability,
        line: "Replicas are spread over nodes",
        weight: 2,
        rule: Some("topology-spread"),
        explanation: "\
Two replicas on one node are gone together. Topology spread constraints or a pod anti-affinity keep them apart; asked
of workloads with two replicas or more.",
        run: |review| {
            let key = "topologySpreadConstraints";
            review.workloads(key, Workload::is_replicated, |_, workload| {
                let spec = &workload.pod["spec"];
                let spread = spec[key].as_array().is_some_and(|list| !list.is_empty());
                let apart = !spec["affinity"]["podAntiAffinity"].is_null();
                Some(Verdict::when(spread || apart, "nothing keeps its replicas apart"))
            });
        },
    },
    Check {
        code: "rolling-update",
        category: Category::Availability,
        line: "Deployments are updated without a break",
        weight: 1,
        rule: None,
        explanation: "\
`Recreate` stops the old pods before it starts the new ones. It is right for what cannot run twice, such as a program
with a volume of its own: exempt that. Asked of manifests and of app-template, whose default is `Recreate`.",
        run: |review| {
            review.workloads("replicas", is_deployment, |_, workload| {
                let written = match &workload.home {
                    Home::Manifest(_) => workload.member.object.text("spec.strategy.type"),
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
    Check {
        code: "priority-class",
        category: Category::Availability,
        line: "Every pod has a priority class",
        weight: 2,
        rule: Some("priority-class"),
        explanation: "\
When a node is full or gone, the scheduler has to choose, and without classes every pod is worth the same: a web page
may keep the ingress from starting.",
        run: |review| {
            review.workloads("priorityClassName", |_| true, |_, workload| {
                Some(Verdict::when(class(workload).is_some(), "it has none"))
            });
        },
    },
    Check {
        code: "priority-class-defined",
        category: Category::Availability,
        line: "Every priority class that is named is defined",
        weight: 3,
        rule: None,
        explanation: "\
The API server rejects pods of a class that is not there. Known are the two of every cluster, those of the tree, and
those that a chart gives to its own pods.",
        run: |review| {
            review.workloads("priorityClassName", |_| true, |subject, workload| {
                let class = class(workload)?;
                let known = workload.known();
                let fine = BUILT_IN.contains(&class)
                    || known.is_some_and(|known| known.pod["priorityClassName"] == class)
                    || subject
                        .objects("scheduling.k8s.io", "PriorityClass")
                        .iter()
                        .any(|member| member.name == class);
                let reason = format!("nothing defines its class `{class}`");
                Some(match subject.unknown().count() {
                    _ if fine => Verdict::Pass,
                    0 => Verdict::Fail(reason),
                    _ => Verdict::Unknown(reason),
                })
            });
        },
    },
    Check {
        code: "hpa-target",
        category: Category::Availability,
        line: "Every autoscaler has a target, room, and no rival",
        weight: 2,
        rule: None,
        explanation: "\
A HorizontalPodAutoscaler must name a workload of its namespace, have at least two replicas to start from and more to go to.
A manifest that sets `replicas` itself fights with it at every apply.",
        run: |review| {
            let (group, kind) = ("autoscaling", "HorizontalPodAutoscaler");
            review.objects(group, kind, "spec.scaleTargetRef", |subject, member| {
                let number = |route| member.object.text(route)?.parse::<u64>().ok();
                let least = number("spec.minReplicas").unwrap_or(1);
                if least < 2 {
                    return Some(Verdict::Fail("it starts from less than two".to_owned()));
                }
                if number("spec.maxReplicas").is_some_and(|most| most <= least) {
                    return Some(Verdict::Fail("it has no room to grow".to_owned()));
                }
                let name = member.object.text("spec.scaleTargetRef.name")?;
                let kind = member.object.text("spec.scaleTargetRef.kind")?;
                Some(target(subject, kind, member.namespace_name(), name))
            });
        },
    },
    Check {
        code: "cronjob-deadline",
        category: Category::Availability,
        line: "CronJobs have a deadline to start and a valid restart policy",
        weight: 1,
        rule: None,
        explanation: "\
Without `startingDeadlineSeconds`, a CronJob that missed a hundred starts never starts again. Asked of manifests.",
        run: |review| {
            review.manifests("CronJob", "spec", |_, object, workload| {
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
    Check {
        code: "job-ttl",
        category: Category::Availability,
        line: "Jobs are removed when they are done",
        weight: 1,
        rule: None,
        explanation: "\
A Job stays with its pods until someone removes it, unless it has `ttlSecondsAfterFinished`. Asked of manifests.",
        run: |review| {
            review.manifests("Job", "spec", |_, object, _| {
                let set = object.find("spec.ttlSecondsAfterFinished").is_some();
                Some(Verdict::when(set, "it has no `ttlSecondsAfterFinished`"))
            });
        },
    },
    Check {
        code: "statefulset-service",
        category: Category::Availability,
        line: "StatefulSets have the headless service that they name",
        weight: 2,
        rule: None,
        explanation: "\
The pods of a StatefulSet get their names in DNS from a Service without an address. Asked of manifests.",
        run: |review| {
            review.manifests("StatefulSet", "spec.serviceName", |subject, object, workload| {
                let Some(name) = object.text("spec.serviceName") else {
                    return Some(Verdict::Fail("it names no service".to_owned()));
                };
                let services = subject.objects("", "Service");
                let service = services.iter().find(|member| {
                    member.name == name && member.namespace_name() == workload.namespace
                });
                Some(match service {
                    Some(member) if member.object.text("spec.clusterIP") == Some("None") => {
                        Verdict::Pass
                    }
                    Some(_) => Verdict::Fail(format!("its service `{name}` is not headless")),
                    None => Verdict::Fail(format!("there is no service `{name}`")),
                })
            });
        },
    },
    Check {
        code: "naked-pod",
        category: Category::Availability,
        line: "No pod stands by itself",
        weight: 2,
        rule: None,
        explanation: "\
Nobody starts a bare Pod again when its node is gone. A Deployment of one replica does.",
        run: |review| {
            review.workloads("restartPolicy", |_| true, |_, workload| {
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

fn target(subject: &Subject<'_>, kind: &str, namespace: &str, name: &str) -> Verdict {
    let found = subject
        .workloads
        .iter()
        .find(|one| one.kind == kind && one.name == name && one.namespace == namespace);
    match found {
        Some(one) if matches!(one.home, Home::Manifest(_)) => {
            let free = one.member.object.find("spec.replicas").is_none();
            Verdict::when(free, "the manifest of its target sets `replicas` too")
        }
        Some(_) => Verdict::Pass,
        None if subject.has_release(namespace) => {
            Verdict::Unknown(format!("no workload `{name}` is known there"))
        }
        None => Verdict::Fail(format!("there is no {kind} `{name}`")),
    }
}

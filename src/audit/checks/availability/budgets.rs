//! Checks of PodDisruptionBudgets.

use serde_json::Value;

use crate::audit::review::Subject;
use crate::audit::{Category, Check, Verdict};
use crate::workload::Workload;
use crate::workload::budget::{self, Budget, Selects, allows_eviction};

const GROUP: &str = "policy";
const KIND: &str = "PodDisruptionBudget";

pub(super) const EXISTS: Check = Check {
    code: "pdb-exists",
    category: Category::Availability,
    line: "Every workload of two or more replicas has a budget",
    weight: 3,
    rule: Some("pod-disruption-budget"),
    explanation: "\
Without a PodDisruptionBudget, a drain may take all replicas at once. One replica needs none.",
    run: |review| {
        review.workloads("replicas", Workload::is_replicated, |subject, workload| {
            let budgets = Budgets::of(subject, workload);
            Some(match (budgets.count(), budgets.doubtful) {
                (0, true) => Verdict::Unknown("a budget may select its pods".to_owned()),
                (0, false) => Verdict::Fail("it has none".to_owned()),
                _ => Verdict::Pass,
            })
        });
    },
};

pub(super) const POLICY: Check = Check {
    code: "pdb-policy-set",
    category: Category::Availability,
    line: "Every budget says how many pods may go, or must stay",
    weight: 1,
    rule: None,
    explanation: "\
A budget with neither `maxUnavailable` nor `minAvailable` keeps nothing. Asked of manifests.",
    run: |review| {
        review.objects(GROUP, KIND, "spec", |_, member| {
            let set = ["minAvailable", "maxUnavailable"]
                .into_iter()
                .any(|field| member.object.find(&format!("spec.{field}")).is_some());
            Some(Verdict::when(set, "it says neither"))
        });
    },
};

pub(super) const BLOCKS: Check = Check {
    code: "pdb-blocks-drain",
    category: Category::Availability,
    line: "Every budget lets a pod go",
    weight: 3,
    rule: None,
    explanation: "\
A budget that allows no eviction, such as `minAvailable: 1` over one replica, makes a drain wait for ever. Asked of
workloads that have a budget, in the tree or by their chart.",
    run: |review| {
        review.workloads("replicas", Workload::is_scalable, |subject, workload| {
            let budgets = Budgets::of(subject, workload);
            if budgets.count() == 0 || workload.replicas == Some(0) {
                return None;
            }
            let count = workload.replicas.unwrap_or(1_000_000);
            let stuck = budgets
                .specs()
                .into_iter()
                .find(|spec| !allows_eviction(spec, count));
            let reason = "its budget lets none of them go".to_owned();
            Some(match (stuck, workload.replicas) {
                (Some(_), _) => Verdict::Fail(reason),
                (None, None) => Verdict::Unknown("nobody knows how many it has".to_owned()),
                (None, Some(_)) => Verdict::Pass,
            })
        });
    },
};

pub(super) const UNHEALTHY: Check = Check {
    code: "pdb-unhealthy-policy",
    category: Category::Availability,
    line: "Every budget lets pods go that do not work",
    weight: 1,
    rule: None,
    explanation: "\
By default, pods that are not ready are protected like those that are, so that a broken program keeps a node from being
drained. `unhealthyPodEvictionPolicy: AlwaysAllow` lets them go. Asked of manifests.",
    run: |review| {
        let route = "spec.unhealthyPodEvictionPolicy";
        review.objects(GROUP, KIND, route, |_, member| {
            let allows = member.object.text(route) == Some("AlwaysAllow");
            Some(Verdict::when(allows, "it protects pods that do not work"))
        });
    },
};

pub(super) const AUTOSCALED: Check = Check {
    code: "pdb-vs-hpa",
    category: Category::Availability,
    line: "Budgets ask for fewer pods than autoscalers keep",
    weight: 2,
    rule: None,
    explanation: "\
When the autoscaler is at its minimum, a budget that asks for as many pods allows no eviction.",
    run: |review| {
        let (group, kind) = ("autoscaling", "HorizontalPodAutoscaler");
        review.objects(group, kind, "spec.minReplicas", |subject, member| {
            let name = member.object.text("spec.scaleTargetRef.name")?;
            let workload = subject.deployed().find(|one| {
                one.is_scalable() && one.name == name && one.namespace == member.namespace_name()
            })?;
            let budgets = Budgets::of(subject, workload);
            let specs = budgets.specs();
            if specs.is_empty() {
                return None;
            }
            let least = member.object.text("spec.minReplicas");
            let least = least.and_then(|text| text.parse().ok()).unwrap_or(1);
            let fine = specs.iter().all(|spec| allows_eviction(spec, least));
            Some(Verdict::when(
                fine,
                format!("a budget keeps all of {least}"),
            ))
        });
    },
};

pub(super) const OVERLAP: Check = Check {
    code: "pdb-overlap",
    category: Category::Availability,
    line: "No pod has two budgets",
    weight: 3,
    rule: None,
    explanation: "\
The eviction API answers with an error when two budgets select a pod. Asked of workloads that have one.",
    run: |review| {
        review.workloads("replicas", Workload::is_scalable, |subject, workload| {
            let count = Budgets::of(subject, workload).count();
            (count > 0)
                .then(|| Verdict::when(count == 1, format!("{count} budgets select its pods")))
        });
    },
};

pub(super) const DAEMONSET: Check = Check {
    code: "pdb-daemonset",
    category: Category::Availability,
    line: "No budget is about a DaemonSet",
    weight: 1,
    rule: None,
    explanation: "\
Drains leave the pods of DaemonSets alone, and a budget over them does not even work in most of its forms.",
    run: |review| {
        review.workloads("updateStrategy", is_daemonset, |subject, workload| {
            let none = Budgets::of(subject, workload).count() == 0;
            Some(Verdict::when(none, "a budget selects its pods"))
        });
    },
};

fn is_daemonset(workload: &Workload<'_>) -> bool {
    workload.kind == "DaemonSet"
}

/// The budgets of one workload.
struct Budgets<'s> {
    written: Vec<&'s Budget>,
    own: Option<Value>,
    doubtful: bool,
}

impl<'s> Budgets<'s> {
    fn of(subject: &'s Subject<'_>, workload: &Workload<'_>) -> Self {
        let mut written: Vec<&Budget> = Vec::new();
        let mut doubtful = false;
        for budget in &subject.budgets {
            match budget.selects(workload) {
                // An object that two builds take in is one in the cluster.
                Selects::Yes if written.iter().all(|known| known.place != budget.place) => {
                    written.push(budget);
                }
                Selects::Maybe => doubtful = true,
                _ => {}
            }
        }
        Self {
            written,
            own: budget::own(workload).map(|own| own.spec),
            doubtful,
        }
    }

    fn count(&self) -> usize {
        self.written.len() + usize::from(self.own.is_some())
    }

    fn specs(&self) -> Vec<&Value> {
        let written = self.written.iter().map(|budget| &budget.spec);
        written.chain(&self.own).collect()
    }
}

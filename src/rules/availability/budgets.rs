//! Rules about PodDisruptionBudgets.

use serde_json::Value;

use crate::diagnostic::Meaning;
use crate::rules::{Category, Facts, Rule, Verdict, remedies};
use crate::workload::Workload;
use crate::workload::budget::{self, DisruptionBudget, Selects, allows_eviction};

const GROUP: &str = "policy";
const KIND: &str = "PodDisruptionBudget";

pub(super) const EXISTS: Rule = Rule {
    meaning: Meaning {
        code: "pod-disruption-budget",
        summary: "Every workload of two or more replicas has a budget",
        text: "\
Without a PodDisruptionBudget, a drain may take all replicas at once. One replica needs none.",
    },
    category: Category::Availability,
    severity: None,
    weight: 3,
    remedy: Some(&remedies::pod_disruption_budget::REMEDY),
    judge: |judge| {
        judge.workloads("replicas", Workload::is_replicated, |facts, workload| {
            let budgets = Budgets::of(facts, workload);
            Some(match (budgets.count(), budgets.doubtful) {
                (0, true) => Verdict::Unknown("a budget may select its pods".to_owned()),
                (0, false) => {
                    let none = Verdict::Fail("it has none".to_owned());
                    facts.unless_hidden(workload.member, &workload.namespace, none)
                }
                _ => Verdict::Pass,
            })
        });
    },
};

pub(super) const POLICY: Rule = Rule {
    meaning: Meaning {
        code: "pdb-policy-set",
        summary: "Every budget says how many pods may go, or must stay",
        text: "\
A budget with neither `maxUnavailable` nor `minAvailable` keeps nothing. Asked of manifests.",
    },
    category: Category::Availability,
    severity: None,
    weight: 1,
    remedy: None,
    judge: |judge| {
        judge.objects(GROUP, KIND, "spec", |_, member| {
            let set = ["minAvailable", "maxUnavailable"]
                .into_iter()
                .any(|field| member.find(&format!("spec.{field}")).is_some());
            Some(Verdict::when(set, "it says neither"))
        });
    },
};

pub(super) const UNHEALTHY: Rule = Rule {
    meaning: Meaning {
        code: "pdb-unhealthy-policy",
        summary: "Every budget lets pods go that do not work",
        text: "\
By default, pods that are not ready are protected like those that are, so that a broken program keeps a node from being
drained. `unhealthyPodEvictionPolicy: AlwaysAllow` lets them go. Asked of manifests.",
    },
    category: Category::Availability,
    severity: None,
    weight: 1,
    remedy: None,
    judge: |judge| {
        let route = "spec.unhealthyPodEvictionPolicy";
        judge.objects(GROUP, KIND, route, |_, member| {
            let allows = member.text(route) == Some("AlwaysAllow");
            Some(Verdict::when(allows, "it protects pods that do not work"))
        });
    },
};

pub(super) const AUTOSCALED: Rule = Rule {
    meaning: Meaning {
        code: "pdb-vs-hpa",
        summary: "Budgets ask for fewer pods than autoscalers keep",
        text: "\
When the autoscaler is at its minimum, a budget that asks for as many pods allows no eviction.",
    },
    category: Category::Availability,
    severity: None,
    weight: 2,
    remedy: None,
    judge: |judge| {
        let (group, kind) = ("autoscaling", "HorizontalPodAutoscaler");
        judge.objects(group, kind, "spec.minReplicas", |facts, member| {
            let name = member.text("spec.scaleTargetRef.name")?;
            let workload = facts.deployed().find(|one| {
                one.is_scalable() && one.name == name && one.namespace == member.namespace_name()
            })?;
            let budgets = Budgets::of(facts, workload);
            let specs = budgets.specs();
            if specs.is_empty() {
                return None;
            }
            let least = member.text("spec.minReplicas");
            let least = least.and_then(|text| text.parse().ok()).unwrap_or(1);
            let fine = specs.iter().all(|spec| allows_eviction(spec, least));
            Some(Verdict::when(
                fine,
                format!("a budget keeps all of {least}"),
            ))
        });
    },
};

/// The budgets of one workload.
struct Budgets<'s> {
    written: Vec<&'s DisruptionBudget>,
    own: Option<Value>,
    doubtful: bool,
}

impl<'s> Budgets<'s> {
    fn of(facts: &'s Facts<'_>, workload: &Workload<'_>) -> Self {
        let mut written: Vec<&DisruptionBudget> = Vec::new();
        let mut doubtful = false;
        for budget in &facts.budgets {
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

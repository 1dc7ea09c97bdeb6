//! Checks of Helm releases.

use serde_json::Value;

use crate::charts::post_renderer::Patch;
use crate::charts::{Release, dead_value};
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Rule, Verdict};
use crate::workload::Workload;
use crate::workload::budget::{self, Selects};

const SOURCES: &str = "source.toolkit.fluxcd.io";

/// Charts whose admission webhooks fail closed: while they are down, objects are refused.
const FAIL_CLOSED: [&str; 7] = [
    "cert-manager",
    "cloudnative-pg",
    "kyverno",
    "policy-controller",
    "chaos-mesh",
    "trust-manager",
    "external-secrets",
];

pub(super) const PATCH_LIST: Rule = Rule::scored(
    Category::Flux,
    "hr-patch-cr-list",
    "No patch of a release merges into a list of a custom resource",
    2,
    "kustomize knows how to merge the lists of Kubernetes' own kinds only. In any other the patch's list takes the place of the chart's. Asked of merge patches for custom resources.",
    |judge| {
        patches(judge, |patch| {
            let version = patch.body["apiVersion"].as_str()?;
            let group = version.split_once('/').map_or("", |(group, _)| group);
            let own = !group.contains('.') || group.ends_with(".k8s.io");
            (!own).then(|| {
                let list = holds_list(&patch.body["spec"]);
                Verdict::when(!list, "the patch replaces a list")
            })
        });
    },
);

pub(super) const REMEDIATION: Rule = Rule::scored(
    Category::Flux,
    "hr-remediation",
    "Every release says what happens when it fails",
    2,
    "Without retries, a release that failed once stays so until someone looks. Asked for are `install.remediation.retries` and `upgrade.remediation` (or a `strategy`, as of Flux 2.7).",
    |judge| {
        each(judge, |release| {
            let has = |route: &str| release.member.find(route).is_some();
            let install = has("spec.install.remediation") || has("spec.install.strategy");
            let upgrade = has("spec.upgrade.remediation") || has("spec.upgrade.strategy");
            Some(Verdict::when(
                install && upgrade,
                match (install, upgrade) {
                    (false, true) => "its `install` says nothing of remediation",
                    (true, false) => "its `upgrade` says nothing of remediation",
                    _ => "it says nothing of remediation",
                },
            ))
        });
    },
);

pub(super) const VERIFY: Rule = Rule::scored(
    Category::Flux,
    "hr-verify",
    "The signatures of charts are verified",
    1,
    "`spec.verify` on an OCIRepository refuses a chart that its publisher did not sign. Not every publisher signs: exempt those who do not.",
    |judge| {
        judge.objects(SOURCES, "OCIRepository", "spec", |_, member| {
            let set = member.find("spec.verify").is_some();
            Some(Verdict::when(set, "nothing verifies it"))
        });
    },
);

pub(super) const LIMITS: Rule = Rule::scored(
    Category::Flux,
    "limits-effective",
    "Limits that stand in the values reach a container",
    3,
    "A block of limits on a path that the chart does not know looks like one and is none. Asked of releases whose profile lists the values that the chart knows.",
    |judge| {
        each(judge, |release| {
            let profile = release.profile()?;
            profile.values_in(release.version.as_deref())?;
            if !mentions_limits(&Value::Object(release.values.clone())) {
                return None;
            }
            let lost = dead_value::all(release);
            let lost = lost.iter().find(|dead| dead.holds_limits);
            Some(lost.map_or(Verdict::Pass, |dead| {
                Verdict::Fail(format!("those in `{}` do not", dead.path))
            }))
        });
    },
);

pub(super) const WEBHOOK: Rule = Rule::scored(
    Category::Flux,
    "webhook-failopen",
    "Webhooks that refuse everything while they are down are kept up",
    2,
    "While such a webhook is down, nothing that it looks at can be changed, often not even what would bring it back. It should have two replicas, a budget and a priority class. Asked of charts that are known to have one.",
    |judge| {
        let facts = judge.facts;
        for workload in facts.deployed() {
            let chart = workload.release().and_then(Release::profile);
            let known = chart.is_some_and(|chart| FAIL_CLOSED.contains(&chart.chart.as_str()));
            let serves = workload.is_scalable() && is_webhook(workload);
            if known && serves {
                let guarded = budget::own(workload).is_some()
                    || facts
                        .budgets
                        .iter()
                        .any(|budget| budget.selects(workload) == Selects::Yes);
                let mut lacks = Vec::new();
                if !workload.is_replicated() {
                    lacks.push("a second replica");
                }
                if !guarded {
                    lacks.push("a budget");
                }
                if workload.pod["spec"]["priorityClassName"].is_null() {
                    lacks.push("a priority class");
                }
                let verdict = Verdict::when(
                    lacks.is_empty(),
                    format!("it lacks {}", lacks.join(" and ")),
                );
                judge.workload("replicas", workload, Some(verdict));
            }
        }
    },
);

/// Returns whether a workload of such a chart is the one that answers the API server: the one named so,
/// or the only one.
fn is_webhook(workload: &Workload<'_>) -> bool {
    let named = ["webhook", "admission"];
    named.iter().any(|word| workload.name.contains(word))
        || matches!(
            workload
                .release()
                .and_then(Release::profile)
                .map(|profile| &*profile.chart),
            Some("cloudnative-pg" | "trust-manager" | "chaos-mesh")
        )
}

fn each(judge: &mut Judge<'_, '_>, ask: impl Fn(&Release<'_>) -> Option<Verdict>) {
    for release in judge.facts.releases {
        if let Some(verdict) = ask(release) {
            judge.add(JudgedSubject::release(release), verdict);
        }
    }
}

fn patches(judge: &mut Judge<'_, '_>, ask: impl Fn(&Patch) -> Option<Verdict>) {
    for release in judge.facts.releases {
        for patch in &release.patches.0 {
            if let Some(verdict) = ask(patch) {
                let subject = JudgedSubject::release(release).at(patch.place.clone());
                judge.add(subject, verdict);
            }
        }
    }
}

fn holds_list(value: &Value) -> bool {
    match value {
        Value::Array(_) => true,
        Value::Object(map) => map.values().any(holds_list),
        _ => false,
    }
}

fn mentions_limits(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.contains_key("limits") || map.values().any(mentions_limits),
        Value::Array(items) => items.iter().any(mentions_limits),
        _ => false,
    }
}

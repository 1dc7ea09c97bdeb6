//! Checks of Helm releases.

use serde_json::Value;

use super::check;
use crate::audit::review::Review;
use crate::audit::{Check, Verdict};
use crate::workload::budget::{self, Selects};
use crate::workload::patch_fit::{self, Fit};
use crate::workload::post_renderer::Patch;
use crate::workload::{Release, Workload, dead_value};

const HELM: &str = "helm.toolkit.fluxcd.io";
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

pub(super) const DEAD_VALUE: Check = check(
    "hr-dead-value",
    "Every value of a release is one that its chart knows",
    3,
    "Helm takes any value without a word, and one that no template reads changes nothing. Asked of releases with values; where the profile of the chart lists none, nobody knows.",
    |review| {
        each(review, |release| {
            if release.values.is_empty() {
                return None;
            }
            let Some(profile) = release.profile() else {
                return Some(Verdict::Unknown("no profile knows its chart".to_owned()));
            };
            if matches!(
                profile.workloads,
                crate::workload::profile::Workloads::AppTemplate
            ) {
                return None;
            }
            if profile.values.is_none() {
                let why = "the profile of its chart lists no values";
                return Some(Verdict::Unknown(why.to_owned()));
            }
            let dead: Vec<String> = dead_value::all(release)
                .iter()
                .map(|dead| format!("`{}`", dead.path))
                .collect();
            let reason = format!("its chart does not know {}", dead.join(", "));
            Some(Verdict::when(dead.is_empty(), reason))
        });
    },
);

pub(super) const PATCH_NO_MATCH: Check = check(
    "hr-patch-no-match",
    "Every patch of a release matches something",
    3,
    "kustomize ignores a patch whose target matches nothing. Asked of releases with patches for workloads.",
    |review| {
        patches(review, |review, release, patch| {
            let workloads = patch_fit::reachable(release, review.subject.workloads);
            match patch_fit::target(patch, release, &workloads) {
                Fit::Matches => Some(Verdict::Pass),
                Fit::Misses => Some(Verdict::Fail("a patch matches nothing".to_owned())),
                Fit::Undecided if release.profile().is_none() => {
                    Some(Verdict::Unknown("no profile knows its chart".to_owned()))
                }
                Fit::Undecided => None,
            }
        });
    },
);

pub(super) const PATCH_CONTAINER: Check = check(
    "hr-patch-container",
    "Patches name only containers that are there",
    3,
    "A patch for a container that is not there adds one without an image, and the release fails.",
    |review| {
        patches(review, |review, release, patch| {
            let workloads = patch_fit::reachable(release, review.subject.workloads);
            let names_any = patch.body.to_string().contains("ontainers\"");
            if !names_any || workloads.is_empty() {
                return None;
            }
            let stranger = workloads
                .iter()
                .find_map(|workload| patch_fit::strangers(patch, workload).first().copied());
            Some(stranger.map_or(Verdict::Pass, |name| {
                Verdict::Fail(format!("there is no container `{name}`"))
            }))
        });
    },
);

pub(super) const PATCH_NAMESPACE: Check = check(
    "hr-patch-namespace",
    "No patch of a release asks for a namespace",
    1,
    "Many charts leave the namespace of their objects to Helm, and a target that names one matches nothing then.",
    |review| {
        patches(review, |_, _, patch| {
            let bound = patch.targeted && patch.target.contains_key("namespace");
            Some(Verdict::when(!bound, "its target names a namespace"))
        });
    },
);

pub(super) const PATCH_LIST: Check = check(
    "hr-patch-cr-list",
    "No patch of a release merges into a list of a custom resource",
    2,
    "kustomize knows how to merge the lists of Kubernetes' own kinds only. In any other the patch's list takes the place of the chart's. Asked of merge patches for custom resources.",
    |review| {
        patches(review, |_, _, patch| {
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

pub(super) const SOURCE: Check = check(
    "hr-source",
    "Every release takes its chart from a source in the tree",
    3,
    "A `chartRef` or `sourceRef` to what is not there leaves the release waiting. Flux says so in the cluster only.",
    |review| {
        each(review, |release| {
            let found = release.chart.is_some()
                || matches!(
                    release.member.object.text("spec.chart.spec.sourceRef.kind"),
                    Some("GitRepository" | "Bucket")
                );
            Some(Verdict::when(found, "its source is not in the tree"))
        });
    },
);

pub(super) const REMEDIATION: Check = check(
    "hr-remediation",
    "Every release says what happens when it fails",
    2,
    "Without retries, a release that failed once stays so until someone looks. Asked for are `install.remediation.retries` and `upgrade.remediation` (or a `strategy`, as of Flux 2.7), in the release or in a patch that a Flux Kustomization lays over all.",
    |review| {
        let over_all =
            patched_over_all(review, "remediation") || patched_over_all(review, "strategy");
        each(review, |release| {
            let has = |route: &str| release.member.object.find(route).is_some();
            let install = has("spec.install.remediation") || has("spec.install.strategy");
            let upgrade = has("spec.upgrade.remediation") || has("spec.upgrade.strategy");
            Some(Verdict::when(
                over_all || (install && upgrade),
                "it says nothing of remediation",
            ))
        });
    },
);

pub(super) const VERIFY: Check = check(
    "hr-verify",
    "The signatures of charts are verified",
    1,
    "`spec.verify` on an OCIRepository refuses a chart that its publisher did not sign. Not every publisher signs: exempt those who do not.",
    |review| {
        review.objects(SOURCES, "OCIRepository", "spec", |_, member| {
            let set = member.object.find("spec.verify").is_some();
            Some(Verdict::when(set, "nothing verifies it"))
        });
    },
);

pub(super) const LIMITS: Check = check(
    "limits-effective",
    "Limits that stand in the values reach a container",
    3,
    "A block of limits on a path that the chart does not know looks like one and is none. Asked of releases whose profile lists the values that the chart knows.",
    |review| {
        each(review, |release| {
            let profile = release.profile()?;
            profile.values.as_ref()?;
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

pub(super) const WEBHOOK: Check = check(
    "webhook-failopen",
    "Webhooks that refuse everything while they are down are kept up",
    2,
    "While such a webhook is down, nothing that it looks at can be changed, often not even what would bring it back. It should have two replicas, a budget and a priority class. Asked of charts that are known to have one.",
    |review| {
        let subject = review.subject;
        for workload in subject.deployed() {
            let chart = workload.release().and_then(Release::profile);
            let known = chart.is_some_and(|chart| FAIL_CLOSED.contains(&chart.chart.as_str()));
            let serves = workload.is_scalable() && is_webhook(workload);
            if known && serves {
                let guarded = budget::own(workload).is_some()
                    || subject
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
                review.workload("replicas", workload, Some(verdict));
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

fn each(review: &mut Review<'_, '_>, judge: impl Fn(&Release<'_>) -> Option<Verdict>) {
    for release in review.subject.releases {
        if let Some(verdict) = judge(release) {
            let member = release.member;
            let place = member.object.value_place("metadata.name");
            review.object(member, verdict, place);
        }
    }
}

fn patches(
    review: &mut Review<'_, '_>,
    judge: impl Fn(&Review<'_, '_>, &Release<'_>, &Patch) -> Option<Verdict>,
) {
    for release in review.subject.releases {
        for patch in &release.patches.0 {
            if let Some(verdict) = judge(review, release, patch) {
                review.object(release.member, verdict, patch.place.clone());
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

/// Returns whether a Flux Kustomization patches a field into every HelmRelease.
fn patched_over_all(review: &Review<'_, '_>, field: &str) -> bool {
    review.subject.is_patched(|patch| {
        patch.contains("HelmRelease") && patch.contains(HELM) && patch.contains(field)
    })
}

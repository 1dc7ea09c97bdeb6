//! Rules about API versions, labels and namespaces.

mod deprecated_api;
mod selector_mismatch;

use super::{Category, Rule, Verdict, remedies};
use crate::charts::Release;
use crate::flux::builds::Member;
use crate::pod_security::Level;
use crate::yaml::Route;

const PREFIX: &str = "pod-security.kubernetes.io/";

/// What runs the cluster itself, and belongs into its namespace.
const OF_THE_CLUSTER: [&str; 14] = [
    "cilium",
    "coredns",
    "metrics-server",
    "spegel",
    "reloader",
    "descheduler",
    "snapshot-controller",
    "talos-cloud-controller-manager",
    "proxmox-cloud-controller-manager",
    "talos-backup",
    "node-feature-discovery",
    "intel-device-plugins-gpu",
    "nvidia-device-plugin",
    "kubelet-csr-approver",
];

pub(super) const RULES: &[Rule] = &[
    deprecated_api::RULE,
    selector_mismatch::RULE,
    Rule::scored(
        Category::Hygiene,
        "labels",
        "Workloads carry the labels that tools know",
        1,
        "`app.kubernetes.io/name` on a workload or its pods is what dashboards and policies group by. Asked of manifests; charts have it as a rule.",
        |judge| {
            let name = "app.kubernetes.io/name";
            judge.manifests("", "metadata.name", |_, object, workload| {
                let own = object.at(&Route::parse("metadata.labels").then(name));
                let pods = &workload.pod["metadata"]["labels"][name];
                let fine = own.is_some() || !pods.is_null();
                Some(Verdict::when(fine, format!("it has no label `{name}`")))
            });
        },
    ),
    Rule::scored(
        Category::Hygiene,
        "default-ns",
        "Nothing runs in the namespace `default`",
        1,
        "What forgot its namespace lands there, among what is there on purpose.",
        |judge| {
            judge.workloads(
                "namespace",
                |_| true,
                |_, workload| {
                    let elsewhere =
                        workload.namespace != "default" && !workload.namespace.is_empty();
                    Some(Verdict::when(elsewhere, "it runs in `default`"))
                },
            );
        },
    ),
    Rule::scored(
        Category::Hygiene,
        "kube-system-ns",
        "Only what runs the cluster runs in `kube-system`",
        1,
        "That namespace is `privileged`, and its pods are close to the control plane. Charts of network, DNS, metrics, storage and the cloud belong there.",
        |judge| {
            judge.workloads(
                "namespace",
                |_| true,
                |_, workload| {
                    let chart = workload.release().and_then(Release::profile);
                    let belongs = chart.is_some_and(|chart| {
                        let name = chart.chart.as_str();
                        OF_THE_CLUSTER.contains(&name) || name.contains("csi")
                    });
                    let elsewhere = workload.namespace != "kube-system";
                    Some(Verdict::when(
                        elsewhere || belongs,
                        "it runs in `kube-system`",
                    ))
                },
            );
        },
    ),
    Rule::scored(
        Category::Hygiene,
        "psa-labels",
        "Every namespace says which level it enforces, audits and warns of",
        3,
        "Each of the three labels comes with a version, so that an upgrade of the cluster does not change what is refused.",
        |judge| {
            judge.objects("", "Namespace", "metadata.labels", |_, member| {
                let missing: Vec<String> = ["enforce", "audit", "warn"]
                    .into_iter()
                    .flat_map(|mode| [mode.to_owned(), format!("{mode}-version")])
                    .filter(|mode| label(member, mode).is_none())
                    .collect();
                let reason = format!("it lacks {}", missing.join(", "));
                Some(Verdict::when(missing.is_empty(), reason))
            });
        },
    )
    .mended_by(&remedies::pod_security::REMEDY),
    Rule::scored(
        Category::Hygiene,
        "psa-loose",
        "No namespace enforces less than its pods satisfy",
        2,
        "A level that is lower than need be lets in what nobody asked for. `kube-system` is not asked, as the nodes' own pods are in it.",
        |judge| {
            judge.objects("", "Namespace", "metadata.labels", |facts, member| {
                if member.name == "kube-system" {
                    return None;
                }
                let level = label(member, "enforce").and_then(Level::parse);
                let inside = facts.standings_in(member);
                if let Some(unseen) = inside.iter().find(|standing| standing.level.is_none()) {
                    let pods = unseen.told();
                    return Some(Verdict::Unknown(format!(
                        "what the pods of {pods} need is not known"
                    )));
                }
                let reached = inside.iter().filter_map(|standing| standing.level);
                let possible = reached.min().unwrap_or(Level::Restricted);
                Some(level.map_or_else(
                    || Verdict::Fail("it enforces none".to_owned()),
                    |level| {
                        Verdict::when(
                            level >= possible,
                            format!("it enforces `{level}`, and all satisfy `{possible}`"),
                        )
                    },
                ))
            });
        },
    )
    .mended_by(&remedies::pod_security::REMEDY),
];

/// Returns the route of the label that says what a namespace enforces, audits or warns of.
pub(super) fn label_route(mode: &str) -> Route {
    Route::parse("metadata.labels").then(format!("{PREFIX}{mode}").as_str())
}

/// Returns the level that a namespace enforces, audits or warns of.
pub(super) fn namespace_level(member: &Member<'_>, mode: &str) -> Option<Level> {
    Level::parse(label(member, mode)?)
}

fn label<'m>(member: &'m Member<'_>, mode: &str) -> Option<&'m str> {
    member.at(&label_route(mode))?.as_text()
}

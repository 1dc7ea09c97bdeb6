//! Rules about containers beyond the Pod Security Standards.

mod keyed_list_duplicate;
mod volume_mount_missing;

use serde_json::Value;

use super::remedies::service_account_token::{Accounts, TokenNeed};
use super::{Category, Rule, Verdict, remedies};

use crate::diagnostic::Meaning;
use crate::workload::{Home, Workload};

pub(super) const RULES: &[Rule] = &[
    Rule {
        meaning: Meaning {
            code: "ro-rootfs",
            summary: "Every container has a read-only root file system",
            text: "\
Who breaks in can neither change the program nor leave tools behind. Programs that write need a volume for it, so that
this is set only where it is known to work.",
        },
        category: Category::Containers,
        severity: None,
        weight: 2,
        remedy: Some(&remedies::security_context::REMEDY),
        judge: |judge| {
            judge.containers("securityContext", |_| true, |_, container| {
                let set = container.value["securityContext"]["readOnlyRootFilesystem"] == true;
                Some(Verdict::when(set, "it may write to its image"))
            });
        },
    },
    Rule {
        meaning: Meaning {
            code: "uid-gid-high",
            summary: "Containers run with users and groups above 10000",
            text: "\
Shown and not counted: a number that no user of the node has helps only when a container breaks out, and images decide
which users work.",
        },
        category: Category::Containers,
        severity: None,
        weight: 0,
        remedy: None,
        judge: |judge| {
            judge.containers("securityContext", |_| true, |workload, container| {
                let own = &container.value["securityContext"];
                let pod = &workload.pod["spec"]["securityContext"];
                let high = |key: &str| {
                    let id = own[key].as_i64().or(pod[key].as_i64());
                    id.is_some_and(|id| id > 10_000)
                };
                let fine = high("runAsUser") && high("runAsGroup");
                Some(Verdict::when(fine, "its user or group is lower or unset"))
            });
        },
    },
    Rule {
        meaning: Meaning {
            code: "security-context",
            summary: "Every container has a security context",
            text: "\
A container without a security context of its own or of its pod is one that nobody has thought about.",
        },
        category: Category::Containers,
        severity: None,
        weight: 1,
        remedy: Some(&remedies::security_context::REMEDY),
        judge: |judge| {
            judge.containers("securityContext", |_| true, |workload, container| {
                let filled = |value: &Value| value.as_object().is_some_and(|map| !map.is_empty());
                let set = filled(&container.value["securityContext"])
                    || filled(&workload.pod["spec"]["securityContext"]);
                Some(Verdict::when(set, "it has none"))
            });
        },
    },
    Rule {
        meaning: Meaning {
            code: "service-account-token",
            summary: "Only pods that talk to the Kubernetes API have a token for it",
            text: "\
Who breaks into a pod with a token can ask the API with it. Charts are judged by what their profile knows; a manifest
needs a token if some binding in the tree gives its service account a role.",
        },
        category: Category::Containers,
        severity: None,
        weight: 2,
        remedy: Some(&remedies::service_account_token::REMEDY),
        judge: |judge| {
            let accounts = Accounts::of(judge.facts.builds);
            judge.workloads("automountServiceAccountToken", |_| true, |_, workload| {
                Some(match TokenNeed::of(workload, &accounts) {
                    TokenNeed::Settled => Verdict::Pass,
                    TokenNeed::No(why) => Verdict::Fail(format!("it mounts a token, and {why}")),
                    TokenNeed::Unknown(why) => Verdict::Unknown(why),
                })
            });
        },
    },
    Rule {
        meaning: Meaning {
            code: "default-sa",
            summary: "No pod uses the token of the default service account",
            text: "\
All pods of a namespace share the default account: a role for one is a role for all. A pod that mounts no token passes,
as does one with an account of its own.",
        },
        category: Category::Containers,
        severity: None,
        weight: 1,
        remedy: Some(&remedies::service_account_token::REMEDY),
        judge: |judge| {
            judge.workloads("serviceAccountName", |_| true, |_, workload| {
                let spec = &workload.pod["spec"];
                if spec["automountServiceAccountToken"] == false {
                    return Some(Verdict::Pass);
                }
                let account = account(workload);
                Some(Verdict::when(account != "default", "it uses the default account"))
            });
        },
    },
    Rule {
        meaning: Meaning {
            code: "etc-hosts",
            summary: "No pod rewrites its hosts file",
            text: "\
`hostAliases` hide from DNS, and from whoever debugs it, where a pod connects to. Asked of manifests.",
        },
        category: Category::Containers,
        severity: None,
        weight: 1,
        remedy: None,
        judge: |judge| {
            judge.manifests("", "metadata.name", |_, _, workload| {
                let none = workload.pod["spec"]["hostAliases"].is_null();
                Some(Verdict::when(none, "it has `hostAliases`"))
            });
        },
    },
    Rule {
        meaning: Meaning {
            code: "privileged-port",
            summary: "No container listens on a port below 1024",
            text: "\
A port below 1024 takes a capability, or root. Services can have any port whatever the container's is. Asked of
containers that list their ports.",
        },
        category: Category::Containers,
        severity: None,
        weight: 1,
        remedy: None,
        judge: |judge| {
            judge.containers("ports", |_| true, |_, container| {
                let ports = container.value["ports"].as_array()?;
                let mut numbers = ports.iter().filter_map(|port| port["containerPort"].as_u64());
                let low = numbers.find(|port| *port < 1024);
                (!ports.is_empty()).then(|| match low {
                    Some(port) => Verdict::Fail(format!("it listens on {port}")),
                    None => Verdict::Pass,
                })
            });
        },
    },
    Rule {
        meaning: Meaning {
            code: "emptydir-limit",
            summary: "Every scratch volume has a size",
            text: "\
An `emptyDir` without `sizeLimit` fills the disk of its node. Asked of manifests that have one.",
        },
        category: Category::Containers,
        severity: None,
        weight: 1,
        remedy: None,
        judge: |judge| {
            judge.manifests("", "metadata.name", |_, _, workload| {
                let volumes = workload.pod["spec"]["volumes"].as_array()?.iter();
                let scratch: Vec<&Value> = volumes
                    .map(|volume| &volume["emptyDir"])
                    .filter(|scratch| !scratch.is_null())
                    .collect();
                let sized = scratch.iter().all(|scratch| !scratch["sizeLimit"].is_null());
                let reason = "an `emptyDir` has no `sizeLimit`";
                (!scratch.is_empty()).then(|| Verdict::when(sized, reason))
            });
        },
    },
    keyed_list_duplicate::RULE,
    volume_mount_missing::RULE,
];

fn account<'w>(workload: &'w Workload<'_>) -> &'w str {
    let spec = &workload.pod["spec"];
    let name = spec["serviceAccountName"].as_str();
    let name = name.or(spec["serviceAccount"].as_str());
    let own = match &workload.home {
        Home::AppTemplate(release, _) => release.values.get("serviceAccount"),
        _ => None,
    };
    match own {
        Some(Value::Object(own)) if !own.is_empty() => &workload.name,
        _ => name.filter(|name| !name.is_empty()).unwrap_or("default"),
    }
}

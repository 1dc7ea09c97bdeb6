//! Checks of containers beyond the Pod Security Standards.

use serde_json::Value;

use crate::audit::review::Subject;
use crate::audit::{Category, Check, Verdict};
use crate::workload::{Home, Workload};

pub(super) const CHECKS: &[Check] = &[
    Check {
        code: "ro-rootfs",
        category: Category::Containers,
        line: "Every container has a read-only root file system",
        weight: 2,
        rule: Some("security-context"),
        explanation: "\
Who breaks in can neither change the program nor leave tools behind. Programs that write need a volume for it, so that
this is set only where it is known to work.",
        run: |review| {
            review.containers("securityContext", |_| true, |_, container| {
                let set = container.value["securityContext"]["readOnlyRootFilesystem"] == true;
                Some(Verdict::when(set, "it may write to its image"))
            });
        },
    },
    Check {
        code: "uid-gid-high",
        category: Category::Containers,
        line: "Containers run with users and groups above 10000",
        weight: 0,
        rule: None,
        explanation: "\
Shown and not counted: a number that no user of the node has helps only when a container breaks out, and images decide
which users work.",
        run: |review| {
            review.containers("securityContext", |_| true, |workload, container| {
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
    Check {
        code: "security-context-set",
        category: Category::Containers,
        line: "Every container has a security context",
        weight: 1,
        rule: Some("security-context"),
        explanation: "\
A container without a security context of its own or of its pod is one that nobody has thought about.",
        run: |review| {
            review.containers("securityContext", |_| true, |workload, container| {
                let filled = |value: &Value| value.as_object().is_some_and(|map| !map.is_empty());
                let set = filled(&container.value["securityContext"])
                    || filled(&workload.pod["spec"]["securityContext"]);
                Some(Verdict::when(set, "it has none"))
            });
        },
    },
    Check {
        code: "sa-token",
        category: Category::Containers,
        line: "Only pods that talk to the Kubernetes API have a token for it",
        weight: 2,
        rule: Some("service-account-token"),
        explanation: "\
Who breaks into a pod with a token can ask the API with it. Charts are judged by what their profile knows; a manifest
needs a token if some binding in the tree gives its service account a role.",
        run: |review| {
            review.workloads("automountServiceAccountToken", |_| true, |subject, workload| {
                Some(token(subject, workload))
            });
        },
    },
    Check {
        code: "default-sa",
        category: Category::Containers,
        line: "No pod uses the token of the default service account",
        weight: 1,
        rule: Some("service-account-token"),
        explanation: "\
All pods of a namespace share the default account: a role for one is a role for all. A pod that mounts no token passes,
as does one with an account of its own.",
        run: |review| {
            review.workloads("serviceAccountName", |_| true, |_, workload| {
                let spec = &workload.pod["spec"];
                if spec["automountServiceAccountToken"] == false {
                    return Some(Verdict::Pass);
                }
                let account = account(workload);
                Some(Verdict::when(account != "default", "it uses the default account"))
            });
        },
    },
    Check {
        code: "etc-hosts",
        category: Category::Containers,
        line: "No pod rewrites its hosts file",
        weight: 1,
        rule: None,
        explanation: "\
`hostAliases` hide from DNS, and from whoever debugs it, where a pod connects to. Asked of manifests.",
        run: |review| {
            review.manifests("", "metadata.name", |_, _, workload| {
                let none = workload.pod["spec"]["hostAliases"].is_null();
                Some(Verdict::when(none, "it has `hostAliases`"))
            });
        },
    },
    Check {
        code: "privileged-port",
        category: Category::Containers,
        line: "No container listens on a port below 1024",
        weight: 1,
        rule: None,
        explanation: "\
A port below 1024 takes a capability, or root. Services can have any port whatever the container's is. Asked of
containers that list their ports.",
        run: |review| {
            review.containers("ports", |_| true, |_, container| {
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
    Check {
        code: "emptydir-limit",
        category: Category::Containers,
        line: "Every scratch volume has a size",
        weight: 1,
        rule: None,
        explanation: "\
An `emptyDir` without `sizeLimit` fills the disk of its node. Asked of manifests that have one.",
        run: |review| {
            review.manifests("", "metadata.name", |_, _, workload| {
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
];

fn token(subject: &Subject<'_>, workload: &Workload<'_>) -> Verdict {
    if workload.pod["spec"]["automountServiceAccountToken"] == false {
        return Verdict::Pass;
    }
    let needless = "it mounts a token that it does not use".to_owned();
    let unbound = "it mounts a token, and nothing in the tree gives it a role";
    match workload.known() {
        Some(known) => match known.api {
            Some(true) => Verdict::Pass,
            Some(false) => Verdict::Fail(needless),
            None => Verdict::Unknown("nobody has looked whether it needs its token".to_owned()),
        },
        // App-template makes no roles unless the values spell them out.
        None if matches!(workload.home, Home::AppTemplate(release, _) if release.values.contains_key("rbac")) => {
            Verdict::Pass
        }
        None => Verdict::when(is_bound(subject, workload), unbound),
    }
}

fn is_bound(subject: &Subject<'_>, workload: &Workload<'_>) -> bool {
    let account = account(workload);
    ["RoleBinding", "ClusterRoleBinding"].iter().any(|kind| {
        let bindings = subject.objects("rbac.authorization.k8s.io", kind);
        bindings.iter().any(|binding| {
            let subjects = binding
                .object
                .find("subjects")
                .and_then(|node| node.items());
            subjects.into_iter().flatten().any(|one| {
                let namespace = one.find_text("namespace");
                one.find_text("kind") == Some("ServiceAccount")
                    && one.find_text("name") == Some(account)
                    && namespace.is_none_or(|namespace| namespace == workload.namespace)
            })
        })
    })
}

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

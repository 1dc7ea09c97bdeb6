//! Rules about RBAC and configuration.

mod config_missing;
mod secret_store_missing;
mod service_account_missing;

use kustomize::Field;
use serde_json::Value;

use super::judge::Judge;
use super::{Category, Rule, Verdict};

use crate::flux::builds::Member;

const RBAC: &str = "rbac.authorization.k8s.io";

pub(super) const RULES: &[Rule] = &[
    config_missing::RULE,
    secret_store_missing::RULE,
    service_account_missing::RULE,
    Rule::scored(
        Category::Access,
        "rbac-wildcard",
        "No role has a wildcard",
        3,
        "A wildcard covers what will be added to the API tomorrow. Asked of the tree's own roles, as charts' are not known.",
        |judge| {
            roles(judge, "it has a wildcard", |_, rule| {
                ["verbs", "resources", "apiGroups"]
                    .iter()
                    .any(|list| *list != "apiGroups" && holds(rule, list, &["*"]))
            });
        },
    ),
    Rule::scored(
        Category::Access,
        "rbac-cluster-admin",
        "Nobody is bound to `cluster-admin`",
        3,
        "`cluster-admin` may do everything, reading all secrets included.",
        |judge| {
            bindings(judge, |member| {
                let admin = member.text("roleRef.name") == Some("cluster-admin");
                Verdict::when(!admin, "it grants `cluster-admin`")
            });
        },
    ),
    Rule::scored(
        Category::Access,
        "rbac-secrets",
        "No role reads the secrets of the whole cluster",
        3,
        "Who reads all secrets has every password and token there is. A Role for one namespace is not asked.",
        |judge| {
            roles(judge, "it reads secrets everywhere", |member, rule| {
                member.kind() == "ClusterRole"
                    && holds(rule, "resources", &["secrets", "*"])
                    && holds(rule, "verbs", &["get", "list", "watch", "*"])
                    && rule["resourceNames"].is_null()
            });
        },
    ),
    Rule::scored(
        Category::Access,
        "rbac-exec",
        "No role enters pods or nodes",
        2,
        "Who may `exec` into a pod has all that the pod has; `nodes/proxy` is a way into every pod of a node.",
        |judge| {
            roles(judge, "it enters pods or nodes", |_, rule| {
                let ways = [
                    "pods/exec",
                    "pods/attach",
                    "pods/portforward",
                    "nodes/proxy",
                ];
                holds(rule, "resources", &ways)
            });
        },
    ),
    Rule::scored(
        Category::Access,
        "rbac-escalate",
        "No role gives away more than it has",
        3,
        "`bind`, `escalate` and `impersonate` are ways around every other role.",
        |judge| {
            roles(judge, "it may bind, escalate or impersonate", |_, rule| {
                holds(rule, "verbs", &["bind", "escalate", "impersonate"])
            });
        },
    ),
    Rule::scored(
        Category::Access,
        "rbac-webhooks",
        "No role changes admission webhooks",
        2,
        "Who changes a webhook sees and changes every object on its way in.",
        |judge| {
            roles(judge, "it changes webhooks", |_, rule| {
                let hooks = [
                    "mutatingwebhookconfigurations",
                    "validatingwebhookconfigurations",
                ];
                holds(rule, "resources", &hooks)
                    && holds(rule, "verbs", &["create", "update", "patch", "*"])
            });
        },
    ),
    Rule::scored(
        Category::Access,
        "rbac-anonymous",
        "Nothing is granted to those who do not say who they are",
        3,
        "`system:anonymous` and `system:unauthenticated` are everyone, and `system:masters` passes every check.",
        |judge| {
            bindings(judge, |member| {
                let subjects = member.find("subjects").and_then(Field::items);
                let anyone = subjects.into_iter().flatten().any(|one| {
                    matches!(
                        one.find_text(&["name"]),
                        Some("system:anonymous" | "system:unauthenticated" | "system:masters")
                    )
                });
                Verdict::when(!anyone, "it grants to everyone, or to `system:masters`")
            });
        },
    ),
    Rule::scored(
        Category::Access,
        "secret-plain",
        "No credential stands in plain text",
        3,
        "Asked of every ConfigMap and environment variable whose name speaks of a password, token or key. Names that point to a file or to another secret are fine. The value is never shown.",
        |judge| {
            judge.objects("", "ConfigMap", "data", |_, member| {
                let data = member.find("data").and_then(Field::entries)?;
                let found = data.iter().find(|entry| {
                    is_credential(&entry.key, entry.value.as_text().unwrap_or_default())
                });
                Some(found.map_or(Verdict::Pass, |entry| {
                    Verdict::Fail(format!("`{}` looks like a credential", entry.key))
                }))
            });
            for release in judge.facts.releases {
                let found = among(&Value::Object(release.values.clone()), "");
                let verdict = found.map_or(Verdict::Pass, |path| {
                    Verdict::Fail(format!("the value `{path}` looks like a credential"))
                });
                let place = release.member.value_place("spec.values");
                judge.object(release.member, verdict, place);
            }
            judge.containers(
                "env",
                |_| true,
                |_, container| {
                    let env = container.value["env"].as_array()?;
                    let found = env.iter().find_map(|variable| {
                        let name = variable["name"].as_str()?;
                        is_credential(name, variable["value"].as_str()?).then_some(name)
                    });
                    Some(found.map_or(Verdict::Pass, |name| {
                        Verdict::Fail(format!("`{name}` looks like a credential"))
                    }))
                },
            );
        },
    ),
    Rule::scored(
        Category::Access,
        "secret-env",
        "Secrets are mounted as files",
        0,
        "Shown and not counted: a variable is in every crash report and child process, but many programs read nothing else.",
        |judge| {
            judge.manifests("", "metadata.name", |_, _, workload| {
                let used = workload.containers().any(|container| {
                    let env = container.value["env"].as_array().into_iter().flatten();
                    let from = container.value["envFrom"].as_array().into_iter().flatten();
                    env.map(|one| &one["valueFrom"]["secretKeyRef"])
                        .chain(from.map(|one| &one["secretRef"]))
                        .any(|reference| !reference.is_null())
                });
                Some(Verdict::when(!used, "it has secrets among its variables"))
            });
        },
    ),
];

/// Asks the roles of the tree whether one of their rules is of a kind.
fn roles(judge: &mut Judge<'_, '_>, reason: &str, bad: fn(&Member<'_>, &Value) -> bool) {
    for kind in ["Role", "ClusterRole"] {
        judge.objects(RBAC, kind, "rules", |_, member| {
            let rules = member.find("rules").map(Field::to_json);
            let rules = rules.unwrap_or_default();
            let mut rules = rules.as_array().into_iter().flatten();
            let found = rules.any(|rule| bad(member, rule));
            Some(Verdict::when(!found, reason))
        });
    }
}

fn bindings(judge: &mut Judge<'_, '_>, ask: fn(&Member<'_>) -> Verdict) {
    for kind in ["RoleBinding", "ClusterRoleBinding"] {
        judge.objects(RBAC, kind, "roleRef.name", |_, member| Some(ask(member)));
    }
}

fn holds(rule: &Value, list: &str, names: &[&str]) -> bool {
    let items = rule[list].as_array().into_iter().flatten();
    items
        .filter_map(Value::as_str)
        .any(|item| names.contains(&item))
}

/// Returns whether a setting is a credential by its name and the form of its value.
fn is_credential(name: &str, value: &str) -> bool {
    let name = name.to_lowercase().replace(['-', '.'], "_");
    let speaks = [
        "password",
        "passwd",
        "token",
        "secret",
        "api_key",
        "apikey",
        "private_key",
    ]
    .iter()
    .any(|word| name.ends_with(word));
    let plain = !value.trim().is_empty()
        && !value.contains("${")
        && !value.contains("{{")
        && !value.starts_with('/')
        && !matches!(value, "true" | "false");
    speaks && plain
}

/// Finds the path of a credential among values; what ends in `secret` names one.
fn among(value: &Value, above: &str) -> Option<String> {
    let map = value.as_object()?;
    map.iter().find_map(|(key, value)| {
        let path = format!("{above}{key}");
        let names = key.to_lowercase().ends_with("secret");
        match value {
            Value::String(text) if !names && is_credential(key, text) => Some(path),
            value => among(value, &format!("{path}.")),
        }
    })
}

//! Rules about network policies, services and TLS.

mod ingress_class_missing;
mod parent_ref_missing;
mod route_backend_missing;
mod routes;
mod service_selects_nothing;
mod port_invalid;
mod port_unknown;

use kustomize::Field;
use serde_json::{Map, Value};

use super::{Category, Facts, Rule, Verdict, remedies};

use crate::diagnostic::Meaning;
use crate::flux::builds::Member;
use crate::workload::Workload;
use crate::workload::budget::{Selects, select};
use routes::GATEWAY;

const CILIUM: &str = "cilium.io";
const POLICIES: [(&str, &str, &str); 3] = [
    ("networking.k8s.io", "NetworkPolicy", "podSelector"),
    (CILIUM, "CiliumNetworkPolicy", "endpointSelector"),
    (CILIUM, "CiliumClusterwideNetworkPolicy", "endpointSelector"),
];

pub(super) const RULES: &[Rule] = &[
    Rule {
        meaning: Meaning {
            code: "network-policy",
            summary: "Every pod is selected by a network policy",
            text: "\
A pod that no policy selects may be reached by every pod of the cluster, and reach every address. Policies of
Kubernetes and of Cilium count. Pods in the host's network are not asked, as no policy applies to them.",
        },
        category: Category::Network,
        severity: None,
        weight: 2,
        remedy: Some(&remedies::network_policy::REMEDY),
        judge: |judge| {
            judge.workloads("labels", Workload::is_long_running, |facts, workload| {
                if workload.pod["spec"]["hostNetwork"] == true {
                    return None;
                }
                let mut best = Selects::No;
                for (policy, selector) in policies(facts) {
                    let answer = selects(policy, &selector, workload);
                    if answer == Selects::Yes || best == Selects::No {
                        best = answer;
                    }
                }
                Some(match best {
                    Selects::Yes => Verdict::Pass,
                    Selects::No => {
                        let none = Verdict::Fail("no policy selects its pods".to_owned());
                        facts.unless_hidden(workload.member, &workload.namespace, none)
                    }
                    Selects::Maybe => {
                        Verdict::Unknown("a policy may select its pods".to_owned())
                    }
                })
            });
        },
    },
    Rule {
        meaning: Meaning {
            code: "netpol-dangling",
            summary: "Every network policy selects some pod",
            text: "\
A policy that selects nothing protects nothing, most often because of a label that is spelt differently.",
        },
        category: Category::Network,
        severity: None,
        weight: 1,
        remedy: None,
        judge: |judge| {
            for (policy, selector) in policies(judge.facts) {
                let empty = selector.values().all(is_empty);
                let answers: Vec<Selects> = judge
                    .facts
                    .workloads
                    .iter()
                    .map(|workload| selects(policy, &selector, workload))
                    .collect();
                let verdict = if empty || answers.contains(&Selects::Yes) {
                    Verdict::Pass
                } else {
                    nothing_selected(judge.facts, &answers, policy)
                };
                judge.object(policy, verdict, policy.value_place("spec"));
            }
        },
    },
    service_selects_nothing::RULE,
    parent_ref_missing::RULE,
    route_backend_missing::RULE,
    ingress_class_missing::RULE,
    Rule {
        meaning: Meaning {
            code: "svc-type",
            summary: "No service is open to the outside unasked",
            text: "\
A NodePort is open on every node, and external addresses may be anyone's. A LoadBalancer is fine where it says which
address it wants, in an annotation or its class, so that it is meant.",
        },
        category: Category::Network,
        severity: None,
        weight: 1,
        remedy: None,
        judge: |judge| {
            judge.objects("", "Service", "spec.type", |_, member| {
                let object = member;
                let annotations = object.find("metadata.annotations").and_then(Field::entries);
                let asked = annotations.into_iter().flatten().any(|entry| {
                    ["ipam", "ip", "loadbalancer", "load-balancer", "hostname"]
                        .iter()
                        .any(|word| entry.key.to_lowercase().contains(word))
                });
                let meant = asked
                    || object.find("spec.loadBalancerIP").is_some()
                    || object.find("spec.loadBalancerClass").is_some();
                let kind = object.text("spec.type").unwrap_or("ClusterIP");
                Some(match kind {
                    "NodePort" => Verdict::Fail("it is a NodePort".to_owned()),
                    "LoadBalancer" if !meant => {
                        Verdict::Fail("it does not say which address it wants".to_owned())
                    }
                    _ if object.find("spec.externalIPs").is_some() => {
                        Verdict::Fail("it has external addresses".to_owned())
                    }
                    _ => Verdict::Pass,
                })
            });
        },
    },
    Rule {
        meaning: Meaning {
            code: "ingress-tls",
            summary: "What comes from outside comes by TLS",
            text: "\
Asked of each Ingress and of each listener of a Gateway. A listener for plain HTTP is fine where a route on it does
nothing but redirect.",
        },
        category: Category::Network,
        severity: None,
        weight: 2,
        remedy: None,
        judge: |judge| {
            let (group, kind) = ("networking.k8s.io", "Ingress");
            judge.objects(group, kind, "spec", |_, member| {
                let tls = member.find("spec.tls").and_then(Field::items);
                let fine = tls.is_some_and(|list| !list.is_empty());
                Some(Verdict::when(fine, "it has no `tls`"))
            });
            judge.objects(GATEWAY, "Gateway", "spec.listeners", listeners);
        },
    },
    port_invalid::RULE,
    port_unknown::RULE,
];

/// Lists the policies with their selectors, in the form of Kubernetes.
fn policies<'t>(facts: &Facts<'t>) -> Vec<(&'t Member<'t>, Map<String, Value>)> {
    let mut found = Vec::new();
    for (group, kind, field) in POLICIES {
        for member in facts.objects(group, kind) {
            for spec in specs(member) {
                if let Some(Value::Object(selector)) = spec.get(field).map(Field::to_json) {
                    found.push((member, plain(selector)));
                }
            }
        }
    }
    found
}

fn specs<'t>(member: &'t Member<'t>) -> Vec<&'t Field> {
    let one = member.find("spec").into_iter();
    let many = member.find("specs").and_then(Field::items);
    one.chain(many.into_iter().flatten()).collect()
}

/// Takes the source off Cilium's labels (`k8s:app`), of which there is one that counts.
fn plain(mut selector: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Object(labels)) = selector.get_mut("matchLabels") {
        *labels = std::mem::take(labels)
            .into_iter()
            .map(|(key, value)| {
                let key = key.strip_prefix("k8s:").unwrap_or(&key).to_owned();
                (key, value)
            })
            .collect();
    }
    selector
}

fn selects(policy: &Member<'_>, selector: &Map<String, Value>, workload: &Workload<'_>) -> Selects {
    if policy.is_namespaced() && policy.namespace_name() != workload.namespace {
        return Selects::No;
    }
    let mut selector = selector.clone();
    if let Some(Value::Object(labels)) = selector.get_mut("matchLabels") {
        let own = labels.remove("io.kubernetes.pod.namespace");
        if own.is_some_and(|namespace| namespace != workload.namespace.as_str()) {
            return Selects::No;
        }
    }
    select(&selector, workload)
}

/// Judges an object that selects no pod that is known for certain.
fn nothing_selected(facts: &Facts<'_>, answers: &[Selects], object: &Member<'_>) -> Verdict {
    let namespace = object.namespace_name();
    if answers.contains(&Selects::Maybe) || facts.has_release(namespace) {
        return Verdict::Unknown("only a chart may make the pods that it selects".to_owned());
    }
    if let Some(maker) = facts.unseen_pods(namespace) {
        return Verdict::Unknown(format!("only {maker} may make the pods that it selects"));
    }
    let none = Verdict::Fail("it selects no pod".to_owned());
    facts.unless_hidden(object, namespace, none)
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty) || value.as_array().is_some_and(Vec::is_empty)
}

fn listeners<'t>(facts: &Facts<'t>, member: &'t Member<'t>) -> Option<Verdict> {
    let listeners = member.find("spec.listeners").and_then(Field::items)?;
    for listener in listeners {
        let name = listener.find_text(&["name"]).unwrap_or_default();
        let open = listener.find_text(&["protocol"]) == Some("HTTP");
        if open && !redirects(facts, member, name) {
            let reason = format!("its listener `{name}` takes plain HTTP and does not redirect");
            return Some(Verdict::Fail(reason));
        }
    }
    Some(Verdict::Pass)
}

/// Returns whether a route on a listener does nothing but redirect.
fn redirects(facts: &Facts<'_>, gateway: &Member<'_>, listener: &str) -> bool {
    facts.objects(GATEWAY, "HTTPRoute").iter().any(|route| {
        let spec = route.find("spec").map(Field::to_json);
        let spec = spec.unwrap_or_default();
        let parents = spec["parentRefs"].as_array();
        let on_it = parents.into_iter().flatten().any(|parent| {
            parent["name"] == gateway.name.as_str() && parent["sectionName"] == listener
        });
        let rules = spec["rules"].as_array();
        let all = rules.is_some_and(|rules| {
            !rules.is_empty()
                && rules.iter().all(|rule| {
                    let filters = rule["filters"].as_array();
                    let mut filters = filters.into_iter().flatten();
                    filters.any(|filter| filter["type"] == "RequestRedirect")
                })
        });
        on_it && all
    })
}

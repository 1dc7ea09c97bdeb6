//! Closes namespaces to everything but themselves and DNS, where the project asks for it.

use std::collections::{BTreeMap, BTreeSet};

use kustomize::Field;
use serde_json::{Value, json};

use crate::diagnostic::{Diagnostic, Meaning};
use crate::flux::builds::Member;
use crate::rules::codes;
use crate::rules::listing::{ListingSpot, Listings, NewContent};
use crate::rules::plan::Plan;
use crate::rules::policy::ClosedNamespaces;
use crate::rules::remedy::{Pass, Remedy, RemedyScope};
use crate::yaml::emit;

/// Namespaces that are closed only when they are named.
const OPEN: [&str; 2] = ["flux-system", "kube-system"];

/// What marks the namespace of a name: the API server sets this label.
const NAME: &str = "kubernetes.io/metadata.name";

pub(in crate::rules) static REMEDY: Remedy = Remedy {
    meaning: Meaning {
        code: "network-policy",
        summary: "Closes namespaces to all traffic but their own and DNS, where the project asks for it",
        text: "\
Without policies, every pod may talk to every other pod and to the whole internet. A policy that denies everything,
with others that allow what is needed, turns that around.

The rule does nothing unless `kiln.toml` asks for it, since it cannot know what apps talk to:

    [harden]
    network-policies = true                  # every namespace of the tree but kube-system and flux-system
    network-policies = [\"default\", \"media\"]  # or only these

Each of these namespaces gets `networkpolicies.yaml` beside its manifest, with three policies of the plain
`networking.k8s.io/v1` kind, which every network plugin that knows policies understands:

- `default-deny`: no pod sends or receives anything.
- `allow-dns`: every pod may ask the cluster's DNS (pods labelled `k8s-app: kube-dns` in `kube-system`, port 53).
- `allow-same-namespace`: the pods of the namespace may talk to each other.

What it does not do: it opens nothing for the apps themselves. Traffic from a gateway, scrapes by a Prometheus in
another namespace, calls of the API server to a webhook, and every connection of a pod to the API server, to another
namespace or to the internet stay denied until a policy of the app allows them. Write those first; the templates of the
catalogue bring those of their apps. Kubelet probes need no policy: traffic from a pod's own node is always allowed. Pods
in the host's network are not subject to policies.

`kube-system` and `flux-system` stay as they are unless the list names them: cluster DNS, metrics and the network
plugin's helpers talk to nodes, to the API server and to all namespaces, and Flux brings policies of its own and must
reach sources and webhooks. A cluster whose DNS or Flux is cut off cannot repair itself.

A namespace to which the author gave a policy for all pods (a NetworkPolicy with `podSelector: {}`, or a
CiliumNetworkPolicy with `endpointSelector: {}`) is left alone, as is one that is exempt.",
    },
    pass: Pass::Workloads,
    plan,
};

fn plan(context: &RemedyScope<'_, '_>) -> Plan {
    let mut plan = Plan::default();
    let closed = &context.policy().network_policies;
    if *closed == ClosedNamespaces::Nothing {
        return plan;
    }
    let builds = context.builds;
    let listings = Listings::of(builds);
    let ruled = ruled(context);
    let mut seen = BTreeSet::new();
    let mut closing: BTreeMap<ListingSpot<'_>, Vec<&str>> = BTreeMap::new();
    let namespaces: Vec<&Member<'_>> = builds.of_kind("", "Namespace").collect();
    for namespace in &namespaces {
        let name = namespace.name.as_str();
        let asked = match closed {
            ClosedNamespaces::Nothing => false,
            ClosedNamespaces::All => !OPEN.contains(&name),
            ClosedNamespaces::Named(names) => names.iter().any(|(asked, _)| asked == name),
        };
        if !asked
            || !builds.takes_in(namespace)
            || namespace.is_secret()
            || ruled.contains(name)
            || !seen.insert(name)
            || context.is_exempt(name, name, &namespace.path())
        {
            continue;
        }
        let spot = listings.beside(&namespace.path());
        closing.entry(spot).or_default().push(name);
    }
    for (spot, names) in closing {
        spot.add(context, content(context, &names), &mut plan);
    }
    plan.problems.extend(unknown(closed, &namespaces));
    plan
}

/// Writes the policies of namespaces whose manifests stand together.
fn content(context: &RemedyScope<'_, '_>, namespaces: &[&str]) -> NewContent {
    let mut file = NewContent {
        stem: "networkpolicies",
        text: String::new(),
        objects: Vec::new(),
        reason: "it lists the network policies of the namespaces beside them".to_owned(),
    };
    for namespace in namespaces {
        for (label, policy, reason) in policies(context, namespace) {
            file.text.push_str("---\n");
            file.text.push_str(&emit(&policy));
            file.objects.push((label, reason.to_owned()));
        }
    }
    file
}

/// Lists the namespaces to which the author gave a policy for all pods.
fn ruled<'t>(context: &RemedyScope<'_, 't>) -> BTreeSet<&'t str> {
    let builds = context.builds;
    let plain = builds
        .of_kind("networking.k8s.io", "NetworkPolicy")
        .filter(|member| selects_all(member, "spec.podSelector"));
    let cilium = builds
        .of_kind("cilium.io", "CiliumNetworkPolicy")
        .filter(|member| selects_all(member, "spec.endpointSelector"));
    plain
        .chain(cilium)
        .map(Member::namespace_name)
        .filter(|name| !name.is_empty())
        .collect()
}

fn selects_all(object: &Member<'_>, selector: &str) -> bool {
    object.find("spec").is_some()
        && object
            .find(selector)
            .map_or(Value::Null, Field::to_json)
            .as_object()
            .is_none_or(|selector| {
                ["matchLabels", "matchExpressions"].iter().all(|key| {
                    let asked = selector.get(*key);
                    asked.is_none_or(|asked| {
                        asked.as_object().is_none_or(serde_json::Map::is_empty)
                            && asked.as_array().is_none_or(Vec::is_empty)
                    })
                })
            })
}

/// Returns the policies of a namespace: label, object and reason of each.
fn policies(context: &RemedyScope<'_, '_>, namespace: &str) -> [(String, Value, &'static str); 3] {
    let taken: BTreeSet<&str> = context
        .builds
        .of_kind("networking.k8s.io", "NetworkPolicy")
        .filter(|member| member.namespace_name() == namespace)
        .map(|member| member.name.as_str())
        .collect();
    let policy = |name: &str, spec: Value, reason: &'static str| {
        // The author's policy of that name is for some pods only.
        let name = if taken.contains(name) {
            format!("{name}-for-all")
        } else {
            name.to_owned()
        };
        let object = json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": name, "namespace": namespace},
            "spec": spec,
        });
        (format!("NetworkPolicy/{namespace}/{name}"), object, reason)
    };
    [
        policy(
            "default-deny",
            json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}),
            "the project closes its namespaces",
        ),
        policy(
            "allow-dns",
            json!({
                "podSelector": {},
                "policyTypes": ["Egress"],
                "egress": [{
                    "to": [{
                        "namespaceSelector": {"matchLabels": {NAME: "kube-system"}},
                        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
                    }],
                    "ports": [
                        {"port": 53, "protocol": "UDP"},
                        {"port": 53, "protocol": "TCP"},
                    ],
                }],
            }),
            "hardly any pod works without DNS",
        ),
        policy(
            "allow-same-namespace",
            json!({
                "podSelector": {},
                "policyTypes": ["Ingress", "Egress"],
                "ingress": [{"from": [{"podSelector": {}}]}],
                "egress": [{"to": [{"podSelector": {}}]}],
            }),
            "the pods of a namespace belong together",
        ),
    ]
}

/// Names the namespaces to be closed that are not in the tree.
fn unknown(closed: &ClosedNamespaces, namespaces: &[&Member<'_>]) -> Vec<Diagnostic> {
    let ClosedNamespaces::Named(names) = closed else {
        return Vec::new();
    };
    names
        .iter()
        .filter(|(name, _)| !namespaces.iter().any(|found| found.name == *name))
        .map(|(name, place)| {
            let message = format!("namespace `{name}` is to be closed, but is not in the tree");
            let known = namespaces.iter().map(|found| found.name.as_str());
            Diagnostic::error(&codes::NETWORK_POLICY_NO_NAMESPACE, message)
                .with_suggestion(name, known)
                .at_place_if(place.as_ref())
        })
        .collect()
}

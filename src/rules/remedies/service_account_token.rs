//! Switches service account tokens off where nothing needs them.

mod accounts;

use crate::diagnostic::Meaning;
pub(in crate::rules) use accounts::Accounts;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::charts::Release;
use crate::rules::plan::Plan;
use crate::rules::remedy::{Pass, Remedy, RemedyScope};
use crate::workload::{Home, PodField, Workload};

const FIELD: PodField = PodField::Pod("automountServiceAccountToken");

pub(in crate::rules) static REMEDY: Remedy = Remedy {
    meaning: Meaning {
        code: "service-account-token",
        summary: "Switches the service account tokens of pods off where nothing needs them",
        text: "\
Every pod gets a token for the Kubernetes API unless someone says otherwise. Most programs never use theirs, but
whoever breaks into one can, with all that its account may do now or is granted later.

The rule adds `automountServiceAccountToken: false` to the pod where it is known that the token is of no use:

- A manifest, or a controller of app-template, that runs as the `default` account of its namespace, where no
  RoleBinding or ClusterRoleBinding of the tree names that account or a group that it is in. A token
  that may do nothing is missed by nobody.
- A chart or a custom resource whose profile says `api: false`: the program does not talk to the API.

An account of its own that a binding names is there to be used, so the pod keeps its token. So does one that mounts
a token of its own making, speaks of the token's path, or is logged in to Vault or Consul with it. An account of its own
that nothing in the tree grants anything may get its rights from elsewhere, a part of the cluster that is not seen may
grant the `default` account something, and of most charts nobody has written down whether they talk to the API: those
are gaps that `kiln audit` lists. What the author sets, for the pod or for the account in its ServiceAccount, stays.",
    },
    pass: Pass::Workloads,
    plan,
};

/// Whether a workload needs the token that it gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::rules) enum TokenNeed {
    /// It does not, and why.
    No(String),
    /// It does, or it is settled already.
    Settled,
    /// Nobody knows, and what it is that nobody knows.
    Unknown(String),
}

fn plan(context: &RemedyScope<'_, '_>) -> Plan {
    let accounts = Accounts::of(context.builds);
    let need = |workload: &Workload<'_>| TokenNeed::of(workload, &accounts);
    // A value of an object that reaches several pods can be set only where none of them needs the token.
    let mut shared = BTreeMap::new();
    for workload in context.workloads {
        if let Some(place) = workload.written_at(&FIELD) {
            let off =
                *workload.value(&FIELD) == false || matches!(need(workload), TokenNeed::No(_));
            let user = workload.member.user();
            *shared.entry((place, user)).or_insert(true) &= off;
        }
    }
    let mut plan = Plan::default();
    for workload in context.open_workloads() {
        let place = workload.written_at(&FIELD);
        let alone = place.is_none_or(|place| {
            let own = shared.get(&(place, workload.member.user()));
            own.is_none_or(|off| *off)
        });
        match need(workload) {
            TokenNeed::No(reason) if alone => {
                plan.add(context.rule, workload, &FIELD, &json!(false), &reason);
            }
            TokenNeed::No(_) => {
                let why = "the value that reaches it reaches pods that may need the token";
                plan.gap(context.rule, workload, &FIELD, why.to_owned());
            }
            TokenNeed::Unknown(why) => plan.gap(context.rule, workload, &FIELD, why),
            TokenNeed::Settled => {}
        }
    }
    plan
}

impl TokenNeed {
    /// Returns whether a workload needs its token; what the author sets is settled.
    pub(in crate::rules) fn of(workload: &Workload<'_>, accounts: &Accounts<'_>) -> Self {
        match workload.value(&FIELD) {
            Value::Null => need(workload, accounts),
            _ => Self::Settled,
        }
    }
}

fn need(workload: &Workload<'_>, accounts: &Accounts<'_>) -> TokenNeed {
    match &workload.home {
        Home::Chart(_, known) | Home::Operand(known) => match known.api {
            Some(false) => {
                let name = &workload.name;
                TokenNeed::No(format!(
                    "`{name}` does not talk to the Kubernetes API, by the profile of its chart"
                ))
            }
            Some(true) => TokenNeed::Settled,
            None => {
                TokenNeed::Unknown("nobody knows whether it talks to the Kubernetes API".to_owned())
            }
        },
        Home::Manifest(_) if uses_token(&workload.pod) => TokenNeed::Settled,
        Home::Manifest(_) => {
            let spec = &workload.pod["spec"];
            let named = spec["serviceAccountName"]
                .as_str()
                .or(spec["serviceAccount"].as_str());
            by_account(workload, named.unwrap_or("default"), accounts)
        }
        Home::AppTemplate(release, controller) => {
            of_app_template(workload, release, controller, accounts)
        }
    }
}

fn by_account(workload: &Workload<'_>, account: &str, accounts: &Accounts<'_>) -> TokenNeed {
    let namespace = &workload.namespace;
    if accounts.is_bound(namespace, account) || accounts.is_settled(namespace, account) {
        TokenNeed::Settled
    } else if let Some(part) = accounts.hidden_from(workload) {
        TokenNeed::Unknown(format!(
            "{} may grant its account `{account}` something, and is not seen: {}",
            part.what, part.why
        ))
    } else if account == "default" {
        let reason =
            format!("nothing in the tree grants the `default` account of `{namespace}` anything");
        TokenNeed::No(reason)
    } else {
        TokenNeed::Unknown(format!(
            "nothing in the tree says what its account `{account}` may do"
        ))
    }
}

/// The controllers of app-template run as the one account that the values make, as the one that they
/// name, or as `default`.
///
/// Source: the `common` library of bjw-s-labs/helm-charts at 4.1.1 (`pod.field.serviceAccountName`).
fn of_app_template(
    workload: &Workload<'_>,
    release: &Release<'_>,
    controller: &str,
    accounts: &Accounts<'_>,
) -> TokenNeed {
    let values = &release.values;
    let makes = |key: &str| {
        let map = values.get(key).and_then(Value::as_object);
        map.is_some_and(|map| !map.is_empty())
    };
    let mut all = values.values();
    if makes("rbac") || all.any(|value| uses_token(value) || mentions(value, &["RoleBinding"])) {
        return TokenNeed::Settled;
    }
    let controllers = values.get("controllers").unwrap_or(&Value::Null);
    let own = &controllers[controller]["serviceAccount"];
    match own["name"].as_str() {
        Some(name) => by_account(workload, name, accounts),
        None if makes("serviceAccount") || own.is_object() => {
            TokenNeed::Unknown("nothing in the tree says what its account may do".to_owned())
        }
        None => by_account(workload, "default", accounts),
    }
}

/// Returns whether a pod, or the values that make it, have to do with tokens: they make one, say where
/// one lies, or have one injected that is exchanged for it.
fn uses_token(pod: &Value) -> bool {
    const SIGNS: [&str; 4] = [
        "kubernetes.io/serviceaccount",
        "KUBERNETES_SERVICE_HOST",
        "serviceAccountToken",
        "hashicorp.com/",
    ];
    mentions(pod, &SIGNS)
}

/// Returns whether a key or text in a value holds one of some words.
fn mentions(value: &Value, words: &[&str]) -> bool {
    let found = |text: &str| words.iter().any(|word| text.contains(word));
    match value {
        Value::String(text) => found(text),
        Value::Array(items) => items.iter().any(|item| mentions(item, words)),
        Value::Object(map) => map
            .iter()
            .any(|(key, value)| found(key) || mentions(value, words)),
        _ => false,
    }
}

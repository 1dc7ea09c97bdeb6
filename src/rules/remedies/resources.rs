//! Gives containers the requests and limits that somebody recommends for them.

use serde_json::{Map, Value};

use crate::diagnostic::Meaning;
use crate::rules::plan::Plan;
use crate::rules::remedy::{Pass, Remedy, RemedyScope};
use crate::workload::quantity::milli;
use crate::workload::{PodField, Workload, WorkloadContainer};

/// What a container should have: limits first, as a request must fit below its limit.
const NEEDED: [(&str, &str); 3] = [
    ("limits", "memory"),
    ("requests", "cpu"),
    ("requests", "memory"),
];

pub(in crate::rules) static REMEDY: Remedy = Remedy {
    meaning: Meaning {
        code: "resources",
        summary: "Gives containers the CPU and memory requests and the memory limit that are known to fit",
        text: "\
Requests are what the scheduler counts with: without them, a node fills up until the kernel kills what it finds.
A memory limit keeps one leak from taking everything else on the node along.

Each container should have a CPU request, a memory request and a memory limit. There is never a CPU limit: it slows a
program down while the node is idle, and protects nobody, since CPU is shared by the requests anyway.

How much a program needs cannot be derived, and a limit that is too low kills a healthy pod. So the numbers come from the
chart's profile, where its project recommends some, or for all that nobody knows from the project's own defaults:

    [harden.resources]
    requests = { cpu = \"10m\", memory = \"64Mi\" }
    limits = { memory = \"512Mi\" }

Without that table, a container of which no profile knows is a gap. What is set stays, and nothing is added that
contradicts it: no request above a limit, no limit below a request, and no request where the limit already stands for
it, as the API server takes a missing request to be the limit.

Init containers get what is known of them, but are no gap without: they end before the others start.",
    },
    pass: Pass::Workloads,
    plan,
};

fn plan(context: &RemedyScope<'_, '_>) -> Plan {
    let mut plan = Plan::default();
    for workload in context.open_workloads() {
        for container in workload.containers() {
            complete(context, workload, container, &mut plan);
        }
    }
    plan
}

fn complete(
    context: &RemedyScope<'_, '_>,
    workload: &Workload<'_>,
    container: WorkloadContainer<'_>,
    plan: &mut Plan,
) {
    let field = PodField::of(container.name, "resources");
    let set = &container.value["resources"];
    let known = workload.known_container(container.name);
    let known = known.and_then(|known| known.resources.as_ref());
    let defaults = context.policy().resources.as_ref();
    let (wanted, reason) = match (known, defaults) {
        (Some(known), _) => (
            known.clone(),
            format!("its project recommends it for `{}`", container.name),
        ),
        (None, Some(defaults)) => (
            defaults.to_value(),
            format!(
                "nobody knows what `{}` needs, and the project has defaults",
                container.name
            ),
        ),
        (None, None) => (Value::Null, String::new()),
    };
    let mut adding = Map::new();
    let mut left = Vec::new();
    for (list, resource) in NEEDED {
        if !is_missing(set, list, resource) {
            continue;
        }
        let value = &wanted[list][resource];
        if !value.is_null() && fits(set, &adding, list, resource, value) {
            let part = adding
                .entry(list)
                .or_insert_with(|| Value::Object(Map::new()));
            part[resource] = value.clone();
        } else {
            left.push((format!("{list}.{resource}"), !value.is_null()));
        }
    }
    if !adding.is_empty() {
        // Requests are written first, as people do.
        let value = ["requests", "limits"]
            .into_iter()
            .filter_map(|list| Some((list.to_owned(), adding.remove(list)?)))
            .collect();
        plan.add(context.rule, workload, &field, &value, &reason);
    }
    if !left.is_empty() && !container.init {
        plan.gap(context.rule, workload, &field, lack(&left));
    }
}

/// Returns whether a container lacks something that nothing else stands for.
fn is_missing(set: &Value, list: &str, resource: &str) -> bool {
    let by_limit = list == "requests" && !set["limits"][resource].is_null();
    set[list][resource].is_null() && !by_limit
}

/// Returns whether a request stays below its limit, set or about to be.
fn fits(
    set: &Value,
    adding: &Map<String, Value>,
    list: &str,
    resource: &str,
    value: &Value,
) -> bool {
    let (other, is_limit) = match list {
        "limits" => ("requests", true),
        _ => ("limits", false),
    };
    let added = adding.get(other).map_or(&Value::Null, |own| &own[resource]);
    let bound = match &set[other][resource] {
        Value::Null => added,
        bound => bound,
    };
    if bound.is_null() {
        return true;
    }
    match (milli(value), milli(bound)) {
        (Some(value), Some(bound)) if is_limit => value >= bound,
        (Some(value), Some(bound)) => value <= bound,
        _ => false,
    }
}

fn lack(left: &[(String, bool)]) -> String {
    let names: Vec<String> = left.iter().map(|(name, _)| format!("`{name}`")).collect();
    let names = names.join(", ");
    if left.iter().all(|(_, is_known)| *is_known) {
        format!("what is recommended for {names} contradicts what is set")
    } else {
        format!("nobody knows what to set for {names}")
    }
}

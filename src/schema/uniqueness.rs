//! What must be there only once: addresses, node names, MAC addresses.

use std::collections::BTreeMap;

use serde_json::Value;

use super::shape::route;
use crate::config::model::Places;
use crate::diagnostic::Diagnostic;

const ADDRESSES: [&str; 5] = [
    "/kubernetes/api/addr",
    "/gateways/internal",
    "/gateways/dns",
    "/gateways/external",
    "/network/default_gateway",
];

pub(super) fn problems(config: &Value, places: &Places) -> Vec<Diagnostic> {
    let count = config
        .get("nodes")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    let of_nodes = |key: &str| {
        (0..count)
            .map(|index| format!("/nodes/{index}/{key}"))
            .collect::<Vec<_>>()
    };
    let mut addresses: Vec<String> = ADDRESSES
        .iter()
        .map(|&pointer| pointer.to_owned())
        .collect();
    addresses.extend(of_nodes("address"));
    let mut problems = repeated(config, places, &addresses, "address");
    problems.extend(repeated(config, places, &of_nodes("name"), "node name"));
    problems.extend(repeated(
        config,
        places,
        &of_nodes("mac_addr"),
        "MAC address",
    ));
    problems
}

fn repeated(config: &Value, places: &Places, pointers: &[String], what: &str) -> Vec<Diagnostic> {
    let mut seen: BTreeMap<String, &String> = BTreeMap::new();
    let mut problems = Vec::new();
    for pointer in pointers {
        let Some(value) = config.pointer(pointer).and_then(Value::as_str) else {
            continue;
        };
        let Some(first) = seen.get(&value.to_lowercase()) else {
            seen.insert(value.to_lowercase(), pointer);
            continue;
        };
        let message = format!(
            "the {what} `{value}` is used by both `{}` and `{}`",
            route(first),
            route(pointer)
        );
        let mut problem = Diagnostic::error("used-twice", message);
        if let Some(place) = places.value(pointer) {
            problem = problem.at_place(place, "");
        }
        if let Some(place) = places.value(first) {
            problem = problem.with_related(place, "first used here");
        }
        problems.push(problem);
    }
    problems
}

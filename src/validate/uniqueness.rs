//! What must be there only once: addresses, node names, MAC addresses.

use std::collections::BTreeMap;

use serde_json::Value;

use super::hidden::HiddenPlaces;
use super::shape::route;
use crate::config::cluster::ConfigPlaces;
use crate::diagnostic::Diagnostic;
use crate::validate::codes;

const ADDRESSES: [&str; 5] = [
    "/kubernetes/api/addr",
    "/gateways/internal",
    "/gateways/dns",
    "/gateways/external",
    "/network/default_gateway",
];

pub(super) fn problems(
    config: &Value,
    places: &ConfigPlaces,
    hidden: &HiddenPlaces,
    made_up: &BTreeMap<String, String>,
) -> Vec<Diagnostic> {
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
    let search = RepetitionSearch {
        config,
        places,
        hidden,
        made_up,
    };
    let mut problems = search.repeated(&addresses, "address");
    problems.extend(search.repeated(&of_nodes("name"), "node name"));
    problems.extend(search.repeated(&of_nodes("mac_addr"), "MAC address"));
    problems
}

/// Looks for values that stand in more than one place.
struct RepetitionSearch<'s> {
    config: &'s Value,
    places: &'s ConfigPlaces,
    /// What no message shows.
    hidden: &'s HiddenPlaces,
    /// The values that are made up, by JSON pointer.
    made_up: &'s BTreeMap<String, String>,
}

impl RepetitionSearch<'_> {
    fn repeated(&self, pointers: &[String], what: &str) -> Vec<Diagnostic> {
        let mut seen: BTreeMap<String, &String> = BTreeMap::new();
        let mut problems = Vec::new();
        let known = |pointer: &&String| !self.made_up.contains_key(*pointer);
        for pointer in pointers.iter().filter(known) {
            let Some(value) = self.config.pointer(pointer).and_then(Value::as_str) else {
                continue;
            };
            let Some(first) = seen.get(&value.to_lowercase()) else {
                seen.insert(value.to_lowercase(), pointer);
                continue;
            };
            let is_hidden = self.hidden.covers(pointer) || self.hidden.covers(first);
            let shown = if is_hidden {
                String::new()
            } else {
                format!(" `{value}`")
            };
            let message = format!(
                "the {what}{shown} is used by both `{}` and `{}`",
                route(first),
                route(pointer)
            );
            let mut problem = Diagnostic::error(&codes::USED_TWICE, message);
            if let Some(place) = self.places.value(pointer) {
                problem = problem.at_place(place, "");
            }
            if let Some(place) = self.places.value(first) {
                problem = problem.with_related(place, "first used here");
            }
            problems.push(problem);
        }
        problems
    }
}

//! Workloads that stop, and versions that leap.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Danger, DangerSubject};
use crate::diff::version::{self, Leap};
use crate::tree::images::walk_mappings;

const COUNTS: [&str; 3] = ["replicas", "replicaCount", "replicasCount"];

pub(super) fn find(seen: &DangerSubject<'_, '_>, found: &mut Vec<Danger>) {
    versions(seen, found);
    let (Some(before), Some(after)) = (seen.before, seen.after) else {
        return;
    };
    let subject = &seen.change.subject;
    let old = replicas(before);
    for (route, count) in replicas(after) {
        if count == 0 && old.get(&route).is_none_or(|old| *old > 0) {
            let message = format!("`{route}` of `{subject}` becomes 0");
            let why = "nothing runs any more".to_owned();
            found.push(seen.danger("replicas-zero", &route, message, why));
        }
    }
    let suspended = |value: &Value| value.pointer("/spec/suspend") == Some(&Value::Bool(true));
    if suspended(after) && !suspended(before) {
        let message = format!("`{subject}` is suspended");
        let why = match subject.kind.as_str() {
            "CronJob" | "Job" => "nothing is started until it is resumed",
            _ => "changes in git have no effect until it is resumed",
        };
        found.push(seen.danger("suspended", "spec.suspend", message, why.to_owned()));
    }
    if suspended(before) && !suspended(after) && subject.group.ends_with("toolkit.fluxcd.io") {
        let message = format!("`{subject}` is resumed");
        let why =
            "all that waited since it was suspended is applied at once, not only what differs here";
        found.push(seen.danger("resumed", "spec.suspend", message, why.to_owned()));
    }
}

fn replicas(value: &Value) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    walk_mappings(value, "", &mut |route, entries| {
        for key in COUNTS {
            if let Some(count) = entries.get(key).and_then(Value::as_u64) {
                let route = format!("{route}.{key}");
                found.insert(route.trim_start_matches('.').to_owned(), count);
            }
        }
    });
    found
}

fn versions(seen: &DangerSubject<'_, '_>, found: &mut Vec<Danger>) {
    let (images, charts) = version::bumps(seen);
    let images = images.into_iter().map(|bump| ("image", bump));
    let charts = charts.into_iter().map(|bump| ("chart", bump));
    for (what, bump) in images.chain(charts) {
        let (Some(before), Some(after)) = (&bump.before, &bump.after) else {
            continue;
        };
        let name = &bump.name;
        let (code, message, why) = match bump.leap {
            Leap::Major => (
                "major-version",
                format!("the {what} `{name}` leaps from {before} to {after}"),
                "a major version may break what it did before: read its notes",
            ),
            Leap::Down => (
                "downgrade",
                format!("the {what} `{name}` goes back from {before} to {after}"),
                "data that the newer version wrote may not be readable to the older one",
            ),
            _ => continue,
        };
        found.push(seen.danger(code, &bump.route, message, why.to_owned()));
    }
}

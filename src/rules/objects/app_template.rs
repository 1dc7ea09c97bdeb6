//! The objects that bjw-s' app-template makes of its values.
//!
//! Source: the `common` library of bjw-s-labs/helm-charts at 4.1.1 (`lib/common`, `lib/service`, `lib/pvc`,
//! `lib/serviceAccount`, `lib/pod/fields`).

use std::collections::BTreeSet;

use semver::Version;
use serde_json::{Map, Value};

use super::{KnownParts, ObjectId};
use crate::charts::Release;
use crate::charts::profile::{Match, Workloads};

/// Where the values list objects of a kind.
const LISTS: [(&str, &str); 6] = [
    ("service", "Service"),
    ("persistence", "PersistentVolumeClaim"),
    ("serviceAccount", "ServiceAccount"),
    ("configMaps", "ConfigMap"),
    ("configMapsFromFolder", "ConfigMap"),
    ("secrets", "Secret"),
];

/// Returns whether a release installs app-template in a version that spells its values alike.
pub(in crate::rules) fn is_app_template(release: &Release<'_>) -> bool {
    let (profile, is_measured) = match release.known {
        Match::Profile(profile) => (profile, true),
        Match::OtherVersion(profile) => (profile, false),
        Match::OtherPublisher(_) | Match::Unknown => return false,
    };
    let version = release.version.as_deref().map(Version::parse);
    let is_alike = match version {
        Some(Ok(version)) => (3..=5).contains(&version.major),
        _ => false,
    };
    matches!(profile.workloads, Workloads::AppTemplate) && (is_measured || is_alike)
}

/// Lists what a release of app-template makes, by every name that one of its versions may give.
pub(super) fn objects(release: &Release<'_>) -> Vec<(ObjectId, KnownParts)> {
    if !is_app_template(release) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (list, kind) in LISTS {
        let items = release.values.get(list).and_then(Value::as_object);
        for (identifier, item) in items.into_iter().flatten() {
            if !is_made(kind, item) {
                continue;
            }
            for name in names(release, identifier, item) {
                let id = ObjectId::core(kind, &release.namespace, &name);
                found.push((id, parts(kind, item)));
            }
        }
    }
    // Since version 5 each release has an account of its own.
    let account = ObjectId::core("ServiceAccount", &release.namespace, &full_name(release));
    found.push((account, KnownParts::Open));
    found
}

fn is_made(kind: &str, item: &Value) -> bool {
    let is_on = item["enabled"] != false && item.is_object();
    let is_claim = matches!(item["type"].as_str(), None | Some("persistentVolumeClaim"))
        && !item["existingClaim"].is_string();
    is_on && (kind != "PersistentVolumeClaim" || is_claim)
}

fn names(release: &Release<'_>, identifier: &str, item: &Value) -> BTreeSet<String> {
    let whole = full_name(release);
    let text = |key: &str| {
        let written = item[key].as_str().filter(|text| !text.is_empty())?;
        rendered_name(release, written)
    };
    if let Some(forced) = text("forceRename") {
        return BTreeSet::from([forced]);
    }
    let mut names = BTreeSet::from([whole.clone(), format!("{whole}-{identifier}")]);
    if let Some(prefix) = text("prefix") {
        names.extend(names.clone().iter().map(|name| format!("{prefix}-{name}")));
    }
    for suffix in ["suffix", "nameOverride"].into_iter().filter_map(text) {
        names.extend(names.clone().iter().map(|name| format!("{name}-{suffix}")));
    }
    names.into_iter().map(|name| name.to_lowercase()).collect()
}

fn full_name(release: &Release<'_>) -> String {
    let given = [
        release
            .values
            .get("global")
            .and_then(|global| global.get("fullnameOverride")),
        release.values.get("fullnameOverride"),
    ];
    let given = given.into_iter().flatten().find_map(Value::as_str);
    given
        .and_then(|given| rendered_name(release, given))
        .unwrap_or_else(|| release.name.clone())
}

/// Fills in what Helm puts into a name; `None` where that is more than the name of the release.
pub(in crate::rules) fn rendered_name(release: &Release<'_>, written: &str) -> Option<String> {
    let mut name = String::new();
    let mut rest = written;
    while let Some((before, after)) = rest.split_once("{{") {
        let (inside, after) = after.split_once("}}")?;
        name.push_str(before);
        name.push_str(match inside.trim_matches(['-', ' ']) {
            ".Release.Name" => &release.name,
            ".Release.Namespace" => &release.namespace,
            _ => return None,
        });
        rest = after;
    }
    name.push_str(rest);
    Some(name)
}

/// Fills in what Helm puts into a name in the values of a release; the text as it is where that is not known.
pub(in crate::rules) fn filled_name(release: Option<&Release<'_>>, written: &str) -> String {
    let known = release.and_then(|release| rendered_name(release, written));
    known.unwrap_or_else(|| written.to_owned())
}

fn parts(kind: &str, item: &Value) -> KnownParts {
    if kind != "Service" {
        return KnownParts::Open;
    }
    let no_ports = Map::new();
    let ports = item["ports"].as_object().unwrap_or(&no_ports);
    let mut known = BTreeSet::new();
    for (name, port) in ports.iter().filter(|(_, port)| port["enabled"] != false) {
        known.insert(name.clone());
        match &port["port"] {
            Value::Number(number) => known.insert(number.to_string()),
            _ => return KnownParts::Open,
        };
    }
    if known.is_empty() {
        return KnownParts::Open;
    }
    KnownParts::Listed(known)
}

//! Every profile against what its chart rendered: `schemas/charts/measured/` holds names, labels, containers,
//! replicas and budgets in each variant that was measured.
//!
//! What a profile says is compared by Kiln's own checker, which `kiln profile new` asks, too. What hardening
//! makes of it is compared here, by code that shares nothing with its rules.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kiln::harden::harden;
use kiln::profiler::evidence::{Evidence, Variant, pack, unpack};
use kiln::profiler::proof::contradictions;
use kiln::workload::Profiles;
use kiln::workload::prediction::{Sample, manifests};
use kiln::workload::profile::{Profile, Workloads};
use kiln::yaml::{self, Resolver};
use serde_json::{Map, Value, json};

use super::{profiles, profiles_with, trees};
use crate::support::Yardstick;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/charts")
}

fn evidence(chart: &str) -> Evidence {
    let path = folder().join(format!("measured/{chart}.json.gz"));
    let bytes = std::fs::read(&path).unwrap();
    unpack(&path.display().to_string(), &bytes).unwrap()
}

/// The charts of which there is evidence.
fn measured() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder().join("measured"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| name.strip_suffix(".json.gz").unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn profile<'p>(profiles: &'p Profiles, chart: &str) -> &'p Profile {
    let mut all = profiles.iter();
    all.find(|profile| profile.chart == chart).unwrap()
}

/// The profile of a chart as text, changed, with what the checkers say of it then.
fn broken(chart: &str, change: impl Fn(String) -> String) -> (Vec<String>, Vec<String>) {
    let text = std::fs::read_to_string(folder().join(format!("{chart}.yaml"))).unwrap();
    let changed = change(text.clone());
    assert_ne!(changed, text, "the change does nothing");
    let own = [(format!("{chart}.yaml"), changed)];
    let profiles = profiles_with(&own);
    let evidence = evidence(chart);
    let said = contradictions(&profiles, profile(&profiles, chart), &evidence);
    (
        said,
        findings(&profiles, profile(&profiles, chart), &evidence),
    )
}

#[test]
fn profiles_say_what_their_charts_rendered() {
    let profiles = profiles();
    let mut wrong = Vec::new();
    for chart in measured() {
        let said = contradictions(&profiles, profile(&profiles, &chart), &evidence(&chart));
        wrong.extend(said.into_iter().map(|one| format!("{chart}: {one}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A profile says which version it was measured at, which the evidence knows, too.
#[test]
fn profiles_name_the_version_that_was_measured() {
    let mut wrong = Vec::new();
    for chart in measured() {
        let text = std::fs::read_to_string(folder().join(format!("{chart}.yaml"))).unwrap();
        let root = yaml::load(&text).unwrap()[0].root.to_value(Resolver::Core);
        let (said, rendered) = (&root["verified"], evidence(&chart).version);
        if *said != rendered {
            wrong.push(format!(
                "{chart}: {said}, and the evidence is of {rendered}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn evidence_is_packed_as_it_is_packed_now() {
    for chart in measured() {
        let path = folder().join(format!("measured/{chart}.json.gz"));
        let bytes = std::fs::read(&path).unwrap();
        assert!(pack(&evidence(&chart)) == bytes, "{chart}");
    }
}

#[test]
fn what_hardening_adds_fits_what_charts_make() {
    let profiles = profiles();
    let mut wrong = Vec::new();
    let mut checked = 0;
    for chart in measured() {
        let profile = profile(&profiles, &chart);
        if matches!(profile.workloads, Workloads::AppTemplate) {
            continue;
        }
        checked += 1;
        let found = findings(&profiles, profile, &evidence(&chart));
        wrong.extend(found.into_iter().map(|one| format!("{chart}: {one}")));
    }
    assert!(checked > 0);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_profile_that_is_broken_on_purpose_is_found() {
    let (said, found) = broken("sloth", |text| {
        text.replace(
            "otherwise: \"{name}-{release}\"",
            "otherwise: \"{release}-{name}\"",
        )
    });
    assert!(
        said.iter()
            .any(|one| one.contains("the chart makes no Deployment")),
        "{said:?}"
    );
    assert!(
        found.iter().any(|one| one.contains("patch hits nothing")),
        "{found:?}"
    );

    let (said, found) = broken("metrics-server", |text| {
        text.replace(
            "app.kubernetes.io/name: \"{name}\"",
            "app.kubernetes.io/name: metrics-server",
        )
    });
    assert!(
        said.iter().any(|one| one.contains("has the selector")),
        "{said:?}"
    );
    assert!(found.iter().any(|one| one.contains("budget")), "{found:?}");
    assert!(found.iter().any(|one| one.contains("spread")), "{found:?}");

    let (said, found) = broken("kyverno", |text| {
        text.replace("      whenReplicated: true\n", "")
    });
    assert!(
        said.iter().any(|one| one.contains("has the budget")),
        "{said:?}"
    );
    assert!(
        found
            .iter()
            .any(|one| one.contains("has a name of the chart's")),
        "{found:?}"
    );

    let (said, _) = broken("coredns", |text| {
        text.replace("value: autoscaler.enabled", "value: autoscaler.other")
    });
    let unknown = "the profile knows of no Deployment `klnr-coredns-autoscaler`";
    assert!(said.iter().any(|one| one.contains(unknown)), "{said:?}");

    // A workload that the chart makes under a condition, and the profile under none.
    let (said, _) = broken("coredns", |text| {
        text.replace(
            "      value: autoscaler.enabled\n      is: true",
            "      value: autoscaler.enabled\n      isNot: 1",
        )
    });
    let phantom = "the chart makes no Deployment `klnr-coredns-autoscaler`";
    assert!(said.iter().any(|one| one.contains(phantom)), "{said:?}");
}

/// Hardens one release for each variant that tells of names or replicas, as it is and with three replicas of
/// everything, and lists what does not fit the chart's objects.
fn findings(profiles: &Profiles, profile: &Profile, evidence: &Evidence) -> Vec<String> {
    let version = profile.versions.from.as_ref().unwrap().to_string();
    let mut texts = Vec::new();
    let mut cases = Vec::new();
    // What switches something is about pods that are there or not, not about names.
    let telling = evidence
        .variants
        .iter()
        .filter(|one| !one.about.starts_with('`') || one.about.contains("set"));
    for variant in telling {
        for replicated in [false, true] {
            let namespace = format!("v{}", cases.len());
            let mut values = variant.values.clone();
            if replicated {
                replicate(profile, &mut values);
            }
            let sample = Sample {
                release: &variant.release,
                namespace: &namespace,
                values: &values,
            };
            texts.push((namespace.clone(), manifests(profile, &version, &sample)));
            cases.push((namespace, variant, replicated));
        }
    }
    let done = harden(
        trees::tree(&trees::applied(texts), Vec::new()),
        Yardstick::new(profiles).measures(),
    );
    let done = done.unwrap_or_else(|problems| panic!("{}", trees::told(&problems)));
    let mut found = Vec::new();
    let objects: Vec<Value> = done
        .value
        .files()
        .flat_map(|file| file.documents.iter())
        .map(|document| document.root.to_kubernetes())
        .collect();
    for (namespace, variant, replicated) in cases {
        let inside: Vec<&Value> = objects
            .iter()
            .filter(|object| object["metadata"]["namespace"] == *namespace)
            .collect();
        let suffix = if replicated {
            ", three replicas set"
        } else {
            ""
        };
        let mut say = |what: String| found.push(format!("{}{suffix}: {what}", variant.about));
        for object in inside {
            match object["kind"].as_str() {
                Some("PodDisruptionBudget") => budget(object, variant, replicated, &mut say),
                Some("HelmRelease") => release(object, variant, &mut say),
                _ => {}
            }
        }
    }
    found
}

/// Sets three replicas wherever the profile knows how.
fn replicate(profile: &Profile, values: &mut Map<String, Value>) {
    let Workloads::Listed(workloads) = &profile.workloads else {
        return;
    };
    for path in workloads
        .iter()
        .filter_map(|workload| workload.paths.get("replicas"))
    {
        let mut keys: Vec<&str> = path.split('.').collect();
        let last = keys.pop().unwrap();
        let mut place = &mut *values;
        for key in keys {
            let next = place.entry(key).or_insert_with(|| json!({}));
            if !next.is_object() {
                *next = json!({});
            }
            place = next.as_object_mut().unwrap();
        }
        place.insert(last.to_owned(), json!(3));
    }
}

/// The labels of the pods of each workload that runs for long; of several with one selector, which nothing
/// can tell apart, the first.
fn pods(variant: &Variant) -> Vec<(String, Map<String, Value>)> {
    let mut seen = BTreeSet::new();
    let workloads = variant.objects.iter().filter(|object| {
        let kind = object["kind"].as_str().unwrap_or_default();
        ["Deployment", "StatefulSet", "DaemonSet"].contains(&kind)
    });
    let workloads = workloads.filter(|object| seen.insert(object["spec"]["selector"].to_string()));
    workloads
        .map(|object| {
            let labels = object.pointer("/spec/template/metadata/labels");
            (
                name(object),
                labels
                    .and_then(Value::as_object)
                    .cloned()
                    .unwrap_or_default(),
            )
        })
        .collect()
}

fn name(object: &Value) -> String {
    object["metadata"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

fn selects(selector: &Value, labels: &Map<String, Value>) -> bool {
    let wanted = selector["matchLabels"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    assert!(selector["matchExpressions"].is_null());
    !wanted.is_empty()
        && wanted
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value))
}

/// Checks a budget that hardening added: its name is free, and it is over the pods of one workload, alone.
fn budget(added: &Value, variant: &Variant, replicated: bool, say: &mut impl FnMut(String)) {
    let own = variant
        .objects
        .iter()
        .filter(|object| object["kind"] == "PodDisruptionBudget");
    let own: Vec<&Value> = own.collect();
    if own.iter().any(|object| name(object) == name(added)) {
        say(format!(
            "the budget `{}` has a name of the chart's",
            name(added)
        ));
    }
    let all = pods(variant);
    let over: Vec<_> = all
        .iter()
        .filter(|(_, labels)| selects(&added["spec"]["selector"], labels))
        .collect();
    if over.len() != 1 {
        let names: Vec<&String> = over.iter().map(|(name, _)| name).collect();
        say(format!(
            "the budget `{}` is over the pods of {names:?}",
            name(added)
        ));
    }
    for (workload, labels) in over {
        let twice = own
            .iter()
            .any(|object| selects(&object["spec"]["selector"], labels));
        if twice && !replicated {
            say(format!("`{workload}` has two budgets"));
        }
    }
}

/// Checks what hardening added to a release: its patches hit, and its spreads count the pods they spread.
fn release(hardened: &Value, variant: &Variant, say: &mut impl FnMut(String)) {
    let renderers = hardened["spec"]["postRenderers"].as_array();
    for patch in renderers.into_iter().flatten().flat_map(|renderer| {
        renderer["kustomize"]["patches"]
            .as_array()
            .into_iter()
            .flatten()
    }) {
        let target = &patch["target"];
        let wanted = target["name"]
            .as_str()
            .unwrap_or_default()
            .replace('\\', "");
        let hit = variant
            .objects
            .iter()
            .find(|object| object["kind"] == target["kind"] && name(object) == wanted);
        let Some(hit) = hit else {
            say(format!(
                "the patch hits nothing: there is no {} `{wanted}`",
                target["kind"]
            ));
            continue;
        };
        let body = yaml::load(patch["patch"].as_str().unwrap_or_default()).unwrap();
        let body = body[0].root.to_value(Resolver::Core);
        let template = |object: &Value| {
            let job = object.pointer("/spec/jobTemplate/spec/template").cloned();
            job.unwrap_or_else(|| object["spec"]["template"].clone())
        };
        let (body, pod) = (template(&body), template(hit));
        for list in ["initContainers", "containers"] {
            for container in body["spec"][list].as_array().into_iter().flatten() {
                let there = pod["spec"][list].as_array().into_iter().flatten();
                if !there
                    .map(|one| &one["name"])
                    .any(|name| *name == container["name"])
                {
                    say(format!("`{wanted}` has no container {}", container["name"]));
                }
            }
        }
        let labels = pod["metadata"]["labels"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        for spread in body["spec"]["topologySpreadConstraints"]
            .as_array()
            .into_iter()
            .flatten()
        {
            if !selects(&spread["labelSelector"], &labels) {
                say(format!("the spread of `{wanted}` counts other pods"));
            }
        }
    }
    let mut seen = BTreeSet::new();
    spreads(&hardened["spec"]["values"], &mut |spread| {
        let selector = &spread["labelSelector"];
        let counts = pods(variant)
            .iter()
            .filter(|(_, labels)| selects(selector, labels))
            .count();
        if counts != 1 && seen.insert(selector.to_string()) {
            say(format!(
                "a spread by {selector} counts the pods of {counts} workloads"
            ));
        }
    });
}

/// Calls with each constraint that stands among values.
fn spreads(values: &Value, each: &mut impl FnMut(&Value)) {
    match values {
        Value::Object(map) if map.contains_key("topologyKey") => each(values),
        Value::Object(map) => map.values().for_each(|value| spreads(value, each)),
        Value::Array(items) => items.iter().for_each(|value| spreads(value, each)),
        _ => {}
    }
}

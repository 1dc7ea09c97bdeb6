//! A profile held against what the chart rendered: what it predicts for a variant, and what came out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::evidence::{Evidence, Variant};
use super::rendering::{KINDS, PASSING, RenderedBudget};
use crate::charts::Profiles;
use crate::charts::profile::{Profile, Workloads};
use crate::workload::prediction::{Prediction, Sample, predict};

/// A workload as it came out.
struct RenderedWorkload<'e> {
    kind: &'e str,
    name: &'e str,
    hook: bool,
    object: &'e Value,
    /// Its pod's metadata and spec.
    pod: &'e Value,
}

/// Lists where a profile says something else than the renderings: one sentence each, with the variant.
///
/// Nothing is said of a chart whose values spell out its workloads.
pub fn contradictions(profiles: &Profiles, profile: &Profile, evidence: &Evidence) -> Vec<String> {
    if matches!(profile.workloads, Workloads::AppTemplate) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for variant in &evidence.variants {
        let sample = Sample {
            release: &variant.release,
            namespace: NAMESPACE,
            values: &variant.values,
        };
        let complaints = match predict(profiles, profile, &sample) {
            Some(predicted) => compare(&predicted, variant),
            None => vec!["the profile does not cover it".to_owned()],
        };
        found.extend(
            complaints
                .into_iter()
                .map(|complaint| format!("{}: {complaint}", variant.about)),
        );
    }
    found
}

/// Where all is rendered.
pub(super) const NAMESPACE: &str = "klns";

fn compare(predicted: &[Prediction], variant: &Variant) -> Vec<String> {
    let rendered = rendered(&variant.objects);
    let mut open: Vec<&RenderedWorkload<'_>> = rendered.iter().collect();
    let mut found = Vec::new();
    let mut doubtful = Vec::new();
    for one in predicted.iter().filter(|one| one.own) {
        if !one.named {
            doubtful.push(one);
            continue;
        }
        let at = open
            .iter()
            .position(|it| it.kind == one.kind && it.name == one.name);
        match at {
            Some(at) => differences(one, open.remove(at), variant, &mut found),
            None => found.push(format!(
                "the chart makes no {} `{}`, by which the profile names one",
                one.kind, one.name
            )),
        }
    }
    // What is named in a way that the profile cannot say is told by its kind and containers.
    for one in doubtful {
        let names: BTreeSet<&str> = one.containers.iter().map(String::as_str).collect();
        let at = open
            .iter()
            .position(|it| it.kind == one.kind && it.containers() == names);
        match at {
            Some(at) => differences(one, open.remove(at), variant, &mut found),
            None => found.push(format!(
                "the chart makes no {} like the profile's `{}`",
                one.kind, one.name
            )),
        }
    }
    for left in open {
        found.push(format!(
            "the profile knows of no {} `{}`",
            left.kind, left.name
        ));
    }
    found
}

/// Lists what is predicted otherwise of a workload that is there.
fn differences(
    one: &Prediction,
    it: &RenderedWorkload<'_>,
    variant: &Variant,
    found: &mut Vec<String>,
) {
    let label = format!("{} `{}`", it.kind, it.name);
    let mut notes = Vec::new();
    let mut differ = |field: &str, predicted: String, rendered: String| {
        if predicted != rendered {
            notes.push(format!(
                "{label} has {field} {rendered}, and the profile says {predicted}"
            ));
        }
    };
    differ(
        "the flag of a hook",
        one.hook.to_string(),
        it.hook.to_string(),
    );
    let predicted: BTreeSet<&str> = one.containers.iter().map(String::as_str).collect();
    differ(
        "the containers",
        listed(&predicted),
        listed(&it.containers()),
    );
    let stated = it.object.pointer("/spec/replicas").and_then(Value::as_u64);
    // Where none are stated, something else decides, or it is one.
    if let (Some(replicas), Some(stated)) = (one.replicas, stated)
        && !it.is_scaled(&variant.objects)
    {
        differ("the replicas", replicas.to_string(), stated.to_string());
    }
    if let Some(account) = &one.account {
        let rendered = it.pod["spec"]["serviceAccountName"].as_str();
        differ(
            "the account",
            account.clone(),
            rendered.unwrap_or("default").to_owned(),
        );
    }
    if !one.selector.is_empty() {
        differ("the selector", shown(&one.selector), shown(&it.selector()));
    }
    if matches!(it.kind, "Deployment" | "StatefulSet") && !it.hook {
        let budget = budget(&variant.objects, it);
        let none = "none".to_owned();
        let predicted = match (&one.budget, budget) {
            (Some(name), _) => name.clone(),
            // Nobody has looked at its name.
            (None, Some(name)) if one.budgeted => name.to_owned(),
            (None, _) if one.budgeted => "one".to_owned(),
            (None, _) => none.clone(),
        };
        differ("the budget", predicted, budget.map_or(none, str::to_owned));
    }
    found.extend(notes);
}

fn rendered(objects: &[Value]) -> Vec<RenderedWorkload<'_>> {
    objects
        .iter()
        .filter_map(|object| {
            let kind = object["kind"].as_str()?;
            let pod = match kind {
                "Pod" => object,
                "CronJob" => object.pointer("/spec/jobTemplate/spec/template")?,
                _ if KINDS.contains(&kind) => object.pointer("/spec/template")?,
                _ => return None,
            };
            Some(RenderedWorkload {
                kind,
                name: object["metadata"]["name"].as_str()?,
                hook: !object["metadata"]["annotations"]["helm.sh/hook"].is_null(),
                object,
                pod,
            })
        })
        .collect()
}

impl RenderedWorkload<'_> {
    fn labels(&self) -> Map<String, Value> {
        let labels = self.pod["metadata"]["labels"].as_object();
        labels.cloned().unwrap_or_default()
    }

    fn containers(&self) -> BTreeSet<&str> {
        ["initContainers", "containers"]
            .into_iter()
            .flat_map(|list| self.pod["spec"][list].as_array().into_iter().flatten())
            .filter_map(|container| container["name"].as_str())
            .collect()
    }

    /// Returns the labels that select its pods, without those that go with the version.
    fn selector(&self) -> BTreeMap<String, String> {
        let labels = self.object.pointer("/spec/selector/matchLabels");
        let labels = labels.and_then(Value::as_object).cloned();
        labels
            .unwrap_or_else(|| self.labels())
            .into_iter()
            .filter(|(key, _)| !PASSING.contains(&key.as_str()))
            .filter_map(|(key, value)| Some((key, value.as_str()?.to_owned())))
            .collect()
    }

    fn is_scaled(&self, objects: &[Value]) -> bool {
        objects.iter().any(|object| {
            let target = &object["spec"]["scaleTargetRef"];
            target["kind"] == self.kind && target["name"] == self.name
        })
    }
}

/// Returns the name of the first budget over the pods of a workload.
fn budget<'e>(objects: &'e [Value], of: &RenderedWorkload<'_>) -> Option<&'e str> {
    let labels = of.labels();
    let budgets = objects
        .iter()
        .filter(|object| object["kind"] == "PodDisruptionBudget");
    let mut over = budgets.filter(|budget| {
        let spec = budget["spec"].as_object().cloned().unwrap_or_default();
        let name = String::new();
        RenderedBudget { name, spec }.selects(&labels)
    });
    over.next()?["metadata"]["name"].as_str()
}

fn listed(names: &BTreeSet<&str>) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

fn shown(labels: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(key, value)| format!("`{key}: {value}`"))
        .collect();
    if pairs.is_empty() {
        "none".to_owned()
    } else {
        pairs.join(", ")
    }
}

//! Entries of a list that have the same key.

use std::collections::BTreeMap;

use kustomize::Field;

use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::flux::builds::Member;
use crate::rules::judge::Judge;
use crate::rules::manifest_pod::{ManifestPod, items, seen_text};
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};

/// A list, and the fields that tell its entries apart, with what stands for one that is not there.
type KeyedList = (&'static str, &'static [(&'static str, &'static str)]);

/// The lists of a pod that the API server keeps by key.
const OF_PODS: [KeyedList; 5] = [
    ("volumes", &[("name", "")]),
    ("imagePullSecrets", &[("name", "")]),
    ("hostAliases", &[("ip", "")]),
    (
        "topologySpreadConstraints",
        &[("topologyKey", ""), ("whenUnsatisfiable", "")],
    ),
    ("resourceClaims", &[("name", "")]),
];

/// Those of a container.
const OF_CONTAINERS: [KeyedList; 4] = [
    ("env", &[("name", "")]),
    ("ports", &[("containerPort", ""), ("protocol", "TCP")]),
    ("volumeMounts", &[("mountPath", "")]),
    ("volumeDevices", &[("devicePath", "")]),
];

/// That of a Service.
const OF_SERVICES: KeyedList = ("ports", &[("port", ""), ("protocol", "TCP")]);

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "keyed-list-duplicate",
        summary: "No two entries of a list have the same key",
        text: "\
The API server keeps some lists by key: containers, variables and volumes by `name`, ports by number and protocol, mounts
by `mountPath`. Flux applies objects on the server's side, where two entries with one key are refused, and with them the
whole Kustomization. With `kubectl create`, the last variable of a name would win without a word.

Asked of the pods of manifests and of Services.",
    },
    category: Category::Containers,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    for pod in ManifestPod::all(facts) {
        let member = pod.workload.member;
        let mut findings = Vec::new();
        let mut look = |fields: Vec<&Field>, list: &KeyedList, whose: &str| {
            findings.extend(twice(facts, member, &fields, list, whose));
        };
        let containers: Vec<&Field> = pod.containers().map(|one| one.field).collect();
        look(containers, &("containers", &[("name", "")]), "");
        for list in &OF_PODS {
            look(items(pod.spec, list.0).iter().collect(), list, "");
        }
        for container in pod.containers() {
            let whose = format!(" of container `{}`", container.name);
            for list in &OF_CONTAINERS {
                look(
                    items(container.field, list.0).iter().collect(),
                    list,
                    &whose,
                );
            }
        }
        judge.found(pod.subject(), findings);
    }
    for service in facts.objects("", "Service") {
        let ports = service.find("spec").map(|spec| items(spec, "ports"));
        let ports: Vec<&Field> = ports.unwrap_or_default().iter().collect();
        let findings = twice(facts, service, &ports, &OF_SERVICES, "");
        judge.found(JudgedSubject::member(service), findings);
    }
}

fn twice(
    facts: &Facts<'_>,
    member: &Member<'_>,
    fields: &[&Field],
    (list, keys): &KeyedList,
    whose: &str,
) -> Vec<Diagnostic> {
    let mut seen: BTreeMap<Vec<&str>, &Field> = BTreeMap::new();
    let mut findings = Vec::new();
    for field in fields {
        let parts = keys.iter().map(|(key, default)| match field.get(key) {
            Some(value) => seen_text(value),
            None => Some(*default),
        });
        let Some(parts) = parts.collect::<Option<Vec<&str>>>() else {
            continue;
        };
        if parts.first().is_none_or(|first| first.is_empty()) {
            continue;
        }
        let Some(first) = seen.insert(parts.clone(), field) else {
            continue;
        };
        let shown = |field: &Field| {
            let key = keys.iter().find_map(|(key, _)| field.get(key));
            member.field_place(key.unwrap_or(field))
        };
        let message = format!(
            "two entries of `{list}`{whose} in `{}` have the key `{}`",
            member.label(),
            parts.join("/")
        );
        let error = facts.at(Diagnostic::error(&RULE.meaning, message), &shown(field), "");
        findings.push(
            error
                .with_related(shown(first), "the other one is here")
                .with_hint("the API server refuses it: remove one of them"),
        );
    }
    findings
}

//! Services whose selector meets no pod.

use serde_json::{Map, Value};

use crate::charts::Release;
use crate::diagnostic::{Meaning, Severity};
use crate::flux::{AppliedObject, ObjectKey};
use crate::rules::absence::{Absence, AbsentObject};
use crate::rules::facts::{is_substituted, object_label};
use crate::rules::judge::Judge;
use crate::rules::objects::{makes_pods_in, names_value};
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};
use crate::workload::budget::{Selects, select};
use crate::workload::{Home, Workload};

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "service-selects-nothing",
        summary: "Every Service selects some pod",
        text: "\
A Service sends traffic to the pods of its namespace that carry all labels of its `selector`. One that selects no pod
refuses every connection, most often because of a label that is spelt differently.

It is an error where all pods of the namespace are seen. Where custom resources may make pods of which nobody knows the
labels, it is a warning, and where a chart is not known nothing is said. Services without a selector are not asked.",
    },
    category: Category::Network,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

/// Why it is not sure that no pod is selected.
enum PodDoubt {
    /// What makes pods of which no label is known.
    Unknown(String),
    /// What may make pods besides.
    Possible(String),
    /// Nothing that is seen.
    Nothing,
}

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    for service in facts.unique_objects("", "Service") {
        let selector = service.field.find(&["spec", "selector"]);
        let Some(selector) =
            selector.filter(|one| one.entries().is_some_and(|all| !all.is_empty()))
        else {
            continue;
        };
        if service.field.find_text(&["spec", "type"]) == Some("ExternalName") {
            continue;
        }
        let place = facts.builds.place(selector.place());
        let subject = JudgedSubject::applied(service, place);
        let labels = selector.to_json();
        let namespace = service.key().namespace;
        if is_substituted(&labels.to_string()) || is_substituted(&namespace) {
            judge.unseen(subject, "its selector is only known in the cluster", None);
            continue;
        }
        match best_answer(facts, &namespace, &labels) {
            Selects::Yes => {
                judge.found(subject, Vec::new());
                continue;
            }
            Selects::Maybe => {
                judge.unseen(subject, "a chart may give its labels to pods", None);
                continue;
            }
            Selects::No => {}
        }
        let message = format!(
            "`{}` selects no pod of `{namespace}`",
            object_label(service)
        );
        match doubt(facts, service, &labels) {
            PodDoubt::Unknown(why) => judge.unseen(subject, why, None),
            PodDoubt::Possible(why) => {
                let finding = facts.at_field(judge.warning(message), selector);
                judge.unseen(subject, why.clone(), Some(finding.with_hint(why)));
            }
            PodDoubt::Nothing => {
                let finding = facts.at_field(judge.error(message), selector);
                let finding = finding.with_hint("take the labels of the pods that it is for");
                judge.found(subject, vec![finding]);
            }
        }
    }
}

fn best_answer(facts: &Facts<'_>, namespace: &str, labels: &Value) -> Selects {
    let selector = Map::from_iter([("matchLabels".to_owned(), labels.clone())]);
    let workloads = facts.workloads.iter();
    let mut best = Selects::No;
    for workload in workloads.filter(|workload| workload.namespace == namespace) {
        match select(&selector, workload) {
            Selects::Yes => return Selects::Yes,
            Selects::Maybe if !lacks_label(workload, labels) => best = Selects::Maybe,
            Selects::Maybe | Selects::No => {}
        }
    }
    best
}

/// Returns whether the pods of a workload lack one of some labels, although nothing says which they have.
///
/// App-template gives its pods the labels that charts have by custom, and those that stand in its values.
fn lacks_label(workload: &Workload<'_>, labels: &Value) -> bool {
    let Home::AppTemplate(release, _) = workload.home else {
        return false;
    };
    let may_have = |key: &str| {
        let by_custom = ["app.kubernetes.io/", "helm.sh/", "batch.kubernetes.io/"];
        workload.label_of(key).is_some()
            || by_custom.iter().any(|start| key.starts_with(start))
            || release.values.values().any(|value| has_label(value, key))
    };
    let mut labels = labels.as_object().into_iter().flatten();
    workload.certain && labels.any(|(key, _)| !may_have(key))
}

/// Returns whether values give a label to anything.
fn has_label(value: &Value, label: &str) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(key, value)| {
            (key == "labels" && value.get(label).is_some()) || has_label(value, label)
        }),
        Value::Array(items) => items.iter().any(|item| has_label(item, label)),
        _ => false,
    }
}

fn doubt(facts: &Facts<'_>, service: &AppliedObject, labels: &Value) -> PodDoubt {
    let namespace = service.key().namespace;
    if namespace == "kube-system" {
        return PodDoubt::Unknown("the nodes have pods of their own there".to_owned());
    }
    let inside = |release: &&Release<'_>| release.namespace == namespace;
    let mut unknown = facts.unknown_releases().filter(inside);
    if let Some(release) = unknown.next() {
        return PodDoubt::Unknown(format!("the chart of `{}` is not known", release.label()));
    }
    let root = facts.root_of(service);
    let mut possible = None;
    for object in facts.builds.objects() {
        if facts.root_of(object) != root || !makes_pods_in(facts, object, &namespace) {
            continue;
        }
        let name = object.key().name;
        let label = object_label(object);
        if names_value(labels, &name) {
            return PodDoubt::Unknown(format!("`{label}` may make them"));
        }
        possible.get_or_insert(label);
    }
    let absent = AbsentObject {
        kind: "Deployment",
        key: ObjectKey::new(namespace, ""),
        root,
    };
    match absent.judge(facts) {
        Absence::Unseen(part) => PodDoubt::Possible(format!(
            "they may be in `{}`, which is not seen: {}",
            part.what, part.why
        )),
        Absence::Refused => PodDoubt::Unknown("a build is refused that may have them".to_owned()),
        Absence::Sure | Absence::External => possible.map_or(PodDoubt::Nothing, |label| {
            PodDoubt::Possible(format!("`{label}` may make them"))
        }),
    }
}

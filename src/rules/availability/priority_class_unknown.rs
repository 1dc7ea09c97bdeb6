//! Priority classes that nobody defines.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::rules::facts::is_substituted;
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};
use crate::workload::{PodField, Workload};

/// The classes that every cluster has.
const BUILT_IN: [&str; 2] = ["system-cluster-critical", "system-node-critical"];

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "priority-class-unknown",
        summary: "Every priority class that is named is defined",
        text: "\
The API server rejects a pod whose `priorityClassName` names no PriorityClass. The Deployment itself is accepted, so
that nothing shows but a workload without pods.

Known are the two classes that every cluster has, those that the tree defines, and those among the values of a release.
A class that a chart gives to its own pods by default is the chart's matter. If the tree has a release of which the
chart is unknown, the finding is a warning, since that chart may define the class.",
    },
    category: Category::Availability,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    let mut defined: BTreeSet<String> = BUILT_IN.map(str::to_owned).into();
    let manifests = facts.builds.of_kind("scheduling.k8s.io", "PriorityClass");
    defined.extend(manifests.map(|member| member.name.clone()));
    let mut generated = false;
    for release in facts.releases {
        for value in release.values.values() {
            collect(value, &mut defined, &mut generated);
        }
    }
    let unknown = facts.count_unknown_charts() > 0;
    for workload in facts.deployed() {
        let written = workload.pod["spec"]["priorityClassName"].as_str();
        let Some(class) = written.filter(|class| !class.is_empty()) else {
            continue;
        };
        let is_charts = workload
            .known()
            .is_some_and(|known| known.pod["priorityClassName"] == class);
        let place = workload.place(&PodField::Pod("priorityClassName"));
        let subject = JudgedSubject::workload(workload).at(place);
        if generated || is_charts || is_substituted(class) || defined.contains(class) {
            judge.found(subject, Vec::new());
            continue;
        }
        let finding = problem(facts, workload, class, unknown, &defined);
        if finding.is_error() {
            judge.found(subject, vec![finding]);
        } else {
            judge.unseen(subject, finding.message.clone(), Some(finding));
        }
    }
}

fn problem(
    facts: &Facts<'_>,
    workload: &Workload<'_>,
    class: &str,
    unknown: bool,
    defined: &BTreeSet<String>,
) -> Diagnostic {
    let message = format!(
        "`{}` has the priority class `{class}`, which nothing in the tree defines",
        workload.label()
    );
    let problem = if unknown || !workload.certain {
        Diagnostic::warning(&RULE.meaning, message)
    } else {
        Diagnostic::error(&RULE.meaning, message)
    };
    let place = workload.place(&PodField::Pod("priorityClassName"));
    facts
        .at(problem, &place, "")
        .with_suggestion(class, defined.iter().map(String::as_str))
        .with_hint(
            "define it in a Kustomization that is applied before, or use a class of the tree",
        )
}

/// Collects the classes that are defined among values, and notes when one has a name of its chart's making.
fn collect(value: &Value, defined: &mut BTreeSet<String>, generated: &mut bool) {
    match value {
        Value::Object(map) => {
            if map.get("kind").is_some_and(|kind| kind == "PriorityClass") {
                let name = map.get("metadata").and_then(|meta| meta["name"].as_str());
                *generated |= name.is_none();
                defined.extend(name.map(str::to_owned));
            }
            for value in map.values() {
                collect(value, defined, generated);
            }
        }
        Value::Array(items) => {
            for value in items {
                collect(value, defined, generated);
            }
        }
        _ => {}
    }
}

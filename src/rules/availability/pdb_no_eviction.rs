//! Budgets that never let a pod go.

use crate::diagnostic::{Meaning, Severity};
use crate::rules::facts::is_substituted;
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Rule};
use crate::workload::Workload;
use crate::workload::budget::{self, DisruptionBudget, Selects};

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "pdb-no-eviction",
        summary: "Every budget lets a pod go",
        text: "\
A budget that must keep as many pods as there are, or may miss none, lets nobody evict a pod, however healthy:
`maxUnavailable: 0`, `minAvailable: 100%`, `minAvailable: 2` over two replicas, and the common `minAvailable: 1` over a
single one. `kubectl drain` waits on it for ever; an upgrade of Talos waits five minutes for each node and then takes
the pod away all the same.

`maxUnavailable: 1` is right for nearly everything, since it follows the number of replicas. A single replica needs no
budget: there is nothing that one could keep running.

A budget in a manifest is an error. One that a chart makes by its own defaults, or by the values of its release, is a
warning, as the chart may know a way out that its profile does not.",
    },
    category: Category::Availability,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    for budget in &facts.budgets {
        of_manifest(judge, budget);
    }
    for workload in facts.deployed() {
        of_chart(judge, workload);
    }
}

fn of_manifest(judge: &mut Judge<'_, '_>, budget: &DisruptionBudget) {
    let facts = judge.facts;
    if is_substituted(&budget.spec.to_string()) {
        return;
    }
    let selected: Vec<&Workload<'_>> = facts
        .deployed()
        .filter(|workload| budget.selects(workload) == Selects::Yes)
        .collect();
    let counts = selected.iter().map(|workload| workload.replicas);
    let replicas: Option<u64> = counts.sum();
    let over = replicas.filter(|_| !selected.is_empty());
    // A great number stands for an unknown one: only a budget that forbids everything forbids then.
    let count = over.unwrap_or(1_000_000);
    if count == 0 {
        return;
    }
    let subject = JudgedSubject::budget(facts, budget);
    if budget::allows_eviction(&budget.spec, count) {
        match over {
            Some(_) => judge.found(subject, Vec::new()),
            None if selected.is_empty() => {}
            None => judge.unseen(subject, "how many replicas it is about is not known", None),
        }
        return;
    }
    let name = match budget.name.as_str() {
        "" => "a PodDisruptionBudget among the values".to_owned(),
        name => format!("`PodDisruptionBudget/{}/{name}`", budget.namespace),
    };
    let message = format!("{name} never lets a pod go{}", why(&budget.spec, over));
    let mut problem = facts.at(judge.error(message), &budget.place, "");
    for workload in selected {
        let text = format!("`{}` is selected", workload.label());
        problem = problem.with_related(workload.member.name_place(), text);
    }
    judge.found(subject, vec![problem.with_hint(advice(over))]);
}

fn of_chart(judge: &mut Judge<'_, '_>, workload: &Workload<'_>) {
    let own = budget::own(workload);
    let known = workload.known().and_then(|known| known.budget.as_ref());
    let replicas = workload.replicas.filter(|replicas| *replicas > 0);
    let (Some(own), Some(known), Some(replicas)) = (own, known, replicas) else {
        return;
    };
    let subject = JudgedSubject::workload(workload);
    if budget::allows_eviction(&own.spec, replicas) {
        judge.found(subject, Vec::new());
        return;
    }
    let message = format!(
        "the PodDisruptionBudget that comes with `{}` never lets a pod go{}",
        workload.label(),
        why(&own.spec, Some(replicas))
    );
    let switch = known.disable.as_ref().or(known.enable.as_ref());
    let place = match (workload.release(), switch) {
        (Some(release), Some(switch)) => release.values_place(&switch.path),
        _ => workload.member.name_place(),
    };
    let problem = judge.facts.at(judge.warning(message), &place, "");
    let problem = match &known.disable {
        Some(off) if replicas == 1 => problem.with_hint(format!(
            "set `{}: {}`, or two replicas and `maxUnavailable: 1`",
            off.path, off.value
        )),
        _ => problem.with_hint(advice(Some(replicas))),
    };
    judge.found(subject.at(place), vec![problem]);
}

fn why(spec: &serde_json::Value, replicas: Option<u64>) -> String {
    let field = ["maxUnavailable", "minAvailable"]
        .into_iter()
        .find(|field| !spec[*field].is_null());
    let Some(field) = field else {
        return String::new();
    };
    let value = spec[field].to_string().replace('"', "");
    match replicas {
        Some(1) if field == "minAvailable" => format!(": `{field}: {value}` over one replica"),
        Some(count) if field == "minAvailable" => {
            format!(": `{field}: {value}` over {count} replicas")
        }
        _ => format!(": `{field}: {value}`"),
    }
}

fn advice(replicas: Option<u64>) -> &'static str {
    match replicas {
        Some(1) => "remove it, or run two replicas with `maxUnavailable: 1`",
        _ => "set `maxUnavailable: 1` instead",
    }
}

//! Two budgets over the same pods.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule, Verdict};
use crate::source::Place;
use crate::workload::Workload;
use crate::workload::budget::{self, DisruptionBudget, Selects};

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "pdb-overlap",
        summary: "No pod has two budgets",
        text: "\
The eviction API answers with an error when more than one budget selects a pod, whatever the budgets say, so that a
drain never comes to its end. It happens when a chart makes a budget of its own beside the one in the tree, or
when the selector of one is so wide that it covers another's pods.

Both are named. Keep one: switch the chart's off in its values, or narrow or remove the manifest.",
    },
    category: Category::Availability,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    let mut told = BTreeSet::new();
    for workload in facts.deployed() {
        let selecting: Vec<&DisruptionBudget> = facts
            .budgets
            .iter()
            .filter(|budget| budget.selects(workload) == Selects::Yes)
            .collect();
        let own = budget::own(workload);
        if selecting.is_empty() && own.is_none() {
            continue;
        }
        let mut findings = Vec::new();
        let mut place = None;
        for (first, second) in selecting.iter().zip(selecting.iter().skip(1)) {
            if same(first, second) {
                continue;
            }
            place = Some(second.place.clone());
            // One pair is one problem, whatever number of workloads it is about.
            if told.insert((&first.namespace, &first.name, &second.name)) {
                let text = "the other one is here";
                let problem = overlap(facts, workload, second);
                findings.push(problem.with_related(first.place.clone(), text));
            }
        }
        if let (Some(last), Some(_)) = (selecting.last(), own) {
            let problem = overlap(facts, workload, last);
            let own = workload.member.name_place();
            findings.push(beside_chart(workload, problem).with_related(own, "makes its own"));
            place = Some(last.place.clone());
        }
        hand_in(judge, workload, place, findings);
    }
}

fn hand_in(
    judge: &mut Judge<'_, '_>,
    workload: &Workload<'_>,
    place: Option<Place>,
    findings: Vec<Diagnostic>,
) {
    let mut subject = JudgedSubject::workload(workload);
    let Some(place) = place else {
        let hidden = judge
            .facts
            .hidden_part(workload.member, &workload.namespace);
        return match hidden {
            Some(part) => {
                let why = format!("a second budget may be in {}, which is not seen", part.what);
                judge.unseen(subject, why, None);
            }
            None => judge.found(subject, findings),
        };
    };
    subject.names.extend(judge.facts.subjects_at(&place).1);
    let subject = subject.at(place);
    if findings.is_empty() {
        judge.add(
            subject,
            Verdict::Fail("two budgets select its pods".to_owned()),
        );
    } else {
        judge.found(subject, findings);
    }
}

/// An object that two builds take in is one in the cluster.
fn same(first: &DisruptionBudget, second: &DisruptionBudget) -> bool {
    first.place == second.place
}

fn overlap(facts: &Facts<'_>, workload: &Workload<'_>, budget: &DisruptionBudget) -> Diagnostic {
    let message = format!(
        "two PodDisruptionBudgets select the pods of `{}`, so that none of them can be evicted",
        workload.label()
    );
    facts.at(Diagnostic::error(&RULE.meaning, message), &budget.place, "")
}

fn beside_chart(workload: &Workload<'_>, problem: Diagnostic) -> Diagnostic {
    let known = workload.known().and_then(|known| known.budget.as_ref());
    match known.and_then(|known| known.disable.as_ref()) {
        Some(off) => problem.with_hint(format!(
            "set the value `{}: {}`, or remove the manifest",
            off.path, off.value
        )),
        None => problem.with_hint("remove the manifest, as the chart's own cannot be switched off"),
    }
}

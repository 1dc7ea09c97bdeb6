//! Patches that no object of the chart matches.

use crate::charts::Release;
use crate::charts::post_renderer::Patch;
use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::rules::facts::is_substituted;
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};
use crate::workload::Workload;
use crate::workload::patch_fit::{self, Fit};

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "patch-no-match",
        summary: "Every patch of a release matches something that its chart makes",
        text: "\
kustomize ignores a patch whose `target` matches no object, without a word: the priority, the security context or the
limits in it are not in the cluster. The fields of a target are regular expressions that must match the
whole: `metrics` does not match `metrics-server`.

Only what the chart's profile decides is reported: patches for workloads of a chart that is known, where no values
come from elsewhere and none of them holds workloads of its own.",
    },
    category: Category::Flux,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    for release in facts.releases {
        let workloads = patch_fit::reachable(release, facts.workloads);
        for patch in &release.patches.0 {
            let subject = JudgedSubject::release(release).at(patch.place.clone());
            let mut values = patch.target.values();
            if values.any(|value| is_substituted(&value.to_string())) {
                continue;
            }
            match patch_fit::target(patch, release, &workloads) {
                Fit::Matches => judge.found(subject, Vec::new()),
                Fit::Misses => {
                    let finding = misses(facts, patch, release, &workloads);
                    judge.found(subject, vec![finding]);
                }
                Fit::Undecided if release.profile().is_none() => {
                    judge.unseen(subject, "no profile knows its chart", None);
                }
                Fit::Undecided => {}
            }
        }
    }
}

fn misses(
    facts: &Facts<'_>,
    patch: &Patch,
    release: &Release<'_>,
    workloads: &[&Workload<'_>],
) -> Diagnostic {
    let message = format!(
        "a patch of `{}` targets {}, which its chart does not make",
        release.label(),
        told(patch)
    );
    let problem = facts.at(Diagnostic::error(&RULE.meaning, message), &patch.place, "");
    let name = patch.target.get("name").and_then(|name| name.as_str());
    let names = workloads.iter().map(|workload| workload.name.as_str());
    let problem = problem.with_suggestion(name.unwrap_or_default(), names);
    let made: Vec<String> = workloads
        .iter()
        .map(|workload| format!("`{}/{}`", workload.kind, workload.name))
        .collect();
    match made.as_slice() {
        [] => problem,
        made => problem.with_hint(format!("it makes {}", made.join(", "))),
    }
}

fn told(patch: &Patch) -> String {
    let text = |key: &str| patch.target.get(key).and_then(|value| value.as_str());
    match (text("kind"), text("name")) {
        (Some(kind), Some(name)) => format!("`{kind}/{name}`"),
        (Some(kind), None) => format!("any `{kind}`"),
        _ => "an object".to_owned(),
    }
}

//! Patches for containers that are not there.

use crate::charts::post_renderer::Patch;
use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::rules::facts::is_substituted;
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};
use crate::workload::Workload;
use crate::workload::patch_fit;

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "patch-container",
        summary: "Patches of a release name only containers that are there",
        text: "\
Containers are merged by their names. A patch with a name that is not there adds a container instead of changing one:
a container without an image, with which the API server rejects the workload, and the release fails.

A container that the patch gives an image is meant to be added, and is not reported. Only charts with a profile are
looked at, and a name that the release's values mention is taken to be there.",
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
            if !patch.body.to_string().contains("ontainers\"") || workloads.is_empty() {
                continue;
            }
            let strangers = workloads.iter().flat_map(|workload| {
                let names = patch_fit::strangers(patch, workload).into_iter();
                names.map(move |name| (*workload, name))
            });
            let findings = strangers
                .filter(|(_, name)| !is_substituted(name))
                .map(|(workload, name)| stranger(facts, patch, workload, name))
                .collect();
            let subject = JudgedSubject::release(release).at(patch.place.clone());
            judge.found(subject, findings);
        }
    }
}

fn stranger(facts: &Facts<'_>, patch: &Patch, workload: &Workload<'_>, name: &str) -> Diagnostic {
    let message = format!(
        "a patch names the container `{name}`, which `{}` does not have",
        workload.label()
    );
    let names = patch_fit::names(workload);
    let listed: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    facts
        .at(Diagnostic::error(&RULE.meaning, message), &patch.place, "")
        .with_suggestion(name, names.iter().map(String::as_str))
        .with_hint(format!("its containers are {}", listed.join(", ")))
}

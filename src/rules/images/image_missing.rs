//! Containers without an image.

use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::rules::app_template_values::{
    AppTemplateValues, lacks_image, misspelled_image, switched_on,
};
use crate::rules::judge::Judge;
use crate::rules::manifest_pod::ManifestPod;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};
use crate::workload::{Home, Workload};

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "image-missing",
        summary: "Every container has an image",
        text: "\
The API server refuses a workload with a container that has no image. A strategic merge patch that spells the name of a
container differently does that: it adds a container instead of changing one.

In a release of app-template, every container needs `image.repository`, its own or by `defaultContainerOptions`;
the chart does not render without. Asked of manifests and of app-template, where all values are in the tree.",
    },
    category: Category::Images,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    for pod in ManifestPod::all(facts) {
        let mut findings = Vec::new();
        for container in pod.containers() {
            let image = container.field.get("image");
            if image.is_none_or(|image| image.as_text().is_none_or(str::is_empty)) {
                let shown = container.field.get("name").unwrap_or(container.field);
                let message = told(container.name, pod.workload);
                let error = facts.at(judge.error(message), &pod.place(shown), "");
                let names: Vec<&str> = pod
                    .containers()
                    .filter(|other| other.field.get("image").is_some())
                    .map(|other| other.name)
                    .collect();
                findings.push(
                    error
                        .with_suggestion(container.name, names)
                        .with_hint("set its `image`"),
                );
            }
        }
        judge.found(pod.subject(), findings);
    }
    for workload in facts.deployed() {
        if let Home::AppTemplate(release, controller) = &workload.home {
            let Some(values) = AppTemplateValues::of(release) else {
                let why = "more of the release's values come from elsewhere";
                judge.unseen(JudgedSubject::workload(workload), why, None);
                continue;
            };
            let findings = without_image(facts, workload, values, controller);
            judge.found(JudgedSubject::workload(workload), findings);
        }
    }
}

/// Lists the containers of a controller of app-template that nothing gives an image.
fn without_image(
    facts: &Facts<'_>,
    workload: &Workload<'_>,
    values: AppTemplateValues<'_>,
    name: &str,
) -> Vec<Diagnostic> {
    let Some(controller) = values.get(&["controllers", name]) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    for list in ["initContainers", "containers"] {
        for (container, own) in switched_on(controller[list].as_object()) {
            if !lacks_image(controller, own) {
                continue;
            }
            let error = Diagnostic::error(&RULE.meaning, told(container, workload));
            let misspelled = misspelled_image(own);
            let key = misspelled.unwrap_or("image");
            let place = values.place(&["controllers", name, list, container, key]);
            let hint = match misspelled {
                Some(_) => "did you mean `image`?",
                None => "set `image.repository` and `image.tag` of the container in the values",
            };
            findings.push(facts.at(error, &place, "").with_hint(hint));
        }
    }
    findings
}

fn told(container: &str, workload: &Workload<'_>) -> String {
    format!(
        "container `{container}` of `{}` has no image",
        workload.label()
    )
}

//! Containers without an image.

use serde_json::Value;

use crate::diagnostic::{Diagnostic, Severity};
use crate::rules::app_template_values::switched_on;
use crate::rules::judge::Judge;
use crate::rules::manifest_pod::ManifestPod;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};
use crate::workload::{Home, PodField, Workload};

pub(in crate::rules) const RULE: Rule = Rule {
    code: "image-missing",
    category: Category::Images,
    severity: Some(Severity::Error),
    weight: 3,
    summary: "Every container has an image",
    explanation: "\
The API server refuses a workload with a container that has no image. A strategic merge patch that spells the name of a
container differently does that: it adds a container instead of changing one.

In a release of app-template, every container needs `image.repository`, its own or by `defaultContainerOptions`;
the chart does not render without. Asked of manifests and of app-template, where all values are in the tree.",
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
            if release.values_from {
                let why = "more of the release's values come from elsewhere";
                judge.unseen(JudgedSubject::workload(workload), why, None);
                continue;
            }
            let controller = release
                .values
                .get("controllers")
                .map(|all| &all[controller]);
            let findings = controller.map(|values| without_image(facts, workload, values));
            judge.found(
                JudgedSubject::workload(workload),
                findings.unwrap_or_default(),
            );
        }
    }
}

/// Lists the containers of a controller of app-template that nothing gives an image.
fn without_image(
    facts: &Facts<'_>,
    workload: &Workload<'_>,
    controller: &Value,
) -> Vec<Diagnostic> {
    let has_repository = |image: &Value| {
        let text = image.as_str().or_else(|| image["repository"].as_str());
        text.is_some_and(|text| !text.is_empty())
    };
    if has_repository(&controller["defaultContainerOptions"]["image"]) {
        return Vec::new();
    }
    let lists = ["initContainers", "containers"];
    let containers = lists
        .into_iter()
        .flat_map(|list| switched_on(controller[list].as_object()));
    containers
        .filter(|(_, container)| !has_repository(&container["image"]))
        .map(|(name, _)| {
            let error = Diagnostic::error(RULE.code, told(name, workload));
            let place = workload.place(&PodField::of(name, "image"));
            facts
                .at(error, &place, "")
                .with_hint("set `image.repository` and `image.tag` of the container in the values")
        })
        .collect()
}

fn told(container: &str, workload: &Workload<'_>) -> String {
    format!(
        "container `{container}` of `{}` has no image",
        workload.label()
    )
}

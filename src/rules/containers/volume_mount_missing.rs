//! Mounts of volumes that are not there.

use serde_json::Value;

use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::rules::app_template_values::AppTemplateValues;
use crate::rules::judge::Judge;
use crate::rules::manifest_pod::{ManifestPod, items, seen_text};
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "volume-mount-missing",
        summary: "Every mount is of a volume of its pod, and every volume has a source",
        text: "\
The API server refuses a workload in which a container mounts a volume that is neither among the `volumes` of the pod
nor, in a StatefulSet, among its `volumeClaimTemplates`, and a volume with two sources. A volume without any is taken
for an `emptyDir`, so that what is written to it is gone with the pod: that is a warning. Asked of manifests.

In app-template, `advancedMounts` for a controller or container that is not there mount nothing, without a word: a
warning as well.",
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
        let mut findings = mounts(facts, pod);
        findings.extend(sources(facts, pod));
        judge.found(pod.subject(), findings);
    }
    for app in AppTemplateValues::all(facts) {
        let findings = of_app_template(facts, app);
        judge.found(JudgedSubject::release(app.release), findings);
    }
}

fn mounts(facts: &Facts<'_>, pod: ManifestPod<'_>) -> Vec<Diagnostic> {
    let claims = pod.workload.member.find("spec").into_iter();
    let claims = claims.flat_map(|spec| items(spec, "volumeClaimTemplates"));
    let claims = claims.filter_map(|claim| claim.find_text(&["metadata", "name"]));
    let volumes = items(pod.spec, "volumes").iter();
    let volumes = volumes.filter_map(|volume| volume.find_text(&["name"]));
    let is_stateful = pod.workload.kind == "StatefulSet";
    let names: Vec<&str> = volumes.chain(claims.filter(|_| is_stateful)).collect();
    if names.iter().any(|name| name.contains("${")) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for container in pod.containers() {
        for list in ["volumeMounts", "volumeDevices"] {
            for mount in items(container.field, list) {
                let Some(field) = mount.get("name") else {
                    continue;
                };
                let Some(name) = seen_text(field).filter(|name| !names.contains(name)) else {
                    continue;
                };
                let message = format!(
                    "container `{}` of `{}` mounts the volume `{name}`, which its pod does not have",
                    container.name,
                    pod.label()
                );
                let error = Diagnostic::error(&RULE.meaning, message);
                let error = facts.at(error, &pod.place(field), "");
                findings.push(
                    error
                        .with_suggestion(name, names.iter().copied())
                        .with_hint(
                            "the API server refuses it: add it to `volumes`, or remove the mount",
                        ),
                );
            }
        }
    }
    findings
}

/// Says which mounts of a release of app-template are for controllers or containers that it does not have.
fn of_app_template(facts: &Facts<'_>, app: AppTemplateValues<'_>) -> Vec<Diagnostic> {
    let controllers = app.release.values.get("controllers");
    let controllers = controllers.and_then(Value::as_object);
    let mut findings = Vec::new();
    let mut miss = |what: &str, given: &str, near: Vec<&str>, keys: &[&str]| {
        let message = format!(
            "`{}` in the values of `{}` is for the {what} `{given}`, which it does not have: nothing is mounted",
            keys.join("."),
            app.release.label()
        );
        let warning = Diagnostic::warning(&RULE.meaning, message);
        let warning = facts.at(warning, &app.place(keys), "");
        findings.push(warning.with_suggestion(given, near));
    };
    for (volume, values) in app.entries("persistence") {
        for (controller, mounts) in values["advancedMounts"].as_object().into_iter().flatten() {
            let keys = ["persistence", volume, "advancedMounts", controller];
            let Some(known) = controllers.and_then(|all| all.get(controller)) else {
                let near = controllers.into_iter().flatten();
                let near = near.map(|(name, _)| name.as_str()).collect();
                miss("controller", controller, near, &keys);
                continue;
            };
            for container in mounts
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| name)
            {
                let lists = ["containers", "initContainers"].into_iter();
                let names = lists.filter_map(|list| known[list].as_object());
                let names: Vec<&str> = names.flatten().map(|(name, _)| name.as_str()).collect();
                if !names.contains(&container.as_str()) {
                    let keys = [keys[0], keys[1], keys[2], keys[3], container];
                    miss("container", container, names, &keys);
                }
            }
        }
    }
    findings
}

fn sources(facts: &Facts<'_>, pod: ManifestPod<'_>) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for volume in items(pod.spec, "volumes") {
        let Some(name) = volume.get("name") else {
            continue;
        };
        let entries = volume.entries().unwrap_or_default().iter();
        let given = entries.filter(|entry| entry.key != "name" && !entry.value.is_null());
        let given: Vec<&str> = given.map(|entry| entry.key.as_str()).collect();
        let told = name.as_text().unwrap_or_default();
        let label = pod.label();
        let problem = match given.as_slice() {
            [] => Diagnostic::warning(
                &RULE.meaning,
                format!(
                    "the volume `{told}` of `{label}` has no source, so that it is an `emptyDir`"
                ),
            )
            .with_hint("say what it is: `emptyDir: {}`, `configMap`, `persistentVolumeClaim`, …"),
            [_] => continue,
            many => Diagnostic::error(
                &RULE.meaning,
                format!(
                    "the volume `{told}` of `{label}` has {} sources: `{}`",
                    many.len(),
                    many.join("`, `")
                ),
            )
            .with_hint("the API server refuses it: keep one"),
        };
        findings.push(facts.at(problem, &pod.place(name), ""));
    }
    findings
}

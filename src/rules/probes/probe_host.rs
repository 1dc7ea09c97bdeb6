//! Probes that ask another host.

use serde_json::Value;

use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};
use crate::workload::{PodField, Workload, WorkloadContainer};

/// Where a container may name a host, with the field that the place is shown of.
const HANDLERS: [(&str, &str); 5] = [
    ("livenessProbe", ""),
    ("readinessProbe", ""),
    ("startupProbe", ""),
    ("lifecycle", "/postStart"),
    ("lifecycle", "/preStop"),
];

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "probe-host",
        summary: "No probe and no lifecycle hook names a host",
        text: "\
The kubelet asks the pod's own address unless `host` says otherwise. A probe with a `host` asks something else, often
the node itself, and says nothing about the container; it also lets whoever writes the pod make the kubelet send
requests to any address. From Kubernetes 1.34 on, the `baseline` level of the Pod Security Standards forbids it.

Leave `host` out. A server that listens on `127.0.0.1` only must listen on the pod's address to be probed, or be
probed by a command in the container. What a chart sets by itself is left to its author: `kiln audit` shows it.",
    },
    category: Category::Probes,
    severity: Some(Severity::Warning),
    weight: 1,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    for workload in facts.deployed() {
        for container in workload.containers() {
            let probed = |(field, _): &(&'static str, &str)| !container.value[*field].is_null();
            if !HANDLERS.iter().any(probed) {
                continue;
            }
            let findings: Vec<Diagnostic> = HANDLERS
                .into_iter()
                .filter_map(|handler| problem(facts, workload, container, handler))
                .collect();
            let mut subject = JudgedSubject::workload(workload);
            subject.label = format!("{}, container `{}`", subject.label, container.name);
            judge.found(subject, findings);
        }
    }
}

fn problem(
    facts: &Facts<'_>,
    workload: &Workload<'_>,
    container: WorkloadContainer<'_>,
    (field, below): (&'static str, &str),
) -> Option<Diagnostic> {
    let host = host(container.value, field, below)?;
    if of_chart(workload, container.name, field, below).as_deref() == Some(host.as_str()) {
        return None;
    }
    let message = format!(
        "`{field}` of container `{}` in `{}` asks the host `{host}` instead of the pod",
        container.name,
        workload.label()
    );
    let place = workload.place(&PodField::of(container.name, field));
    let warning = Diagnostic::warning(&RULE.meaning, message);
    Some(
        facts
            .at(warning, &place, "")
            .with_hint("remove `host`: the kubelet asks the pod's own address"),
    )
}

fn host(container: &Value, field: &str, below: &str) -> Option<String> {
    let handler = container[field].pointer(below)?;
    let host = ["httpGet", "tcpSocket"]
        .into_iter()
        .find_map(|kind| handler[kind]["host"].as_str())?;
    (!host.is_empty()).then(|| host.to_owned())
}

/// Returns the host that a chart names by default.
fn of_chart(workload: &Workload<'_>, name: &str, field: &str, below: &str) -> Option<String> {
    let pod = &workload.known()?.pod;
    ["initContainers", "containers"]
        .into_iter()
        .flat_map(|list| pod[list].as_array().into_iter().flatten())
        .filter(|container| {
            let written = container["name"].as_str().unwrap_or_default();
            let filled = workload.release().map(|release| release.fill(written));
            filled.as_deref().unwrap_or(written) == name
        })
        .find_map(|container| host(container, field, below))
}

//! Priority classes that nobody defines.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::check::Check;
use crate::check::context::{Context, is_substituted};
use crate::diagnostic::{Diagnostic, Severity};
use crate::workload::{Field, Workload};

/// The classes that every cluster has.
const BUILT_IN: [&str; 2] = ["system-cluster-critical", "system-node-critical"];

pub(in crate::check) const CHECK: Check = Check {
    code: "priority-class-unknown",
    summary: "A pod names a priority class that nothing defines",
    explanation: "\
The API server rejects a pod whose `priorityClassName` names no PriorityClass. The Deployment itself is accepted, so
that nothing shows but a workload without pods.

Known are the two classes that every cluster has, those that the tree defines, and those among the values of a release.
A class that a chart gives to its own pods by default is the chart's matter. If the tree has a release of which the
chart is unknown, the finding is a warning, since that chart may define the class.",
    severity: Severity::Error,
    run,
};

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut defined: BTreeSet<String> = BUILT_IN.map(str::to_owned).into();
    let manifests = context.builds.of_kind("scheduling.k8s.io", "PriorityClass");
    defined.extend(manifests.map(|member| member.name.clone()));
    let mut generated = false;
    for release in context.releases {
        for value in release.values.values() {
            collect(value, &mut defined, &mut generated);
        }
    }
    let unknown = context
        .releases
        .iter()
        .any(|release| release.profile().is_none());
    let mut problems = Vec::new();
    for workload in context.deployed() {
        let written = workload.pod["spec"]["priorityClassName"].as_str();
        let Some(class) = written.filter(|class| !class.is_empty()) else {
            continue;
        };
        let is_charts = workload
            .known()
            .is_some_and(|known| known.pod["priorityClassName"] == class);
        if generated || is_charts || is_substituted(class) || defined.contains(class) {
            continue;
        }
        problems.push(problem(context, workload, class, unknown, &defined));
    }
    problems
}

fn problem(
    context: &Context<'_>,
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
        Diagnostic::warning(CHECK.code, message)
    } else {
        Diagnostic::error(CHECK.code, message)
    };
    let place = workload.place(&Field::Pod("priorityClassName"));
    context
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

//! Labels namespaces with the strictest Pod Security level that their workloads satisfy.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::diagnostic::{Diagnostic, Meaning};
use crate::flux::builds::Member;
use crate::harden::bench::Edit;
use crate::harden::{Context, Outcome, Pass, Rule};
use crate::source::Place;
use crate::workload::pod_security::Level;
use crate::workload::standing::{Standing, judge};
use crate::yaml::Route;
use crate::yaml::edit::Insertion;

/// Where the labels live.
const PREFIX: &str = "pod-security.kubernetes.io/";

/// Namespaces in which the nodes themselves run static pods with access to the host.
const HOST_NAMESPACES: &[&str] = &["kube-system"];

pub(in crate::harden) const RULE: Rule = Rule {
    code: "pod-security",
    summary: "Labels each namespace with the strictest Pod Security level that its workloads satisfy",
    explanation: "\
Kubernetes refuses pods that a namespace's `pod-security.kubernetes.io/enforce` label forbids. Without
the label, everything is allowed, or what the cluster's default says.

The rule adds `enforce` with the strictest level that every workload of the namespace satisfies:
manifests are judged by the Pod Security Standards, charts by their profile and the values in the
tree, and so are pods that an operator makes from custom resources, such as VolSync's movers. `audit` and
`warn` are `restricted` everywhere, so that whatever is not there yet shows. Each
label comes with its `-version`, the minor version of the cluster, so that an upgrade does not refuse
pods by a newer standard. `kube-system` is `privileged`, as the nodes' own static pods are in it.

Labels that are there stay as they are, and so does the version beside them. Where a chart is
unknown, nothing is guessed: the namespace gets no label, and the chart is named. The pods of `helm test` count where
the release sets `spec.test.enable`.

A level can be wished for in the config (`security.pod_security`). One that is stricter than a workload allows, wished for there
or in the manifest, is an error that names the workload and the field.",
    findings: &[
        Meaning {
            code: "pod-security-too-strict",
            summary: "A namespace is to enforce a level that one of its workloads does not satisfy",
            text: "\
Kubernetes would refuse the pods of that workload, on its next restart at the latest. The message names
the workload and the field.

Change the workload, or wish for a lower level.

    security:
      pod_security:
        media: baseline",
        },
        Meaning {
            code: "pod-security-unknown",
            summary: "A namespace gets no level since nobody knows what some of its pods need",
            text: "\
A level that is too strict stops pods, and without a profile of their chart nobody can tell; nor of a custom
resource from which an operator makes pods in a way that the profile of its chart does not know.

Make a profile, or wish for a level that you know to fit.

    kiln profile new oci://ghcr.io/example/charts/whoami",
        },
        Meaning {
            code: "pod-security-no-namespace",
            summary: "A level is wished for a namespace that is not in the tree",
            text: "\
The wish in the config changes nothing: the name has a typo, or the namespace is not made by a
template.

Mend the name, or add the Namespace.

    security:
      pod_security:
        media: baseline",
        },
    ],
    pass: Pass::Judgement,
    apply,
};

fn apply(context: &Context<'_>) -> Outcome {
    let standings = judge(
        context.workloads,
        context.releases,
        context.builds,
        context.policy.kubernetes,
    );
    let mut outcome = Outcome::default();
    let namespaces: Vec<&Member<'_>> = context.builds.of_kind("", "Namespace").collect();
    let mut seen = std::collections::BTreeSet::new();
    for namespace in &namespaces {
        let object = namespace.object;
        if !context.may_edit(object)
            || !seen.insert(object.spot())
            || context.is_exempt(&namespace.name, &namespace.name)
        {
            continue;
        }
        label(context, namespace, &standings, &mut outcome);
    }
    for (wished, (_, place)) in &context.policy.pod_security {
        if !namespaces.iter().any(|namespace| namespace.name == *wished) {
            let message = format!(
                "a Pod Security level is wished for namespace `{wished}`, which is not in the tree"
            );
            let names = namespaces.iter().map(|namespace| namespace.name.as_str());
            let problem = Diagnostic::error("pod-security-no-namespace", message)
                .with_suggestion(wished, names);
            outcome.problems.push(problem.at_place_if(place.as_ref()));
        }
    }
    outcome
}

fn label(
    context: &Context<'_>,
    namespace: &Member<'_>,
    standings: &BTreeMap<String, Vec<Standing>>,
    outcome: &mut Outcome,
) {
    let name = &namespace.name;
    let inside = standings.get(name).map(Vec::as_slice).unwrap_or_default();
    let labels = Route::parse("metadata.labels");
    let written = |key: &str| {
        namespace
            .object
            .root
            .at(&labels.then(format!("{PREFIX}{key}").as_str()))
    };
    let wish = context.policy.pod_security.get(name);
    let enforced = written("enforce").and_then(|node| {
        Some((
            Level::parse(node.text()?)?,
            namespace
                .object
                .place(&labels.then(format!("{PREFIX}enforce").as_str())),
        ))
    });
    let asked = enforced.or_else(|| {
        wish.map(|(level, place)| {
            (
                *level,
                place
                    .clone()
                    .unwrap_or_else(|| namespace.object.name_place()),
            )
        })
    });
    let unknown: Vec<&Standing> = inside
        .iter()
        .filter(|standing| standing.level.is_none())
        .collect();
    let level = match &asked {
        Some((level, place)) => {
            outcome
                .problems
                .extend(too_strict(name, *level, place, inside));
            Some((*level, "the project wishes for this level".to_owned()))
        }
        None if HOST_NAMESPACES.contains(&name.as_str()) => Some((
            Level::Privileged,
            "static pods of the nodes run here with access to the host".to_owned(),
        )),
        None if unknown.is_empty() => Some(strictest(inside)),
        None => None,
    };
    let Some((level, reason)) = level else {
        outcome.problems.push(unknown_level(namespace, &unknown));
        return;
    };
    let mut entries = Map::new();
    for (mode, level) in [
        ("enforce", level),
        ("audit", Level::Restricted),
        ("warn", Level::Restricted),
    ] {
        if written(mode).is_none() && written(&format!("{mode}-version")).is_none() {
            entries.insert(format!("{PREFIX}{mode}"), Value::from(level.as_str()));
            entries.insert(
                format!("{PREFIX}{mode}-version"),
                Value::from(context.policy.kubernetes.to_string()),
            );
        }
    }
    if !entries.is_empty() {
        outcome.edits.push(Edit {
            path: namespace.object.file.path.clone(),
            insertion: Insertion::entries(
                namespace.object.document,
                namespace.object.document_route(&labels),
                entries,
            ),
            object: namespace.label(),
            reason,
        });
    }
}

/// Returns the strictest level that all workloads satisfy, and why it is not stricter.
fn strictest(inside: &[Standing]) -> (Level, String) {
    let worst = inside
        .iter()
        .filter_map(|standing| Some((standing.level?, standing)))
        .min_by_key(|(level, _)| *level);
    match worst {
        Some((level, standing)) if level < Level::Restricted => {
            let obstacle = standing
                .obstacles
                .first()
                .map(|(reason, _)| format!(": {reason}"));
            (
                level,
                format!(
                    "{} is `{level}`{}",
                    standing.label,
                    obstacle.unwrap_or_default()
                ),
            )
        }
        _ => (
            Level::Restricted,
            "all workloads of the namespace satisfy it".to_owned(),
        ),
    }
}

fn too_strict(name: &str, level: Level, place: &Place, inside: &[Standing]) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for standing in inside {
        let Some(reached) = standing.level.filter(|reached| *reached < level) else {
            continue;
        };
        let message = format!(
            "namespace `{name}` is to enforce `{level}`, but `{}` satisfies only `{reached}`",
            standing.label
        );
        let mut problem = if standing.certain {
            Diagnostic::error("pod-security-too-strict", message)
        } else {
            Diagnostic::warning("pod-security-too-strict", message)
        };
        problem = problem.at_place(place.clone(), "");
        for (reason, place) in &standing.obstacles {
            problem = problem.with_related(place.clone(), reason.clone());
        }
        problems.push(problem.with_hint(format!("set what it lacks, or enforce `{reached}`")));
    }
    problems
}

fn unknown_level(namespace: &Member<'_>, unknown: &[&Standing]) -> Diagnostic {
    let names: Vec<String> = unknown
        .iter()
        .map(|standing| format!("`{}`", standing.label))
        .collect();
    let message = format!(
        "namespace `{}` gets no Pod Security label, since nobody knows the pods of {}",
        namespace.name,
        names.join(" and ")
    );
    let mut problem = Diagnostic::warning("pod-security-unknown", message)
        .at_place(namespace.object.name_place(), "")
        .with_hint("add a profile of the chart below `charts/`, or label the namespace yourself");
    for standing in unknown {
        problem = problem.with_related(standing.place.clone(), "brings pods that nobody knows");
    }
    problem
}

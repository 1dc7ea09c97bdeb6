//! Labels namespaces with the strictest Pod Security level that their workloads satisfy.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::diagnostic::{Diagnostic, Meaning};
use crate::flux::builds::Member;
use crate::pod_security::Level;
use crate::rules::codes;
use crate::rules::hygiene::{label_route, namespace_level};
use crate::rules::object_addition::ObjectAddition;
use crate::rules::plan::{Plan, PlannedEdit};
use crate::rules::remedy::{Pass, Remedy, RemedyScope};
use crate::rules::shared_manifest::Wisher;
use crate::workload::standing::PodSecurityStanding;
use crate::yaml::Route;
use crate::yaml::edit::Insertion;

/// Where the labels live.
const PREFIX: &str = "pod-security.kubernetes.io/";

/// Why a namespace audits and warns by the strictest level.
const SHOWS: &str = "whatever its pods do not satisfy shows, and is not refused";

/// How many things of one cause are named.
const SHOWN: usize = 3;

/// Namespaces in which the nodes themselves run static pods with access to the host.
const HOST_NAMESPACES: &[&str] = &["kube-system"];

pub(in crate::rules) static REMEDY: Remedy = Remedy {
    meaning: Meaning {
        code: "pod-security",
        summary: "Labels each namespace with the strictest Pod Security level that its workloads satisfy",
        text: "\
Kubernetes refuses pods that a namespace's `pod-security.kubernetes.io/enforce` label forbids. Without
the label, everything is allowed, or what the cluster's default says.

The rule adds `enforce` with the strictest level that every workload of the namespace satisfies:
manifests are judged by the Pod Security Standards, charts by their profile and the values in the
tree, and so are pods that an operator makes from custom resources, such as VolSync's movers. `audit` and
`warn` are `restricted` everywhere, so that whatever is not there yet shows. Each
label comes with its `-version`, the minor version of the cluster, so that an upgrade does not refuse
pods by a newer standard. `kube-system` is `privileged`, as the nodes' own static pods are in it.

Labels that are there stay as they are, and so does the version beside them. Where a chart is
unknown, or something else of the namespace is not seen, nothing is guessed: the namespace enforces nothing, and what is
not seen is named. So it is for a custom resource of a kind that neither a profile nor `charts/custom-resources.yaml`
tells of, for a remote base or a build that is refused, and in a whole cluster for a Kustomization of another source
without `targetNamespace`. The pods of `helm test` count where the release sets `spec.test.enable`.

A manifest that several namespaces share, such as one in a component, gets the level that all of them can enforce, if
it is the same. Else each namespace gets its own level by a patch in the kustomization through which it alone comes.

A level can be wished for in the config (`security.pod_security`). One that is stricter than a workload allows is an error:
see `pod-security-forbidden`.",
    },
    pass: Pass::Judgement,
    plan,
};

fn plan(context: &RemedyScope<'_, '_>) -> Plan {
    let mut plan = Plan::default();
    let namespaces: Vec<&Member<'_>> = context.builds.of_kind("", "Namespace").collect();
    let mut seen = BTreeSet::new();
    let mut open = namespaces.clone();
    open.retain(|namespace| {
        context.may_edit(namespace)
            && !context.is_exempt(&namespace.name, &namespace.name, &namespace.path())
            && seen.insert((namespace.spot(), namespace.user()))
    });
    let mut unlabelled = Vec::new();
    for namespace in &open {
        unlabelled.extend(label(context, namespace, &mut plan));
    }
    plan.settle_shared(context, context.rule);
    plan.gather_edits();
    plan.problems.extend(held_back(&open, &plan));
    plan.problems.extend(unseen_pods(&unlabelled));
    for (wished, (_, place)) in &context.policy().pod_security {
        if !namespaces.iter().any(|namespace| namespace.name == *wished) {
            let message = format!(
                "a Pod Security level is wished for namespace `{wished}`, which is not in the tree"
            );
            let names = namespaces.iter().map(|namespace| namespace.name.as_str());
            let problem = Diagnostic::error(&codes::POD_SECURITY_NO_NAMESPACE, message)
                .with_suggestion(wished, names);
            plan.problems.push(problem.at_place_if(place.as_ref()));
        }
    }
    plan
}

/// What a namespace can enforce.
enum Enforceable {
    /// A level, and why it is that one.
    Level(Level, String),
    /// Nobody can tell, since something is not seen.
    Unseen(Vec<PodSecurityStanding>),
}

/// A namespace that enforces nothing, and what of it is not seen.
struct Unlabelled<'m, 't> {
    namespace: &'m Member<'t>,
    unseen: Vec<PodSecurityStanding>,
}

/// Labels a namespace, mode by mode, and returns it where there is no telling what it can enforce.
fn label<'m, 't>(
    context: &RemedyScope<'_, '_>,
    namespace: &'m Member<'t>,
    plan: &mut Plan,
) -> Option<Unlabelled<'m, 't>> {
    let enforceable = enforceable(context, namespace);
    let (enforce, reason) = match &enforceable {
        Enforceable::Level(level, reason) => (Some(*level), reason.as_str()),
        Enforceable::Unseen(_) => (None, SHOWS),
    };
    let modes = [
        ("enforce", enforce, reason),
        ("audit", Some(Level::Restricted), SHOWS),
        ("warn", Some(Level::Restricted), SHOWS),
    ];
    for (mode, level, reason) in modes {
        let versioned = format!("{mode}-version");
        let mut keys = [mode, &versioned].into_iter();
        let is_set = keys.any(|mode| namespace.at(&label_route(mode)).is_some());
        if let Some(level) = level.filter(|_| !is_set) {
            let version = context.policy().kubernetes.to_string();
            let labels = Map::from_iter([
                (format!("{PREFIX}{mode}"), Value::from(level.as_str())),
                (format!("{PREFIX}{versioned}"), Value::from(version)),
            ]);
            plan.edits.extend(edit(namespace, mode, labels, reason));
        }
    }
    match enforceable {
        Enforceable::Level(..) => None,
        Enforceable::Unseen(unseen) => Some(Unlabelled { namespace, unseen }),
    }
}

fn edit(
    namespace: &Member<'_>,
    mode: &str,
    labels: Map<String, Value>,
    reason: &str,
) -> Option<PlannedEdit> {
    let written = namespace.written?;
    let route = Route::parse("metadata.labels");
    let mut wisher = Wisher::of(namespace, namespace.label(), label_route(mode).to_string());
    let gain = ObjectAddition::Complete(route.clone(), Value::Object(labels.clone()));
    wisher.gains.push(gain);
    let route = written.document_route(&route);
    Some(PlannedEdit {
        path: written.file.path.clone(),
        insertion: Insertion::entries(written.document, route, labels),
        object: namespace.label(),
        reason: reason.to_owned(),
        wisher: Some(wisher),
    })
}

/// Returns what a namespace enforces already, what the project wishes for, or what all its pods satisfy.
fn enforceable(context: &RemedyScope<'_, '_>, namespace: &Member<'_>) -> Enforceable {
    let name = namespace.name.as_str();
    let wished = || Some(context.policy().pod_security.get(name)?.0);
    if let Some(level) = namespace_level(namespace, "enforce").or_else(wished) {
        return Enforceable::Level(level, "the project wishes for this level".to_owned());
    }
    if HOST_NAMESPACES.contains(&name) {
        let why = "static pods of the nodes run here with access to the host";
        return Enforceable::Level(Level::Privileged, why.to_owned());
    }
    let inside = context.standings_in(namespace);
    let unseen = inside.iter().filter(|standing| standing.level.is_none());
    let unseen: Vec<PodSecurityStanding> = unseen.map(|standing| (*standing).clone()).collect();
    if unseen.is_empty() {
        let (level, reason) = strictest(&inside);
        Enforceable::Level(level, reason)
    } else {
        Enforceable::Unseen(unseen)
    }
}

/// Returns the strictest level that all workloads satisfy, and why it is not stricter.
fn strictest(inside: &[&PodSecurityStanding]) -> (Level, String) {
    let worst = inside
        .iter()
        .filter_map(|standing| Some((standing.level?, *standing)))
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

/// Says which namespaces enforce nothing since the manifest of each makes others that can enforce something else.
fn held_back(namespaces: &[&Member<'_>], plan: &Plan) -> Option<Diagnostic> {
    let field = label_route("enforce").to_string();
    let is_held = |namespace: &&&Member<'_>| {
        let mut gaps = plan.gaps.iter();
        gaps.any(|gap| gap.object == namespace.label() && gap.route == field)
    };
    let held: Vec<&&Member<'_>> = namespaces.iter().filter(is_held).collect();
    let names: BTreeSet<String> = held.iter().map(|one| format!("`{}`", one.name)).collect();
    let (whose, makes) = match names.len() {
        1 => ("namespace {} gets", "its manifest makes"),
        _ => ("namespaces {} get", "their manifests make"),
    };
    let message = format!(
        "{} no Pod Security level to enforce, since {makes} others too, for which it may not be right",
        whose.replace("{}", &listed(names.into_iter().collect()))
    );
    let problem = Diagnostic::warning(&codes::POD_SECURITY_UNKNOWN, message);
    let place = held.first()?.name_place();
    Some(problem.at_place(place, "").with_hint(
        "give each namespace a kustomization of its own that takes the manifest in: a patch there can label it",
    ))
}

/// Says for which namespaces nobody can tell what they can enforce, those of one cause together.
fn unseen_pods(unlabelled: &[Unlabelled<'_, '_>]) -> Vec<Diagnostic> {
    let mut found: Vec<(Vec<&PodSecurityStanding>, Vec<&Member<'_>>)> = Vec::new();
    let is_anywhere =
        |one: &&PodSecurityStanding| one.unseen.as_ref().is_some_and(|pods| pods.is_anywhere);
    for one in unlabelled {
        let (anywhere, here): (Vec<&PodSecurityStanding>, Vec<&PodSecurityStanding>) =
            one.unseen.iter().partition(is_anywhere);
        for unseen in [here, anywhere] {
            let names = |all: &[&PodSecurityStanding]| -> Vec<String> {
                all.iter().map(|standing| standing.told()).collect()
            };
            let same =
                |known: &&mut (Vec<&PodSecurityStanding>, _)| names(&known.0) == names(&unseen);
            match found.iter_mut().find(same) {
                _ if unseen.is_empty() => {}
                Some((_, known)) => {
                    if known.iter().all(|known| known.name != one.namespace.name) {
                        known.push(one.namespace);
                    }
                }
                None => found.push((unseen, vec![one.namespace])),
            }
        }
    }
    let all = found.iter();
    all.filter_map(|(unseen, namespaces)| unseen_by(namespaces, unseen))
        .collect()
}

fn unseen_by(namespaces: &[&Member<'_>], unseen: &[&PodSecurityStanding]) -> Option<Diagnostic> {
    let (first, pods) = (namespaces.first()?, unseen.first()?.unseen.as_ref()?);
    let named = namespaces.iter().map(|one| format!("`{}`", one.name));
    let whose = match namespaces {
        [_] => "namespace {} gets",
        _ => "namespaces {} get",
    };
    let message = format!(
        "{} no Pod Security level to enforce, since the pods of {} are not seen",
        whose.replace("{}", &listed(named.collect())),
        listed(unseen.iter().map(|standing| standing.told()).collect())
    );
    let mut problem =
        Diagnostic::warning(&codes::POD_SECURITY_UNKNOWN, message).at_place(first.name_place(), "");
    for standing in unseen.iter().take(SHOWN) {
        problem = problem.with_related(standing.place.clone(), "brings pods that are not seen");
    }
    Some(problem.with_hint(pods.hint.clone()))
}

/// Lists things in words, and counts those that are too many.
fn listed(mut names: Vec<String>) -> String {
    if names.len() > SHOWN + 1 {
        let more = names.len() - SHOWN;
        names.truncate(SHOWN);
        names.push(format!("{more} more"));
    }
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

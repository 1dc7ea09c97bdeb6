//! A dependency on something that is not there, or that depends back.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::Check;
use crate::check::context::{Context, is_substituted};
use crate::diagnostic::{Diagnostic, Severity};
use crate::flux::builds::Member;
use crate::source::Place;
use crate::yaml::Node;

const KINDS: [(&str, &str); 2] = [
    ("kustomize.toolkit.fluxcd.io", "Kustomization"),
    ("helm.toolkit.fluxcd.io", "HelmRelease"),
];

pub(in crate::check) const CHECK: Check = Check {
    code: "flux-depends-on",
    summary: "A `dependsOn` names something that is not there, is of another kind, or depends back",
    explanation: "\
A Flux Kustomization waits for the Kustomizations in its `dependsOn`, a HelmRelease for HelmReleases:
neither can wait for the other kind. A name without `namespace` means the object's own namespace. If
what it names does not exist, or waits for it in turn, it waits for ever.

A cycle is printed as a chain, with the place of every link.",
    severity: Severity::Error,
    run,
};

/// Namespace and name.
type Id = (String, String);

/// An entry of a `dependsOn`.
struct Link {
    to: Id,
    place: Place,
}

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let all: Vec<Vec<&Member<'_>>> = KINDS
        .iter()
        .map(|(group, kind)| context.unique(group, kind))
        .collect();
    for (members, others) in [(&all[0], &all[1]), (&all[1], &all[0])] {
        let links: BTreeMap<Id, Vec<Link>> = members
            .iter()
            .map(|member| (id(member), links(member)))
            .collect();
        for member in members {
            for link in &links[&id(member)] {
                if !links.contains_key(&link.to) && !is_substituted(&link.to.1) {
                    problems.push(missing(context, member, link, members, others));
                }
            }
        }
        problems.extend(cycles(context, &links));
    }
    problems
}

fn id(member: &Member<'_>) -> Id {
    (member.namespace_name().to_owned(), member.name.clone())
}

fn links(member: &Member<'_>) -> Vec<Link> {
    let items = member
        .object
        .find("spec.dependsOn")
        .and_then(Node::items)
        .unwrap_or_default();
    items
        .iter()
        .filter_map(|item| {
            let name = item.get("name")?;
            let namespace = item
                .find_text("namespace")
                .unwrap_or_else(|| member.namespace_name());
            Some(Link {
                to: (namespace.to_owned(), name.text()?.to_owned()),
                place: Place::new(&member.object.file.source, name.span),
            })
        })
        .collect()
}

fn missing(
    context: &Context<'_>,
    member: &Member<'_>,
    link: &Link,
    same: &[&Member<'_>],
    others: &[&Member<'_>],
) -> Diagnostic {
    let (namespace, name) = &link.to;
    let kind = member.object.kind();
    let wanted = format!("{kind}/{namespace}/{name}");
    let message = format!(
        "`{}` depends on `{wanted}`, which is not in the tree",
        member.label()
    );
    let problem = context.at(Diagnostic::error(CHECK.code, message), &link.place, "");
    if let Some(elsewhere) = same.iter().find(|other| other.name == *name) {
        let namespace = elsewhere.namespace_name();
        return problem
            .with_related(
                elsewhere.object.name_place(),
                format!("there is one in namespace `{namespace}`"),
            )
            .with_hint(format!("add `namespace: {namespace}`"));
    }
    if let Some(other) = others.iter().find(|other| id(other) == link.to) {
        let found = other.object.kind();
        return problem
            .with_related(other.object.name_place(), format!("this is a {found}"))
            .with_hint(format!(
                "a {kind} can only depend on a {kind}: name the one that brings the {found}"
            ));
    }
    problem.with_suggestion(name, same.iter().map(|other| other.name.as_str()))
}

/// Finds the cycles, each once, from its first member in order.
fn cycles(context: &Context<'_>, links: &BTreeMap<Id, Vec<Link>>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut done = BTreeSet::new();
    for start in links.keys() {
        let mut path = Vec::new();
        walk(links, start, &mut path, &mut done, &mut |chain: &[(
            &Id,
            &Link,
        )]| {
            problems.push(cycle(context, chain));
        });
    }
    problems
}

fn walk<'l>(
    links: &'l BTreeMap<Id, Vec<Link>>,
    at: &'l Id,
    path: &mut Vec<(&'l Id, &'l Link)>,
    done: &mut BTreeSet<&'l Id>,
    report: &mut impl FnMut(&[(&'l Id, &'l Link)]),
) {
    if done.contains(at) {
        return;
    }
    if let Some(first) = path.iter().position(|(id, _)| *id == at) {
        report(&path[first..]);
        return;
    }
    for link in links.get(at).into_iter().flatten() {
        path.push((at, link));
        walk(links, &link.to, path, done, report);
        path.pop();
    }
    done.insert(at);
}

fn cycle(context: &Context<'_>, chain: &[(&Id, &Link)]) -> Diagnostic {
    let shown = |id: &Id| format!("`{}/{}`", id.0, id.1);
    let mut words: Vec<String> = chain.iter().map(|(id, _)| shown(id)).collect();
    words.extend(chain.first().map(|(id, _)| shown(id)));
    let message = format!("these wait for each other for ever: {}", words.join(" → "));
    let mut problem = Diagnostic::error(CHECK.code, message);
    for (position, (id, link)) in chain.iter().enumerate() {
        let text = format!("{} waits for {}", shown(id), shown(&link.to));
        problem = if position == 0 {
            context.at(problem, &link.place, &text)
        } else {
            problem.with_related(link.place.clone(), text)
        };
    }
    problem.with_hint("remove one of these dependencies")
}

//! A dependency on something that is not there, or that depends back.

use std::collections::{BTreeMap, BTreeSet};

use kustomize::Field;

use super::namespace_missing::is_namespace_missing;
use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::flux::{AppliedObject, ObjectKey};
use crate::rules::absence::AbsentObject;
use crate::rules::facts::{is_substituted, object_label};
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};
use crate::source::Place;

const KINDS: [(&str, &str); 2] = [
    ("kustomize.toolkit.fluxcd.io", "Kustomization"),
    ("helm.toolkit.fluxcd.io", "HelmRelease"),
];

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "flux-depends-on",
        summary: "What a `dependsOn` names is there, is of the same kind, and does not depend back",
        text: "\
A Flux Kustomization waits for the Kustomizations in its `dependsOn`, a HelmRelease for HelmReleases:
neither can wait for the other kind. A name without `namespace` means the object's own namespace. If
what it names does not exist, or waits for it in turn, it waits for ever.

A cycle is printed as a chain, with the place of every link.",
    },
    category: Category::Flux,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

/// What each object depends on.
type Links = BTreeMap<ObjectKey, Vec<Link>>;

/// An entry of a `dependsOn`.
struct Link {
    to: ObjectKey,
    place: Place,
}

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    let all: Vec<Vec<&AppliedObject>> = KINDS
        .iter()
        .map(|(group, kind)| facts.unique_objects(group, kind))
        .collect();
    for (objects, others) in [(&all[0], &all[1]), (&all[1], &all[0])] {
        let mut clusters: BTreeMap<Option<usize>, Links> = BTreeMap::new();
        for object in objects {
            let links = clusters.entry(facts.root_of(object)).or_default();
            links.insert(object.key(), links_of(facts, object));
        }
        for object in objects {
            let own = &clusters[&facts.root_of(object)];
            for link in &own[&object.key()] {
                if own.contains_key(&link.to) || is_substituted(&link.to.name) {
                    let place = Some(link.place.clone());
                    judge.found(JudgedSubject::applied(object, place), Vec::new());
                } else {
                    missing(judge, object, link, objects, others);
                }
            }
        }
        for links in clusters.values() {
            for cycle in cycles(facts, links) {
                judge.report(cycle);
            }
        }
    }
}

fn links_of(facts: &Facts<'_>, object: &AppliedObject) -> Vec<Link> {
    let listed = object.field.find(&["spec", "dependsOn"]);
    let items = listed.and_then(Field::items).unwrap_or_default().iter();
    let own = object.key().namespace;
    items
        .filter_map(|item| {
            let name = item.get("name")?;
            let namespace = item.find_text(&["namespace"]);
            let namespace = namespace.filter(|name| !name.is_empty());
            Some(Link {
                to: ObjectKey::new(namespace.unwrap_or(&own), name.as_text()?),
                place: facts.builds.place(name.place())?,
            })
        })
        .collect()
}

fn missing(
    judge: &mut Judge<'_, '_>,
    object: &AppliedObject,
    link: &Link,
    same: &[&AppliedObject],
    others: &[&AppliedObject],
) {
    let facts = judge.facts;
    let kind = object.kind();
    let message = format!(
        "`{}` depends on `{kind}/{}`, which is not in the tree",
        object_label(object),
        link.to
    );
    let absent = AbsentObject {
        kind,
        key: link.to.clone(),
        root: facts.root_of(object),
    };
    let subject = JudgedSubject::applied(object, Some(link.place.clone()));
    let own = object.key().namespace;
    if own == link.to.namespace && is_namespace_missing(facts, absent.root, &own) {
        let why = "its namespace is not there, which is a problem of its own";
        judge.unseen(subject, why, None);
        return;
    }
    absent
        .judge(facts)
        .hand_in(judge, subject, &message, |finding| {
            let problem = facts.at(finding, &link.place, "");
            with_advice(facts, problem, object, link, same, others)
        });
}

/// Says what was meant, if something near is there.
fn with_advice(
    facts: &Facts<'_>,
    problem: Diagnostic,
    object: &AppliedObject,
    link: &Link,
    same: &[&AppliedObject],
    others: &[&AppliedObject],
) -> Diagnostic {
    let (kind, root) = (object.kind(), facts.root_of(object));
    let here = |other: &&&AppliedObject| facts.root_of(other) == root;
    let related = |problem: Diagnostic, other: &AppliedObject, text: String| {
        let name = other.field.find(&["metadata", "name"]);
        let place = name.unwrap_or(&other.field).place();
        match facts.builds.place(place) {
            Some(place) => problem.with_related(place, text),
            None => problem,
        }
    };
    let mut named = same.iter().filter(here);
    if let Some(elsewhere) = named.find(|other| other.key().name == link.to.name) {
        let namespace = elsewhere.key().namespace;
        let text = format!("there is one in namespace `{namespace}`");
        return related(problem, elsewhere, text)
            .with_hint(format!("add `namespace: {namespace}`"));
    }
    let mut others = others.iter().filter(here);
    if let Some(other) = others.find(|other| other.key() == link.to) {
        let found = other.kind();
        return related(problem, other, format!("this is a {found}")).with_hint(format!(
            "a {kind} can only depend on a {kind}: name the one that brings the {found}"
        ));
    }
    let known: Vec<String> = same.iter().filter(here).map(|one| one.key().name).collect();
    problem.with_suggestion(&link.to.name, known.iter().map(String::as_str))
}

/// Finds the cycles, each once, from its first member in order.
fn cycles(facts: &Facts<'_>, links: &Links) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut done = BTreeSet::new();
    for start in links.keys() {
        let mut path = Vec::new();
        walk(links, start, &mut path, &mut done, &mut |chain: &[(
            &ObjectKey,
            &Link,
        )]| {
            problems.push(cycle(facts, chain));
        });
    }
    problems
}

fn walk<'l>(
    links: &'l Links,
    at: &'l ObjectKey,
    path: &mut Vec<(&'l ObjectKey, &'l Link)>,
    done: &mut BTreeSet<&'l ObjectKey>,
    report: &mut impl FnMut(&[(&'l ObjectKey, &'l Link)]),
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

fn cycle(facts: &Facts<'_>, chain: &[(&ObjectKey, &Link)]) -> Diagnostic {
    let shown = |id: &ObjectKey| format!("`{id}`");
    let mut words: Vec<String> = chain.iter().map(|(id, _)| shown(id)).collect();
    words.extend(chain.first().map(|(id, _)| shown(id)));
    let message = format!("these wait for each other for ever: {}", words.join(" → "));
    let mut problem = Diagnostic::error(&RULE.meaning, message);
    for (position, (id, link)) in chain.iter().enumerate() {
        let text = format!("{} waits for {}", shown(id), shown(&link.to));
        problem = if position == 0 {
            facts.at(problem, &link.place, &text)
        } else {
            problem.with_related(link.place.clone(), text)
        };
    }
    problem.with_hint("remove one of these dependencies")
}

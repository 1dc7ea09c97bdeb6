//! Objects that two Kustomizations apply and prune.

use std::collections::BTreeMap;

use kustomize::Field;

use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::flux::{AppliedObject, ObjectKey};
use crate::rules::facts::{is_substituted, object_label};
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};
use crate::tree::is_secret_path;

/// How many more objects of the same two owners are pointed at.
const SHOWN: usize = 3;

/// The annotations by which Flux leaves an object that is there, with the values that do not.
const SHARED: [(&str, &[&str]); 3] = [
    ("kustomize.toolkit.fluxcd.io/prune", &["disabled"]),
    (
        "kustomize.toolkit.fluxcd.io/ssa",
        &["merge", "ifnotpresent", "ignore"],
    ),
    ("kustomize.toolkit.fluxcd.io/reconcile", &["disabled"]),
];

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "owner-twice",
        summary: "Every object is applied by one Kustomization",
        text: "\
Flux writes on each object which Kustomization applied it. Two that apply the same object take it from each other at
every interval, and as soon as one of them no longer has it and prunes, it removes what the other still wants: for a
Namespace with everything in it. Where the two differ, which of them holds changes all the time.

Where both apply the same content it is a warning. An object that is meant to be shared says so with the annotation
`kustomize.toolkit.fluxcd.io/prune: disabled`, or `kustomize.toolkit.fluxcd.io/ssa: IfNotPresent`.",
    },
    category: Category::Flux,
    severity: Some(Severity::Error),
    weight: 2,
    remedy: None,
    judge,
};

/// What tells objects of all clusters apart.
type ObjectIdentity<'o> = (Option<usize>, &'o str, &'o str, ObjectKey);

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    let mut objects: BTreeMap<ObjectIdentity<'_>, Vec<&AppliedObject>> = BTreeMap::new();
    for object in facts.builds.objects() {
        let key = object.key();
        if is_substituted(&key.name) || is_substituted(&key.namespace) {
            continue;
        }
        let identity = (facts.root_of(object), object.group(), object.kind(), key);
        objects.entry(identity).or_default().push(object);
    }
    let mut shared: BTreeMap<Vec<usize>, Vec<Vec<&AppliedObject>>> = BTreeMap::new();
    for mut all in objects.into_values() {
        let Some(first) = all.first().copied() else {
            continue;
        };
        all.retain(|object| is_owned(facts, object));
        let builds: Vec<usize> = all.iter().map(|object| object.build).collect();
        if builds.len() > 1 {
            shared.entry(builds).or_default().push(all);
        } else {
            judge.found(subject(facts, first), Vec::new());
        }
    }
    for all in shared.into_values() {
        if let Some([first, second, ..]) = all.first().map(Vec::as_slice) {
            let mut subject = subject(facts, second);
            let keys = all.iter().filter_map(|one| Some(one.first()?.key()));
            subject.names = keys.map(|key| (key.namespace, key.name)).collect();
            judge.found(subject, vec![twice(facts, first, second, &all)]);
        }
    }
}

fn subject(facts: &Facts<'_>, object: &AppliedObject) -> JudgedSubject {
    let place = facts.builds.place(object.place());
    JudgedSubject::applied(object, place)
}

/// Returns whether its Kustomization takes an object for its own, and removes it in the end.
fn is_owned(facts: &Facts<'_>, object: &AppliedObject) -> bool {
    let build = facts.builds.applied.build_of(object);
    let metadata = object.field.get("metadata");
    let asks = |(key, values): &(&str, &[&str])| {
        let text = |part| metadata.and_then(|all| all.find_text(&[part, key]));
        let text = text("annotations").or_else(|| text("labels"));
        text.is_some_and(|text| values.contains(&text.to_lowercase().as_str()))
    };
    build.prunes() && !build.suspended && !SHARED.iter().any(asks)
}

fn twice(
    facts: &Facts<'_>,
    first: &AppliedObject,
    second: &AppliedObject,
    all: &[Vec<&AppliedObject>],
) -> Diagnostic {
    let owner = |object| {
        format!(
            "`Kustomization/{}`",
            facts.builds.applied.build_of(object).owner
        )
    };
    let what = match all.len() {
        1 => format!("`{}` is", object_label(second)),
        count => format!("`{}` and {} more are", object_label(second), count - 1),
    };
    let differs = all.iter().any(|same| is_different(same));
    let and = if differs {
        "with different content, so that each undoes the other"
    } else {
        "and whichever stops first removes it"
    };
    let message = format!(
        "{what} applied by both {} and {}, {and}",
        owner(first),
        owner(second)
    );
    let problem = if differs {
        Diagnostic::error(&RULE.meaning, message)
    } else {
        Diagnostic::warning(&RULE.meaning, message)
    };
    let name = |object: &AppliedObject| object.field.find(&["metadata", "name"]).cloned();
    let mut problem = match name(second) {
        Some(name) => facts.at_field(problem, &name),
        None => problem,
    };
    let others = all
        .iter()
        .skip(1)
        .take(SHOWN)
        .filter_map(|same| same.get(1));
    let texts = [(first, "the other one is here")]
        .into_iter()
        .filter(|(first, _)| first.place() != second.place())
        .chain(others.map(|other| (*other, "this as well")));
    for (object, text) in texts {
        let place = name(object).and_then(|name| facts.builds.place(name.place()));
        if let Some(place) = place {
            problem = problem.with_related(place, text);
        }
    }
    problem.with_hint(
        "let one of them apply it, or annotate it with `kustomize.toolkit.fluxcd.io/prune: disabled`",
    )
}

/// Returns whether objects of one name differ in more than their metadata; what is sealed cannot be compared.
fn is_different(same: &[&AppliedObject]) -> bool {
    let is_open = |object: &&AppliedObject| {
        object.field.get("sops").is_none() && !is_secret_path(&object.place().file.path)
    };
    if !same.iter().all(is_open) {
        return false;
    }
    let content = |object: &AppliedObject| {
        let entries = object.field.entries().unwrap_or_default().iter();
        let rest = entries.filter(|entry| entry.key != "metadata");
        let rest = rest.map(|entry| (entry.key.clone(), Field::to_json(&entry.value)));
        rest.collect::<BTreeMap<String, serde_json::Value>>()
    };
    let first = same.first().map(|object| content(object));
    same.iter().any(|object| Some(content(object)) != first)
}

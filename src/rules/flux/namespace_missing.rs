//! Objects in a namespace that nothing makes.

use std::collections::{BTreeMap, BTreeSet};

use kustomize::Field;

use crate::diagnostic::{Meaning, Severity};
use crate::flux::{AppliedObject, ObjectKey};
use crate::rules::absence::{Absence, AbsentObject};
use crate::rules::facts::is_substituted;
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};
use crate::tree::object::is_namespaced;

/// Namespaces that every cluster has, and the one that Flux is installed into.
const GIVEN: [&str; 5] = [
    "default",
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "flux-system",
];

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "namespace-missing",
        summary: "Every namespace that objects go into is one that the tree or the cluster has",
        text: "\
An object cannot be applied to a namespace that does not exist, and Flux makes none by itself. The namespace
may come from the object, from a kustomization's `namespace`, or from `targetNamespace`; the message
points at the one that counts.

The namespaces that each cluster has are known, and so is one that a HelmRelease makes with
`install.createNamespace`.",
    },
    category: Category::Flux,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

/// The namespaces of a cluster, and those that its objects go into, with the field that says so.
#[derive(Default)]
struct ClusterNamespaces<'c> {
    defined: BTreeSet<String>,
    asked: BTreeMap<String, (&'c Field, usize)>,
}

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    let mut clusters: BTreeMap<Option<usize>, ClusterNamespaces<'_>> = BTreeMap::new();
    for object in facts.builds.objects() {
        let cluster = clusters.entry(facts.root_of(object)).or_default();
        cluster.take(object);
    }
    for (root, cluster) in clusters {
        for (name, (field, count)) in &cluster.asked {
            let mut subject = JudgedSubject::named(format!("namespace `{name}`"));
            subject.names = vec![(name.clone(), name.clone())];
            subject.place = facts.builds.place(field.place());
            if cluster.knows(name) || is_substituted(name) {
                judge.found(subject, Vec::new());
                continue;
            }
            let objects = match count {
                1 => "one object goes".to_owned(),
                count => format!("{count} objects go"),
            };
            let message =
                format!("{objects} into namespace `{name}`, which nothing in the tree defines");
            let absent = AbsentObject {
                kind: "Namespace",
                key: ObjectKey::new("", name),
                root,
            };
            absent
                .judge(facts)
                .hand_in(judge, subject, &message, |finding| {
                    facts
                        .at_field(finding, field)
                        .with_suggestion(name, cluster.known())
                        .with_hint(format!(
                            "add a Namespace `{name}` to a kustomization that is applied before"
                        ))
                });
        }
    }
}

/// Returns whether it is sure that a cluster has no namespace of a name.
pub(super) fn is_namespace_missing(facts: &Facts<'_>, root: Option<usize>, name: &str) -> bool {
    let mut cluster = ClusterNamespaces::default();
    for object in facts.builds.objects() {
        if facts.root_of(object) == root {
            cluster.take(object);
        }
    }
    let absent = AbsentObject {
        kind: "Namespace",
        key: ObjectKey::new("", name),
        root,
    };
    !cluster.knows(name) && !is_substituted(name) && matches!(absent.judge(facts), Absence::Sure)
}

impl<'c> ClusterNamespaces<'c> {
    fn known(&self) -> impl Iterator<Item = &str> {
        GIVEN
            .into_iter()
            .chain(self.defined.iter().map(String::as_str))
    }

    fn knows(&self, name: &str) -> bool {
        self.known().any(|known| known == name)
    }

    fn take(&mut self, object: &'c AppliedObject) {
        let field = &object.field;
        if object.is("", "Namespace") {
            self.defined.insert(object.key().name);
        } else if is_namespaced(object.kind()) {
            self.ask(field.find(&["metadata", "namespace"]));
        }
        if object.is("helm.toolkit.fluxcd.io", "HelmRelease") {
            let target = field.find(&["spec", "targetNamespace"]);
            let made = field.find_text(&["spec", "install", "createNamespace"]) == Some("true");
            match target.and_then(Field::as_text) {
                Some(name) if made => drop(self.defined.insert(name.to_owned())),
                _ => self.ask(target),
            }
        }
    }

    fn ask(&mut self, namespace: Option<&'c Field>) {
        let name = namespace.and_then(Field::as_text).unwrap_or_default();
        if let Some(field) = namespace.filter(|_| !name.is_empty()) {
            self.asked.entry(name.to_owned()).or_insert((field, 0)).1 += 1;
        }
    }
}

//! Objects in a namespace that nothing makes.

use std::collections::{BTreeMap, BTreeSet};

use kustomize::Field;

use crate::check::Check;
use crate::check::absence::AbsentObject;
use crate::check::context::{Context, is_substituted};
use crate::diagnostic::{Diagnostic, Severity};
use crate::flux::{AppliedObject, ObjectKey};
use crate::tree::object::is_namespaced;

/// Namespaces that every cluster has, and the one that Flux is installed into.
const GIVEN: [&str; 5] = [
    "default",
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "flux-system",
];

pub(in crate::check) const CHECK: Check = Check {
    code: "namespace-missing",
    summary: "Objects go into a namespace that the tree does not define",
    explanation: "\
An object cannot be applied to a namespace that does not exist, and Flux makes none by itself. The namespace
may come from the object, from a kustomization's `namespace`, or from `targetNamespace`; the message
points at the one that counts.

The namespaces that each cluster has are known, and so is one that a HelmRelease makes with
`install.createNamespace`.",
    severity: Severity::Error,
    run,
};

/// The namespaces of a cluster, and those that its objects go into, with the field that says so.
#[derive(Default)]
struct ClusterNamespaces<'c> {
    defined: BTreeSet<String>,
    asked: BTreeMap<String, (&'c Field, usize)>,
}

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut clusters: BTreeMap<Option<usize>, ClusterNamespaces<'_>> = BTreeMap::new();
    for object in context.builds.objects() {
        let cluster = clusters.entry(context.root_of(object)).or_default();
        cluster.take(object);
    }
    let mut problems = Vec::new();
    for (root, cluster) in clusters {
        let known = || {
            GIVEN
                .into_iter()
                .chain(cluster.defined.iter().map(String::as_str))
        };
        for (name, (field, count)) in &cluster.asked {
            if known().any(|known| known == name) || is_substituted(name) {
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
            let finding = absent.judge(context).finding(context, CHECK.code, message);
            problems.extend(finding.map(|finding| {
                context
                    .at_field(finding, field)
                    .with_suggestion(name, known())
                    .with_hint(format!(
                        "add a Namespace `{name}` to a kustomization that is applied before"
                    ))
            }));
        }
    }
    problems
}

impl<'c> ClusterNamespaces<'c> {
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

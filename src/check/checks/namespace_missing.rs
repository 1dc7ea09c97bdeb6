//! Objects in a namespace that nothing makes.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::Check;
use crate::check::context::{Context, is_substituted};
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Place;

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

fn run(context: &Context<'_>) -> Vec<Diagnostic> {
    let mut defined: BTreeSet<&str> = GIVEN.into();
    defined.extend(
        context
            .builds
            .of_kind("", "Namespace")
            .map(|member| member.name.as_str()),
    );
    let mut missing: BTreeMap<&str, (Place, usize)> = BTreeMap::new();
    let mut targets = Vec::new();
    for member in context
        .builds
        .of_kind("helm.toolkit.fluxcd.io", "HelmRelease")
    {
        let object = member.object;
        let Some(target) = object.text("spec.targetNamespace") else {
            continue;
        };
        if object.text("spec.install.createNamespace") == Some("true") {
            defined.insert(target);
        } else {
            targets.push((target, object.value_place("spec.targetNamespace")));
        }
    }
    for member in &context.builds.members {
        let is_loose = !context.builds.takes_in(member);
        if let Some(namespace) = member.namespace.as_ref().filter(|_| !is_loose) {
            targets.push((&namespace.name, namespace.place.clone()));
        }
    }
    for (name, place) in targets {
        if !defined.contains(name) && !is_substituted(name) {
            missing.entry(name).or_insert((place, 0)).1 += 1;
        }
    }
    missing
        .into_iter()
        .map(|(name, (place, count))| {
            let objects = if count == 1 {
                "one object goes".to_owned()
            } else {
                format!("{count} objects go")
            };
            let message =
                format!("{objects} into namespace `{name}`, which nothing in the tree defines");
            context
                .at(Diagnostic::error(CHECK.code, message), &place, "")
                .with_suggestion(name, defined.iter().copied())
                .with_hint(format!(
                    "add a Namespace `{name}` to a kustomization that is applied before"
                ))
        })
        .collect()
}

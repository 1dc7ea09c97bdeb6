//! Checks of Flux Kustomizations.

use std::collections::BTreeMap;

use kustomize::Field;

use crate::flux::builds::Member;
use crate::rules::{Category, Facts, Rule, Verdict};
use crate::yaml::Route;

const GROUP: &str = "kustomize.toolkit.fluxcd.io";
const KIND: &str = "Kustomization";

pub(super) const WAIT: Rule = Rule::scored(
    Category::Flux,
    "ks-wait",
    "What others depend on is waited for",
    2,
    "Without `wait: true` or `healthChecks`, a Kustomization counts as ready as soon as its objects are accepted, and those that depend on it start too early. Asked of Kustomizations that another depends on.",
    |judge| {
        judge.objects(GROUP, KIND, "spec.wait", |facts, member| {
            let own = key(member);
            let links = links(facts);
            links.values().flatten().find(|wanted| **wanted == own)?;
            let checks = ["spec.healthChecks", "spec.healthCheckExprs"];
            let waits = member.text("spec.wait") == Some("true")
                || checks.iter().any(|route| member.find(route).is_some());
            Some(Verdict::when(waits, "it is not waited for"))
        });
    },
);

pub(super) const PRUNE: Rule = Rule::scored(
    Category::Flux,
    "ks-prune",
    "Namespaces and volumes outlive a slip of the keyboard",
    2,
    "Flux removes what left the tree. For a Namespace that means everything in it, and for a volume its data: the annotation or label `kustomize.toolkit.fluxcd.io/prune: disabled` keeps both.",
    |judge| {
        for kind in ["Namespace", "PersistentVolume"] {
            judge.objects("", kind, "metadata.annotations", |_, member| {
                let key = "kustomize.toolkit.fluxcd.io/prune";
                let kept = ["metadata.annotations", "metadata.labels"]
                    .iter()
                    .any(|at| {
                        let node = member.at(&Route::parse(at).then(key));
                        node.and_then(Field::as_text) == Some("disabled")
                    });
                Some(Verdict::when(kept, "Flux may remove it"))
            });
        }
    },
);

type KustomizationKey = (String, String);

fn key(member: &Member<'_>) -> KustomizationKey {
    (member.namespace_name().to_owned(), member.name.clone())
}

/// Lists what each Kustomization depends on.
fn links(facts: &Facts<'_>) -> BTreeMap<KustomizationKey, Vec<KustomizationKey>> {
    let all = facts.objects(GROUP, KIND);
    let links = all.iter().map(|member| {
        let wanted = member.find("spec.dependsOn").and_then(Field::items);
        let wanted = wanted.into_iter().flatten().filter_map(|one| {
            let namespace = one.find_text(&["namespace"]);
            let namespace = namespace.unwrap_or_else(|| member.namespace_name());
            Some((namespace.to_owned(), one.find_text(&["name"])?.to_owned()))
        });
        (key(member), wanted.collect())
    });
    links.collect()
}

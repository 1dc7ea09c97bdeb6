//! Objects that are gone, and whether Flux takes them out of the cluster.

use serde_json::Value;

use super::{Danger, DangerSubject, GoneOwners};
use crate::diff::items::{Item, Owner};
use crate::diff::report::ChangeKind;
use crate::flux::RootEvidence;

/// Group, kind, code, and what goes with an object that is pruned.
const KINDS: &[(&str, &str, &str, &str)] = &[
    (
        "",
        "PersistentVolumeClaim",
        "volume-removed",
        "its data goes with it unless the reclaim policy of the volume is `Retain`",
    ),
    (
        "",
        "PersistentVolume",
        "volume-removed",
        "claims that are bound to it lose their data",
    ),
    (
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        "crd-removed",
        "every object of its kind goes with it, in all namespaces",
    ),
    (
        "",
        "Namespace",
        "namespace-removed",
        "everything in it goes with it, claims and their data too",
    ),
    (
        "apps",
        "StatefulSet",
        "statefulset-removed",
        "its pods stop; its claims stay unless `persistentVolumeClaimRetentionPolicy` says otherwise",
    ),
    (
        "kustomize.toolkit.fluxcd.io",
        "Kustomization",
        "kustomization-removed",
        "everything that it applied is pruned with it",
    ),
    (
        "helm.toolkit.fluxcd.io",
        "HelmRelease",
        "release-removed",
        "Helm uninstalls all that its chart made",
    ),
    (
        "networking.k8s.io",
        "NetworkPolicy",
        "network-policy-removed",
        "pods that no other policy selects can be reached by everyone",
    ),
    (
        "cilium.io",
        "CiliumNetworkPolicy",
        "network-policy-removed",
        "endpoints that no other policy selects can be reached by everyone",
    ),
    (
        "cilium.io",
        "CiliumClusterwideNetworkPolicy",
        "network-policy-removed",
        "endpoints that no other policy selects can be reached by everyone",
    ),
];

/// The label or annotation by which an object is never pruned.
pub(super) const PRUNE: &str = "kustomize.toolkit.fluxcd.io/prune";

/// What becomes of an object in the cluster when it leaves the tree.
enum RemovalFate {
    Pruned(String),
    Orphaned(String),
    /// Nothing here says it.
    Unknown(String),
}

pub(super) fn find(seen: &DangerSubject<'_, '_>, gone: &GoneOwners, found: &mut Vec<Danger>) {
    let Some(item) = &seen.pair.before else {
        return;
    };
    if !matches!(seen.change.kind, ChangeKind::Removed | ChangeKind::Renamed) {
        return;
    }
    let subject = &item.identity.subject;
    let known = KINDS
        .iter()
        .find(|(group, kind, _, _)| subject.is(group, kind));
    let Some((_, _, code, loss)) = known else {
        return;
    };
    let (what, is) = match seen.change.kind {
        ChangeKind::Renamed => {
            let new = &seen.change.subject;
            let what = format!("`{subject}` becomes `{new}`, and the old one");
            (what, " is")
        }
        _ => (format!("`{subject}` is removed and"), ""),
    };
    let (message, why) = match fate(seen, item, gone) {
        RemovalFate::Pruned(by) => (format!("{what}{is} pruned"), format!("{by}: {loss}")),
        RemovalFate::Unknown(by) => (format!("{what} may be pruned"), format!("{by}: {loss}")),
        RemovalFate::Orphaned(by) => (
            format!("{what}{is} orphaned"),
            format!("{by}: it stays in the cluster, and nothing cares for it any more"),
        ),
    };
    let mut danger = seen.danger(code, "", message, why);
    danger.subject = subject.clone();
    found.push(danger);
}

fn fate(seen: &DangerSubject<'_, '_>, item: &Item<'_>, gone: &GoneOwners) -> RemovalFate {
    let metadata = seen.before.and_then(|value| value.get("metadata"));
    let marked = |holder: &str| {
        let mark = metadata.and_then(|metadata| metadata.get(holder)?.get(PRUNE));
        mark.and_then(Value::as_str) == Some("disabled")
    };
    for (holder, word) in [("annotations", "annotation"), ("labels", "label")] {
        if marked(holder) {
            return RemovalFate::Orphaned(format!("its {word} `{PRUNE}` is `disabled`"));
        }
    }
    match item.owner {
        Owner::Sync(RootEvidence::Instance) => {
            RemovalFate::Pruned("the sync of the `FluxInstance` prunes".to_owned())
        }
        Owner::Sync(_) => {
            RemovalFate::Unknown("what syncs the tree is not in it, and may prune".to_owned())
        }
        Owner::Nobody => {
            RemovalFate::Orphaned("no Flux Kustomization of this tree applies it".to_owned())
        }
        Owner::Flux { key, object } => {
            let name = format!("the Flux Kustomization `{}`", key.name);
            let gone = item.owner_key().is_some_and(|key| gone.contains(&key));
            let says = |key: &str| object.find_text(&["spec", key]);
            match (says("prune"), says("deletionPolicy")) {
                (_, Some("Orphan")) if gone => {
                    RemovalFate::Orphaned(format!("{name} goes with `deletionPolicy: Orphan`"))
                }
                (_, Some("Delete" | "WaitForTermination")) if gone => {
                    RemovalFate::Pruned(format!("{name} goes, and deletes what it applied"))
                }
                (Some("true"), _) if gone => {
                    RemovalFate::Pruned(format!("{name} goes as well, and has `prune: true`"))
                }
                (Some("true"), _) => RemovalFate::Pruned(format!("{name} has `prune: true`")),
                _ => RemovalFate::Orphaned(format!("{name} has `prune: false`")),
            }
        }
    }
}

//! Fields that the API server does not let change.

use serde_json::Value;

use super::{Danger, DangerSubject};
use crate::diff::items::Owner;
use crate::diff::report::{ChangeKind, ChangedField, FieldEdit};

/// Group, kind, the routes that cannot change, and those below them that can.
///
/// Source: `ValidateXUpdate` of Kubernetes 1.36 in `pkg/apis/*/validation`.
const FIELDS: &[(&str, &str, &[&str], &[&str])] = &[
    ("apps", "Deployment", &["spec.selector"], &[]),
    ("apps", "DaemonSet", &["spec.selector"], &[]),
    ("apps", "ReplicaSet", &["spec.selector"], &[]),
    (
        "apps",
        "StatefulSet",
        &["spec"],
        &[
            "spec.replicas",
            "spec.ordinals",
            "spec.template",
            "spec.updateStrategy",
            "spec.persistentVolumeClaimRetentionPolicy",
            "spec.minReadySeconds",
            "spec.revisionHistoryLimit",
        ],
    ),
    (
        "batch",
        "Job",
        &[
            "spec.selector",
            "spec.template",
            "spec.completionMode",
            "spec.completions",
            "spec.podFailurePolicy",
            "spec.backoffLimitPerIndex",
            "spec.managedBy",
            "spec.successPolicy",
        ],
        &[],
    ),
    ("", "Service", &["spec.clusterIP", "spec.clusterIPs"], &[]),
    (
        "",
        "PersistentVolumeClaim",
        &["spec"],
        &["spec.resources", "spec.volumeAttributesClassName"],
    ),
    (
        "storage.k8s.io",
        "StorageClass",
        &[
            "provisioner",
            "parameters",
            "reclaimPolicy",
            "volumeBindingMode",
        ],
        &[],
    ),
    (
        "storage.k8s.io",
        "CSIDriver",
        &[
            "spec.attachRequired",
            "spec.fsGroupPolicy",
            "spec.volumeLifecycleModes",
        ],
        &[],
    ),
    (
        "rbac.authorization.k8s.io",
        "RoleBinding",
        &["roleRef"],
        &[],
    ),
    (
        "rbac.authorization.k8s.io",
        "ClusterRoleBinding",
        &["roleRef"],
        &[],
    ),
    (
        "scheduling.k8s.io",
        "PriorityClass",
        &["value", "preemptionPolicy"],
        &[],
    ),
    ("node.k8s.io", "RuntimeClass", &["handler"], &[]),
    (
        "networking.k8s.io",
        "IngressClass",
        &["spec.controller"],
        &[],
    ),
    (
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        &[
            "spec.scope",
            "spec.group",
            "spec.names.kind",
            "spec.names.plural",
        ],
        &[],
    ),
    ("", "Secret", &["type"], &[]),
    (
        "snapshot.storage.k8s.io",
        "VolumeSnapshot",
        &["spec.source"],
        &[],
    ),
    (
        "gateway.networking.k8s.io",
        "GatewayClass",
        &["spec.controllerName"],
        &[],
    ),
    ("cert-manager.io", "CertificateRequest", &["spec"], &[]),
];

const FORCE: &str = "/metadata/annotations/kustomize.toolkit.fluxcd.io~1force";
/// What identifies a Helm release in the cluster.
const RELEASE: [&str; 3] = [
    "spec.releaseName",
    "spec.targetNamespace",
    "spec.storageNamespace",
];

pub(super) fn find(seen: &DangerSubject<'_, '_>, found: &mut Vec<Danger>) {
    if seen.change.kind != ChangeKind::Changed {
        return;
    }
    let subject = &seen.change.subject;
    for field in &seen.change.fields {
        let route = field.route.to_string();
        if subject.is("helm.toolkit.fluxcd.io", "HelmRelease") && RELEASE.contains(&&*route) {
            let message = format!("`{route}` of `{subject}` changes");
            let why = "Flux uninstalls the release and installs it anew, with new volumes where the chart makes them";
            found.push(seen.danger("release-moved", &route, message, why.to_owned()));
        }
        if is_immutable(seen, field, &route) {
            let message = format!("`{route}` of `{subject}` cannot change");
            found.push(seen.danger("immutable-field", &route, message, consequence(seen)));
        } else if let Some(message) = shrinks(seen, field, &route) {
            found.push(seen.danger("immutable-field", &route, message, consequence(seen)));
        }
    }
}

fn is_immutable(seen: &DangerSubject<'_, '_>, field: &ChangedField, route: &str) -> bool {
    let subject = &seen.change.subject;
    let below = |prefix: &&str| {
        route
            .strip_prefix(*prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    if matches!(&field.edit, FieldEdit::Secret(secrecy) if secrecy.word() == "same") {
        return false;
    }
    // What the cluster assigned stays when the manifest no longer says it.
    if subject.is("", "Service") && matches!(field.edit, FieldEdit::Removed(_)) {
        return false;
    }
    let frozen = seen.before.and_then(|value| value.get("immutable")) == Some(&Value::Bool(true));
    if frozen && ["ConfigMap", "Secret"].contains(&&*subject.kind) && subject.group.is_empty() {
        return ["data", "binaryData", "stringData", "immutable"]
            .iter()
            .any(below);
    }
    FIELDS.iter().any(|(group, kind, fields, mutable)| {
        subject.is(group, kind) && fields.iter().any(below) && !mutable.iter().any(below)
    })
}

/// Says that a claim asks for less than it has, which no volume can give back.
fn shrinks(seen: &DangerSubject<'_, '_>, field: &ChangedField, route: &str) -> Option<String> {
    let subject = &seen.change.subject;
    if !subject.is("", "PersistentVolumeClaim") || route != "spec.resources.requests.storage" {
        return None;
    }
    let FieldEdit::Changed(old, new) = &field.edit else {
        return None;
    };
    (bytes(new)? < bytes(old)?).then(|| format!("`{subject}` cannot shrink"))
}

/// Reads a quantity of storage.
fn bytes(value: &Value) -> Option<f64> {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let power = |base: f64, unit: &str| {
        let at = "KMGTPE".find(unit.to_ascii_uppercase().as_str())?;
        Some(base.powi(i32::try_from(at).ok()? + 1))
    };
    let scale = match &text[digits..] {
        "" => 1.0,
        unit if unit.len() == 2 && unit.ends_with('i') => power(1024.0, &unit[..1])?,
        unit if unit.len() == 1 => power(1000.0, unit)?,
        _ => return None,
    };
    Some(number * scale)
}

fn consequence(seen: &DangerSubject<'_, '_>) -> String {
    let enabled = |value: Option<&Value>| {
        let mark = value.and_then(|value| value.pointer(FORCE)?.as_str());
        mark == Some("enabled")
    };
    let owner = seen.pair.after.as_ref().map(|item| item.owner);
    let forced = match owner {
        Some(Owner::Flux { object, .. }) => object.find_text(&["spec", "force"]) == Some("true"),
        _ => false,
    };
    if forced || enabled(seen.after) {
        return "Flux deletes the object and makes it anew, as `force` says".to_owned();
    }
    "the API server refuses it, and nothing else of its Kustomization is applied until the object is deleted by hand or `force` is set".to_owned()
}

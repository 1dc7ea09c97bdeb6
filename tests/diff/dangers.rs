//! Each danger, where it is one and where it is none.

use std::fmt::Write as _;

use kiln::diff::{DANGERS, DiffReport};

use super::{diff, expect};

const FLUX: &str = "\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: app}
spec: {path: ./app, prune: true, targetNamespace: ns}
";

fn borrowed(files: &[(String, String)]) -> Vec<(&str, &str)> {
    files
        .iter()
        .map(|(path, text)| (&**path, &**text))
        .collect()
}

/// Compares objects that a Flux Kustomization deploys.
fn objects(flux: &str, before: &[&str], after: &[&str]) -> DiffReport {
    let files = |objects: &[&str]| -> Vec<(String, String)> {
        let names: Vec<String> = (0..objects.len()).map(|at| format!("o{at}.yaml")).collect();
        let list = format!("resources: {names:?}\n");
        let mut files = vec![
            (
                "flux/kustomization.yaml".to_owned(),
                "resources: [ks.yaml]\n".to_owned(),
            ),
            ("flux/ks.yaml".to_owned(), flux.to_owned()),
            ("app/kustomization.yaml".to_owned(), list),
        ];
        for (name, text) in names.iter().zip(objects) {
            files.push((format!("app/{name}"), (*text).to_owned()));
        }
        files
    };
    let (before, after) = (files(before), files(after));
    diff(&borrowed(&before), &borrowed(&after))
}

pub(super) fn told(report: &DiffReport) -> String {
    let mut text = String::new();
    for danger in &report.dangers {
        writeln!(
            text,
            "{}: {}; {}",
            danger.code(),
            danger.message,
            danger.why
        )
        .unwrap();
    }
    text
}

fn object(version: &str, kind: &str, rest: &str) -> String {
    format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x}}\n{rest}")
}

#[test]
fn removals_tell_who_prunes_and_who_does_not() {
    let kinds = [
        ("apps/v1", "StatefulSet"),
        ("v1", "PersistentVolumeClaim"),
        ("v1", "PersistentVolume"),
        ("v1", "Namespace"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("networking.k8s.io/v1", "NetworkPolicy"),
        ("cilium.io/v2", "CiliumNetworkPolicy"),
        ("helm.toolkit.fluxcd.io/v2", "HelmRelease"),
        ("v1", "ConfigMap"),
    ];
    let texts: Vec<String> = kinds
        .iter()
        .map(|(version, kind)| object(version, kind, "spec: {}\n"))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let mut text = told(&objects(FLUX, &texts, &[]));
    let kept = FLUX.replace("prune: true", "prune: false");
    let claim = object("v1", "PersistentVolumeClaim", "");
    text += &told(&objects(&kept, &[&claim], &[]));
    let marked = claim.replace(
        "{name: x}",
        "{name: x, annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}}",
    );
    text += &told(&objects(FLUX, &[&marked], &[]));
    // Nothing applies it, so nothing removes it.
    text += &told(&diff(&[("a.yaml", &claim)], &[]));
    // Renamed is removed, too.
    text += &told(&objects(
        FLUX,
        &[&claim],
        &[&claim.replace("name: x", "name: y")],
    ));
    // The Kustomization goes with what it applied.
    let orphan = FLUX.replace("prune: true", "prune: true, deletionPolicy: Orphan");
    for flux in [FLUX, &orphan] {
        let list = ("flux/kustomization.yaml", "resources: [ks.yaml]\n");
        let app = ("app/kustomization.yaml", "resources: [o.yaml]\n");
        let before = [list, ("flux/ks.yaml", flux), app, ("app/o.yaml", &*claim)];
        text += &told(&diff(
            &before,
            &[("flux/kustomization.yaml", "resources: []\n")],
        ));
    }
    expect("removals.txt", &text);
}

/// Version, kind, and two states of an object between which it cannot go.
const IMMUTABLE: &[(&str, &str, &str, &str)] = &[
    (
        "apps/v1",
        "Deployment",
        "spec: {selector: {a: b}}",
        "spec: {selector: {a: c}}",
    ),
    (
        "apps/v1",
        "DaemonSet",
        "spec: {selector: {a: b}}",
        "spec: {selector: {a: c}}",
    ),
    (
        "apps/v1",
        "StatefulSet",
        "spec: {serviceName: a}",
        "spec: {serviceName: b}",
    ),
    (
        "apps/v1",
        "StatefulSet",
        "spec: {volumeClaimTemplates: [{metadata: {name: a}, spec: {x: 1}}]}",
        "spec: {volumeClaimTemplates: [{metadata: {name: a}, spec: {x: 2}}]}",
    ),
    (
        "batch/v1",
        "Job",
        "spec: {template: {a: 1}}",
        "spec: {template: {a: 2}}",
    ),
    (
        "v1",
        "Service",
        "spec: {clusterIP: 10.0.0.1}",
        "spec: {clusterIP: 10.0.0.2}",
    ),
    (
        "v1",
        "PersistentVolumeClaim",
        "spec: {storageClassName: a}",
        "spec: {storageClassName: b}",
    ),
    (
        "v1",
        "PersistentVolumeClaim",
        "spec: {resources: {requests: {storage: 1Ti}}}",
        "spec: {resources: {requests: {storage: 900G}}}",
    ),
    (
        "storage.k8s.io/v1",
        "StorageClass",
        "parameters: {a: b}",
        "parameters: {a: c}",
    ),
    (
        "storage.k8s.io/v1",
        "StorageClass",
        "reclaimPolicy: Delete",
        "reclaimPolicy: Retain",
    ),
    (
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        "roleRef: {name: a}",
        "roleRef: {name: b}",
    ),
    (
        "v1",
        "ConfigMap",
        "immutable: true\ndata: {a: b}",
        "immutable: true\ndata: {a: c}",
    ),
    ("v1", "Secret", "type: Opaque", "type: kubernetes.io/tls"),
    (
        "scheduling.k8s.io/v1",
        "PriorityClass",
        "value: 1",
        "value: 2",
    ),
];

/// The same, between which it can.
const MUTABLE: &[(&str, &str, &str, &str)] = &[
    (
        "apps/v1",
        "Deployment",
        "spec: {replicas: 1}",
        "spec: {replicas: 2}",
    ),
    (
        "apps/v1",
        "StatefulSet",
        "spec: {template: {a: 1}, replicas: 1}",
        "spec: {template: {a: 2}, replicas: 2}",
    ),
    (
        "v1",
        "PersistentVolumeClaim",
        "spec: {resources: {requests: {storage: 1Gi}}}",
        "spec: {resources: {requests: {storage: 2Gi}}}",
    ),
    ("v1", "Service", "spec: {clusterIP: 10.0.0.1}", "spec: {}"),
    ("v1", "ConfigMap", "data: {a: b}", "data: {a: c}"),
    (
        "storage.k8s.io/v1",
        "StorageClass",
        "allowVolumeExpansion: false",
        "allowVolumeExpansion: true",
    ),
    (
        "example.com/v1",
        "Deployment",
        "spec: {selector: {a: b}}",
        "spec: {selector: {a: c}}",
    ),
];

#[test]
fn immutable_fields_are_told_and_others_are_not() {
    let change = |version: &str, kind: &str, before: &str, after: &str| {
        let report = objects(
            FLUX,
            &[&object(version, kind, before)],
            &[&object(version, kind, after)],
        );
        assert_eq!(report.changes.len(), 1, "{kind} {before} {after}");
        report
            .dangers
            .iter()
            .any(|danger| danger.code() == "immutable-field")
    };
    for (version, kind, before, after) in IMMUTABLE {
        assert!(
            change(version, kind, before, after),
            "{kind}: {before} to {after}"
        );
    }
    for (version, kind, before, after) in MUTABLE {
        assert!(
            !change(version, kind, before, after),
            "{kind}: {before} to {after}"
        );
    }
}

#[test]
fn force_makes_an_object_anew() {
    let before = object("apps/v1", "Deployment", "spec: {selector: {a: b}}");
    let after = before.replace("a: b", "a: c");
    let refused = told(&objects(FLUX, &[&before], &[&after]));
    insta::assert_snapshot!(refused, @"immutable-field: `spec.selector.a` of `Deployment/ns/x` cannot change; the API server refuses it, and nothing else of its Kustomization is applied until the object is deleted by hand or `force` is set");
    let forced = FLUX.replace("prune: true", "prune: true, force: true");
    let anew = told(&objects(&forced, &[&before], &[&after]));
    insta::assert_snapshot!(anew, @"immutable-field: `spec.selector.a` of `Deployment/ns/x` cannot change; Flux deletes the object and makes it anew, as `force` says");
}

#[test]
fn new_powers_and_stops_are_told() {
    let pod = |spec: &str| {
        object(
            "apps/v1",
            "Deployment",
            &format!("spec: {{template: {{spec: {spec}}}}}"),
        )
    };
    let release = |values: &str| object("helm.toolkit.fluxcd.io/v2", "HelmRelease", values);
    let namespace = |level: &str| {
        format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: n, labels: {{pod-security.kubernetes.io/enforce: {level}}}}}\n"
        )
    };
    let binding = |subjects: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: {{name: b}}\nroleRef: {{name: cluster-admin}}\nsubjects: [{subjects}]\n"
        )
    };
    let role = |verbs: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {{name: r}}\nrules: [{{apiGroups: ['*'], resources: ['*'], verbs: [{verbs}]}}]\n"
        )
    };
    let mut text = String::new();
    for (before, after) in [
        (
            pod("{containers: [{name: a}]}"),
            pod("{containers: [{name: a, securityContext: {privileged: true}}]}"),
        ),
        (
            pod("{containers: []}"),
            pod(
                "{containers: [], hostNetwork: true, hostPID: true, volumes: [{name: v, hostPath: {path: /}}]}",
            ),
        ),
        (
            release("spec: {values: {securityContext: {privileged: false}}}"),
            release("spec: {values: {securityContext: {privileged: true}}}"),
        ),
        (namespace("restricted"), namespace("privileged")),
        (
            binding("{kind: User, name: a}"),
            binding("{kind: User, name: a}, {kind: Group, name: b}"),
        ),
        (role("get"), role("'*'")),
        (
            object("apps/v1", "Deployment", "spec: {replicas: 2}"),
            object("apps/v1", "Deployment", "spec: {replicas: 0}"),
        ),
        (
            release("spec: {values: {app: {replicaCount: 1}}}"),
            release("spec: {suspend: true, values: {app: {replicaCount: 0}}}"),
        ),
        (
            release("spec: {releaseName: a}"),
            release("spec: {releaseName: b}"),
        ),
        (
            release(
                "spec: {chart: {spec: {chart: c, version: 1.9.0}}, values: {image: {repository: r, tag: v2.0.0}}}",
            ),
            release(
                "spec: {chart: {spec: {chart: c, version: 2.0.0}}, values: {image: {repository: r, tag: v1.9.0}}}",
            ),
        ),
    ] {
        text += &told(&objects(FLUX, &[&before], &[&after]));
        // What stays as it is, or gets better, is no danger.
        assert_eq!(told(&objects(FLUX, &[&after], &[&after])), "");
    }
    expect("powers.txt", &text);
    let better = objects(FLUX, &[&namespace("baseline")], &[&namespace("restricted")]);
    assert!(better.dangers.is_empty() && better.changes.len() == 1);
}

#[test]
fn every_code_is_reported_somewhere() {
    let folder = crate::harden::trees::fixtures("diff").join("expected");
    let texts: String = crate::harden::trees::texts(&folder).into_values().collect();
    for danger in DANGERS {
        assert!(texts.contains(danger.code), "`{}`", danger.code);
    }
}

#[test]
fn a_danger_points_at_its_line() {
    let before = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: x\nspec:\n  template:\n    spec:\n      containers:\n        - name: a\n        - name: b\n";
    let after = format!("{before}          securityContext:\n            privileged: true\n");
    let report = diff(&[("x.yaml", before)], &[("x.yaml", &after)]);
    assert_eq!(report.dangers[0].spot.as_ref().unwrap().line, 12);
}

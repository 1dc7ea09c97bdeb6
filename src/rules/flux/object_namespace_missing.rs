//! Objects that live in a namespace and have none.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::flux::{AppliedObject, KustomizationBuild};
use crate::rules::facts::object_label;
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};

/// How many objects are pointed at.
const SHOWN: usize = 5;

/// The kinds of which it is known that they live in a namespace, by API group.
const NAMESPACED: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "ConfigMap",
            "Endpoints",
            "LimitRange",
            "PersistentVolumeClaim",
            "Pod",
            "PodTemplate",
            "ReplicationController",
            "ResourceQuota",
            "Secret",
            "Service",
            "ServiceAccount",
        ],
    ),
    (
        "apps",
        &["DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"],
    ),
    ("autoscaling", &["HorizontalPodAutoscaler"]),
    ("batch", &["CronJob", "Job"]),
    ("bitnami.com", &["SealedSecret"]),
    (
        "cert-manager.io",
        &["Certificate", "CertificateRequest", "Issuer"],
    ),
    ("cilium.io", &["CiliumNetworkPolicy"]),
    (
        "external-secrets.io",
        &["ExternalSecret", "PushSecret", "SecretStore"],
    ),
    (
        "gateway.networking.k8s.io",
        &[
            "GRPCRoute",
            "Gateway",
            "HTTPRoute",
            "ReferenceGrant",
            "TCPRoute",
            "TLSRoute",
            "UDPRoute",
        ],
    ),
    (
        "grafana.integreatly.org",
        &["Grafana", "GrafanaDashboard", "GrafanaDatasource"],
    ),
    ("helm.toolkit.fluxcd.io", &["HelmRelease"]),
    (
        "image.toolkit.fluxcd.io",
        &["ImagePolicy", "ImageRepository", "ImageUpdateAutomation"],
    ),
    ("kustomize.toolkit.fluxcd.io", &["Kustomization"]),
    (
        "monitoring.coreos.com",
        &[
            "Alertmanager",
            "AlertmanagerConfig",
            "PodMonitor",
            "Probe",
            "Prometheus",
            "PrometheusRule",
            "ScrapeConfig",
            "ServiceMonitor",
        ],
    ),
    ("networking.k8s.io", &["Ingress", "NetworkPolicy"]),
    (
        "notification.toolkit.fluxcd.io",
        &["Alert", "Provider", "Receiver"],
    ),
    ("policy", &["PodDisruptionBudget"]),
    (
        "postgresql.cnpg.io",
        &["Backup", "Cluster", "Pooler", "ScheduledBackup"],
    ),
    ("rbac.authorization.k8s.io", &["Role", "RoleBinding"]),
    ("snapshot.storage.k8s.io", &["VolumeSnapshot"]),
    (
        "source.toolkit.fluxcd.io",
        &[
            "Bucket",
            "GitRepository",
            "HelmChart",
            "HelmRepository",
            "OCIRepository",
        ],
    ),
    (
        "volsync.backube",
        &["ReplicationDestination", "ReplicationSource"],
    ),
];

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "object-namespace-missing",
        summary: "Every object that lives in a namespace has one",
        text: "\
`kubectl` puts an object without a namespace into the one that its user works in. Flux has none such: it refuses the
whole Kustomization with \"namespace not specified\". The namespace may be written in the object, in `namespace` of a
kustomization that lists it, or in `targetNamespace` of the Flux Kustomization.

It is asked of the kinds of Kubernetes and Flux, of common ones of other projects, and of those whose
CustomResourceDefinition is in the tree.",
    },
    category: Category::Flux,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    let defined = defined_kinds(facts);
    let mut builds: BTreeMap<usize, Vec<&AppliedObject>> = BTreeMap::new();
    for object in facts.builds.objects() {
        // What nothing reaches may be for `kubectl`, which puts it somewhere.
        let is_reached = facts.builds.applied.build_of(object).is_reached();
        if is_reached && is_surely_namespaced(object, &defined) {
            builds.entry(object.build).or_default().push(object);
        }
    }
    for (index, mut objects) in builds {
        let build = &facts.builds.applied.builds[index];
        let mut subject = JudgedSubject::named(build_label(build));
        objects.retain(|object| object.key().namespace.is_empty());
        let findings: Vec<Diagnostic> = missing(facts, build, &objects).into_iter().collect();
        for object in &objects {
            let key = object.key();
            subject.names.push((key.namespace, key.name));
        }
        let first = objects.first();
        subject.place = first.and_then(|object| facts.builds.place(object.place()));
        judge.found(subject, findings);
    }
}

/// Lists the kinds with a namespace of which the definition is in the tree.
fn defined_kinds(facts: &Facts<'_>) -> BTreeSet<(String, String)> {
    let definitions = facts.unique_objects("apiextensions.k8s.io", "CustomResourceDefinition");
    let read = |object: &&AppliedObject| {
        let text = |path: &[&str]| object.field.find_text(path).map(str::to_owned);
        let is_namespaced = text(&["spec", "scope"]).as_deref() == Some("Namespaced");
        let kind = (text(&["spec", "group"])?, text(&["spec", "names", "kind"])?);
        is_namespaced.then_some(kind)
    };
    definitions.iter().filter_map(read).collect()
}

fn is_surely_namespaced(object: &AppliedObject, defined: &BTreeSet<(String, String)>) -> bool {
    let (group, kind) = (object.group(), object.kind());
    let known = NAMESPACED
        .iter()
        .any(|(known, kinds)| *known == group && kinds.contains(&kind));
    known || defined.contains(&(group.to_owned(), kind.to_owned()))
}

fn missing(
    facts: &Facts<'_>,
    build: &KustomizationBuild,
    objects: &[&AppliedObject],
) -> Option<Diagnostic> {
    let (first, rest) = objects.split_first()?;
    let message = if rest.is_empty() {
        format!(
            "`{}` has no namespace, and Flux refuses it",
            object_label(first)
        )
    } else {
        format!(
            "{} objects of {} have no namespace, and Flux refuses them",
            objects.len(),
            build_label(build)
        )
    };
    let name = |object: &AppliedObject| object.field.find(&["metadata", "name"]).cloned();
    let mut error = Diagnostic::error(&RULE.meaning, message);
    if let Some(name) = name(first) {
        error = facts.at_field(error, &name);
    }
    for object in rest.iter().take(SHOWN) {
        let place = name(object).and_then(|name| facts.builds.place(name.place()));
        if let Some(place) = place {
            error = error.with_related(place, "this has none either");
        }
    }
    Some(error.with_hint(match build.kustomization() {
        Some(_) => format!(
            "set `targetNamespace` of `Kustomization/{}`, or `namespace` in the kustomization.yaml beside the object",
            build.owner
        ),
        None => "set `metadata.namespace`, or `namespace` in the kustomization.yaml beside the object"
            .to_owned(),
    }))
}

fn build_label(build: &KustomizationBuild) -> String {
    match build.owner.name.as_str() {
        "" => format!("the folder `{}`", build.folder),
        _ => format!("`Kustomization/{}`", build.owner),
    }
}

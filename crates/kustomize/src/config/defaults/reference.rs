//! Which fields name which objects.

use super::pod_owner::{
    CRON_JOB, DAEMON_SET, DEPLOYMENT, JOB, POD, POD_TEMPLATE, POD_V1, PodOwner, REPLICA_SET,
    REPLICATION_CONTROLLER, STATEFUL_SET, specs_below,
};
use super::{FieldSpecRow, specs_of};
use crate::config::NameReferences;
use crate::field_spec::KindSelector;

/// Fields that name objects of one kind: the group, version and kind of these, the kinds with pods and the paths below
/// their pods' spec, and other fields.
type ReferenceRow = (
    [&'static str; 3],
    &'static [PodOwner],
    &'static [&'static str],
    &'static [FieldSpecRow],
);

const CONFIG_OWNERS: &[PodOwner] = &[
    POD_V1,
    POD_TEMPLATE,
    DEPLOYMENT,
    REPLICA_SET,
    DAEMON_SET,
    STATEFUL_SET,
    JOB,
    CRON_JOB,
];

const POD_OWNERS: &[PodOwner] = &[
    POD,
    STATEFUL_SET,
    DEPLOYMENT,
    REPLICATION_CONTROLLER,
    CRON_JOB,
    JOB,
    DAEMON_SET,
];

const SCALED: &[FieldSpecRow] = &[(
    "",
    "",
    "HorizontalPodAutoscaler",
    "spec/scaleTargetRef/name",
    false,
)];

const CONFIG_MAP_PATHS: &[&str] = &[
    "volumes/configMap/name",
    "containers/env/valueFrom/configMapKeyRef/name",
    "initContainers/env/valueFrom/configMapKeyRef/name",
    "containers/envFrom/configMapRef/name",
    "initContainers/envFrom/configMapRef/name",
    "volumes/projected/sources/configMap/name",
];

const CONFIG_MAP_FIELDS: &[FieldSpecRow] = &[
    ("", "", "Node", "spec/configSource/configMap", false),
    ("", "", "Role", "rules/resourceNames", false),
    ("", "", "ClusterRole", "rules/resourceNames", false),
    (
        "",
        "",
        "Ingress",
        r"metadata/annotations/nginx.ingress.kubernetes.io\/fastcgi-params-configmap",
        false,
    ),
];

const SECRET_PATHS: &[&str] = &[
    "volumes/secret/secretName",
    "containers/env/valueFrom/secretKeyRef/name",
    "initContainers/env/valueFrom/secretKeyRef/name",
    "containers/envFrom/secretRef/name",
    "initContainers/envFrom/secretRef/name",
    "imagePullSecrets/name",
    "volumes/projected/sources/secret/name",
];

const SECRET_FIELDS: &[FieldSpecRow] = &[
    ("", "", "Ingress", "spec/tls/secretName", false),
    (
        "",
        "",
        "Ingress",
        r"metadata/annotations/ingress.kubernetes.io\/auth-secret",
        false,
    ),
    (
        "",
        "",
        "Ingress",
        r"metadata/annotations/nginx.ingress.kubernetes.io\/auth-secret",
        false,
    ),
    (
        "",
        "",
        "Ingress",
        r"metadata/annotations/nginx.ingress.kubernetes.io\/auth-tls-secret",
        false,
    ),
    ("", "", "ServiceAccount", "imagePullSecrets/name", false),
    ("", "", "StorageClass", "parameters/secretName", false),
    ("", "", "StorageClass", "parameters/adminSecretName", false),
    ("", "", "StorageClass", "parameters/userSecretName", false),
    ("", "", "StorageClass", "parameters/secretRef", false),
    ("", "", "Role", "rules/resourceNames", false),
    ("", "", "ClusterRole", "rules/resourceNames", false),
    (
        "serving.knative.dev",
        "v1",
        "Service",
        "spec/template/spec/containers/env/valueFrom/secretKeyRef/name",
        false,
    ),
    (
        "",
        "",
        "PersistentVolume",
        "spec/azureFile/secretName",
        false,
    ),
];

const SERVICE_FIELDS: &[FieldSpecRow] = &[
    ("apps", "", "StatefulSet", "spec/serviceName", false),
    (
        "",
        "",
        "Ingress",
        "spec/rules/http/paths/backend/serviceName",
        false,
    ),
    ("", "", "Ingress", "spec/backend/serviceName", false),
    (
        "",
        "",
        "Ingress",
        "spec/rules/http/paths/backend/service/name",
        false,
    ),
    ("", "", "Ingress", "spec/defaultBackend/service/name", false),
    (
        "apiregistration.k8s.io",
        "",
        "APIService",
        "spec/service/name",
        false,
    ),
    (
        "admissionregistration.k8s.io",
        "",
        "ValidatingWebhookConfiguration",
        "webhooks/clientConfig/service",
        false,
    ),
    (
        "admissionregistration.k8s.io",
        "",
        "MutatingWebhookConfiguration",
        "webhooks/clientConfig/service",
        false,
    ),
];

const RBAC: &str = "rbac.authorization.k8s.io";

const ROLE_FIELDS: &[FieldSpecRow] = &[(RBAC, "", "RoleBinding", "roleRef/name", false)];

const CLUSTER_ROLE_FIELDS: &[FieldSpecRow] = &[
    (RBAC, "", "RoleBinding", "roleRef/name", false),
    (RBAC, "", "ClusterRoleBinding", "roleRef/name", false),
];

const SERVICE_ACCOUNT_FIELDS: &[FieldSpecRow] = &[
    (RBAC, "", "RoleBinding", "subjects", false),
    (RBAC, "", "ClusterRoleBinding", "subjects", false),
];

const VOLUME_FIELDS: &[FieldSpecRow] = &[
    ("", "", "PersistentVolumeClaim", "spec/volumeName", false),
    ("", "", "ClusterRole", "rules/resourceNames", false),
];

const STORAGE_CLASS_FIELDS: &[FieldSpecRow] = &[
    ("", "", "PersistentVolume", "spec/storageClassName", false),
    (
        "",
        "",
        "PersistentVolumeClaim",
        "spec/storageClassName",
        false,
    ),
    (
        "",
        "",
        "StatefulSet",
        "spec/volumeClaimTemplates/spec/storageClassName",
        false,
    ),
];

const INGRESS_CLASS_FIELDS: &[FieldSpecRow] =
    &[("", "", "Ingress", "spec/ingressClassName", false)];

const POLICY_FIELDS: &[FieldSpecRow] = &[(
    "admissionregistration.k8s.io",
    "",
    "ValidatingAdmissionPolicyBinding",
    "spec/policyName",
    false,
)];

const REFERENCES: &[ReferenceRow] = &[
    (["", "", "Deployment"], &[], &[], SCALED),
    (["", "", "ReplicationController"], &[], &[], SCALED),
    (["", "", "ReplicaSet"], &[], &[], SCALED),
    (["", "", "StatefulSet"], &[], &[], SCALED),
    (
        ["", "v1", "ConfigMap"],
        CONFIG_OWNERS,
        CONFIG_MAP_PATHS,
        CONFIG_MAP_FIELDS,
    ),
    (
        ["", "v1", "Secret"],
        CONFIG_OWNERS,
        SECRET_PATHS,
        SECRET_FIELDS,
    ),
    (["", "v1", "Service"], &[], &[], SERVICE_FIELDS),
    ([RBAC, "", "Role"], &[], &[], ROLE_FIELDS),
    ([RBAC, "", "ClusterRole"], &[], &[], CLUSTER_ROLE_FIELDS),
    (
        ["", "v1", "ServiceAccount"],
        POD_OWNERS,
        &["serviceAccountName"],
        SERVICE_ACCOUNT_FIELDS,
    ),
    (
        ["", "v1", "PersistentVolumeClaim"],
        POD_OWNERS,
        &["volumes/persistentVolumeClaim/claimName"],
        &[],
    ),
    (["", "v1", "PersistentVolume"], &[], &[], VOLUME_FIELDS),
    (
        ["storage.k8s.io", "v1", "StorageClass"],
        &[],
        &[],
        STORAGE_CLASS_FIELDS,
    ),
    (
        ["scheduling.k8s.io", "v1", "PriorityClass"],
        POD_OWNERS,
        &["priorityClassName"],
        &[],
    ),
    // kustomize has the version in the group, so that no object fits.
    (
        ["networking.k8s.io/v1", "v1", "IngressClass"],
        &[],
        &[],
        INGRESS_CLASS_FIELDS,
    ),
    (
        [
            "admissionregistration.k8s.io",
            "",
            "ValidatingAdmissionPolicy",
        ],
        &[],
        &[],
        POLICY_FIELDS,
    ),
];

/// Returns which fields name which objects.
pub(super) fn name_references() -> Vec<NameReferences> {
    let of_row = |(target, owners, paths, fields): &ReferenceRow| {
        let [group, version, kind] = target;
        let mut referrers = specs_below(owners, paths);
        referrers.extend(specs_of(fields));
        NameReferences {
            target: KindSelector::new(group, version, kind),
            referrers,
        }
    };
    REFERENCES.iter().map(of_row).collect()
}

//! Where `$(NAME)` stands for a variable.

use super::pod_owner::{
    CRON_JOB, DAEMON_SET, DEPLOYMENT, JOB, POD, PodOwner, REPLICA_SET, STATEFUL_SET, specs_below,
};
use super::{FieldSpecRow, specs_of};
use crate::field_spec::FieldSpec;

const POD_OWNERS: &[PodOwner] = &[
    CRON_JOB,
    DAEMON_SET,
    DEPLOYMENT,
    JOB,
    POD,
    REPLICA_SET,
    STATEFUL_SET,
];

const POD_PATHS: &[&str] = &[
    "containers/args",
    "containers/command",
    "containers/env/value",
    "containers/volumeMounts/mountPath",
    "initContainers/args",
    "initContainers/command",
    "initContainers/env/value",
    "initContainers/volumeMounts/mountPath",
];

const VOLUME_OWNERS: &[PodOwner] = &[DAEMON_SET, DEPLOYMENT, JOB, POD, REPLICA_SET];

const FIELDS: &[FieldSpecRow] = &[
    // kustomize looks beside the spec of the pods here.
    (
        "",
        "",
        "CronJob",
        "spec/jobTemplate/spec/template/volumes/nfs/server",
        false,
    ),
    (
        "",
        "",
        "Deployment",
        "spec/template/metadata/annotations",
        false,
    ),
    ("", "", "Ingress", "spec/rules/host", false),
    ("", "", "Ingress", "spec/tls/hosts", false),
    ("", "", "Ingress", "spec/tls/secretName", false),
    ("", "", "Service", "spec/ports/port", false),
    ("", "", "Service", "spec/ports/targetPort", false),
    (
        "",
        "",
        "StatefulSet",
        "spec/volumeClaimTemplates/spec/nfs/server",
        false,
    ),
    ("", "", "PersistentVolume", "spec/nfs/server", false),
    ("", "", "", "metadata/labels", false),
    ("", "", "", "metadata/annotations", false),
];

/// Returns the fields that may hold variables.
pub(super) fn specs() -> Vec<FieldSpec> {
    let mut specs = specs_below(POD_OWNERS, POD_PATHS);
    specs.extend(specs_below(VOLUME_OWNERS, &["volumes/nfs/server"]));
    specs.extend(specs_of(FIELDS));
    specs
}

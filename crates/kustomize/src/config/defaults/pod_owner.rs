//! Where the pods of a kind are described.

use crate::field_spec::{FieldSpec, KindSelector};

/// A kind that makes pods: its version, its name, and the path to the spec of the pods.
pub(super) type PodOwner = (&'static str, &'static str, &'static str);

/// A pod on its own.
pub(super) const POD: PodOwner = ("", "Pod", "spec");
/// A pod on its own, in the version that kustomize asks for where it looks for config maps and secrets.
pub(super) const POD_V1: PodOwner = ("v1", "Pod", "spec");
/// A template that others may refer to.
pub(super) const POD_TEMPLATE: PodOwner = ("", "PodTemplate", "template/spec");
/// A Deployment.
pub(super) const DEPLOYMENT: PodOwner = ("", "Deployment", "spec/template/spec");
/// A `ReplicaSet`.
pub(super) const REPLICA_SET: PodOwner = ("", "ReplicaSet", "spec/template/spec");
/// A `ReplicationController`.
pub(super) const REPLICATION_CONTROLLER: PodOwner =
    ("", "ReplicationController", "spec/template/spec");
/// A DaemonSet.
pub(super) const DAEMON_SET: PodOwner = ("", "DaemonSet", "spec/template/spec");
/// A StatefulSet.
pub(super) const STATEFUL_SET: PodOwner = ("", "StatefulSet", "spec/template/spec");
/// A Job.
pub(super) const JOB: PodOwner = ("", "Job", "spec/template/spec");
/// A CronJob.
pub(super) const CRON_JOB: PodOwner = ("", "CronJob", "spec/jobTemplate/spec/template/spec");

/// Makes a field spec for each path below the pods' spec of each kind.
pub(super) fn specs_below(owners: &[PodOwner], paths: &[&str]) -> Vec<FieldSpec> {
    let of_owner = |(version, kind, spec): &PodOwner| {
        let selector = KindSelector::new("", version, kind);
        let spec_of = move |path: &&str| {
            FieldSpec::built_in(selector.clone(), format!("{spec}/{path}"), false)
        };
        paths.iter().map(spec_of).collect::<Vec<_>>()
    };
    owners.iter().flat_map(of_owner).collect()
}

//! Volume claims of pods that are not there.

use crate::diagnostic::{Meaning, Severity};
use crate::rules::judge::Judge;
use crate::rules::pod_references::judge_pod_references;
use crate::rules::{Category, Rule};

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "volume-claim-missing",
        summary: "Every volume claim that a pod mounts is there",
        text: "\
A pod that mounts a PersistentVolumeClaim which is not there is never scheduled; it waits with
`persistentvolumeclaim not found`.

Asked are the pods of manifests, and `existingClaim` and volumes in the values of releases. A claim may come from a
manifest, a component, the `volumeClaimTemplates` of a StatefulSet, or the values of app-template. In a namespace with
charts that may make it, and in values that the chart may not read, it is a warning. So it is asked of the claims that
VolSync and kopiur back up.

    persistence:
      config:
        existingClaim: echo",
    },
    category: Category::Availability,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    judge_pod_references(judge, &["PersistentVolumeClaim"], "mounts");
}

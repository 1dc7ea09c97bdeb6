//! Autoscalers of the tree: whoever they scale has at least so many replicas.

use std::collections::BTreeMap;

use crate::flux::builds::Builds;

/// The fewest replicas of what autoscalers scale, by kind, namespace and name.
pub(super) struct Autoscalers(BTreeMap<(String, String, String), u64>);

impl Autoscalers {
    /// Reads each `HorizontalPodAutoscaler`, and each `ScaledObject` of KEDA.
    pub(super) fn of(builds: &Builds<'_>) -> Self {
        let horizontal = builds
            .of_kind("autoscaling", "HorizontalPodAutoscaler")
            .map(|member| (member, "spec.minReplicas", 1));
        let scaled = builds
            .of_kind("keda.sh", "ScaledObject")
            .map(|member| (member, "spec.minReplicaCount", 0));
        let mut found = BTreeMap::new();
        for (member, path, default) in horizontal.chain(scaled) {
            let object = member;
            let Some(name) = object.text("spec.scaleTargetRef.name") else {
                continue;
            };
            let kind = object.text("spec.scaleTargetRef.kind");
            let fewest = match object.text(path) {
                None => Some(default),
                Some(written) => written.parse().ok(),
            };
            let key = (
                kind.unwrap_or("Deployment").to_owned(),
                member.namespace_name().to_owned(),
                name.to_owned(),
            );
            found.extend(fewest.map(|fewest| (key, fewest)));
        }
        Self(found)
    }

    /// Returns the fewest replicas of a workload, if something scales it.
    pub(super) fn fewest(&self, kind: &str, namespace: &str, name: &str) -> Option<u64> {
        if self.0.is_empty() {
            return None;
        }
        let key = (kind.to_owned(), namespace.to_owned(), name.to_owned());
        self.0.get(&key).copied()
    }
}

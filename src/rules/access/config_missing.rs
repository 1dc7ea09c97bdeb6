//! ConfigMaps and Secrets that pods and operators read and that are not there.

use crate::diagnostic::{Meaning, Severity};
use crate::rules::judge::Judge;
use crate::rules::pod_references::judge_pod_references;
use crate::rules::{Category, Rule};

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "config-missing",
        summary: "Every ConfigMap, Secret and key that a pod or a custom resource reads is there",
        text: "\
A container does not start as long as a ConfigMap or Secret of its `env`, `envFrom` or volumes is not there, or has no
such key; the pod waits with `CreateContainerConfigError` or `ContainerCreating`. What is `optional` is not asked.

Asked are the pods of manifests, and what the values of releases hand to pods: those of app-template, and `envFrom`,
`secretKeyRef`, `configMapKeyRef` and volumes in those of any chart. What generators, External Secrets, SealedSecrets,
cert-manager and known operators make is there, with its keys where the tree tells them. A Secret may be made by hand,
so that one that is not there is a warning, unless its name is a slip of another one. In a namespace with charts that
may make it, and in values that the chart may not read, it is a warning too.

Asked are also the custom resources of which `schemas/custom-resources.yaml` or the project's own table says what their
operators read: the issuers of cert-manager, CloudNativePG clusters, VolSync, Gateways, Grafana, the sources and
providers of Flux and others. Of a Secret that people make before Flux runs, such as the key of a GitRepository or of
a secret store, nothing is said, unless its name is a slip of another one.

    env:
      - name: TOKEN
        valueFrom:
          secretKeyRef: {name: echo, key: token}",
    },
    category: Category::Access,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    judge_pod_references(judge, &["ConfigMap", "Secret"], "reads");
}

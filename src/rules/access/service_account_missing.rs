//! Service accounts of pods that are not there.

use crate::diagnostic::{Meaning, Severity};
use crate::rules::judge::Judge;
use crate::rules::pod_references::judge_pod_references;
use crate::rules::{Category, Rule};

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "service-account-missing",
        summary: "Every service account that a pod runs as is there",
        text: "\
The API server refuses a pod whose `serviceAccountName` names no ServiceAccount of its namespace. The Deployment itself
is accepted, so that nothing shows but a workload without pods.

Asked are the pods of manifests, and the controllers of app-template that name an account. In a namespace with charts
that may make it, it is a warning.",
    },
    category: Category::Access,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    judge_pod_references(judge, &["ServiceAccount"], "runs as");
}

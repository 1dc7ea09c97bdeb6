//! Spreads the replicas of a workload over nodes.

use serde_json::{Value, json};

use crate::diagnostic::Meaning;
use crate::rules::plan::Plan;
use crate::rules::remedy::{Pass, Remedy, RemedyScope};
use crate::workload::{PodField, Workload};

const FIELD: PodField = PodField::Pod("topologySpreadConstraints");

pub(in crate::rules) static REMEDY: Remedy = Remedy {
    meaning: Meaning {
        code: "topology-spread",
        summary: "Spreads the replicas of each workload over nodes",
        text: "\
Two replicas on one node are as good as one when that node goes down. The scheduler spreads pods a little by itself,
but weighs that against everything else, and is free to put both on the emptiest node.

Each Deployment and StatefulSet that has two or more replicas, and of which nothing says where its pods go, gets a
constraint: at most one more pod on one node than on another (`maxSkew: 1` over `kubernetes.io/hostname`), counted by the
workload's own selector. `ScheduleAnyway` makes it a strong wish: where there is one node, or only one that is
ready, the pods run there.

The constraint goes into the manifest, to the values path of the chart's profile, or into a patch of the release's
post-renderer. Constraints that are there stay, and so does an affinity that keeps pods apart, preferred or
required: whoever wrote either has decided.",
    },
    pass: Pass::Workloads,
    plan,
};

fn plan(context: &RemedyScope<'_, '_>) -> Plan {
    let mut plan = Plan::default();
    for workload in context.open_workloads() {
        if workload.is_replicated() && !is_placed(workload) {
            spread(context, workload, &mut plan);
        }
    }
    plan
}

/// Returns whether something says already how the pods are to be spread.
fn is_placed(workload: &Workload<'_>) -> bool {
    let apart = &workload.pod["spec"]["affinity"]["podAntiAffinity"];
    let is_kept_apart = apart.as_object().is_some_and(|apart| !apart.is_empty());
    is_kept_apart || !workload.value(&FIELD).is_null()
}

fn spread(context: &RemedyScope<'_, '_>, workload: &Workload<'_>, plan: &mut Plan) {
    let Some(selector) = workload.label_selector() else {
        let reason = workload.why_no_selector().to_owned();
        return plan.gap(context.rule, workload, &FIELD, reason);
    };
    let constraints = Value::Array(vec![json!({
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": selector,
    })]);
    let reason = format!(
        "the {} replicas of {}/{} belong on different nodes",
        workload.replicas.unwrap_or_default(),
        workload.kind,
        workload.name
    );
    plan.add(context.rule, workload, &FIELD, &constraints, &reason);
}

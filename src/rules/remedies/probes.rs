//! Gives containers the probes that are known to work.

use crate::charts::profile::PROBES;
use crate::diagnostic::Meaning;
use crate::rules::plan::Plan;
use crate::rules::remedy::{Pass, Remedy, RemedyScope};
use crate::workload::{PodField, Workload, WorkloadContainer};

/// The probes that a container that runs on should have.
const NEEDED: [&str; 2] = ["livenessProbe", "readinessProbe"];

pub(in crate::rules) static REMEDY: Remedy = Remedy {
    meaning: Meaning {
        code: "probes",
        summary: "Gives containers the readiness, liveness and startup probes that are known to work",
        text: "\
Without a readiness probe, a pod gets traffic before it can answer, and a rollout goes on over pods that
do not work. Without a liveness probe, a process that hangs hangs until someone looks.

There is no endpoint that every program has, and a probe on the wrong port kills a healthy pod. So the rule
adds a probe only where the chart's profile knows the endpoint and says where that is known from: as a value
where the chart takes one or has a switch, as a patch of the release's post-renderer where it does not.
A probe that the author or the chart sets stays, whatever it says.

Jobs, hooks and init containers need no probes, nor do the helpers that a profile names with the reason.
Every other container without a known endpoint is a gap: `kiln audit` lists it, so that someone who knows the
program can set a probe in the values or the manifest, or write it into a profile below `charts/`.",
    },
    pass: Pass::Workloads,
    plan,
};

fn plan(context: &RemedyScope<'_, '_>) -> Plan {
    let mut plan = Plan::default();
    for workload in context.open_workloads() {
        if workload.is_long_running() {
            for container in workload.containers().filter(|container| !container.init) {
                probe(context, workload, container, &mut plan);
            }
        }
    }
    plan
}

fn probe(
    context: &RemedyScope<'_, '_>,
    workload: &Workload<'_>,
    container: WorkloadContainer<'_>,
    plan: &mut Plan,
) {
    let known = workload.known_container(container.name);
    if known.is_some_and(|known| known.no_probes.is_some()) {
        return;
    }
    for probe in PROBES {
        if container.value.get(probe).is_some() {
            continue;
        }
        let field = PodField::of(container.name, probe);
        let Some(health) = known.and_then(|known| known.health.get(probe)) else {
            if NEEDED.contains(&probe) {
                let reason = "no endpoint of it is known".to_owned();
                plan.gap(context.rule, workload, &field, reason);
            }
            continue;
        };
        let reason = format!("`{}` answers, by {}", container.name, health.source);
        match &health.set {
            Some(set) => plan.set(context.rule, workload, &field, set, &reason),
            None => plan.add(context.rule, workload, &field, &health.probe, &reason),
        }
    }
}

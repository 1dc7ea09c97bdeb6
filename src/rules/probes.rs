//! Rules about probes.

mod probe_host;

use serde_json::Value;

use super::judge::Judge;
use super::{Category, Rule, Verdict, remedies};
use crate::charts::profile::PROBES;
use crate::diagnostic::Meaning;
use crate::workload::{Home, Workload, WorkloadContainer};

const SHELLS: [&str; 5] = ["sh", "bash", "ash", "dash", "busybox"];

pub(super) const RULES: &[Rule] = &[
    Rule {
        meaning: Meaning {
            code: "probe-readiness",
            summary: "Every container that runs on has a readiness probe",
            text: "\
Without one, a pod gets traffic before it can answer, and a rollout goes on over pods that do not work. Jobs and
init containers need none; a helper that a chart profile names with a reason is exempt.",
        },
        category: Category::Probes,
        severity: None,
        weight: 3,
        remedy: Some(&remedies::probes::REMEDY),
        judge: |judge| needed(judge, "readinessProbe"),
    },
    Rule {
        meaning: Meaning {
            code: "probe-liveness",
            summary: "Every container that runs on has a liveness probe",
            text: "\
Without one, a process that hangs hangs until someone looks. It must not ask about dependencies: what it restarts is
this container only.",
        },
        category: Category::Probes,
        severity: None,
        weight: 2,
        remedy: Some(&remedies::probes::REMEDY),
        judge: |judge| needed(judge, "livenessProbe"),
    },
    Rule {
        meaning: Meaning {
            code: "probe-identical",
            summary: "Liveness and readiness are not the same probe",
            text: "\
A pod that is overloaded should be left alone until it is ready again. If the liveness probe is the readiness probe, it
is killed at the same moment instead. Another path, or a higher threshold, makes the difference.",
        },
        category: Category::Probes,
        severity: None,
        weight: 1,
        remedy: None,
        judge: |judge| {
            judge.containers("livenessProbe", Workload::is_long_running, |_, container| {
                let (live, ready) = (&container.value[PROBES[0]], &container.value[PROBES[1]]);
                let both = !live.is_null() && !ready.is_null();
                both.then(|| Verdict::when(live != ready, "the two probes are the same"))
            });
        },
    },
    Rule {
        meaning: Meaning {
            code: "probe-port",
            summary: "The port of a probe is one of the container's ports",
            text: "\
A probe by the name of a port that is not there never succeeds. A number that is no port of the container is often
left over from a change. App-template takes the ports from its services, so that those are looked at there.",
        },
        category: Category::Probes,
        severity: None,
        weight: 1,
        remedy: None,
        judge: |judge| {
            judge.containers("readinessProbe", Workload::is_long_running, ports);
        },
    },
    probe_host::RULE,
    Rule {
        meaning: Meaning {
            code: "probe-exec",
            summary: "No probe runs a shell",
            text: "\
A probe that starts a shell starts a process every few seconds, needs a shell in the image, and hides what it asks in
a script. Most programs have an endpoint to ask instead.",
        },
        category: Category::Probes,
        severity: None,
        weight: 1,
        remedy: None,
        judge: |judge| {
            judge.containers("livenessProbe", Workload::is_long_running, |_, container| {
                let probes = || PROBES.iter().map(|probe| &container.value[*probe]);
                let shell = probes().any(|probe| {
                    let command = probe["exec"]["command"][0].as_str().unwrap_or_default();
                    SHELLS.contains(&command.rsplit('/').next().unwrap_or_default())
                });
                let any = probes().any(|probe| !probe.is_null());
                any.then(|| Verdict::when(!shell, "a probe runs a shell"))
            });
        },
    },
];

fn needed(judge: &mut Judge<'_, '_>, probe: &'static str) {
    judge.containers(probe, Workload::is_long_running, |workload, container| {
        if !container.value[probe].is_null() {
            return Some(Verdict::Pass);
        }
        let known = workload.known_container(container.name);
        let exempt = known.and_then(|known| known.no_probes.clone());
        Some(exempt.map_or_else(|| Verdict::Fail("it has none".to_owned()), Verdict::Exempt))
    });
}

fn ports(workload: &Workload<'_>, container: WorkloadContainer<'_>) -> Option<Verdict> {
    let asked: Vec<&Value> = PROBES
        .iter()
        .flat_map(|probe| {
            let probe = &container.value[*probe];
            ["httpGet", "tcpSocket", "grpc"].map(|kind| &probe[kind]["port"])
        })
        .filter(|port| !port.is_null())
        .collect();
    if asked.is_empty() {
        return None;
    }
    if let Home::AppTemplate(release, _) = &workload.home {
        let served = of_services(release.values.get("service").unwrap_or(&Value::Null));
        let stranger = asked
            .iter()
            .find(|port| **port != "service" && !served.contains(port));
        return Some(stranger.map_or(Verdict::Pass, |port| {
            Verdict::Unknown(format!("no service of the values has the port {port}"))
        }));
    }
    let ports = container.value["ports"].as_array();
    let is_open = |asked: &Value| {
        let mut ports = ports.into_iter().flatten();
        ports.any(|port| port["containerPort"] == *asked || port["name"] == *asked)
    };
    let stranger = asked.iter().find(|port| !is_open(port));
    Some(stranger.map_or(Verdict::Pass, |port| {
        Verdict::Fail(format!(
            "a probe asks the port {port}, which it does not list"
        ))
    }))
}

/// Lists the ports of app-template's services, by number and name.
fn of_services(services: &Value) -> Vec<Value> {
    let services = services.as_object().into_iter().flatten();
    let ports =
        services.flat_map(|(_, service)| service["ports"].as_object().into_iter().flatten());
    ports
        .flat_map(|(name, port)| {
            [
                Value::from(name.as_str()),
                port["port"].clone(),
                port["targetPort"].clone(),
            ]
        })
        .filter(|port| !port.is_null())
        .collect()
}

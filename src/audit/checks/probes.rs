//! Checks of probes.

use serde_json::Value;

use crate::audit::review::Review;
use crate::audit::{Category, Check, Verdict};
use crate::workload::{Container, Home, PROBES, Workload};

const SHELLS: [&str; 5] = ["sh", "bash", "ash", "dash", "busybox"];

pub(super) const CHECKS: &[Check] = &[
    Check {
        code: "probe-readiness",
        category: Category::Probes,
        line: "Every container that runs on has a readiness probe",
        weight: 3,
        rule: Some("probes"),
        explanation: "\
Without one, a pod gets traffic before it can answer, and a rollout goes on over pods that do not work. Jobs and
init containers need none; a helper that a chart profile names with a reason is exempt.",
        run: |review| needed(review, "readinessProbe"),
    },
    Check {
        code: "probe-liveness",
        category: Category::Probes,
        line: "Every container that runs on has a liveness probe",
        weight: 2,
        rule: Some("probes"),
        explanation: "\
Without one, a process that hangs hangs until someone looks. It must not ask about dependencies: what it restarts is
this container only.",
        run: |review| needed(review, "livenessProbe"),
    },
    Check {
        code: "probe-identical",
        category: Category::Probes,
        line: "Liveness and readiness are not the same probe",
        weight: 1,
        rule: None,
        explanation: "\
A pod that is overloaded should be left alone until it is ready again. If the liveness probe is the readiness probe, it
is killed at the same moment instead. Another path, or a higher threshold, makes the difference.",
        run: |review| {
            review.containers("livenessProbe", Workload::is_long_running, |_, container| {
                let (live, ready) = (&container.value[PROBES[0]], &container.value[PROBES[1]]);
                let both = !live.is_null() && !ready.is_null();
                both.then(|| Verdict::when(live != ready, "the two probes are the same"))
            });
        },
    },
    Check {
        code: "probe-port",
        category: Category::Probes,
        line: "The port of a probe is one of the container's ports",
        weight: 1,
        rule: None,
        explanation: "\
A probe by the name of a port that is not there never succeeds. A number that is no port of the container is often
left over from a change. App-template takes the ports from its services, so that those are looked at there.",
        run: |review| {
            review.containers("readinessProbe", Workload::is_long_running, ports);
        },
    },
    Check {
        code: "probe-host",
        category: Category::Probes,
        line: "No probe and no lifecycle hook names a host",
        weight: 1,
        rule: None,
        explanation: "\
The kubelet asks the pod's own address unless `host` says otherwise. From Kubernetes 1.34 on, the `baseline` level of
the Pod Security Standards forbids it.",
        run: |review| {
            review.containers("livenessProbe", Workload::is_long_running, |_, container| {
                let handlers = handlers(container);
                let host = handlers.iter().find_map(|handler| {
                    let kinds = ["httpGet", "tcpSocket"].into_iter();
                    let mut hosts = kinds.filter_map(|kind| handler[kind]["host"].as_str());
                    hosts.find(|host| !host.is_empty())
                });
                let verdict = host.map_or(Verdict::Pass, |host| {
                    Verdict::Fail(format!("it asks the host `{host}`"))
                });
                (!handlers.is_empty()).then_some(verdict)
            });
        },
    },
    Check {
        code: "probe-exec",
        category: Category::Probes,
        line: "No probe runs a shell",
        weight: 1,
        rule: None,
        explanation: "\
A probe that starts a shell starts a process every few seconds, needs a shell in the image, and hides what it asks in
a script. Most programs have an endpoint to ask instead.",
        run: |review| {
            review.containers("livenessProbe", Workload::is_long_running, |_, container| {
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

fn needed(review: &mut Review<'_, '_>, probe: &'static str) {
    review.containers(probe, Workload::is_long_running, |workload, container| {
        if !container.value[probe].is_null() {
            return Some(Verdict::Pass);
        }
        let known = workload.known_container(container.name);
        let exempt = known.and_then(|known| known.no_probes.clone());
        Some(exempt.map_or_else(|| Verdict::Fail("it has none".to_owned()), Verdict::Exempt))
    });
}

fn handlers(container: Container<'_>) -> Vec<&Value> {
    let lifecycle = &container.value["lifecycle"];
    PROBES
        .iter()
        .map(|probe| &container.value[*probe])
        .chain([&lifecycle["postStart"], &lifecycle["preStop"]])
        .filter(|handler| !handler.is_null())
        .collect()
}

fn ports(workload: &Workload<'_>, container: Container<'_>) -> Option<Verdict> {
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

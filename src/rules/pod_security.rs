//! Rules about the Pod Security Standards: one for each control, and the levels of namespaces.

mod pod_security_forbidden;

use super::judge::Judge;
use super::{Category, Facts, Rule, Verdict, remedies};
use crate::pod_security::Level::{Baseline, Restricted};
use crate::pod_security::{Level, Violation, evaluate};
use crate::workload::Workload;

pub(super) const RULES: &[Rule] = &[
    pod_security_forbidden::RULE,
    control(
        "host-namespaces",
        "No pod shares the host's network, processes or IPC",
        3,
        "A pod in the host's namespaces sees the traffic or the processes of the whole node.",
        |judge| ask(judge, Baseline, &["hostNetwork", "hostPID", "hostIPC"]),
    ),
    control(
        "privileged",
        "No container is privileged",
        3,
        "A privileged container is root on the node.",
        |judge| ask(judge, Baseline, &["privileged"]),
    ),
    control(
        "caps-baseline",
        "No container adds a dangerous capability",
        3,
        "Capabilities such as `SYS_ADMIN` and `NET_ADMIN` are ways to become root on the node. The `baseline` level lists those that are not.",
        |judge| ask(judge, Baseline, &["capabilities"]),
    ),
    control(
        "hostpath",
        "No pod mounts a path of the host",
        3,
        "A mounted path of the host survives the pod, and is often a way to become root on the node.",
        |judge| ask(judge, Baseline, &["hostPath"]),
    ),
    control(
        "cri-socket",
        "No pod mounts the socket of the container runtime",
        3,
        "Who has the socket of containerd, CRI-O or Docker can start any container on the node.",
        |judge| {
            judge.workloads(
                "volumes",
                |_| true,
                |_, workload| {
                    let volumes = workload.pod["spec"]["volumes"].as_array();
                    let socket = volumes.into_iter().flatten().any(|volume| {
                        let path = volume["hostPath"]["path"].as_str().unwrap_or_default();
                        [
                            "docker.sock",
                            "containerd.sock",
                            "crio.sock",
                            "cri-dockerd.sock",
                        ]
                        .iter()
                        .any(|socket| path.ends_with(socket))
                            || path.trim_end_matches('/').ends_with("run/containerd")
                    });
                    Some(Verdict::when(!socket, "it mounts the runtime's socket"))
                },
            );
        },
    ),
    control(
        "host-port",
        "No container opens a port of the host",
        2,
        "A host port is open on the node whatever services and policies say.",
        |judge| ask(judge, Baseline, &["hostPort"]),
    ),
    control(
        "apparmor",
        "No AppArmor profile is switched off",
        2,
        "AppArmor may be left alone, which means the runtime's default, and must not be `Unconfined`.",
        |judge| ask(judge, Baseline, &["appArmorProfile"]),
    ),
    control(
        "selinux",
        "SELinux options stay within what containers may have",
        2,
        "The standard allows a few container types, and neither a user nor a role.",
        |judge| ask(judge, Baseline, &["seLinuxOptions"]),
    ),
    control(
        "proc-mount",
        "The default mask over `/proc` stays",
        2,
        "An unmasked `/proc` shows and changes the state of the kernel.",
        |judge| ask(judge, Baseline, &["procMount"]),
    ),
    control(
        "seccomp-unconfined",
        "Seccomp is not switched off",
        2,
        "`Unconfined` opens system calls that containers do not need and exploits do.",
        |judge| ask(judge, Baseline, &["seccompProfile"]),
    ),
    control(
        "sysctls",
        "Only safe sysctls are set",
        2,
        "Most sysctls are shared with the node and its other pods.",
        |judge| ask(judge, Baseline, &["sysctls"]),
    ),
    control(
        "windows-hostprocess",
        "No container is a host process of Windows",
        2,
        "A HostProcess container has the privileges of the node.",
        |judge| ask(judge, Baseline, &["hostProcess", "windowsHostProcess"]),
    ),
    control(
        "ape",
        "No container may gain privileges",
        2,
        "`allowPrivilegeEscalation: false` keeps set-uid programs in the image from becoming root.",
        |judge| ask(judge, Restricted, &["allowPrivilegeEscalation"]),
    ),
    control(
        "drop-all",
        "Every container drops all capabilities",
        2,
        "Only `NET_BIND_SERVICE` may be added again.",
        |judge| ask(judge, Restricted, &["capabilities"]),
    ),
    control(
        "run-as-nonroot",
        "Every container must run as another user than root",
        2,
        "With `runAsNonRoot`, the kubelet refuses to start an image that runs as root.",
        |judge| ask(judge, Restricted, &["runAsNonRoot"]),
    ),
    control(
        "run-as-user-0",
        "No container is told to run as root",
        2,
        "`runAsUser: 0` is root whatever the image says.",
        |judge| ask(judge, Restricted, &["runAsUser"]),
    ),
    control(
        "seccomp-set",
        "Every container has a seccomp profile",
        2,
        "\
`RuntimeDefault` closes the system calls that containers do not need. Without a profile there is none, unless the kubelet
is told otherwise. Talos tells it so: where its machine configurations in the tree say
`defaultRuntimeSeccompProfileEnabled: true`, or Talos' own generator makes them (`talconfig.yaml`, `topf.yaml`) and
nothing switches it off, every container has one. The level `restricted` asks for the field all the same, which is
for the rules about levels.",
        seccomp_set,
    ),
    control(
        "volume-types",
        "Pods have only the volumes that the standard allows",
        1,
        "The `restricted` level allows config maps, secrets, claims and other volumes that Kubernetes itself looks after.",
        |judge| ask(judge, Restricted, &["volumes"]),
    ),
];

const fn control(
    code: &'static str,
    summary: &'static str,
    weight: u32,
    explanation: &'static str,
    judge: fn(&mut Judge<'_, '_>),
) -> Rule {
    Rule::scored(
        Category::PodSecurity,
        code,
        summary,
        weight,
        explanation,
        judge,
    )
    .mended_by(&remedies::security_context::REMEDY)
}

/// Asks every pod for a seccomp profile, unless the nodes give it one.
fn seccomp_set(judge: &mut Judge<'_, '_>) {
    judge.workloads(
        "securityContext",
        |_| true,
        |facts, workload| {
            Some(if facts.node_defaults().gives_seccomp {
                Verdict::Pass
            } else {
                violations_of(facts, workload, Restricted, &["seccompProfile"])
            })
        },
    );
}

/// Asks every pod for violations of controls that keep it from a level.
fn ask(judge: &mut Judge<'_, '_>, from: Level, controls: &'static [&'static str]) {
    judge.workloads(
        "securityContext",
        |_| true,
        |facts, workload| Some(violations_of(facts, workload, from, controls)),
    );
}

fn violations_of(
    facts: &Facts<'_>,
    workload: &Workload<'_>,
    from: Level,
    controls: &[&str],
) -> Verdict {
    let violations = evaluate(&workload.pod, facts.policy().kubernetes);
    let told = told(
        violations
            .iter()
            .filter(|found| found.keeps_from == from && controls.contains(&found.control)),
    );
    Verdict::when(told.is_empty(), told)
}

/// Says what violations are, containers of the same fault together.
fn told<'v>(violations: impl Iterator<Item = &'v Violation>) -> String {
    let mut faults: Vec<(String, Vec<&str>)> = Vec::new();
    for found in violations {
        let verb = if found.explicit { "set" } else { "lack" };
        let fault = format!("{verb}s `{}`", found.control);
        let container = found.container.as_deref();
        match faults.iter_mut().find(|(known, _)| *known == fault) {
            Some((_, containers)) => {
                let new = container.filter(|name| !containers.contains(name));
                containers.extend(new);
            }
            None => faults.push((fault, container.into_iter().collect())),
        }
    }
    let sentences: Vec<String> = faults
        .iter()
        .map(|(fault, containers)| match containers.as_slice() {
            [] => format!("the pod {fault}"),
            names => format!("`{}` {fault}", names.join("`, `")),
        })
        .collect();
    sentences.join("; ")
}

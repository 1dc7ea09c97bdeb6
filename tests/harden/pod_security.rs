//! The Pod Security Standards, control by control, after the published rules.

use kiln::workload::pod_security::{Level, Version, evaluate, level};
use serde_json::{Value, json};

/// A pod that satisfies everything.
fn restricted() -> Value {
    json!({
        "metadata": {"name": "p"},
        "spec": {
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "initContainers": [container("init")],
            "containers": [container("main")],
        }
    })
}

fn container(name: &str) -> Value {
    json!({"name": name, "image": "x", "securityContext": {
        "allowPrivilegeEscalation": false,
        "capabilities": {"drop": ["ALL"]},
    }})
}

/// Sets a value at a JSON pointer, making objects on the way; null takes it out.
fn with(pointer: &str, value: Value) -> Value {
    let mut pod = restricted();
    set(&mut pod, pointer, value);
    pod
}

fn set(pod: &mut Value, pointer: &str, value: Value) {
    let mut at = pod;
    for step in pointer.trim_start_matches('/').split('/') {
        let step = step.replace("~1", "/");
        at = match step.parse::<usize>() {
            Ok(index) => &mut at[index],
            Err(_) => &mut at[step.as_str()],
        };
    }
    *at = value;
}

fn reached(pod: &Value) -> Level {
    level(&evaluate(pod, Version(36)))
}

#[test]
fn a_hardened_pod_is_restricted_and_a_bare_one_baseline() {
    assert_eq!(reached(&restricted()), Level::Restricted);
    assert_eq!(
        reached(&json!({"spec": {"containers": [{"name": "a"}]}})),
        Level::Baseline
    );
    assert_eq!(
        reached(&json!({"spec": {"containers": []}})),
        Level::Restricted
    );
}

#[test]
fn privileged_is_what_baseline_forbids() {
    let c = "/spec/containers/0";
    let i = "/spec/initContainers/0/securityContext";
    let cases: Vec<(String, Value)> = vec![
        ("/spec/hostNetwork".into(), json!(true)),
        ("/spec/hostPID".into(), json!(true)),
        ("/spec/hostIPC".into(), json!(true)),
        (format!("{i}/privileged"), json!(true)),
        (format!("{i}/capabilities/add"), json!(["NET_ADMIN"])),
        (format!("{i}/capabilities/add"), json!(["CHOWN", "net_raw"])),
        (
            "/spec/volumes".into(),
            json!([{"name": "a", "emptyDir": {}}, {"name": "b", "hostPath": {"path": "/"}}]),
        ),
        (
            format!("{c}/ports"),
            json!([{"containerPort": 1}, {"containerPort": 2, "hostPort": 2}]),
        ),
        (
            "/metadata/annotations".into(),
            json!({"container.apparmor.security.beta.kubernetes.io/main": "unconfined"}),
        ),
        (
            "/spec/securityContext/appArmorProfile".into(),
            json!({"type": "Unconfined"}),
        ),
        (
            format!("{i}/appArmorProfile"),
            json!({"type": "Unconfined"}),
        ),
        (
            "/spec/securityContext/seLinuxOptions".into(),
            json!({"type": "spc_t"}),
        ),
        (format!("{i}/seLinuxOptions"), json!({"user": "system_u"})),
        (format!("{i}/seLinuxOptions"), json!({"role": "system_r"})),
        (format!("{i}/procMount"), json!("Unmasked")),
        (
            "/spec/securityContext/seccompProfile/type".into(),
            json!("Unconfined"),
        ),
        (format!("{i}/seccompProfile"), json!({"type": "Unconfined"})),
        (
            "/spec/securityContext/sysctls".into(),
            json!([{"name": "kernel.msgmax", "value": "1"}]),
        ),
        (
            "/spec/securityContext/windowsOptions".into(),
            json!({"hostProcess": true}),
        ),
        (format!("{i}/windowsOptions"), json!({"hostProcess": true})),
        (
            format!("{c}/livenessProbe"),
            json!({"httpGet": {"host": "127.0.0.1", "port": 1}}),
        ),
        (
            format!("{c}/startupProbe"),
            json!({"tcpSocket": {"host": "x", "port": 1}}),
        ),
        (
            format!("{c}/lifecycle"),
            json!({"preStop": {"httpGet": {"host": "x"}}}),
        ),
        (
            "/spec/ephemeralContainers".into(),
            json!([{"name": "e", "securityContext": {"privileged": true}}]),
        ),
    ];
    for (pointer, value) in cases {
        assert_eq!(
            reached(&with(&pointer, value.clone())),
            Level::Privileged,
            "{pointer} {value}"
        );
    }
}

#[test]
fn baseline_is_what_restricted_forbids() {
    let c = "/spec/containers/0/securityContext";
    let cases: Vec<(String, Value)> = vec![
        (format!("{c}/allowPrivilegeEscalation"), json!(true)),
        (format!("{c}/allowPrivilegeEscalation"), Value::Null),
        (format!("{c}/capabilities/drop"), json!(["NET_RAW"])),
        (format!("{c}/capabilities"), Value::Null),
        (format!("{c}/capabilities/add"), json!(["CHOWN"])),
        (format!("{c}/runAsNonRoot"), json!(false)),
        ("/spec/securityContext/runAsNonRoot".into(), json!(false)),
        ("/spec/securityContext/runAsNonRoot".into(), Value::Null),
        (format!("{c}/runAsUser"), json!(0)),
        ("/spec/securityContext/runAsUser".into(), json!(0)),
        ("/spec/securityContext/seccompProfile".into(), Value::Null),
        (format!("{c}/seccompProfile"), json!({"type": "Other"})),
        (
            "/spec/volumes".into(),
            json!([{"name": "a", "nfs": {"server": "x", "path": "/"}}]),
        ),
        (
            "/spec/volumes".into(),
            json!([{"name": "a", "image": {"reference": "x"}}]),
        ),
    ];
    for (pointer, value) in cases {
        assert_eq!(
            reached(&with(&pointer, value.clone())),
            Level::Baseline,
            "{pointer} {value}"
        );
    }
}

#[test]
fn restricted_allows_what_it_allows() {
    let c = "/spec/containers/0/securityContext";
    let cases: Vec<(String, Value)> = vec![
        (
            format!("{c}/capabilities"),
            json!({"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}),
        ),
        (
            format!("{c}/seLinuxOptions"),
            json!({"type": "container_t"}),
        ),
        (
            format!("{c}/seLinuxOptions"),
            json!({"type": "container_engine_t"}),
        ),
        (format!("{c}/procMount"), json!("Default")),
        (format!("{c}/runAsUser"), json!(1000)),
        (
            format!("{c}/seccompProfile"),
            json!({"type": "Localhost", "localhostProfile": "x"}),
        ),
        (
            "/metadata/annotations".into(),
            json!({"container.apparmor.security.beta.kubernetes.io/main": "localhost/x"}),
        ),
        (
            "/spec/securityContext/appArmorProfile".into(),
            json!({"type": "RuntimeDefault"}),
        ),
        (
            "/spec/securityContext/sysctls".into(),
            json!([{"name": "net.ipv4.tcp_rmem", "value": "1"}]),
        ),
        ("/spec/hostNetwork".into(), json!(false)),
        (
            "/spec/containers/0/ports".into(),
            json!([{"containerPort": 1, "hostPort": 0}]),
        ),
        (
            "/spec/containers/0/livenessProbe".into(),
            json!({"httpGet": {"host": "", "port": 1}}),
        ),
        (
            "/spec/volumes".into(),
            json!(
                [
                    "configMap",
                    "csi",
                    "downwardAPI",
                    "emptyDir",
                    "ephemeral",
                    "persistentVolumeClaim",
                    "projected",
                    "secret"
                ]
                .map(|kind| json!({"name": kind, (kind): {}}))
            ),
        ),
    ];
    for (pointer, value) in cases {
        assert_eq!(
            reached(&with(&pointer, value.clone())),
            Level::Restricted,
            "{pointer} {value}"
        );
    }
}

#[test]
fn containers_may_say_what_the_pod_does_not() {
    let mut pod = with("/spec/securityContext", Value::Null);
    for at in ["/spec/containers/0", "/spec/initContainers/0"] {
        assert_eq!(reached(&pod), Level::Baseline);
        set(
            &mut pod,
            &format!("{at}/securityContext/runAsNonRoot"),
            json!(true),
        );
        set(
            &mut pod,
            &format!("{at}/securityContext/seccompProfile"),
            json!({"type": "RuntimeDefault"}),
        );
    }
    assert_eq!(reached(&pod), Level::Restricted);
}

#[test]
fn the_version_decides_where_a_control_changed() {
    let at = |pod: &Value, minor| level(&evaluate(pod, Version(minor)));
    let host = with(
        "/spec/containers/0/livenessProbe",
        json!({"httpGet": {"host": "127.0.0.1"}}),
    );
    assert_eq!(
        (at(&host, 33), at(&host, 34)),
        (Level::Restricted, Level::Privileged)
    );
    let sysctl = with(
        "/spec/securityContext/sysctls",
        json!([{"name": "net.ipv4.tcp_wmem"}]),
    );
    assert_eq!(
        (at(&sysctl, 31), at(&sysctl, 32)),
        (Level::Privileged, Level::Restricted)
    );
    let mut user = with("/spec/hostUsers", json!(false));
    set(&mut user, "/spec/securityContext/runAsNonRoot", Value::Null);
    set(&mut user, "/spec/securityContext/runAsUser", json!(0));
    set(
        &mut user,
        "/spec/containers/0/securityContext/procMount",
        json!("Unmasked"),
    );
    assert_eq!(
        (at(&user, 34), at(&user, 35)),
        (Level::Privileged, Level::Restricted)
    );
}

#[test]
fn windows_pods_need_no_linux_fields() {
    let mut pod = json!({"spec": {"os": {"name": "windows"}, "containers": [{"name": "a"}]}});
    assert_eq!(reached(&pod), Level::Baseline);
    set(
        &mut pod,
        "/spec/securityContext",
        json!({"runAsNonRoot": true}),
    );
    assert_eq!(reached(&pod), Level::Restricted);
}

#[test]
fn a_violation_names_container_and_field() {
    let pod = with(
        "/spec/initContainers/0/securityContext/privileged",
        json!(true),
    );
    let found = evaluate(&pod, Version(36));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].to_string(), "container `init` sets `privileged`");
    assert_eq!(
        found[0].route.to_string(),
        "spec.initContainers[0].securityContext.privileged"
    );
}

#[test]
fn versions_are_read_with_and_without_v() {
    for text in ["1.36", "v1.36", "1.36.2"] {
        assert_eq!(Version::parse(text), Some(Version(36)), "{text}");
    }
    for text in ["", "latest", "2.0", "1", "1.x"] {
        assert_eq!(Version::parse(text), None, "{text}");
    }
}

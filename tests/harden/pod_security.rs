//! What the evaluator of the Pod Security Standards says of a pod, and how it says it.

use kiln::pod_security::{Level, Version, evaluate, level};
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

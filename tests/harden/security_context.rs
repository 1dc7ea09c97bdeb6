//! Security contexts of generated pods: nothing is weakened, changed or guessed.

use std::collections::BTreeMap;

use kiln::charts::Profiles;
use kiln::harden::harden;
use kiln::pod_security::{Version, evaluate, level};
use kiln::rules::Policy;
use kiln::yaml::{emit, load};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{outputs, trees};
use crate::support::Yardstick;

const VERSION: Version = Version(36);

/// One of some values, or null for a field that is not set.
fn maybe(values: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let read = |text: &str| load(text).unwrap()[0].root.to_kubernetes();
    prop_oneof![
        2 => Just(Value::Null),
        1 => prop::sample::select(values).prop_map(read),
    ]
}

fn object(fields: &[(&str, Value)]) -> Value {
    let set = fields.iter().filter(|(_, value)| !value.is_null());
    set.map(|(key, value)| ((*key).to_owned(), value.clone()))
        .collect()
}

fn users() -> impl Strategy<Value = (Value, Value)> {
    (
        maybe(&["0", "1000", "${USER_ID}"]),
        maybe(&["true", "false"]),
    )
}

fn pod_context() -> impl Strategy<Value = Value> {
    let seccomp = maybe(&["{type: RuntimeDefault}", "{type: Unconfined}"]);
    (users(), seccomp).prop_map(|((user, non_root), seccomp)| {
        object(&[
            ("runAsUser", user),
            ("runAsNonRoot", non_root),
            ("seccompProfile", seccomp),
        ])
    })
}

fn container(name: &'static str) -> impl Strategy<Value = Value> {
    let capabilities = maybe(&[
        "{add: [NET_BIND_SERVICE]}",
        "{add: [CHOWN]}",
        "{add: [NET_ADMIN]}",
        "{drop: [NET_RAW]}",
        "{drop: [ALL]}",
    ]);
    (
        users(),
        maybe(&["true", "false"]),
        maybe(&["false", "false", "true"]),
        capabilities,
        maybe(&["[{containerPort: 80}]", "[{containerPort: 8080}]"]),
    )
        .prop_map(
            move |((user, non_root), escalation, privileged, capabilities, ports)| {
                let context = object(&[
                    ("runAsUser", user),
                    ("runAsNonRoot", non_root),
                    ("allowPrivilegeEscalation", escalation),
                    ("privileged", privileged),
                    ("capabilities", capabilities),
                ]);
                let context = match context.as_object() {
                    Some(map) if map.is_empty() => Value::Null,
                    _ => context,
                };
                object(&[
                    ("name", json!(name)),
                    ("image", json!("registry.example/x:1")),
                    ("ports", ports),
                    ("securityContext", context),
                ])
            },
        )
}

fn deployment(spec: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "x", "namespace": "x"},
        "spec": {
            "selector": {"matchLabels": {"app": "x"}},
            "template": {"metadata": {"labels": {"app": "x"}}, "spec": spec},
        },
    })
}

/// Whether all of one value is in another.
fn holds(all: &Value, part: &Value) -> bool {
    match (all, part) {
        (Value::Object(all), Value::Object(part)) => part
            .iter()
            .all(|(key, value)| all.get(key).is_some_and(|own| holds(own, value))),
        (Value::Array(all), Value::Array(part)) => {
            all.len() == part.len() && all.iter().zip(part).all(|(all, part)| holds(all, part))
        }
        (all, part) => all == part,
    }
}

/// Whether the text alone says that a container runs as another user than root.
fn runs_as_other(pod: &Value, container: &Value) -> bool {
    let set = |key: &str| match &container["securityContext"][key] {
        Value::Null => pod["securityContext"][key].clone(),
        own => own.clone(),
    };
    match set("runAsUser") {
        Value::Null => set("runAsNonRoot") == true,
        user => user.as_u64().is_some_and(|user| user > 0),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn contexts_are_completed_from_knowledge_alone(
        context in pod_context(),
        first in container("first"),
        second in container("second"),
        init in container("init"),
        host in maybe(&["true"]),
    ) {
        let before = object(&[
            ("hostNetwork", host),
            ("securityContext", context),
            ("initContainers", json!([init])),
            ("containers", json!([first, second])),
        ]);
        let path = "kubernetes/apps/x/app/deployment.yaml";
        let list = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - deployment.yaml\n";
        let texts = BTreeMap::from([
            (path.to_owned(), emit(&deployment(&before))),
            ("kubernetes/apps/x/app/kustomization.yaml".to_owned(), list.to_owned()),
        ]);
        let profiles = Profiles::default();
        let policy = Policy { kubernetes: VERSION, ..Policy::default() };
        let yardstick = Yardstick::new(&profiles).with_policy(policy);
        let done = harden(trees::tree(&texts, Vec::new()), yardstick.measures()).unwrap();
        let texts = outputs(&done.value);
        let after = load(&texts[path]).unwrap()[0].root.to_kubernetes()["spec"]["template"]["spec"].clone();

        prop_assert!(holds(&after, &before), "{before} became {after}");
        let judged = |spec: &Value| evaluate(&json!({"spec": spec}), VERSION);
        prop_assert!(level(&judged(&after)) >= level(&judged(&before)));

        let node = before["hostNetwork"] == true || ["initContainers", "containers"].iter().any(|list| {
            before[*list].as_array().unwrap().iter().any(|container| {
                let context = &container["securityContext"];
                context["privileged"] == true || context["capabilities"]["add"] == json!(["NET_ADMIN"])
            })
        });
        if node {
            prop_assert_eq!(&after["securityContext"], &before["securityContext"]);
        }
        for list in ["initContainers", "containers"] {
            let pairs = before[list].as_array().unwrap().iter().zip(after[list].as_array().unwrap());
            for (index, (before_one, after_one)) in pairs.enumerate() {
                let known = runs_as_other(&before, before_one) && !node;
                let (own, now) = (&before_one["securityContext"], &after_one["securityContext"]);
                if !known {
                    for key in ["allowPrivilegeEscalation", "capabilities", "runAsNonRoot"] {
                        prop_assert_eq!(&now[key], &own[key], "{}", key);
                    }
                    prop_assert_eq!(runs_as_other(&after, after_one), runs_as_other(&before, before_one));
                } else if own["capabilities"]["drop"].is_null() {
                    prop_assert_eq!(&now["capabilities"]["drop"], &json!(["ALL"]));
                }
                if !node {
                    let lacks_seccomp = judged(&after).iter().any(|found| {
                        found.control == "seccompProfile"
                            && !found.explicit
                            && found.route.to_string().starts_with(&format!("spec.{list}[{index}]"))
                    });
                    prop_assert!(!lacks_seccomp || before["securityContext"]["seccompProfile"]["type"] == "Unconfined");
                }
            }
        }

        let again = harden(trees::tree(&texts, Vec::new()), yardstick.measures()).unwrap();
        prop_assert_eq!(outputs(&again.value), texts);
    }
}

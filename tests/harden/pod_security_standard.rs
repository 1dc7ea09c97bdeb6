//! The Pod Security Standards, control by control and version by version, after the published rules.
//!
//! `pod-security-standard/<control>.yaml` lists the cases of a control. `set` changes the sound pod by
//! JSON pointers; `/*` stands for each of its containers in turn. `levels` says which level the pod
//! satisfies from which version on; `also` names the controls that forbid it besides.

use std::collections::{BTreeMap, BTreeSet};

use kiln::pod_security::{Level, Version, evaluate, level};
use kiln::yaml;
use serde_json::Value;

use super::trees;

/// The minor versions that the standard is known for.
const VERSIONS: std::ops::RangeInclusive<u32> = 25..=37;

const CONTAINERS: [&str; 4] = [
    "/spec/initContainers/0",
    "/spec/containers/0",
    "/spec/containers/1",
    "/spec/ephemeralContainers/0",
];

/// Everything that the standard controls.
const CONTROLS: [&str; 18] = [
    "allowPrivilegeEscalation",
    "appArmorProfile",
    "capabilities",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostPath",
    "hostPort",
    "hostProcess",
    "privileged",
    "probeHost",
    "procMount",
    "runAsNonRoot",
    "runAsUser",
    "seLinuxOptions",
    "seccompProfile",
    "sysctls",
    "volumes",
];

fn read(text: &str) -> Value {
    yaml::load(text).unwrap()[0].root.to_kubernetes()
}

fn set(pod: &mut Value, pointer: &str, value: &Value) {
    let mut at = pod;
    for step in pointer.trim_start_matches('/').split('/') {
        at = match step.parse::<usize>() {
            Ok(index) => &mut at[index],
            Err(_) => &mut at[step],
        };
    }
    *at = value.clone();
}

/// The pods of a case: one, or one for each container.
fn pods(sound: &Value, case: &Value) -> Vec<(&'static str, Value)> {
    let changes = case["set"].as_object().unwrap();
    let each = changes.keys().any(|pointer| pointer.starts_with("/*"));
    let containers = if each { &CONTAINERS[..] } else { &[""] };
    let pod_of = |container: &&'static str| {
        let mut pod = sound.clone();
        for (pointer, value) in changes {
            let pointer = pointer.replacen("/*", container, 1);
            set(&mut pod, &pointer, value);
        }
        (*container, pod)
    };
    containers.iter().map(pod_of).collect()
}

/// The level that a case expects of a version.
fn expected(case: &Value, minor: u32) -> Level {
    let levels = case["levels"].as_object().unwrap();
    let mut since: Vec<(Version, &str)> = levels
        .iter()
        .map(|(version, level)| (Version::parse(version).unwrap(), level.as_str().unwrap()))
        .collect();
    since.sort();
    let (_, level) = since.iter().rfind(|(since, _)| since.0 <= minor).unwrap();
    Level::parse(level).unwrap()
}

fn cases() -> (Value, BTreeMap<String, Vec<Value>>) {
    let mut texts = trees::texts(&trees::fixtures("harden").join("pod-security-standard"));
    let sound = read(&texts.remove("sound.yaml").unwrap());
    let cases = texts.iter().map(|(file, text)| {
        let control = file.strip_suffix(".yaml").unwrap().to_owned();
        (control, read(text).as_array().unwrap().clone())
    });
    (sound, cases.collect())
}

#[test]
fn the_evaluator_follows_the_standard_in_every_version() {
    let (sound, cases) = cases();
    let mut wrong = Vec::new();
    for (control, cases) in &cases {
        for case in cases {
            let name = format!("{control}: {}", case["case"].as_str().unwrap());
            let also = case["also"].as_array().into_iter().flatten();
            let mut named: BTreeSet<&str> = also.filter_map(Value::as_str).collect();
            named.insert(control);
            for (container, pod) in pods(&sound, case) {
                for minor in VERSIONS {
                    let violations = evaluate(&pod, Version(minor));
                    let reached = level(&violations);
                    if reached != expected(case, minor) {
                        wrong.push(format!("{name} {container} v1.{minor} is `{reached}`"));
                    }
                    let found: BTreeSet<&str> =
                        violations.iter().map(|found| found.control).collect();
                    if !found.is_empty() && found != named {
                        wrong.push(format!("{name} {container} v1.{minor}: {found:?}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_control_has_a_case_that_passes_and_one_that_fails() {
    let (_, cases) = cases();
    let known: Vec<&str> = cases.keys().map(String::as_str).collect();
    assert_eq!(known, CONTROLS);
    for (control, cases) in &cases {
        let levels: BTreeSet<Level> = cases.iter().map(|case| expected(case, 36)).collect();
        assert!(levels.contains(&Level::Restricted), "{control}");
        assert!(levels.len() > 1, "{control}");
    }
}

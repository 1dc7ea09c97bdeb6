//! What the Pod Security Standards say of a pod: Kiln's evaluator, the API server, and the Kubernetes project's test data.
//!
//! `pod-security/verdicts.tsv` is what the server says of each pod of `shapes.yaml` in a namespace of each level.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use kiln::pod_security::{Level, Version, evaluate, level};
use kiln::yaml;
use serde_json::{Value, json};

use crate::harden::trees;
use crate::support::{ControlPlane, control_plane, expect_file, go_module};

/// The minor version of the server, and of the standard that it is asked for.
const MINOR: u32 = 36;

/// The minor versions that the standard is known for.
const VERSIONS: std::ops::RangeInclusive<u32> = 25..=37;

const KUBERNETES: &str = "k8s.io/pod-security-admission";

/// What the server says of a pod at each level, from `privileged` on.
type Verdicts = [String; 3];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/laboratory/pod-security")
}

/// Returns the value that holds what a JSON pointer names, and the last step to it.
fn parent<'v>(root: &'v mut Value, pointer: &str) -> (&'v mut Value, String) {
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    let parent = root.pointer_mut(parent).unwrap();
    (parent, last.replace("~1", "/").replace("~0", "~"))
}

/// The pods, by the name of their shape.
fn pods() -> BTreeMap<String, Value> {
    let text = fs::read_to_string(folder().join("shapes.yaml")).unwrap();
    let documents = yaml::load(&text).unwrap();
    let [sound, shapes] = [0, 1].map(|at| documents[at].root.to_kubernetes());
    let pod = |shape: &Value| {
        let mut pod = sound.clone();
        for (pointer, value) in shape["set"].as_object().into_iter().flatten() {
            let (at, last) = parent(&mut pod, pointer);
            match last.parse::<usize>() {
                Ok(index) => at[index] = value.clone(),
                Err(_) => at[last] = value.clone(),
            }
        }
        for pointer in shape["remove"].as_array().into_iter().flatten() {
            let (at, last) = parent(&mut pod, pointer.as_str().unwrap());
            let removed = at.as_object_mut().unwrap().remove(&last);
            assert!(removed.is_some(), "{shape} removes what is not there");
        }
        (shape["shape"].as_str().unwrap().to_owned(), pod)
    };
    let shapes = shapes.as_array().unwrap();
    let pods: BTreeMap<String, Value> = shapes.iter().map(pod).collect();
    assert_eq!(pods.len(), shapes.len(), "two shapes have one name");
    pods
}

fn recorded() -> BTreeMap<String, Verdicts> {
    let text = fs::read_to_string(folder().join("verdicts.tsv")).unwrap();
    let rows = text.lines().skip(1).map(|line| {
        let mut cells = line.split('\t').map(str::to_owned);
        let name = cells.next().unwrap();
        let verdicts: Vec<String> = cells.collect();
        (name, verdicts.try_into().unwrap())
    });
    rows.collect()
}

fn listed(verdicts: &BTreeMap<String, Verdicts>) -> String {
    let levels = Level::ALL.map(Level::as_str).join("\t");
    let rows = verdicts
        .iter()
        .map(|(name, verdicts)| format!("{name}\t{}\n", verdicts.join("\t")));
    let text: String = rows.collect();
    format!("shape\t{levels}\n{text}")
}

/// Asks the server for its verdicts of a pod; the namespaces are there.
fn ask(server: &ControlPlane, pod: &Value) -> Verdicts {
    Level::ALL.map(|level| {
        let mut pod = pod.clone();
        pod["apiVersion"] = json!("v1");
        pod["kind"] = json!("Pod");
        pod["metadata"]["name"] = json!("pod");
        pod["metadata"]["namespace"] = json!(format!("level-{level}"));
        let answer = server.try_create(&pod);
        let verdict = match answer.refusal() {
            None => "allowed",
            Some(refusal) if refusal.contains("violates PodSecurity") => "forbidden",
            Some(_) => "invalid",
        };
        verdict.to_owned()
    })
}

#[test]
fn the_api_server_says_of_each_pod_what_is_recorded() {
    let Some(server) = control_plane() else {
        return;
    };
    for level in Level::ALL {
        let namespace = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": format!("level-{level}"), "labels": {
                "pod-security.kubernetes.io/enforce": level.as_str(),
                "pod-security.kubernetes.io/enforce-version": Version(MINOR).to_string(),
            }},
        });
        let answer = server.apply(&namespace);
        assert_eq!(answer.lines().collect::<Vec<_>>(), [""; 0]);
    }
    let pods = pods().into_iter();
    let told: BTreeMap<String, Verdicts> =
        pods.map(|(name, pod)| (name, ask(server, &pod))).collect();
    expect_file(&folder().join("verdicts.tsv"), &listed(&told));
}

#[test]
fn the_evaluator_agrees_with_the_api_server() {
    let (pods, recorded) = (pods(), recorded());
    assert!(pods.keys().eq(recorded.keys()), "record the verdicts anew");
    let mut counts = BTreeMap::new();
    let mut wrong = Vec::new();
    for (name, pod) in &pods {
        let [privileged, ..] = &recorded[name];
        // What is no pod has no level.
        if privileged == "invalid" {
            *counts.entry("invalid".to_owned()).or_insert(0) += 1;
            continue;
        }
        let reached = level(&evaluate(pod, Version(MINOR)));
        *counts.entry(reached.to_string()).or_insert(0) += 1;
        for (wanted, verdict) in Level::ALL.iter().zip(&recorded[name]) {
            if (reached >= *wanted) != (verdict == "allowed") {
                wrong.push(format!(
                    "{name}: {verdict} in `{wanted}`, Kiln says `{reached}`"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(counts.len() == 4, "a level has no pod: {counts:?}");
}

/// `test/testdata` of the module that the server itself judges pods by.
#[test]
fn the_evaluator_agrees_with_the_test_data_of_kubernetes() {
    let unchecked = "the Pod Security evaluator against the test data of Kubernetes";
    let Some(module) = go_module(KUBERNETES, unchecked) else {
        return;
    };
    let mut wrong = Vec::new();
    let mut count = 0;
    for wanted in [Level::Baseline, Level::Restricted] {
        for version in VERSIONS.map(Version) {
            for (verdict, allowed) in [("pass", true), ("fail", false)] {
                let folder = format!("test/testdata/{wanted}/{version}/{verdict}");
                for (file, text) in trees::texts(&module.join(&folder)) {
                    count += 1;
                    let pod = yaml::load(&text).unwrap()[0].root.to_kubernetes();
                    let reached = level(&evaluate(&pod, version));
                    if (reached >= wanted) != allowed {
                        wrong.push(format!("{folder}/{file} is `{reached}`"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(count, 1732, "the versions of the test data are others");
}

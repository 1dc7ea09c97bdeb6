//! Each kind of finding, made on purpose: what is broken is found, and nothing else is.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{cluster, records};
use crate::laboratory::examples::{ExampleTree, TREES, example, tree};
use crate::laboratory::judgement::{Finding, JudgedCluster, OwnedObject, TREE};
use crate::laboratory::releases::text;

fn on_three_nodes() -> &'static ExampleTree {
    TREES
        .iter()
        .find(|tree| tree.name == "full with 3 nodes")
        .unwrap()
}

static WHOLE: LazyLock<JudgedCluster> = LazyLock::new(|| cluster(on_three_nodes()));

/// Breaks something, and gives what is found that was not there before.
fn broken(how: impl FnOnce(&mut JudgedCluster)) -> Vec<(&'static str, String)> {
    let mut cluster = WHOLE.clone();
    how(&mut cluster);
    let before = WHOLE.findings();
    let found: BTreeSet<Finding> = cluster.findings();
    found
        .difference(&before)
        .map(|finding| (finding.kind, format!("{}: {}", finding.owner, finding.what)))
        .collect()
}

/// Finds an object of the cluster.
fn object<'c>(
    cluster: &'c mut JudgedCluster,
    owner: &str,
    kind: &str,
    name: &str,
) -> &'c mut OwnedObject {
    let mut objects = cluster.objects.iter_mut();
    objects
        .find(|owned| {
            owned.owner == owner
                && owned.object["kind"] == kind
                && text(&owned.object, "/metadata/name") == name
        })
        .unwrap()
}

const ECHO: &str = "HelmRelease/default/echo";
const GATEWAY: &str = "HelmRelease/network/k8s-gateway";

fn echo_container(cluster: &mut JudgedCluster) -> &mut Value {
    let echo = object(cluster, ECHO, "Deployment", "echo");
    echo.object
        .pointer_mut("/spec/template/spec/containers/0")
        .unwrap()
}

#[track_caller]
fn assert_found(found: &[(&'static str, String)], expected: &[(&str, &str)]) {
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for ((kind, told), (expected, part)) in found.iter().zip(expected) {
        assert_eq!(kind, expected, "{found:#?}");
        assert!(told.contains(part), "{found:#?}");
    }
}

#[test]
fn a_budget_with_a_wrong_selector_is_found() {
    let found = broken(|cluster| {
        let budget = object(cluster, TREE, "PodDisruptionBudget", "k8s-gateway");
        budget.object["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] =
            json!("gateway");
    });
    assert_found(
        &found,
        &[("budget-over-nothing", "`k8s-gateway` in network")],
    );
    let found = broken(|cluster| {
        let budget = object(cluster, TREE, "PodDisruptionBudget", "k8s-gateway");
        budget.object["spec"]["selector"] = json!({"matchExpressions": [
            {"key": "app.kubernetes.io/name", "operator": "In", "values": ["k8s-gateway", "external-dns"]}
        ]});
    });
    assert_found(
        &found,
        &[("budget-over-several", "Deployment/cloudflare-dns")],
    );
}

#[test]
fn two_budgets_over_one_pod_are_found() {
    let found = broken(|cluster| {
        let mut second = object(cluster, TREE, "PodDisruptionBudget", "k8s-gateway").clone();
        second.object["metadata"]["name"] = json!("second");
        cluster.objects.push(second);
    });
    assert_found(
        &found,
        &[("two-budgets", "Deployment/k8s-gateway is under")],
    );
}

#[test]
fn a_taken_name_is_found() {
    let found = broken(|cluster| {
        let mut taken = object(cluster, TREE, "PodDisruptionBudget", "k8s-gateway").clone();
        taken.owner = GATEWAY.to_owned();
        taken.object["apiVersion"] = json!("policy/v1beta1");
        taken.object["spec"]["selector"] = json!({"matchLabels": {"app.kubernetes.io/name": "external-dns", "app.kubernetes.io/instance": "unifi-dns"}});
        cluster.objects.push(taken);
    });
    assert_found(
        &found,
        &[("name-taken", "PodDisruptionBudget/k8s-gateway in network")],
    );
}

#[test]
fn a_patch_without_a_target_is_found() {
    let langfuse = |target: Value| {
        broken(|cluster| {
            let mut releases = cluster.releases.iter_mut();
            let release = releases.find(|release| release.name == "langfuse").unwrap();
            let patch = release
                .post_renderers
                .pointer_mut("/0/kustomize/patches/0")
                .unwrap();
            patch["target"] = target;
        })
    };
    let found = langfuse(json!({"kind": "Deployment", "name": "langfuse"}));
    assert_found(&found, &[("patch-without-target", "\"langfuse\"")]);
    assert_found(
        &langfuse(json!({"kind": "Deployment", "name": "langfuse-(web|worker)"})),
        &[],
    );
    assert_found(
        &langfuse(json!({"kind": "Deployment", "group": "batch"})),
        &[("patch-without-target", "batch")],
    );
}

#[test]
fn a_selector_that_passes_over_its_own_pod_is_found() {
    let other = json!({"matchLabels": {"app.kubernetes.io/name": "other"}});
    let found = broken(|cluster| {
        let gateway = object(cluster, GATEWAY, "Deployment", "k8s-gateway");
        let pod = gateway.object.pointer_mut("/spec/template/spec").unwrap();
        pod["topologySpreadConstraints"][0]["labelSelector"] = other.clone();
        pod["affinity"] = json!({"podAntiAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "a", "labelSelector": other}],
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 1, "podAffinityTerm": {"topologyKey": "b", "labelSelector": {"matchLabels": {"a": "b"}}}}
            ]
        }});
    });
    let expected = [
        ("apart-from-others", "\"a\""),
        ("apart-from-others", "other"),
        ("spread-over-others", "other"),
    ];
    assert_found(&found, &expected);
}

#[test]
fn a_key_that_is_there_twice_is_found() {
    for (list, first, second) in [
        ("env", json!({"name": "A"}), json!({"name": "A"})),
        (
            "ports",
            json!({"containerPort": 1, "name": "a"}),
            json!({"containerPort": 1, "name": "b", "protocol": "TCP"}),
        ),
        (
            "ports",
            json!({"containerPort": 1, "name": "a"}),
            json!({"containerPort": 2, "name": "a"}),
        ),
        (
            "volumeMounts",
            json!({"name": "a", "mountPath": "/a"}),
            json!({"name": "b", "mountPath": "/a"}),
        ),
    ] {
        let found = broken(|cluster| {
            let container = echo_container(cluster);
            for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
                container.as_object_mut().unwrap().remove(probe);
            }
            container[list] = json!([first, second]);
        });
        assert_found(&found, &[("key-twice", "in Deployment/echo")]);
    }
    for list in ["volumes", "imagePullSecrets", "initContainers"] {
        let found = broken(|cluster| {
            let echo = object(cluster, ECHO, "Deployment", "echo");
            let pod = echo.object.pointer_mut("/spec/template/spec").unwrap();
            let twice = pod["containers"][0].clone();
            pod[list] = if list == "initContainers" {
                json!([twice])
            } else {
                json!([{"name": "a"}, {"name": "a"}])
            };
        });
        assert_found(&found, &[("key-twice", "in Deployment/echo")]);
    }
    let found = broken(|cluster| {
        let service = object(cluster, ECHO, "Service", "echo");
        let port = service.object["spec"]["ports"][0].clone();
        service.object["spec"]["ports"] = json!([port, port]);
    });
    assert_found(&found, &[("key-twice", "Service/echo")]);
}

#[test]
fn a_probe_of_a_port_that_is_not_there_is_found() {
    let found = broken(|cluster| {
        echo_container(cluster)["livenessProbe"] = json!({"httpGet": {"port": "nowhere"}});
        echo_container(cluster)["readinessProbe"] = json!({"grpc": {"port": 70000}});
    });
    assert_found(
        &found,
        &[
            ("probe-port", "livenessProbe"),
            ("probe-port", "readinessProbe"),
        ],
    );
}

#[test]
fn a_priority_class_that_is_not_there_is_found() {
    let found = broken(|cluster| {
        cluster
            .objects
            .retain(|owned| owned.object["metadata"]["name"] != "platform-critical");
    });
    assert!(
        found.len() > 5 && found.iter().all(|(kind, _)| *kind == "priority-class"),
        "{found:#?}"
    );
}

#[test]
fn a_level_that_refuses_a_pod_is_found() {
    let found = broken(|cluster| {
        let namespace = object(cluster, TREE, "Namespace", "monitoring");
        namespace.object["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] =
            json!("baseline");
    });
    assert_found(
        &found,
        &[("pod-refused", "node-exporter in monitoring (baseline)")],
    );
    let found =
        broken(|cluster| echo_container(cluster)["securityContext"] = json!({"privileged": true}));
    assert_found(
        &found,
        &[("pod-refused", "Deployment/echo in default (restricted)")],
    );
    // The pods of `helm test` count where it runs.
    let found = broken(|cluster| {
        cluster
            .releases
            .iter_mut()
            .for_each(|release| release.tests = true);
    });
    assert!(
        !found.is_empty()
            && found
                .iter()
                .all(|(kind, told)| *kind == "pod-refused" && told.contains("test")),
        "{found:#?}"
    );
}

/// A profile of the project's own comes before that of the catalogue; the name of its workload is wrong.
#[test]
fn a_wrong_name_in_a_profile_is_found() {
    let profile = include_str!("../../../schemas/charts/metrics-server.yaml");
    let right = "\n    name: \"{fullname}\"\n";
    assert!(profile.contains(right), "{profile}");
    let wrong = profile.replacen(right, "\n    name: \"{fullname}-server\"\n", 1);
    let wrong = tree(
        example("homelab"),
        Some(1),
        &[("charts/metrics-server.yaml", &wrong)],
    );
    let found = cluster(&wrong).findings();
    let kinds: Vec<&str> = found
        .iter()
        .filter(|finding| finding.owner.ends_with("/metrics-server"))
        .map(|finding| finding.kind)
        .collect();
    assert!(
        kinds.contains(&"phantom-workload") && kinds.contains(&"unnamed-workload"),
        "{found:#?}"
    );
}

#[test]
fn a_stale_record_is_found() {
    let tree = on_three_nodes();
    let release = tree
        .releases
        .iter()
        .find(|release| release.label == ECHO)
        .unwrap();
    let told = |change: &dyn Fn(&mut crate::laboratory::releases::AppliedRelease)| {
        let mut release = release.clone();
        change(&mut release);
        records::recorded(tree, &release).unwrap_err()
    };
    let stale = "the record of HelmRelease/default/echo of full with 3 nodes is stale";
    let values = told(&|release| release.values["controllers"]["echo"]["replicas"] = json!(7));
    assert_eq!(values, format!("{stale}: its values changed"));
    let both = told(&|release| {
        release.version = "9.9.9".to_owned();
        release.post_renderers = json!([{"kustomize": {}}]);
    });
    assert_eq!(
        both,
        format!("{stale}: its chart's version, its post-renderers changed")
    );
    let gone = told(&|release| release.name = "other".to_owned());
    assert_eq!(
        gone,
        "HelmRelease/default/echo of full with 3 nodes has no record"
    );
}

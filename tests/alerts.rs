//! Alerts of the catalogue: what they fire at, and where their messages lead.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kiln::yaml::{self, Resolver};
use serde_json::{Value, json};

use crate::examples::example;
use crate::support::{Sandbox, oracle};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn golden(name: &str) -> PathBuf {
    root().join("tests/golden").join(name)
}

/// All objects below a folder that are not sealed.
fn objects(folder: &Path) -> Vec<Value> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(objects(&path));
        } else if path.extension().is_some_and(|end| end == "yaml") {
            let text = fs::read_to_string(&path).unwrap();
            let documents = yaml::load(&text).unwrap();
            let values = documents.iter();
            found.extend(values.map(|document| document.root.to_value(Resolver::Kubernetes)));
        }
    }
    found
}

/// The rules of an object that have a name to alert by; of a service level that of both its alerts.
fn alerts_of(object: &Value) -> Vec<(String, Value)> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let rules: Vec<Value> = match object["kind"].as_str().unwrap_or_default() {
        "PrometheusRule" => {
            let groups = list(&object["spec"]["groups"]).into_iter();
            groups.flat_map(|group| list(&group["rules"])).collect()
        }
        "PrometheusServiceLevel" => {
            let levels = list(&object["spec"]["slos"]).into_iter();
            levels.map(|level| level["alerting"].clone()).collect()
        }
        _ => Vec::new(),
    };
    let name = |rule: &Value| {
        rule["alert"]
            .as_str()
            .or(rule["name"].as_str())
            .map(str::to_owned)
    };
    let named = rules.into_iter();
    named
        .filter_map(|rule| Some((name(&rule)?, rule["annotations"].clone())))
        .collect()
}

/// The alerts of a tree and where each leads.
fn alerts(tree: &Path) -> BTreeMap<String, String> {
    let objects = objects(&tree.join("kubernetes"));
    let alerts = objects.iter().flat_map(alerts_of);
    let link = |annotations: &Value| annotations["runbook_url"].as_str().map(str::to_owned);
    alerts
        .map(|(name, annotations)| {
            let link = link(&annotations).unwrap_or_else(|| panic!("{name} has no runbook_url"));
            (name, link)
        })
        .collect()
}

/// The sections of a tree's runbooks that are about one alert.
fn sections(tree: &Path) -> Vec<String> {
    let text = fs::read_to_string(tree.join("docs/runbooks.md")).unwrap_or_default();
    let mut sections: Vec<String> = text
        .split("\n### ")
        .skip(1)
        .map(|section| {
            let (name, body) = section.split_once('\n').unwrap();
            assert!(body.trim().len() > 80, "{name} says nothing");
            name.to_owned()
        })
        .collect();
    sections.sort();
    sections
}

fn assert_joined(tree: &Path, page: &str) {
    let alerts = alerts(tree);
    let names: Vec<String> = alerts.keys().cloned().collect();
    assert_eq!(sections(tree), names);
    for (name, link) in alerts {
        assert_eq!(link, format!("{page}#{}", name.to_lowercase()));
    }
}

#[test]
fn every_alert_has_its_section_and_every_section_its_alert() {
    let page = "https://github.com/example/full/blob/main/docs/runbooks.md";
    assert!(alerts(&golden("full")).len() >= 20);
    assert_joined(&golden("full"), page);
    // No Prometheus, so no alerts, and nothing to read of them.
    for name in ["homelab", "production"] {
        assert_eq!(alerts(&golden(name)), BTreeMap::new());
        assert!(!golden(name).join("docs/runbooks.md").exists(), "{name}");
    }
}

#[test]
fn runbooks_have_the_sections_of_what_is_on() {
    let sandbox = example("homelab");
    let config = sandbox.read("cluster.yaml");
    let apps = "apps:\n  kube-prometheus-stack:\n    enabled: true\n    admin_password: example\n";
    for (url, page) in [
        (
            "ssh://git@codeberg.org/me/home.git",
            "https://codeberg.org/me/home/src/branch/main/docs/runbooks.md",
        ),
        (
            "https://gitlab.example.org/me/group/home",
            "https://gitlab.example.org/me/group/home/-/blob/main/docs/runbooks.md",
        ),
        // Nobody knows what pages of this host look like, or whether it has any.
        (
            "ssh://git@git.example.org:2222/me/home.git",
            "docs/runbooks.md",
        ),
    ] {
        let config = config.replace("https://github.com/example/homelab.git", url);
        let hosts = "  known_hosts: git.example.org ssh-ed25519 AAAA\n  webhook_provider:";
        let config = config.replace("  webhook_provider:", hosts);
        assert!(config.contains(url), "{config}");
        sandbox.write("cluster.yaml", config + apps);
        sandbox.kiln(&["render", "--keygen"]).success();
        let tree = sandbox.path("");
        assert_joined(&tree, page);
        let sections = sections(&tree);
        assert!(
            sections.contains(&"EtcdNotScraped".to_owned()),
            "{sections:?}"
        );
        // One controller has no member to lose, and there is no Velero.
        for other in ["EtcdMemberNotScraped", "BackupMissing", "ImageVulnerable"] {
            assert!(!sections.contains(&other.to_owned()), "{sections:?}");
        }
    }
}

#[test]
fn alerts_fire_when_they_should() {
    let Some(promtool) = oracle("promtool") else {
        return;
    };
    let sandbox = Sandbox::new();
    let objects = objects(&golden("full").join("kubernetes"));
    let rules = objects
        .iter()
        .filter(|object| object["kind"] == "PrometheusRule");
    let groups = rules.flat_map(|object| object["spec"]["groups"].as_array().unwrap().clone());
    let groups: Vec<Value> = groups.collect();
    assert!(groups.len() >= 7, "{}", groups.len());
    sandbox.write("rules.yaml", yaml::emit(&json!({"groups": groups})));
    let mut cases = 0;
    for entry in fs::read_dir(root().join("tests/alerts")).unwrap() {
        let path = entry.unwrap().path();
        let case = sandbox.path(path.file_name().unwrap().to_str().unwrap());
        fs::copy(&path, &case).unwrap();
        let mut command = Command::new(&promtool);
        let output = command.args(["test", "rules"]).arg(&case).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{}\n{said}{errors}",
            path.display()
        );
        cases += 1;
    }
    assert_eq!(cases, 3);
}

/// The values of a release in the full example.
fn values(path: &str) -> Value {
    let path = golden("full").join("kubernetes/apps").join(path);
    let text = fs::read_to_string(path.join("helmrelease.yaml")).unwrap();
    let documents = yaml::load(&text).unwrap();
    documents[0].root.to_value(Resolver::Kubernetes)["spec"]["values"].clone()
}

#[test]
fn etcd_is_scraped_and_coredns_once() {
    let stack = values("monitoring/kube-prometheus-stack/app");
    // Talos runs etcd beside the static pods of the API server, not as a pod.
    let selector = &stack["kubeEtcd"]["service"]["selector"];
    assert_eq!(*selector, json!({"component": "kube-apiserver"}));
    let patch =
        fs::read_to_string(golden("full").join("talos/control-plane/13-etcd.yaml")).unwrap();
    assert!(
        patch.contains("listen-metrics-urls: http://0.0.0.0:2381"),
        "{patch}"
    );
    assert_eq!(stack["coreDns"], Value::Null);
    assert_eq!(values("kube-system/coredns/app")["prometheus"], Value::Null);
}

#[test]
fn links_in_messages_lead_to_the_hosts_of_the_routes() {
    let stack = values("monitoring/kube-prometheus-stack/app");
    let path =
        golden("full").join("kubernetes/apps/monitoring/kube-prometheus-stack/app/httproute.yaml");
    let routes = fs::read_to_string(path).unwrap();
    for link in [
        &stack["prometheus"]["prometheusSpec"]["externalUrl"],
        &stack["alertmanager"]["alertmanagerSpec"]["externalUrl"],
        &stack["grafana"]["grafana.ini"]["server"]["root_url"],
    ] {
        let host = link.as_str().unwrap().strip_prefix("https://").unwrap();
        assert!(
            routes.contains(&format!("    - {host}\n")),
            "{host}: {routes}"
        );
    }
}

#[test]
fn definitions_are_those_of_the_chart_that_flux_installs() {
    let read = |path: PathBuf| fs::read_to_string(path).unwrap();
    let full = golden("full");
    let chart =
        full.join("kubernetes/apps/monitoring/kube-prometheus-stack/app/ocirepository.yaml");
    let chart = read(chart);
    let version = chart.split("tag: ").nth(1).unwrap().lines().next().unwrap();
    let crds = |name: &str| read(golden(name).join("bootstrap/helmfile/crds.yaml"));
    for name in ["homelab", "production"] {
        let crds = crds(name);
        let own = format!("charts/kube-prometheus-stack\n    version: {version}\n");
        assert!(crds.contains(&own), "{own}: {crds}");
    }
    let inherited = "name: kube-prometheus-stack\n    namespace: monitoring\n    inherit:\n";
    assert!(crds("full").contains(inherited), "{}", crds("full"));
}

/// Namespaces that stay open, as `security.network_policies` says.
const OPEN: [&str; 2] = ["flux-system", "kube-system"];

#[test]
fn namespaces_deny_what_no_policy_allows() {
    for name in ["full", "homelab", "production"] {
        let apps = golden(name).join("kubernetes/apps");
        let mut denied = 0;
        for entry in fs::read_dir(&apps).unwrap() {
            let folder = entry.unwrap().path();
            let namespace = folder.file_name().unwrap().to_str().unwrap().to_owned();
            let list = folder.join("kustomization.yaml");
            if OPEN.contains(&namespace.as_str()) || !list.exists() {
                continue;
            }
            let text = fs::read_to_string(folder.join("networkpolicies.yaml")).unwrap();
            // One that selects all pods denies the rest in both directions.
            for part in ["  endpointSelector: {}\n", "  ingress:\n", "  egress:\n"] {
                assert!(text.contains(part), "{name} {namespace}: {text}");
            }
            let list = fs::read_to_string(list).unwrap();
            assert!(list.contains("  - ./networkpolicies.yaml\n"), "{list}");
            denied += 1;
        }
        assert!(denied >= 3, "{name}: {denied}");
    }
}

#[test]
fn policies_say_something_without_prometheus() {
    let sandbox = example("full");
    let mut config = sandbox.read("cluster.yaml");
    for app in [
        "kube-prometheus-stack",
        "blackbox-exporter",
        "opencost",
        "prometheus-adapter",
        "sloth",
    ] {
        let on = format!("  {app}:\n    enabled: true\n");
        assert!(config.contains(&on), "{app}");
        config = config.replace(&on, &on.replace("true", "false"));
    }
    sandbox.write("cluster.yaml", config);
    sandbox.kiln(&["render", "--keygen"]).success();
    let objects = objects(&sandbox.path("kubernetes"));
    let policies = objects.iter();
    let policies: Vec<&Value> = policies
        .filter(|object| object["kind"] == "CiliumNetworkPolicy")
        .collect();
    assert!(policies.len() > 40, "{}", policies.len());
    for policy in policies {
        // The API server refuses a policy with neither.
        let rules = [&policy["spec"]["ingress"], &policy["spec"]["egress"]];
        let is_list = |rules: &&Value| rules.as_array().is_some_and(|list| !list.is_empty());
        let is_sound = rules.iter().all(|rules| rules.is_null() || is_list(rules));
        assert!(is_sound && rules.iter().any(is_list), "{policy}");
    }
}

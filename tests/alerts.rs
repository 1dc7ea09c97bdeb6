//! Alerts of the catalogue: what they fire at, and where their messages lead.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use kiln::yaml::{self, Resolver};
use serde_json::{Value, json};

use crate::examples::example;
use crate::harden::trees;
use crate::laboratory::examples::example_texts;
use crate::support::{Sandbox, oracle};

type Texts = BTreeMap<String, String>;

/// All objects below `kubernetes/`.
fn objects(texts: &Texts) -> Vec<Value> {
    let manifests = texts
        .iter()
        .filter(|(path, _)| path.starts_with("kubernetes/") && path.ends_with(".yaml"));
    let mut found = Vec::new();
    for (_, text) in manifests {
        let documents = yaml::load(text).unwrap();
        let values = documents.iter();
        found.extend(values.map(|document| document.root.to_value(Resolver::Kubernetes)));
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
fn alerts(texts: &Texts) -> BTreeMap<String, String> {
    let objects = objects(texts);
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
fn sections(texts: &Texts) -> Vec<String> {
    let text = texts.get("docs/runbooks.md").map_or("", String::as_str);
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

fn assert_joined(texts: &Texts, page: &str) {
    let alerts = alerts(texts);
    let names: Vec<String> = alerts.keys().cloned().collect();
    assert_eq!(sections(texts), names);
    for (name, link) in alerts {
        assert_eq!(link, format!("{page}#{}", name.to_lowercase()));
    }
}

#[test]
fn every_alert_has_its_section_and_every_section_its_alert() {
    let page = "https://github.com/example/full/blob/main/docs/runbooks.md";
    assert!(alerts(example_texts("full")).len() >= 20);
    assert_joined(example_texts("full"), page);
    // No Prometheus, so no alerts, and nothing to read of them.
    for name in ["homelab", "production"] {
        let texts = example_texts(name);
        assert_eq!(alerts(texts), BTreeMap::new());
        assert!(!texts.contains_key("docs/runbooks.md"), "{name}");
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
        let tree = trees::texts(&sandbox.path(""));
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
    let objects = objects(example_texts("full"));
    let rules = objects
        .iter()
        .filter(|object| object["kind"] == "PrometheusRule");
    let groups = rules.flat_map(|object| object["spec"]["groups"].as_array().unwrap().clone());
    let groups: Vec<Value> = groups.collect();
    assert!(groups.len() >= 7, "{}", groups.len());
    sandbox.write("rules.yaml", yaml::emit(&json!({"groups": groups})));
    let mut cases = 0;
    for entry in fs::read_dir(trees::fixtures("alerts")).unwrap() {
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

/// The one document of a file.
fn document(text: &str) -> Value {
    let documents = yaml::load(text).unwrap();
    assert_eq!(documents.len(), 1, "{text}");
    documents[0].root.to_value(Resolver::Kubernetes)
}

/// The values of a release in the full example.
fn values(path: &str) -> Value {
    let path = format!("kubernetes/apps/{path}/helmrelease.yaml");
    document(&example_texts("full")[&path])["spec"]["values"].clone()
}

#[test]
fn etcd_is_scraped_and_coredns_once() {
    let stack = values("monitoring/kube-prometheus-stack/app");
    // Talos runs etcd beside the static pods of the API server, not as a pod.
    let selector = &stack["kubeEtcd"]["service"]["selector"];
    assert_eq!(*selector, json!({"component": "kube-apiserver"}));
    let patch = document(&example_texts("full")["talos/control-plane/13-etcd.yaml"]);
    let arguments = &patch["cluster"]["etcd"]["extraArgs"];
    assert_eq!(arguments["listen-metrics-urls"], "http://0.0.0.0:2381");
    assert_eq!(stack["coreDns"], Value::Null);
    assert_eq!(values("kube-system/coredns/app")["prometheus"], Value::Null);
}

#[test]
fn links_in_messages_lead_to_the_hosts_of_the_routes() {
    let stack = values("monitoring/kube-prometheus-stack/app");
    let routes = objects(example_texts("full"));
    let routes = routes.iter().filter(|object| object["kind"] == "HTTPRoute");
    let hosts: Vec<&Value> = routes
        .filter_map(|route| route["spec"]["hostnames"].as_array())
        .flatten()
        .collect();
    for link in [
        &stack["prometheus"]["prometheusSpec"]["externalUrl"],
        &stack["alertmanager"]["alertmanagerSpec"]["externalUrl"],
        &stack["grafana"]["grafana.ini"]["server"]["root_url"],
    ] {
        let host = link.as_str().unwrap().strip_prefix("https://").unwrap();
        assert!(
            hosts.iter().any(|known| *known == host),
            "{host}: {hosts:?}"
        );
    }
}

#[test]
fn definitions_are_those_of_the_chart_that_flux_installs() {
    let source = "kubernetes/apps/monitoring/kube-prometheus-stack/app/ocirepository.yaml";
    let source = document(&example_texts("full")[source]);
    let release = |name: &str| {
        let crds = document(&example_texts(name)["bootstrap/helmfile/crds.yaml"]);
        let releases = crds["releases"].as_array().unwrap().iter();
        let mut releases = releases.filter(|release| release["name"] == "kube-prometheus-stack");
        releases.next().unwrap().clone()
    };
    for name in ["homelab", "production"] {
        assert_eq!(release(name)["version"], source["spec"]["ref"]["tag"]);
    }
    let inherited = release("full");
    assert_eq!(inherited["version"], Value::Null, "{inherited}");
    assert!(inherited["inherit"].is_array(), "{inherited}");
}

/// Namespaces that stay open, as `security.network_policies` says.
const OPEN: [&str; 2] = ["flux-system", "kube-system"];

#[test]
fn namespaces_deny_what_no_policy_allows() {
    for name in ["full", "homelab", "production"] {
        let texts = example_texts(name);
        let mut denied = 0;
        for (path, list) in texts {
            let parts: Vec<&str> = path.split('/').collect();
            let ["kubernetes", "apps", namespace, "kustomization.yaml"] = parts[..] else {
                continue;
            };
            if OPEN.contains(&namespace) {
                continue;
            }
            let policies = format!("kubernetes/apps/{namespace}/networkpolicies.yaml");
            let policies = yaml::load(&texts[&policies]).unwrap();
            let policies = policies
                .iter()
                .map(|document| document.root.to_value(Resolver::Kubernetes));
            // One that selects all pods denies the rest in both directions.
            let is_closed = |policy: &Value| {
                let spec = &policy["spec"];
                spec["endpointSelector"] == json!({})
                    && spec["ingress"].is_array()
                    && spec["egress"].is_array()
            };
            assert!(
                policies.into_iter().any(|policy| is_closed(&policy)),
                "{name} {namespace}"
            );
            let resources = document(list)["resources"].as_array().unwrap().clone();
            assert!(
                resources.contains(&json!("./networkpolicies.yaml")),
                "{list}"
            );
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
    let objects = objects(&trees::texts(&sandbox.path("")));
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

//! What Talos makes of the machine configurations that Kiln renders for topf.
//!
//! The machinery of Talos 1.13 is an oracle. That of 1.14 is on no registry: what its documents look like stands in
//! `machines/documents-1.14.json`, and whoever has a clone of Talos asks it by `just machines DIR REVISION`.

mod newer;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use kiln::yaml::{self, Resolver};
use serde_json::Value;

use crate::examples::example;
use crate::support::{Run, Sandbox, oracle};

/// The configurations that Talos' machinery makes of a rendered project, and what it says of them.
struct MachineConfigurations {
    run: Run,
    /// The documents of each node by kind, and by name where they have one.
    documents: BTreeMap<String, BTreeMap<String, Value>>,
}

impl MachineConfigurations {
    pub(super) fn of(talosconfig: &Path, sandbox: &Sandbox) -> Self {
        let output = sandbox.path("../configurations");
        fs::create_dir_all(&output).unwrap();
        let ran = Command::new(talosconfig)
            .arg("--output")
            .arg(&output)
            .arg(sandbox.path("talos"))
            .output()
            .unwrap();
        let mut documents = BTreeMap::new();
        for entry in fs::read_dir(&output).unwrap() {
            let path = entry.unwrap().path();
            let node = path.file_stem().unwrap().to_str().unwrap().to_owned();
            documents.insert(node, read_documents(&path));
            fs::remove_file(path).unwrap();
        }
        Self {
            run: sandbox.finish(&ran),
            documents,
        }
    }

    /// Expects Talos to take the configuration of every node.
    #[track_caller]
    pub(super) fn taken(&self, nodes: usize) {
        assert_eq!(self.run.code, Some(0), "{}", self.run);
        assert_eq!(self.run.stdout.lines().count(), nodes, "{}", self.run);
        assert_eq!(self.documents.len(), nodes, "{:?}", self.documents.keys());
    }

    /// Expects Talos to refuse, in these words.
    #[track_caller]
    pub(super) fn refused(&self, words: &str) {
        assert_eq!(self.run.code, Some(1), "{}", self.run);
        assert!(
            self.run.stderr.contains(words),
            "no {words:?} in {}",
            self.run
        );
    }

    #[track_caller]
    pub(super) fn at(&self, node: &str, document: &str, pointer: &str) -> Option<&Value> {
        let documents = &self.documents[node];
        let found = documents
            .get(document)
            .unwrap_or_else(|| panic!("{node} has no {document}, but {:?}", documents.keys()));
        found.pointer(pointer)
    }
}

fn read_documents(path: &Path) -> BTreeMap<String, Value> {
    let text = fs::read_to_string(path).unwrap();
    let documents = yaml::load(&text).unwrap();
    let values = documents
        .iter()
        .map(|document| document.root.to_value(Resolver::Core));
    let named = values.map(|value| {
        let kind = value["kind"].as_str().unwrap_or("v1alpha1").to_owned();
        let name = value["name"].as_str().map(|name| format!(" {name}"));
        (kind + &name.unwrap_or_default(), value)
    });
    named.collect()
}

/// Renders an example, for another version of Talos if wanted.
fn rendered(name: &str, talos: Option<&str>) -> Sandbox {
    let sandbox = example(name);
    if let Some(version) = talos {
        sandbox.write("versions.yaml", format!("talos:\n  version: {version}\n"));
    }
    sandbox.kiln(&["render", "--keygen"]).success();
    sandbox
}

/// The examples, and how many nodes they have.
const NODES: [(&str, usize); 3] = [("full", 5), ("homelab", 1), ("production", 5)];

#[test]
fn talos_takes_every_machine_of_the_examples() {
    let Some(talosconfig) = oracle("talosconfig") else {
        return;
    };
    for (name, nodes) in NODES {
        MachineConfigurations::of(&talosconfig, &rendered(name, None)).taken(nodes);
    }
}

/// What the patches are for stands in the merged configuration: a patch that Talos takes and that changes nothing would pass
/// as valid.
#[test]
fn patches_reach_the_machines() {
    let Some(talosconfig) = oracle("talosconfig") else {
        return;
    };
    let made = MachineConfigurations::of(&talosconfig, &rendered("production", None));
    made.taken(5);
    let controller = |pointer: &str| made.at("controller-1", "v1alpha1", pointer);
    let worker = |pointer: &str| made.at("worker-2", "v1alpha1", pointer);
    let label = "/machine/nodeLabels/node.kubernetes.io~1exclude-from-external-load-balancers";
    assert_eq!(controller(label), None);
    for (pointer, expected) in [
        ("/cluster/allowSchedulingOnControlPlanes", "true"),
        ("/cluster/coreDNS/disabled", "true"),
        ("/cluster/network/cni/name", "\"none\""),
        ("/cluster/apiServer/auditPolicy/rules/0/level", "\"None\""),
        (
            "/machine/kubelet/extraConfig/shutdownGracePeriod",
            "\"60s\"",
        ),
    ] {
        let found = controller(pointer).map(Value::to_string);
        assert_eq!(found.as_deref(), Some(expected), "{pointer}");
    }
    let rules = controller("/cluster/apiServer/auditPolicy/rules").unwrap();
    assert_eq!(rules.as_array().unwrap().len(), 4, "{rules}");
    let grace = worker("/machine/kubelet/extraConfig/shutdownGracePeriod").unwrap();
    assert_eq!(grace, "180s");
    assert_eq!(worker("/machine/kernel/modules/0/name").unwrap(), "nbd");
    let key = made.at("worker-2", "VolumeConfig STATE", "/encryption/keys/0/tpm");
    assert!(key.is_some());
}

#[test]
fn talos_refuses_what_is_wrong_in_a_machine() {
    let Some(talosconfig) = oracle("talosconfig") else {
        return;
    };
    let sandbox = rendered("homelab", None);
    let judged = |path: &str, from: &str, to: &str| {
        let right = sandbox.read(path);
        let wrong = right.replacen(from, to, 1);
        assert_ne!(wrong, right, "{path} has no {from}");
        sandbox.write(path, wrong);
        let made = MachineConfigurations::of(&talosconfig, &sandbox);
        sandbox.write(path, right);
        made
    };
    let misspelt = judged("talos/all/20-kubelet.yaml", "clusterDNS", "clusterDns");
    misspelt.refused("unknown keys found during decoding");
    let kind = judged(
        "talos/all/13-time.yaml",
        "TimeSyncConfig",
        "TimeSyncConfigs",
    );
    kind.refused("\"TimeSyncConfigs\" \"v1alpha1\": not registered");
    let address = judged("talos/all/11-links.yaml.tpl", "/24", "/240");
    address.refused("prefix length out of range");
    let data = judged(
        "talos/all/00-install.yaml.tpl",
        ".Node.Data.disk",
        ".Node.Data.drive",
    );
    data.refused("map has no entry for key \"drive\"");
    let kubernetes = judged(
        "talos/topf.yaml",
        "kubernetesVersion: v1.36",
        "kubernetesVersion: v1.38",
    );
    kubernetes.refused("too new to be used with Talos");
    MachineConfigurations::of(&talosconfig, &sandbox).taken(1);
}

//! Talos 1.14, whose machinery is on no registry.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kiln::yaml::{self, Resolver};
use serde_json::{Map, Value, json};

use super::{MachineConfigurations, NODES, rendered};
use crate::support::{Sandbox, oracle, write_report};

/// The version that the examples are rendered for; its machinery makes no difference between patch releases.
const VERSION: &str = "v1.14.0";

/// What the fields of the documents are, by kind: JSON Schemas with types alone, as the run below writes them.
const DOCUMENTS: &str = "tests/laboratory/machines/documents-1.14.json";

/// All that is left in the old document. The rest has documents of its own in 1.14, and Talos refuses it in both.
const OLD_FIELDS: [&str; 4] = [
    "/cluster/etcd",
    "/cluster/externalCloudProvider",
    "/machine/certSANs",
    "/machine/install",
];

#[test]
fn machines_of_talos_1_14_are_documents_that_it_has() {
    let schemas = recorded();
    let mut kinds = BTreeSet::new();
    for (name, _) in NODES {
        let sandbox = rendered(name, Some(VERSION));
        for (path, document) in patches(&sandbox) {
            let problem = problem_in(&schemas, &document);
            assert_eq!(problem, None, "{name}: {path}");
            kinds.insert(document["kind"].as_str().unwrap_or_default().to_owned());
        }
    }
    for kind in ["KubeletConfig", "KubeNodeConfig", "KernelModuleConfig", ""] {
        assert!(kinds.contains(kind), "no {kind:?} among {kinds:?}");
    }
}

#[test]
fn documents_that_talos_1_14_lacks_are_found() {
    let schemas = recorded();
    let sandbox = rendered("homelab", None);
    let old = patches(&sandbox)
        .into_iter()
        .filter_map(|(path, document)| {
            let problem = problem_in(&schemas, &document)?;
            Some((path, problem))
        });
    let old: Vec<(String, String)> = old.collect();
    assert!(old.len() >= 9, "{old:?}");
    for (document, expected) in [
        (
            json!({"kind": "KubeletConfig", "clusterDns": []}),
            "Additional properties",
        ),
        (
            json!({"kind": "KubeletConfig", "clusterDNS": "10.43.0.10"}),
            "is not of type \"array\"",
        ),
        (
            json!({"kind": "KubeletsConfig"}),
            "no kind `KubeletsConfig`",
        ),
        (json!({"machine": {"kubelet": {}}}), "/machine/kubelet"),
    ] {
        let problem = problem_in(&schemas, &document).unwrap();
        assert!(problem.contains(expected), "{problem}");
    }
}

/// Each of the two refuses what is for the other: no set of documents could do for both.
#[test]
fn talos_1_13_refuses_the_documents_of_1_14() {
    let Some(talosconfig) = oracle("talosconfig") else {
        return;
    };
    let made = MachineConfigurations::of(&talosconfig, &rendered("homelab", Some(VERSION)));
    made.refused("\"KubeNetworkConfig\" \"v1alpha1\": not registered");
}

/// The maintainers' run: `KILN_TALOS=DIR KILN_TALOS_REVISION=TAG`, a clone of Talos.
#[test]
#[ignore = "needs a clone of Talos: just machines DIR TAG"]
fn talos_1_14_takes_every_machine_of_the_examples() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let clone = std::env::var("KILN_TALOS").expect("KILN_TALOS is the clone of Talos");
    let revision =
        std::env::var("KILN_TALOS_REVISION").expect("KILN_TALOS_REVISION is a tag of 1.14");
    assert!(revision.starts_with("v1.14."), "{revision} is none of 1.14");
    let built = Sandbox::new();
    let talosconfig = build(root, Path::new(&clone), &revision, &built);
    record(root, &built);
    let mut table =
        String::from("| example | nodes | rendered for | answer |\n|---|---|---|---|\n");
    for (name, nodes) in NODES {
        MachineConfigurations::of(&talosconfig, &rendered(name, Some(VERSION))).taken(nodes);
        writeln!(table, "| {name} | {nodes} | {VERSION} | all valid |").unwrap();
    }
    same_machine(&talosconfig);
    // The control: what is for 1.13 is refused by 1.14.
    let old = rendered("homelab", None);
    old.write(
        "talos/topf.yaml",
        old.read("talos/topf.yaml").replace("v1.13.", "v1.14."),
    );
    let refused = MachineConfigurations::of(&talosconfig, &old);
    assert_eq!(refused.run.code, Some(1), "{}", refused.run);
    writeln!(table, "| homelab | 1 | v1.13, given to 1.14 | refused |").unwrap();
    let body = format!(
        "Machine configurations of the examples, by the machinery of Talos {revision} in strict mode: generated, patched as topf does, \
         validated. What the documents consist of was recorded in `{DOCUMENTS}`.\n\n{table}"
    );
    let inputs = [
        "templates/talos/_partials/**",
        "templates/talos/all/**",
        "templates/talos/control-plane/**",
        "templates/talos/topf.yaml.tera",
        "templates/talos/worker/**",
        "tests/oracles/go/talos/**",
    ];
    write_report(root, "machines", "just machines DIR TAG", &inputs, &body);
}

/// Expects both versions to configure a machine alike, where it can be told.
fn same_machine(talosconfig: &Path) {
    let made = MachineConfigurations::of(talosconfig, &rendered("production", Some(VERSION)));
    made.taken(5);
    let at = |document: &str, pointer: &str| made.at("controller-1", document, pointer);
    let labels = at("KubeNodeConfig", "/labels").unwrap();
    assert_eq!(
        labels,
        &json!({"node-role.kubernetes.io/control-plane": ""})
    );
    assert_eq!(at("KubeNodeConfig", "/taints"), None);
    assert_eq!(at("KubeProxyConfig", "/enabled").unwrap(), false);
    assert_eq!(at("KubeCoreDNSConfig", "/enabled").unwrap(), false);
    let rules = at("KubeAuditPolicyConfig", "/configuration/rules").unwrap();
    assert_eq!(rules.as_array().unwrap().len(), 4, "{rules}");
    let level = at(
        "KubeAdmissionControlConfig PodSecurity",
        "/configuration/defaults/audit",
    );
    assert_eq!(level.unwrap(), "restricted");
    let kinds = &made.documents["controller-1"];
    assert!(
        !kinds.contains_key("KubeFlannelCNIConfig"),
        "{:?}",
        kinds.keys()
    );
    let worker = |document: &str, pointer: &str| made.at("worker-2", document, pointer).unwrap();
    assert_eq!(
        worker("KubeletConfig", "/config/shutdownGracePeriod"),
        "180s"
    );
    assert_eq!(worker("KernelModuleConfig nbd", "/name"), "nbd");
    assert!(worker("VolumeConfig STATE", "/encryption/keys/0/tpm").is_object());
}

/// Builds `talosconfig` around the machinery of a clone, and leaves that in `machinery/`.
fn build(root: &Path, clone: &Path, revision: &str, built: &Sandbox) -> PathBuf {
    let program = built.path("talosconfig");
    let status = Command::new("bash")
        .arg(root.join("tests/oracles/go/talos/build-from-clone"))
        .args([clone, Path::new(revision), &built.path("")])
        .status()
        .unwrap();
    assert!(
        status.success(),
        "talosconfig cannot be built from {}",
        clone.display()
    );
    program
}

/// Writes down what the documents that the examples use consist of.
fn record(root: &Path, built: &Sandbox) {
    let schema = built.read("machinery/config/schemas/config.schema.json");
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let definitions = schema["$defs"].as_object().unwrap();
    let used: BTreeSet<String> = NODES
        .iter()
        .flat_map(|(name, _)| patches(&rendered(name, Some(VERSION))))
        .filter_map(|(_, document)| document["kind"].as_str().map(str::to_owned))
        .collect();
    let kinds = definitions.values().filter_map(|definition| {
        let kind = definition.pointer("/properties/kind/enum/0")?.as_str()?;
        let fields = types_of(definitions, definition);
        used.contains(kind).then(|| (kind.to_owned(), fields))
    });
    let kinds: Map<String, Value> = kinds.collect();
    let text = serde_json::to_string_pretty(&kinds).unwrap();
    fs::write(root.join(DOCUMENTS), text + "\n").unwrap();
}

/// Returns a schema without everything but types, references filled in. Patches leave out what is required.
fn types_of(definitions: &Map<String, Value>, schema: &Value) -> Value {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.trim_start_matches("#/$defs/");
        return types_of(definitions, &definitions[name]);
    }
    let mut types = Map::new();
    for key in ["type", "enum", "additionalProperties"] {
        if let Some(value) = schema.get(key) {
            types.insert(key.to_owned(), value.clone());
        }
    }
    if let Some(fields) = schema["properties"].as_object() {
        let fields = fields
            .iter()
            .map(|(name, field)| (name.clone(), types_of(definitions, field)));
        types.insert("properties".to_owned(), Value::Object(fields.collect()));
    }
    if let Some(items) = schema.get("items") {
        types.insert("items".to_owned(), types_of(definitions, items));
    }
    Value::Object(types)
}

fn recorded() -> BTreeMap<String, Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENTS);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Says what is wrong with a document of a patch, if anything is.
fn problem_in(schemas: &BTreeMap<String, Value>, document: &Value) -> Option<String> {
    let Some(kind) = document["kind"].as_str() else {
        return old_field(document);
    };
    let Some(schema) = schemas.get(kind) else {
        return Some(format!("no kind `{kind}`"));
    };
    let mut document = document.clone();
    let fields = document.as_object_mut().unwrap();
    if fields.remove("$patch").is_some() {
        return (fields.len() != 2).then(|| "a deleted document has fields".to_owned());
    }
    without_deleted(&mut document);
    let validator = jsonschema::validator_for(schema).unwrap();
    let first = validator.iter_errors(&document).next();
    first.map(|error| format!("{}: {error}", error.instance_path()))
}

/// Names the first field of the old document that 1.14 has in a document of its own.
fn old_field(document: &Value) -> Option<String> {
    let sections = document.as_object().unwrap().iter();
    let mut fields = sections.flat_map(|(section, fields)| {
        let names = fields.as_object().unwrap().keys();
        names.map(move |name| format!("/{section}/{name}"))
    });
    fields.find(|field| !OLD_FIELDS.contains(&field.as_str()))
}

/// Takes out the keys of mappings that a patch deletes.
fn without_deleted(value: &mut Value) {
    if let Value::Object(fields) = value {
        fields.retain(|_, field| field.get("$patch").is_none());
        fields.values_mut().for_each(without_deleted);
    }
}

/// The documents of a project's patches, with the paths of their files. Templates of Go are read with their loops and
/// conditions left out, and with a text in the place of a value.
fn patches(sandbox: &Sandbox) -> Vec<(String, Value)> {
    let paths = sandbox.files().into_iter();
    let paths = paths.filter(|path| {
        let folders = ["talos/all/", "talos/control-plane/", "talos/worker/"];
        folders.iter().any(|folder| path.starts_with(folder))
    });
    let mut patches = Vec::new();
    for path in paths {
        let text = sandbox.read(&path);
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("{{-"));
        let text = lines.map(without_actions).collect::<Vec<_>>().join("\n");
        for document in yaml::load(&text).unwrap() {
            let value = document.root.to_value(Resolver::Core);
            if !value.is_null() {
                patches.push((path.clone(), value));
            }
        }
    }
    patches
}

fn without_actions(line: &str) -> String {
    let mut rest = line;
    let mut written = String::new();
    while let Some((before, after)) = rest.split_once("{{ ") {
        let (action, after) = after.split_once(" }}").unwrap();
        let value = if action.ends_with(".mtu") {
            "1500"
        } else {
            "text"
        };
        written.push_str(before);
        written.push_str(value);
        rest = after;
    }
    written + rest
}

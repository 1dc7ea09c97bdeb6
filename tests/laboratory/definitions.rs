//! The custom resources that the API server knows: one table, and the packed structures of those that are in no module.
//!
//! `tests/oracles/apiserver/README.md` says how the files are made.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use kiln::yaml;
use serde_json::Value;

use super::examples::example_texts;

/// Groups of kinds that the API server has by itself; it also has every group without a dot.
const BUILT_IN: [&str; 3] = [
    "apiextensions.k8s.io",
    "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
];

/// What kustomize reads and nobody applies.
const KUSTOMIZE: &str = "kustomize.config.k8s.io";

/// The module whose test data the Pod Security evaluator is held against.
const POD_SECURITY: &str = "k8s.io/pod-security-admission";

/// A line of `crds.tsv`.
struct Row {
    name: String,
    kind: String,
    versions: String,
    from: String,
    source: String,
    version: String,
    release: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles/apiserver")
}

fn table() -> Vec<Row> {
    let text = fs::read_to_string(folder().join("crds.tsv")).unwrap();
    let rows = text.lines().skip(1).map(|line| {
        let cells: Vec<String> = line.split('\t').map(str::to_owned).collect();
        let [name, kind, versions, from, source, version, _path, release] =
            cells.try_into().unwrap();
        Row {
            name,
            kind,
            versions,
            from,
            source,
            version,
            release,
        }
    });
    rows.collect()
}

fn structures() -> Vec<Value> {
    let packed = fs::read(folder().join("structures.json.gz")).unwrap();
    assert_eq!(packed[4..8], [0; 4], "the time is no part of the pack");
    let mut text = String::new();
    GzDecoder::new(&packed[..])
        .read_to_string(&mut text)
        .unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Every object in the Kubernetes manifests of the examples.
fn example_objects() -> Vec<Value> {
    let mut found = Vec::new();
    for example in ["full", "homelab", "production"] {
        for (path, text) in example_texts(example) {
            if path.starts_with("kubernetes/") && path.ends_with(".yaml") {
                let documents = yaml::load(text).unwrap();
                let documents = documents.iter();
                found.extend(documents.map(|document| document.root.to_kubernetes()));
            }
        }
    }
    found.retain(|object| object["kind"].is_string());
    found
}

fn group_version(object: &Value) -> (&str, &str) {
    let version = object["apiVersion"].as_str().unwrap();
    version.split_once('/').unwrap_or(("", version))
}

/// The texts below a schema that are prose, by their path; a property that has such a name is none.
fn find_prose(path: &str, schema: &Value, found: &mut Vec<String>) {
    for (word, value) in schema.as_object().into_iter().flatten() {
        let path = format!("{path}.{word}");
        match (word.as_str(), value) {
            ("description" | "title" | "example" | "externalDocs", _) => found.push(path),
            ("properties" | "patternProperties", Value::Object(children)) => {
                for (name, child) in children {
                    find_prose(&format!("{path}.{name}"), child, found);
                }
            }
            ("default" | "enum", _) => {}
            (_, Value::Object(_)) => find_prose(&path, value, found),
            (_, Value::Array(items)) => {
                items.iter().for_each(|item| find_prose(&path, item, found));
            }
            _ => {}
        }
    }
}

#[test]
fn the_table_and_the_packed_structures_agree() {
    let (rows, structures) = (table(), structures());
    let names: BTreeSet<&str> = rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names.len(), rows.len(), "a definition stands twice");
    let packed: Vec<&Row> = rows.iter().filter(|row| row.from == "repository").collect();
    assert!(
        rows.iter()
            .all(|row| row.from == "repository" || row.from == "module")
    );
    assert_eq!(packed.len(), structures.len());
    for (row, structure) in packed.iter().zip(&structures) {
        let spec = &structure["spec"];
        let versions = spec["versions"].as_array().unwrap();
        let served = versions.iter().filter(|version| version["served"] == true);
        let served: Vec<&str> = served
            .map(|version| version["name"].as_str().unwrap())
            .collect();
        assert_eq!(structure["metadata"]["name"], row.name.as_str());
        assert_eq!(spec["names"]["kind"], row.kind.as_str(), "{}", row.name);
        assert_eq!(served.join(","), row.versions, "{}", row.name);
        assert!(spec.get("conversion").is_none(), "{}", row.name);
    }
}

#[test]
fn the_packed_structures_have_no_prose() {
    let mut prose = Vec::new();
    for structure in structures() {
        let name = structure["metadata"]["name"].as_str().unwrap();
        for version in structure["spec"]["versions"].as_array().unwrap() {
            let schema = &version["schema"]["openAPIV3Schema"];
            assert!(
                schema["properties"]["spec"].is_object(),
                "{name} has no structure"
            );
            assert!(version.get("additionalPrinterColumns").is_none(), "{name}");
            find_prose(name, schema, &mut prose);
        }
    }
    assert!(prose.is_empty(), "{prose:#?}");
}

#[test]
fn the_table_has_every_kind_of_the_examples_and_no_other() {
    let rows = table();
    let objects = example_objects();
    let mut missing = BTreeSet::new();
    let mut used = BTreeSet::new();
    for object in &objects {
        let (group, version) = group_version(object);
        if group == KUSTOMIZE || !group.contains('.') || BUILT_IN.contains(&group) {
            continue;
        }
        let kind = object["kind"].as_str().unwrap();
        let row = rows.iter().find(|row| {
            let (_, its_group) = row.name.split_once('.').unwrap();
            its_group == group
                && row.kind == kind
                && row.versions.split(',').any(|it| it == version)
        });
        match row {
            Some(row) => used.insert(row.name.as_str()),
            None => missing.insert(format!("{group}/{version} {kind}")),
        };
    }
    assert!(missing.is_empty(), "not in crds.tsv: {missing:?}");
    let unused: Vec<&str> = rows
        .iter()
        .map(|row| row.name.as_str())
        .filter(|name| !used.contains(name))
        .collect();
    assert!(unused.is_empty(), "in no example: {unused:?}");
}

/// A chart, or Flux, at the version that a tree pins.
fn releases(object: &Value) -> Vec<String> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let mut found = Vec::new();
    if let (Some(url), Some(tag)) = (text("/spec/url"), text("/spec/ref/tag")) {
        found.push(format!("{} {tag}", url.rsplit('/').next().unwrap()));
    }
    let chart = (
        text("/spec/chart/spec/chart"),
        text("/spec/chart/spec/version"),
    );
    if let (Some(chart), Some(version)) = chart {
        found.push(format!("{chart} {version}"));
    }
    if let Some(version) = text("/spec/values/instance/distribution/version") {
        found.push(format!("flux {version}"));
    }
    found
}

#[test]
fn the_table_follows_the_versions_that_the_catalogue_pins() {
    let pinned: BTreeSet<String> = example_objects().iter().flat_map(releases).collect();
    let rows = table();
    let stale: Vec<String> = rows
        .iter()
        .filter(|row| !pinned.contains(&row.release))
        .map(|row| {
            format!(
                "{}: {} {} is for {}",
                row.name, row.source, row.version, row.release
            )
        })
        .collect();
    assert!(
        stale.is_empty(),
        "the catalogue pins other releases; tests/oracles/apiserver/README.md says how to raise these:\n{}",
        stale.join("\n")
    );
}

#[test]
fn every_module_of_the_table_is_pinned_by_its_digest() {
    let rows = table();
    let modules = rows.iter().filter(|row| row.from == "module");
    let modules = modules.map(|row| format!("{} {}", row.source, row.version));
    let used: BTreeSet<String> = modules.collect();
    let text = fs::read_to_string(folder().join("modules.sum")).unwrap();
    let pinned = text
        .lines()
        .map(|line| line.rsplit_once(" h1:").unwrap().0.to_owned());
    let pinned: BTreeSet<String> = pinned
        .filter(|module| !module.starts_with(POD_SECURITY))
        .collect();
    assert_eq!(pinned, used);
}

/// The staging modules of Kubernetes have no version of their own: each is at that of the server, and every module that
/// `go.mod` names has a digest.
#[test]
fn go_mod_pins_everything_that_the_server_is_built_from() {
    let [gomod, gosum] =
        ["go.mod", "go.sum"].map(|file| fs::read_to_string(folder().join(file)).unwrap());
    let lines: Vec<Vec<&str>> = gomod
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let kubernetes = lines
        .iter()
        .find(|line| line.first() == Some(&"k8s.io/kubernetes"))
        .unwrap();
    let staging = kubernetes[1].replacen("v1.", "v0.", 1);
    let mut replaced = BTreeSet::new();
    for line in &lines {
        if let [module, "=>", by, version] = line[..] {
            assert_eq!((module, staging.as_str()), (by, version));
            replaced.insert(module);
        }
    }
    assert!(replaced.len() >= 30, "{replaced:?}");
    for line in &lines {
        let [module, version, ..] = line[..] else {
            continue;
        };
        if !module.contains('.') || version == "=>" {
            continue;
        }
        let version = if replaced.contains(module) {
            &staging
        } else {
            version
        };
        assert_ne!(version, "v0.0.0", "{module} is pinned to nothing");
        let digest = format!("{module} {version} h1:");
        let mut sums = gosum.lines();
        assert!(
            sums.any(|sum| sum.starts_with(&digest)),
            "go.sum lacks {module} {version}"
        );
    }
}

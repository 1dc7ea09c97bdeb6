//! What others wrote down as the result of a build: flux-local's snapshots, and Flux' own results.

use std::collections::BTreeSet;
use std::fs;

use kiln::yaml;
use serde_json::Value;

use super::checkout::Checkout;
use super::cluster::ListedKustomization;
use super::{Held, Tools};
use crate::laboratory::flux::OwnedObject;
use crate::laboratory::flux_build::comparison::{Difference, compare};

/// The labels by which Flux marks what it applies.
const OWNER: [&str; 2] = [
    "kustomize.toolkit.fluxcd.io/namespace",
    "kustomize.toolkit.fluxcd.io/name",
];

const INDEXES: [&str; 2] = [
    "config.kubernetes.io/index",
    "internal.config.kubernetes.io/index",
];

/// What `flux build` prints in the place of a sealed value, in the three ways in which it may stand.
const MASKED: [&str; 3] = ["**SOPS**", "KipTT1BTKio=", "eyJtYXNrIjoiKipTT1BTKioifQ=="];

const CLUSTERS: &str = "tests/testdata";

/// What flux-local takes from elsewhere, by the name that Flux has for it.
const ARTIFACT: &str =
    "ExternalArtifact/flux-system/apps=tests/testdata/cluster11/externalartifact";
const CLUSTER3: &str = "OCIRepository/flux-system/cluster=tests/testdata/cluster3";

/// Snapshots of whole builds: name, where the cluster starts, another source.
const BUILDS: [(&str, &str, &str); 10] = [
    ("test_build_ks[build-ks]", "cluster/clusters/prod", ""),
    (
        "test_build_ks[build-ks-single]",
        "cluster/clusters/prod",
        "",
    ),
    (
        "test_build_ks[build-ks-single-cluster6]",
        "cluster6/cluster",
        "",
    ),
    (
        "test_build_ks[build-ks-single-cluster8]",
        "cluster8/cluster",
        "",
    ),
    (
        "test_build_ks[build-ks-single-cluster9]",
        "cluster9/clusters/dev",
        "",
    ),
    (
        "test_build_ks[build-ks-cluster10-invalid-paths]",
        "cluster10/clusters/dev",
        "",
    ),
    (
        "test_build_ks[build-ks-cluster11-external-artifact]",
        "cluster11/cluster",
        ARTIFACT,
    ),
    ("test_build_all[build-cluster2]", "cluster2/flux", ""),
    ("test_build_all[build-cluster6]", "cluster6/cluster", ""),
    ("test_build_all[build]", "cluster/clusters/prod", ""),
];

/// Snapshots of the Kustomizations of a cluster, in the same way.
const LISTS: [(&str, &str, &str); 9] = [
    ("test_get_ks[cluster]", "cluster/clusters/prod", ""),
    ("test_get_ks[cluster2]", "cluster2/flux", ""),
    (
        "test_get_ks[cluster3]",
        "cluster3/clusters/cluster3",
        CLUSTER3,
    ),
    ("test_get_ks[cluster4]", "cluster4/flux", ""),
    ("test_get_ks[cluster5-all]", "cluster5/clusters/prod", ""),
    ("test_get_ks[cluster6]", "cluster6/cluster", ""),
    ("test_get_ks[cluster7]", "cluster7/clusters/home", ""),
    ("test_get_ks[cluster9]", "cluster9/clusters/dev", ""),
    ("test_get_ks[cluster11]", "cluster11/cluster", ARTIFACT),
];

/// Flux' own cases: the folder that is built, and the file with the result.
const RESULTS: [(&str, &str); 5] = [
    ("podinfo", "podinfo-result.yaml"),
    ("delete-service", "podinfo-without-service-result.yaml"),
    (
        "var-substitution",
        "podinfo-with-var-substitution-result.yaml",
    ),
    ("ignore", "podinfo-with-ignore-result.yaml"),
    ("podinfo-with-my-app", "podinfo-with-my-app-result.yaml"),
];

/// Where Flux keeps them.
pub(super) const FLUX_RESULTS: &str = "cmd/flux/testdata/build-kustomization";

/// Holds Kiln against flux-local's snapshots.
pub(super) fn judge_snapshots(tools: &Tools, checkout: &Checkout) -> Vec<Held> {
    let arguments = |root: &str, source: &str| {
        let mut arguments = vec!["--root".to_owned(), format!("{CLUSTERS}/{root}")];
        if !source.is_empty() {
            arguments.extend(["--source".to_owned(), source.to_owned()]);
        }
        arguments
    };
    let builds = BUILDS.iter().map(|(name, root, source)| {
        let expected = expected_objects(&snapshot(checkout, name));
        hold(tools, checkout, name, &expected, &arguments(root, source))
    });
    let lists = LISTS.iter().map(|(name, root, source)| {
        let expected = snapshot(checkout, name);
        let listed = tools.list(checkout, &arguments(root, source));
        hold_list(name, &expected, &listed)
    });
    builds.chain(lists).collect()
}

/// Holds Kiln against the results that Flux' tests ask for.
pub(super) fn judge_results(tools: &Tools, checkout: &Checkout) -> Vec<Held> {
    let held = RESULTS.iter().map(|(folder, result)| {
        lay_out_result(checkout, folder);
        let text = fs::read_to_string(
            checkout
                .sandbox
                .path("tree")
                .join(FLUX_RESULTS)
                .join(result),
        );
        let text = text.unwrap().replace("{{ .fluxns }}", "flux-system");
        let expected = expected_objects(&text);
        let source = format!("GitRepository/default/podinfo={FLUX_RESULTS}");
        let arguments = ["--root", "sync", "--source", &source].map(str::to_owned);
        hold(tools, checkout, result, &expected, &arguments)
    });
    held.collect()
}

/// Starts a tree at the Kustomization of Flux' tests.
fn lay_out_result(checkout: &Checkout, folder: &str) {
    let podinfo = format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata:\n  \
         name: podinfo\n  namespace: flux-system\nspec:\n  path: {FLUX_RESULTS}/{folder}\n  \
         sourceRef: {{kind: GitRepository, name: flux-system}}\n  targetNamespace: default\n  \
         decryption: {{provider: sops}}\n  postBuild:\n    \
         substitute: {{cluster_env: prod, cluster_region: eu-central-1}}\n"
    );
    checkout.sandbox.write("tree/sync/podinfo.yaml", podinfo);
    // The flag `--ignore-paths` of their test.
    let ignored = format!("tree/{FLUX_RESULTS}/ignore/.sourceignore");
    checkout
        .sandbox
        .write(&ignored, "/*\n!configmap.yaml\n!secret.yaml\n");
}

fn hold(
    tools: &Tools,
    checkout: &Checkout,
    name: &str,
    expected: &[OwnedObject],
    arguments: &[String],
) -> Held {
    let kiln = tools.build(checkout, arguments);
    let owners: BTreeSet<&String> = expected.iter().map(|object| &object.owner).collect();
    let mut built = kiln.of_root("");
    built.retain(|object| owners.contains(&object.owner));
    // flux-local leaves Secrets out where nobody asks for them.
    let is_secret = |object: &OwnedObject| object.object["kind"] == "Secret";
    if !expected.iter().any(is_secret) {
        built.retain(|object| !is_secret(object));
    }
    mask(&mut built, expected);
    let compared = compare(expected, &built);
    Held {
        name: name.to_owned(),
        expected: expected.len(),
        built: built.len(),
        differences: compared.differences,
    }
}

/// Takes over the masks of sealed values, which are all that `flux build` shows of them.
fn mask(built: &mut [OwnedObject], expected: &[OwnedObject]) {
    for owned in built {
        let name = &owned.object["metadata"]["name"];
        let mut same = expected.iter().filter(|other| {
            other.object["kind"] == "Secret" && other.object["metadata"]["name"] == *name
        });
        let Some(expected) = same.next().filter(|_| owned.object["kind"] == "Secret") else {
            continue;
        };
        for field in ["data", "stringData"] {
            let values = owned.object.get_mut(field).and_then(Value::as_object_mut);
            for (key, value) in values.into_iter().flatten() {
                let other = &expected.object[field][key.as_str()];
                if other.as_str().is_some_and(|other| MASKED.contains(&other)) {
                    *value = other.clone();
                }
            }
        }
    }
}

fn hold_list(name: &str, expected: &str, listed: &[ListedKustomization]) -> Held {
    // NAME and PATH; with a third column, the first is the namespace.
    let lines = expected
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut lines = lines.filter(|cells| !cells.is_empty());
    let columns = lines.next().unwrap().len();
    let expected: BTreeSet<(String, String)> = lines
        .map(|cells| match columns {
            3 => (format!("{}/{}", cells[0], cells[1]), cells[2].to_owned()),
            _ => (format!("flux-system/{}", cells[0]), cells[1].to_owned()),
        })
        .collect();
    let is_listed = |(name, path): &(String, String)| {
        let mut same = listed.iter().filter(|one| one.kustomization == *name);
        // A path within another source is one within the folder that was given for it.
        same.any(|one| path.ends_with(one.path.trim_start_matches("./")))
    };
    let missing = expected.iter().filter(|entry| !is_listed(entry));
    let differences = missing.map(|(name, path)| Difference {
        owner: name.clone(),
        object: path.clone(),
        what: vec![String::from("not in the list")],
    });
    Held {
        name: name.to_owned(),
        expected: expected.len(),
        built: listed.len(),
        differences: differences.collect(),
    }
}

/// Reads a snapshot of `syrupy`: lines that are indented by two blanks.
fn snapshot(checkout: &Checkout, name: &str) -> String {
    let file = name.split_once('[').unwrap().0;
    let file = format!("tree/tests/tool/__snapshots__/{file}.ambr");
    let text = checkout.sandbox.read(&file);
    let (_, rest) = text
        .split_once(&format!("# name: {name}\n"))
        .unwrap_or_else(|| panic!("there is no {name}"));
    let (text, _) = rest.split_once("\n# ---").unwrap();
    let lines = text.lines().filter(|line| *line != "  '''");
    let lines = lines.map(|line| line.strip_prefix("  ").unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// Reads objects, and takes away the marks of who applies them.
fn expected_objects(text: &str) -> Vec<OwnedObject> {
    let documents = yaml::load(text).unwrap_or_else(|error| panic!("{}", error.message));
    let objects = documents
        .iter()
        .map(|document| document.root.to_kubernetes());
    let owned = objects.filter(Value::is_object).map(|mut object| {
        let [namespace, name] = OWNER.map(|label| {
            let label = object["metadata"]["labels"][label].as_str();
            label.unwrap_or_default().to_owned()
        });
        let metadata = object["metadata"].as_object_mut().unwrap();
        for (field, marks) in [("labels", OWNER), ("annotations", INDEXES)] {
            let Some(entries) = metadata.get_mut(field).and_then(Value::as_object_mut) else {
                continue;
            };
            entries.retain(|key, _| !marks.contains(&key.as_str()));
            if entries.is_empty() {
                metadata.shift_remove(field);
            }
        }
        OwnedObject {
            owner: format!("{namespace}/{name}"),
            object,
        }
    });
    owned.collect()
}

//! Rendered charts, held against a real API server in dry runs.

use std::collections::BTreeMap;
use std::env;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use kiln::profiler::record::manifests;
use rayon::prelude::*;
use serde_json::{Value, json};

use super::rendering::{RenderedRelease, cut};
use super::{Render, Rendered};
use crate::laboratory::releases::{AppliedRelease, items, namespace_of, text};
use crate::laboratory::examples::{ExampleTree, TREES};
use crate::laboratory::judgement::pod_template;
use crate::support::oracle;

/// The kubeconfig of a server that may be written to: never that of a cluster in use.
const KUBECONFIG: &str = "KILN_LABORATORY";

/// A server with the definitions of the catalogue.
pub(super) struct Laboratory {
    kubectl: PathBuf,
    kubeconfig: PathBuf,
}

/// What the server refused, by release and tree.
#[derive(Default)]
pub(super) struct Refusals {
    lines: BTreeMap<(String, String), Vec<String>>,
}

impl Refusals {
    pub(super) fn all(&self) -> impl Iterator<Item = &String> {
        self.lines.values().flatten()
    }

    /// How many objects and pods of a release were refused in a tree.
    pub(super) fn of(&self, release: &str, tree: &str) -> usize {
        self.lines
            .get(&(release.to_owned(), tree.to_owned()))
            .map_or(0, Vec::len)
    }
}

impl Laboratory {
    pub(super) fn at_hand() -> Option<Self> {
        let kubeconfig = PathBuf::from(env::var_os(KUBECONFIG)?);
        Some(Self {
            kubectl: oracle("kubectl")?,
            kubeconfig,
        })
    }

    /// Applies each object of each release strictly, and creates each pod at the level of its namespace, in dry runs.
    pub(super) fn refusals(&self, rendered: &Rendered<'_, '_>) -> Refusals {
        let mut refusals = Refusals::default();
        let mut known: BTreeMap<(usize, String), Vec<String>> = BTreeMap::new();
        for tree in TREES.iter() {
            let of_tree: Vec<(usize, &Render<'_>, &RenderedRelease)> = rendered
                .iter()
                .enumerate()
                .filter_map(|(number, (render, made))| Some((number, *render, made.as_ref().ok()?)))
                .filter(|(_, render, _)| render.trees.contains(&tree.name.as_str()))
                .collect();
            let levels = self.prepare(tree, &of_tree);
            let new = of_tree
                .par_iter()
                .filter(|(number, ..)| !known.contains_key(&(*number, levels.clone())));
            let new: Vec<_> = new
                .map(|(number, render, made)| {
                    ((*number, levels.clone()), self.refused(render, made))
                })
                .collect();
            known.extend(new);
            for (number, render, _) in of_tree {
                let lines = known[&(number, levels.clone())].clone();
                if !lines.is_empty() {
                    refusals
                        .lines
                        .insert((render.release.label.clone(), tree.name.clone()), lines);
                }
            }
        }
        refusals
    }

    /// Makes the namespaces, with their labels, and the priority classes; says what the labels are.
    fn prepare(
        &self,
        tree: &ExampleTree,
        rendered: &[(usize, &Render<'_>, &RenderedRelease)],
    ) -> String {
        let wanted =
            |object: &&Value| object["kind"] == "Namespace" || object["kind"] == "PriorityClass";
        let own = tree
            .objects
            .iter()
            .map(|applied| &applied.object)
            .filter(wanted);
        let levels: String = own
            .clone()
            .map(|object| object["metadata"].to_string())
            .collect();
        let brought = rendered
            .iter()
            .flat_map(|(_, _, made)| made.objects.iter().filter(wanted));
        let text: Vec<String> = own.chain(brought).map(ToString::to_string).collect();
        let lines = self.kubectl(
            &["apply", "--server-side", "--force-conflicts"],
            &text.join("\n---\n"),
        );
        assert!(lines.is_empty(), "{lines:#?}");
        levels
    }

    fn refused(&self, render: &Render<'_>, made: &RenderedRelease) -> Vec<String> {
        let release = render.release;
        let mut of_namespace: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        let mut pods = Vec::new();
        for document in cut(&made.manifest) {
            for object in manifests(document)
                .iter()
                .filter(|object| counts(object, release))
            {
                let namespace = namespace_of(object, &release.namespace);
                pods.extend(pod(object, &namespace));
                of_namespace.entry(namespace).or_default().push(document);
            }
        }
        let mut lines = Vec::new();
        for (namespace, documents) in of_namespace {
            let mut arguments = vec![
                "apply",
                "--server-side",
                "--force-conflicts",
                "--dry-run=server",
                "--validate=strict",
            ];
            arguments.extend(
                ["--namespace", &namespace]
                    .iter()
                    .filter(|_| !namespace.is_empty()),
            );
            lines.extend(self.kubectl(&arguments, &documents.join("\n---\n")));
        }
        if !pods.is_empty() {
            lines.extend(self.kubectl(
                &["create", "--dry-run=server", "--validate=strict"],
                &pods.join("\n---\n"),
            ));
        }
        lines.retain(|line| !line.contains("would violate PodSecurity"));
        lines
            .iter()
            .map(|line| format!("{}: {line}", release.label))
            .collect()
    }

    /// Runs kubectl, and gives the lines of what it warns of or refuses.
    fn kubectl(&self, arguments: &[&str], input: &str) -> Vec<String> {
        let mut command = Command::new(&self.kubectl);
        command
            .env("KUBECONFIG", &self.kubeconfig)
            .args(arguments)
            .args(["--filename", "-"]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<String> = said
            .lines()
            .map(str::to_owned)
            .filter(|line| !line.trim().is_empty())
            .collect();
        assert!(
            output.status.success() || !lines.is_empty(),
            "{arguments:?}"
        );
        lines
    }
}

/// Whether an object is made: those of `helm test` are where it runs.
fn counts(object: &Value, release: &AppliedRelease) -> bool {
    let hook = text(object, "/metadata/annotations/helm.sh~1hook");
    !hook.contains("test") || release.tests
}

/// The pod of a workload as its controller would create it.
fn pod(object: &Value, namespace: &str) -> Option<String> {
    let template = pod_template(object)?;
    let mut spec = template["spec"].clone();
    for claim in items(object, "/spec/volumeClaimTemplates") {
        if spec["volumes"].is_null() {
            spec["volumes"] = json!([]);
        }
        let claimed = json!({"name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": "any"}});
        spec["volumes"].as_array_mut()?.push(claimed);
    }
    let kind = text(object, "/kind").to_lowercase();
    let mut name = format!("{kind}-{}", text(object, "/metadata/name"));
    name.truncate(60);
    let metadata = json!({
        "name": name.trim_end_matches(['-', '.']),
        "namespace": namespace,
        "labels": template["metadata"]["labels"],
        "annotations": template["metadata"]["annotations"],
    });
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
    Some(pod.to_string())
}

//! A release as helm-controller renders it: `helm template`, then each post-renderer by kustomize's own library.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kiln::profiler::chart_digest;
use kiln::profiler::record::{manifests, reduce};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::sources::{ChartSource, ChartSources};
use crate::laboratory::examples::ExampleTree;
use crate::laboratory::releases::{AppliedRelease, documents, items, text};

pub(super) struct HelmController<'s> {
    pub(super) helm: PathBuf,
    pub(super) kustomize: PathBuf,
    pub(super) sources: &'s ChartSources,
}

/// What a release rendered to.
pub(super) struct RenderedRelease {
    pub(super) nearest: Option<String>,
    pub(super) chart_digest: String,
    /// The definitions of kinds.
    pub(super) definitions: String,
    /// All else.
    pub(super) manifest: String,
    /// As they are recorded.
    pub(super) objects: Vec<Value>,
}

impl HelmController<'_> {
    fn source(&self, release: &AppliedRelease) -> Result<ChartSource, String> {
        let AppliedRelease { chart, version, .. } = release;
        let found = self.sources.find(chart, version);
        found.ok_or_else(|| format!("{chart} {version} is not at hand"))
    }

    /// Renders a release for a cluster that serves some APIs.
    pub(super) fn render(
        &self,
        release: &AppliedRelease,
        kubernetes: &str,
        apis: &str,
    ) -> Result<RenderedRelease, String> {
        let source = self.source(release)?;
        let text = self.template(&source.path, release, &release.values, kubernetes, apis)?;
        // Helm installs the definitions by themselves: no post-renderer sees them.
        let (definitions, mut manifest) = split(&text);
        for renderer in release.post_renderers.as_array().into_iter().flatten() {
            manifest = self.post_rendered(&manifest, renderer)?;
        }
        Ok(RenderedRelease {
            chart_digest: chart_digest(&source.path).map_err(|error| error.to_string())?,
            nearest: source.nearest,
            objects: reduce(
                manifests(&definitions)
                    .into_iter()
                    .chain(manifests(&manifest)),
            ),
            definitions,
            manifest,
        })
    }

    /// Renders a release with other values, before any post-renderer.
    pub(super) fn render_with(
        &self,
        release: &AppliedRelease,
        values: &Value,
        kubernetes: &str,
        apis: &str,
    ) -> Result<String, String> {
        let source = self.source(release)?;
        self.template(&source.path, release, values, kubernetes, apis)
    }

    fn template(
        &self,
        chart: &Path,
        release: &AppliedRelease,
        values: &Value,
        kubernetes: &str,
        apis: &str,
    ) -> Result<String, String> {
        let mut command = Command::new(&self.helm);
        command.args(["template", &release.name]).arg(chart);
        command.args([
            "--namespace",
            &release.namespace,
            "--kube-version",
            kubernetes,
            "--include-crds",
        ]);
        command.args(["--api-versions", apis, "--values", "-"]);
        run(&mut command, &values.to_string())
    }

    fn post_rendered(&self, manifest: &str, renderer: &Value) -> Result<String, String> {
        let kustomize = &renderer["kustomize"];
        for key in kustomize
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| key)
        {
            assert!(
                ["patches", "images"].contains(&key.as_str()),
                "a post-renderer with {key}"
            );
        }
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("all.yaml"), manifest).unwrap();
        let kustomization = json!({
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": ["all.yaml"],
            "patches": kustomize["patches"],
            "images": kustomize["images"],
        });
        fs::write(
            folder.path().join("kustomization.yaml"),
            kustomization.to_string(),
        )
        .unwrap();
        run(Command::new(&self.kustomize).arg(folder.path()), "")
    }

    /// Lists the APIs whose definitions a release brings.
    pub(super) fn apis_brought(
        &self,
        release: &AppliedRelease,
        kubernetes: &str,
    ) -> BTreeSet<String> {
        let text = self
            .render_with(release, &release.values, kubernetes, "v1")
            .unwrap_or_default();
        let mut found = BTreeSet::new();
        for document in cut(&split(&text).0) {
            for definition in documents("a definition", &without_schemas(document)) {
                for version in items(&definition, "/spec/versions") {
                    let api = format!(
                        "{}/{}",
                        text_of(&definition, "/spec/group"),
                        text_of(version, "/name")
                    );
                    found.insert(format!(
                        "{api}/{}",
                        text_of(&definition, "/spec/names/kind")
                    ));
                    found.insert(api);
                }
            }
        }
        found
    }
}

fn text_of<'v>(value: &'v Value, pointer: &str) -> &'v str {
    let found = text(value, pointer);
    assert!(!found.is_empty(), "no {pointer} in {value}");
    found
}

/// What every API server serves and helm does not know by itself.
const AGGREGATION: [&str; 2] = [
    "apiregistration.k8s.io/v1",
    "apiregistration.k8s.io/v1/APIService",
];

/// Lists the APIs of a cluster besides those that helm knows by itself: what the tree has, and what its charts bring.
pub(super) fn apis(tree: &ExampleTree, brought: &BTreeMap<&str, BTreeSet<String>>) -> String {
    let mut found = BTreeSet::from(AGGREGATION.map(str::to_owned));
    for applied in &tree.objects {
        let api = text(&applied.object, "/apiVersion");
        if api
            .split('/')
            .next()
            .is_some_and(|group| group.contains('.'))
        {
            found.insert(api.to_owned());
            found.insert(format!("{api}/{}", text(&applied.object, "/kind")));
        }
    }
    found.extend(
        tree.releases
            .iter()
            .flat_map(|release| brought[release.chart.as_str()].iter().cloned()),
    );
    found.into_iter().collect::<Vec<_>>().join(",")
}

/// Cuts a manifest into documents.
pub(super) fn cut(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n---")
        .map(|document| document.trim_start_matches("---"))
}

/// Splits a rendering into the definitions of kinds and all else.
fn split(text: &str) -> (String, String) {
    let is_definition = |document: &&str| {
        document
            .lines()
            .any(|line| line == "kind: CustomResourceDefinition")
    };
    let (definitions, others): (Vec<&str>, Vec<&str>) = cut(text).partition(is_definition);
    (definitions.join("\n---"), others.join("\n---"))
}

/// Takes the schemas out of a definition: they are nearly all of it, and nothing here asks for them.
fn without_schemas(definition: &str) -> String {
    let mut within = None;
    let mut kept = String::new();
    for line in definition.lines() {
        let depth = line.len() - line.trim_start().len();
        if within.is_some_and(|start| depth > start || line.trim().is_empty()) {
            continue;
        }
        let column = line.len() - line.trim_start_matches([' ', '-']).len();
        within = (line[column..].trim_end() == "schema:").then_some(column);
        kept.push_str(if within.is_some() {
            &line[..column]
        } else {
            line
        });
        kept.push_str(if within.is_some() {
            "schema: {}\n"
        } else {
            "\n"
        });
    }
    kept
}

fn run(command: &mut Command, input: &str) -> Result<String, String> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Who stops before all is read says why by itself.
    drop(stdin.write_all(input.as_bytes()));
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    if output.status.success() {
        return Ok(String::from_utf8(output.stdout).unwrap());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(said.trim().trim_start_matches("Error: ").to_owned())
}

#[test]
fn schemas_are_taken_out_of_definitions() {
    let definition = "spec:\n  group: a.b\n  versions:\n  - name: v1\n    schema:\n      openAPIV3Schema:\n        type: object\n\n        x: y\n    served: true\n  \
                      - schema:\n      openAPIV3Schema: {}\n    name: v2\n";
    let left = "spec:\n  group: a.b\n  versions:\n  - name: v1\n    schema: {}\n    served: true\n  - schema: {}\n    name: v2\n";
    assert_eq!(without_schemas(definition), left);
}

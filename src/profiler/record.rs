//! Recorded renders: what a chart rendered to, reduced to what rules and checks ask.
//!
//! A record is the evidence that a profile and a tree are judged by where there is no `helm` and no chart. It holds names,
//! kinds, labels, pods, budgets and ports. It holds no data of a Secret or ConfigMap, no value of a variable, no argument
//! of a program, and no text of a template.
//!
//! `schemas/charts/proved/<chart>.json.gz` are lines of JSON: each object once, then each render with the numbers of
//! its objects. Equal renders give equal bytes.

mod file;
pub(super) mod packing;
mod reduced;

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::rendering;
use crate::source::MemoryFiles;

pub use file::{RecordError, pack, unpack};
pub use reduced::reduce;

/// One release of a chart as it was rendered, post-renderers included.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedRender {
    /// The name of the chart.
    pub chart: String,
    /// The version that the release asks for.
    pub version: String,
    /// The version that was rendered, where the one asked for was not at hand.
    pub nearest: Option<String>,
    /// The version of Kubernetes it was rendered for: `1.36.2`.
    pub kubernetes: String,
    /// The digest of the chart, as [`chart_digest`](super::chart_digest) makes it.
    pub chart_digest: String,
    /// The name of the release.
    pub release: String,
    /// Where it is installed.
    pub namespace: String,
    /// The digest of the values, as [`digest`] makes it.
    pub values_digest: String,
    /// The digest of the list of post-renderers, as [`digest`] makes it.
    pub post_renderers_digest: String,
    /// The trees that it was rendered for: `full with 3 nodes`.
    pub trees: Vec<String>,
    /// What came out, as [`reduce`] leaves it.
    pub objects: Vec<Value>,
}

/// Reads the objects of what `helm template` or kustomize printed, those of lists one by one.
///
/// Of equal keys in one mapping the last one counts, as in Helm. A document that is no object is left out. Of an object
/// that [`reduce`] keeps only by its name no more than that is read: data of Secrets never is.
pub fn manifests(text: &str) -> Vec<Value> {
    let documents = rendering::documents(text).into_iter();
    let objects = documents.filter_map(|(_, document)| {
        let kind = rendering::kind_of(document)?;
        if kind.ends_with("List") || reduced::SAYING.contains(&kind) {
            rendering::object(document)
        } else {
            rendering::object(&head(document))
        }
    });
    objects.flat_map(flattened).collect()
}

/// Returns the parts of a document that name the object.
fn head(document: &str) -> String {
    let mut within = false;
    let mut kept = String::new();
    for line in document.lines() {
        let starts = ["apiVersion:", "kind:", "metadata:"];
        if !line.starts_with([' ', '\t', '-', '#', '}', ']']) && !line.is_empty() {
            within = starts.iter().any(|start| line.starts_with(start));
        }
        if within {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

fn flattened(object: Value) -> Vec<Value> {
    let kind = object.get("kind").and_then(Value::as_str);
    match (kind, object.get("items")) {
        (Some(kind), Some(Value::Array(items))) if kind.ends_with("List") => {
            items.iter().cloned().flat_map(flattened).collect()
        }
        (Some(_), _) => vec![object],
        (None, _) => Vec::new(),
    }
}

/// Returns the SHA-256 of a value in hexadecimal digits; the order of keys does not count.
pub fn digest(value: &Value) -> String {
    format!("{:x}", Sha256::digest(sorted(value).to_string()))
}

/// Returns the SHA-256 of the names and contents of a chart's files in hexadecimal digits.
pub(super) fn digest_of_files(files: &MemoryFiles) -> String {
    let mut hash = Sha256::new();
    for (path, bytes) in &files.0 {
        for part in [path.as_bytes(), bytes] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
    }
    format!("{:x}", hash.finalize())
}

/// Returns a value with its keys in order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let mut keys: Vec<&String> = entries.keys().collect();
            keys.sort();
            let entries = keys
                .into_iter()
                .map(|key| (key.clone(), sorted(&entries[key])));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_lists_and_equal_keys_as_helm_does() {
        let text = "# Source: c/a.yaml\napiVersion: v1\nkind: List\nitems:\n- {kind: A, metadata: {name: a}}\n- {kind: B}\n\
                    ---\na: 1\n---\nkind: C\nmetadata: {name: a, name: b}\n---\n# nothing\n";
        let read = manifests(text);
        let kinds: Vec<_> = read.iter().map(|object| &object["kind"]).collect();
        assert_eq!(kinds, ["A", "B", "C"]);
        assert_eq!(read[2]["metadata"]["name"], "b");
    }

    #[test]
    fn reads_no_data_of_a_secret() {
        let text = "apiVersion: v1\nkind: Secret\ndata: {a: [}\nmetadata:\n  name: s\n\n  labels:\n    a: b\nstringData:\n  b: |\n\n    kind: X\n\
                    type: Opaque\n---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec:\n  type: ClusterIP\n";
        let read = manifests(text);
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "labels": {"a": "b"}}});
        assert_eq!(read[0], secret);
        assert_eq!(read[1]["spec"]["type"], "ClusterIP");
    }

    #[test]
    fn digests_follow_what_is_said_and_not_its_order() {
        let one = digest(&json!({"a": {"b": 1, "c": [1, 2]}, "d": null}));
        assert_eq!(one, digest(&json!({"d": null, "a": {"c": [1, 2], "b": 1}})));
        assert_ne!(one, digest(&json!({"d": null, "a": {"c": [2, 1], "b": 1}})));
        assert_ne!(one, digest(&json!({"a": {"b": 1, "c": [1, 2]}})));
        let files = |name: &str, text: &str| {
            MemoryFiles([(name.to_owned(), text.as_bytes().to_vec())].into())
        };
        assert_ne!(
            digest_of_files(&files("ab", "c")),
            digest_of_files(&files("a", "bc"))
        );
    }
}

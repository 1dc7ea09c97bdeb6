//! What of a file a message may show.

use std::sync::Arc;

use kustomize::SourceFile;

use crate::source::{Source, Span};
use crate::tree::{is_secret_path, is_yaml_path};
use crate::yaml::{Content, Node};

/// What a value begins with that SOPS sealed.
const SEALED: &str = "ENC[AES256_GCM,";
/// What marks a text that may be a Secret, make one or patch one.
const MARKS: [&str; 3] = ["Secret", "secretGenerator", "stringData"];
/// What marks the literals of a generator, whatever its key is spelled like, and a patch of what an object holds.
const MORE_MARKS: [&str; 2] = ["literals", "/data"];
/// The keys at the top of a Secret that hold none of its values; `sops` is what SOPS says of how it sealed them.
const OPEN_KEYS: [&str; 6] = [
    "apiVersion",
    "kind",
    "metadata",
    "type",
    "immutable",
    "sops",
];
/// The annotation in which `kubectl apply` keeps the whole object.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Returns whether what stands under a key at the top of a Secret may be shown, but for [`LAST_APPLIED`].
pub fn is_open_in_secret(key: &str) -> bool {
    OPEN_KEYS.contains(&key)
}

/// Returns a file for messages, under the path that they show: values of Secrets are not in it, nor is a file of which nobody knows what it holds.
pub fn veiled_source(file: &Arc<SourceFile>, shown: &str) -> Arc<Source> {
    let path = shown.to_owned();
    let text = String::from_utf8_lossy(file.bytes()).into_owned();
    let is_sealed = text.contains(SEALED);
    if is_secret_path(&path) && !is_sealed {
        return Source::sensitive(path, text);
    }
    let name = path.rsplit('/').next().unwrap_or(&path);
    let is_manifest = is_yaml_path(&path) || path.ends_with(".json") || name == "Kustomization";
    if !is_manifest {
        return Source::sensitive(path, text);
    }
    if !has_mark(&text, &MARKS) && !has_mark(&text, &MORE_MARKS) {
        return Source::new(path, text);
    }
    let source = Source::new(path, text);
    let Ok(documents) = file.documents() else {
        return source.keys_only();
    };
    let mut hidden = Vec::new();
    for document in documents.iter() {
        hide_secrets(&document.root, &mut hidden);
    }
    if hidden.is_empty() {
        source
    } else {
        source.veiled(hidden)
    }
}

fn has_mark(text: &str, marks: &[&str]) -> bool {
    marks.iter().any(|mark| text.contains(mark))
}

/// Collects the values of Secrets, and of what makes or patches them.
fn hide_secrets(node: &Node, hidden: &mut Vec<Span>) {
    if let Content::Scalar(scalar) = &node.content
        && scalar.text.contains('\n')
        && has_mark(&scalar.text, &MARKS)
    {
        hidden.push(node.span);
    }
    let is_secret = node.find_text("kind") == Some("Secret");
    let patches_secret = is_operation_on_data(node);
    for entry in node.entries().unwrap_or_default() {
        match entry.key.as_str() {
            LAST_APPLIED | "literals" => hide_values(&entry.value, hidden),
            "value" if patches_secret => hide_values(&entry.value, hidden),
            "patch" if is_patch_of_secret(node, &entry.value) => {
                hide_values(&entry.value, hidden);
            }
            // A map of texts may come from literals as well, and is no secret.
            "configMapGenerator" => {}
            "secretGenerator" => {
                for generator in entry.value.items().unwrap_or_default() {
                    hide_generator(generator, hidden);
                }
            }
            key if is_secret && !is_open_in_secret(key) => hide_values(&entry.value, hidden),
            _ => hide_secrets(&entry.value, hidden),
        }
    }
    for item in node.items().unwrap_or_default() {
        hide_secrets(item, hidden);
    }
}

/// Collects what a generator of a Secret may hold of its values: all that is neither known to be a name nor a path.
fn hide_generator(generator: &Node, hidden: &mut Vec<Span>) {
    const OPEN: [&str; 8] = [
        "name",
        "namespace",
        "behavior",
        "type",
        "options",
        "files",
        "env",
        "envs",
    ];
    for entry in generator.entries().unwrap_or_default() {
        if !OPEN.contains(&entry.key.as_str()) {
            hide_values(&entry.value, hidden);
        }
    }
}

/// Returns whether a mapping is an operation of a JSON patch on what a Secret or ConfigMap holds.
fn is_operation_on_data(node: &Node) -> bool {
    let path = node.find_text("path").unwrap_or_default();
    node.find_text("op").is_some() && (path.starts_with("/data") || path.starts_with("/stringData"))
}

/// Returns whether an entry of `patches` is one for a Secret, or may be.
fn is_patch_of_secret(entry: &Node, patch: &Node) -> bool {
    let text = patch.text().unwrap_or_default();
    let is_for_secret = match entry.find_text("target.kind") {
        Some(kind) => kind.contains("Secret"),
        None => text.contains("/data"),
    };
    is_for_secret || has_mark(text, &MARKS)
}

fn hide_values(node: &Node, hidden: &mut Vec<Span>) {
    match &node.content {
        Content::Scalar(scalar) if scalar.text.starts_with(SEALED) => {}
        Content::Scalar(_) => hidden.push(node.span),
        _ => {
            let entries = node.entries().unwrap_or_default().iter();
            entries.for_each(|entry| hide_values(&entry.value, hidden));
            let items = node.items().unwrap_or_default().iter();
            items.for_each(|item| hide_values(item, hidden));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: &str, text: &str) -> Option<String> {
        let file = SourceFile::new(path, text.as_bytes().to_vec());
        let source = veiled_source(&file, path);
        source.visible().map(str::to_owned)
    }

    #[test]
    fn values_of_secrets_are_not_shown() {
        let text = "kind: Secret\nmetadata:\n  name: a\ndata:\n  b: aHVudGVyMg==\nstringData: {c: hunter2, d: 'ENC[AES256_GCM,x]'}\n---\nkind: ConfigMap\ndata:\n  e: open\n";
        let shown = shown("a.yaml", text).unwrap();
        assert!(
            !shown.contains("hunter2") && !shown.contains("aHVu"),
            "{shown}"
        );
        assert!(shown.contains("ENC[") && shown.contains("open"), "{shown}");
    }

    #[test]
    fn what_makes_a_secret_is_not_shown() {
        let text = "secretGenerator:\n  - name: a\n    literals: [b=hunter2]\npatches:\n  - patch: |\n      kind: Secret\n      stringData:\n        b: hunter2\nconfigMapGenerator:\n  - name: c\n    literals: [d=open]\n";
        let shown = shown("kustomization.yaml", text).unwrap();
        assert!(
            !shown.contains("hunter2") && shown.contains("d=open"),
            "{shown}"
        );
    }

    #[test]
    fn a_file_that_nobody_can_read_shows_its_keys() {
        let shown = shown("a.yaml", "kind: Secret\nstringData:\n  a: hunter2\n b: [\n").unwrap();
        assert!(
            shown.contains("stringData") && !shown.contains("hunter2"),
            "{shown}"
        );
    }

    #[test]
    fn what_is_no_manifest_is_not_shown() {
        assert_eq!(shown("a.env", "A=hunter2\n"), None);
        assert_eq!(shown("a.sops.yaml", "a: hunter2\n"), None);
        assert!(shown("a.sops.yaml", "a: ENC[AES256_GCM,x]\n").is_some());
        assert_eq!(shown("a.yaml", "a: b\n").as_deref(), Some("a: b\n"));
    }
}

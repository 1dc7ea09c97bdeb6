//! What a rule leaves in plain text although it is a secret.

use std::sync::Arc;

use sops_age::{Content, Document, Leaf, Outline, is_covered};

use super::rules::Rule;
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use crate::tree::secret_manifest::{SecretManifest, SecretValue};
use crate::yaml::Node;

/// Lists what is wrong with how far a rule covers a file: nothing of it, or not all values of its Secrets.
///
/// Values are never shown.
pub(super) fn problems(source: &Arc<Source>, outline: &Outline, rule: &Rule) -> Vec<Diagnostic> {
    if let Some(problem) = covers_nothing(source, outline, rule) {
        return vec![problem];
    }
    let documents = outline.documents.iter();
    documents
        .flat_map(|document| plain_secrets(source, document, rule))
        .collect()
}

/// Finds a file that SOPS would call encrypted and in which every value can be read.
///
/// One whose covered values are all empty, or that has none at all, has nothing to hide.
fn covers_nothing(source: &Arc<Source>, outline: &Outline, rule: &Rule) -> Option<Diagnostic> {
    let mut values = outline.leaves().filter(|leaf| !leaf.is_comment());
    let covered = |leaf: &Leaf| is_covered(leaf, &rule.creation.scope);
    if outline.leaves().all(Leaf::is_comment) || values.any(covered) {
        return None;
    }
    let (path, key) = (&source.path, rule.creation.scope.selector.key());
    let message =
        format!("no value of `{path}` is encrypted: `{key}` of its rule leaves all in plain text");
    let mut roots = outline.documents.iter().filter_map(|one| one.root.as_ref());
    let first = roots.next().map(Node::first_line_span).unwrap_or_default();
    Some(
        Diagnostic::error("seal-covers-nothing", message)
            .at(source, first, "")
            .with_related(rule.scope_place.clone(), "by this rule")
            .with_hint(format!(
                "change `{key}`; if the file holds no secret, take `.sops.` out of its name, or narrow the `path_regex` that names it"
            )),
    )
}

/// Finds the Secrets of a document that keep a value in plain text.
fn plain_secrets(source: &Arc<Source>, document: &Document, rule: &Rule) -> Vec<Diagnostic> {
    let Some(root) = &document.root else {
        return Vec::new();
    };
    let in_plain: Vec<&Leaf> = document
        .leaves
        .iter()
        .filter(|leaf| !leaf.is_comment() && !is_covered(leaf, &rule.creation.scope))
        .filter(|leaf| matches!(leaf.content, Content::Value(_)))
        .collect();
    let mut problems = Vec::new();
    for secret in SecretManifest::all(root) {
        let mut open: Vec<(String, Span)> = Vec::new();
        for value in secret.values().filter(SecretValue::is_literal) {
            let route = secret.route.then(value.field).then(&*value.entry.key);
            if in_plain
                .iter()
                .any(|leaf| leaf.route.0.starts_with(&route.0))
            {
                let name = format!("`{}.{}`", value.field, value.entry.key);
                open.push((name, value.entry.key_span));
            }
        }
        if let Some((_, first)) = open.first() {
            problems.push(left_plain(source, rule, secret.name(), &open, *first));
        }
    }
    problems
}

fn left_plain(
    source: &Arc<Source>,
    rule: &Rule,
    name: &str,
    open: &[(String, Span)],
    first: Span,
) -> Diagnostic {
    let (path, key) = (&source.path, rule.creation.scope.selector.key());
    let keys: Vec<&str> = open.iter().map(|(name, _)| name.as_str()).collect();
    let message = format!(
        "`{key}` of its rule leaves {} of Secret `{name}` in `{path}` in plain text",
        keys.join(", ")
    );
    Diagnostic::error("seal-leaves-plain", message)
        .at(source, first, "")
        .with_related(rule.scope_place.clone(), "by this rule")
        .with_hint("`encrypted_regex: ^(data|stringData)$` covers all values of a Secret, and no selector at all covers the whole file")
}

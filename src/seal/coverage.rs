//! What a rule leaves in plain text although it is a secret.

use std::sync::Arc;

use sops_age::{Content, Document, Leaf, Outline, PlainFile, Scope, is_covered};

use super::report;
use super::rules::SealingRule;
use crate::diagnostic::Diagnostic;
use crate::seal::codes;
use crate::source::{Place, Source, Span};
use crate::tree::secret_manifest::{SecretManifest, SecretValue};
use crate::yaml::Node;

/// How far a file is encrypted.
pub(super) struct Extent<'e> {
    /// What is encrypted.
    pub(super) scope: &'e Scope,
    /// Whose scope this is, in words.
    pub(super) named: &'static str,
    /// Where it is written.
    pub(super) place: Option<&'e Place>,
}

impl<'e> Extent<'e> {
    /// Takes what a rule says.
    pub(super) fn of_rule(rule: &'e SealingRule) -> Self {
        Self {
            scope: &rule.creation.scope,
            named: "its rule",
            place: Some(&rule.scope_place),
        }
    }

    /// Refuses a file that cannot be sealed so far and no further, or of which a Secret would stay readable.
    pub(super) fn require(
        &self,
        source: &Arc<Source>,
        plain: &PlainFile,
    ) -> Result<(), Vec<Diagnostic>> {
        let mut found = report::unsealable(source, plain, self.scope);
        if let (true, Some(outline)) = (found.is_empty(), plain.outline()) {
            found = problems(&report::source_of(source), outline, self);
        }
        if found.is_empty() { Ok(()) } else { Err(found) }
    }

    fn at(&self, problem: Diagnostic) -> Diagnostic {
        match self.place {
            Some(place) => problem.with_related(place.clone(), "by this rule"),
            None => problem,
        }
    }
}

/// Lists what is wrong with how far a file is covered: nothing of it, or not all values of its Secrets.
///
/// Values are never shown.
pub(super) fn problems(
    source: &Arc<Source>,
    outline: &Outline,
    by: &Extent<'_>,
) -> Vec<Diagnostic> {
    if let Some(problem) = covers_nothing(source, outline, by) {
        return vec![problem];
    }
    let documents = outline.documents.iter();
    documents
        .flat_map(|document| plain_secrets(source, document, by))
        .collect()
}

/// Finds a file that SOPS would call encrypted and in which every value can be read.
///
/// One whose covered values are all empty, or that has none at all, has nothing to hide.
fn covers_nothing(source: &Arc<Source>, outline: &Outline, by: &Extent<'_>) -> Option<Diagnostic> {
    let mut values = outline.leaves().filter(|leaf| !leaf.is_comment());
    let covered = |leaf: &Leaf| is_covered(leaf, by.scope);
    if outline.leaves().all(Leaf::is_comment) || values.any(covered) {
        return None;
    }
    let (path, key) = (&source.path, by.scope.selector.key());
    let message = format!(
        "no value of `{path}` is encrypted: `{key}` of {} leaves all in plain text",
        by.named
    );
    let mut roots = outline.documents.iter().filter_map(|one| one.root.as_ref());
    let first = roots.next().map(Node::first_line_span).unwrap_or_default();
    let problem = Diagnostic::error(&codes::SEAL_COVERS_NOTHING, message).at(source, first, "");
    Some(
        by.at(problem)
            .with_hint(format!(
                "change `{key}`; if the file holds no secret, take `.sops.` out of its name, or narrow the `path_regex` that names it"
            )),
    )
}

/// Finds the Secrets of a document that keep a value in plain text.
fn plain_secrets(source: &Arc<Source>, document: &Document, by: &Extent<'_>) -> Vec<Diagnostic> {
    let Some(root) = &document.root else {
        return Vec::new();
    };
    let in_plain: Vec<&Leaf> = document
        .leaves
        .iter()
        .filter(|leaf| !leaf.is_comment() && !is_covered(leaf, by.scope))
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
            problems.push(left_plain(source, by, secret.name(), &open, *first));
        }
    }
    problems
}

fn left_plain(
    source: &Arc<Source>,
    by: &Extent<'_>,
    name: &str,
    open: &[(String, Span)],
    first: Span,
) -> Diagnostic {
    let (path, key) = (&source.path, by.scope.selector.key());
    let keys: Vec<&str> = open.iter().map(|(name, _)| name.as_str()).collect();
    let message = format!(
        "`{key}` of {} leaves {} of Secret `{name}` in `{path}` in plain text",
        by.named,
        keys.join(", ")
    );
    let problem = Diagnostic::error(&codes::SEAL_LEAVES_PLAIN, message).at(source, first, "");
    by.at(problem)
        .with_hint("`encrypted_regex: ^(data|stringData)$` covers all values of a Secret, and no selector at all covers the whole file")
}

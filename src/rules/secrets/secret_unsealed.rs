//! A Secret in a file that will not be sealed.

use std::sync::Arc;

use kustomize::{KUSTOMIZATION_FILES, join};

use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::rules::facts::is_open;
use crate::rules::judge::Judge;
use crate::rules::{Category, Facts, Rule};
use crate::source::{Place, Source, Span};
use crate::tree::File;
use crate::tree::output_path::split;
use crate::tree::reference::{is_ciphertext, is_reference};
use crate::tree::secret_manifest::{self, SecretManifest, SecretValue};
use crate::yaml::{self, Entry, Node};

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "secret-unsealed",
        summary: "Every Secret with values stands in a file that is sealed",
        text: "\
Encrypted are the files with `.sops.` in their name, and those that a creation rule names. A Secret with `data`
or `stringData` in any other file would be committed in plain text: base64 is no encryption. It is found in YAML
and JSON, as an item of a `List`, in a patch, and where a `secretGenerator` makes it of literals or of a file of the
tree.

Values that are empty, or that only refer to a secret, hold nothing and are fine; docs/sealing.md lists the
references. A Secret that is public all the same can be exempt, with a reason:

    [[exempt]]
    rule = \"secret-unsealed\"
    name = \"public\"
    reason = \"It holds a certificate and no key\"",
    },
    category: Category::Access,
    severity: Some(Severity::Error),
    weight: 0,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    for mut finding in open_secrets(judge.facts) {
        // Flux takes it, and whether the repository may hold it is for its owner to say.
        if !judge.facts.measures.seals {
            finding.severity = Severity::Warning;
        }
        judge.report(finding);
    }
}

fn open_secrets(facts: &Facts<'_>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let files = facts.files.values().copied();
    for file in files.filter(|file| is_open(file)) {
        let documents = facts.documents(file);
        for document in documents.iter() {
            let secrets = SecretManifest::all(&document.root);
            let plain = secrets.iter().filter_map(|secret| {
                let value = secret.literal()?;
                Some(unsealed(file, secret, value))
            });
            problems.extend(plain);
            for (generator, kind) in generators(&document.root, file) {
                problems.extend(generated(facts, file, generator, kind));
            }
            problems.extend(patched(facts, file, &document.root));
        }
    }
    problems
}

fn unsealed(file: &File, secret: &SecretManifest<'_>, value: SecretValue<'_>) -> Diagnostic {
    let message = format!(
        "Secret `{}` has values, but `{}` will not be sealed",
        secret.name(),
        file.path
    );
    let field = secret.node.entry(value.field);
    let span = field.map_or(value.entry.key_span, |field| field.key_span);
    let (_, name) = split(&file.path);
    let sealed = name.rsplit_once('.').map_or_else(
        || format!("{name}.sops.yaml"),
        |(stem, _)| format!("{stem}.sops.yaml"),
    );
    hidden_at(message, file, span)
        .with_hint(format!("name the file `{sealed}`"))
        .with_hint("or have a rule of `.sops.yaml` name it: by a `path_regex` that matches it, and no file that Kustomize, Flux or Talos reads in plain text")
}

/// Reports at a place of which no line may be shown.
fn hidden_at(message: String, file: &File, span: Span) -> Diagnostic {
    let hidden =
        |source: &Arc<Source>| Source::sensitive(source.path.as_str(), source.text.as_ref());
    let place = Place::new(&hidden(&file.source), span);
    let problem = Diagnostic::error(&RULE.meaning, message).at_place(place, "");
    match file.template_place(span.start) {
        Some(template) => problem.with_related(
            Place::new(&hidden(&template.source), template.span),
            "rendered from here",
        ),
        None => problem,
    }
}

/// Lists what makes Secrets in a kustomization, or in a file that one lists below `generators`.
fn generators<'n>(root: &'n Node, file: &File) -> Vec<(&'n Node, &'static str)> {
    let (_, name) = split(&file.path);
    if KUSTOMIZATION_FILES.contains(&name) {
        let items = root.get("secretGenerator").and_then(Node::items);
        let items = items.unwrap_or_default().iter();
        return items.map(|item| (item, "secretGenerator")).collect();
    }
    let is_generator = root.find_text("kind") == Some("SecretGenerator")
        && root.find_text("apiVersion") == Some("builtin");
    Vec::from_iter(is_generator.then_some((root, "SecretGenerator")))
}

/// Reports each field of a generator that holds values, or names a file of the tree that does.
fn generated(facts: &Facts<'_>, file: &File, generator: &Node, kind: &str) -> Vec<Diagnostic> {
    let name = generator.find_text("name").unwrap_or_default();
    let mut problems = Vec::new();
    if let Some(entry) = generator.entry("literals")
        && texts(entry).any(|(text, _)| is_literal(after_sign(text)))
    {
        let message = format!(
            "{kind} `{name}` has values in `literals`, but `{}` will not be sealed",
            file.path
        );
        problems.push(hidden_at(message, file, entry.key_span));
    }
    let (folder, _) = split(&file.path);
    for field in ["envs", "env", "files"] {
        for (written, span) in generator.entry(field).into_iter().flat_map(texts) {
            let path = match field {
                "files" => written.split_once('=').map_or(written, |(_, path)| path),
                _ => written,
            };
            let input = join(folder, path).and_then(|path| facts.files.get(path.as_str()));
            let Some(input) = input.filter(|input| is_open(input)) else {
                continue;
            };
            let text = &*input.source.text;
            let tells = match field {
                "files" => is_literal(text) && !is_sealed(text),
                _ => env_values(text).any(is_literal),
            };
            if tells {
                let message = format!(
                    "{kind} `{name}` takes values from `{}`, which will not be sealed",
                    input.path
                );
                problems.push(hidden_at(message, file, span));
            }
        }
    }
    let hint =
        "write a Secret with these values in a `*.sops.yaml` file, and list that in `resources`";
    problems
        .into_iter()
        .map(|problem| problem.with_hint(hint))
        .collect()
}

/// Reports the patches in a kustomization, a Flux Kustomization or a HelmRelease that set values of Secrets.
fn patched(facts: &Facts<'_>, file: &File, root: &Node) -> Vec<Diagnostic> {
    let renderers = root.find("spec.postRenderers").and_then(Node::items);
    let renderers = renderers.unwrap_or_default().iter();
    let holders = renderers.filter_map(|one| one.get("kustomize"));
    let holders = [Some(root), root.get("spec")]
        .into_iter()
        .flatten()
        .chain(holders);
    let mut problems = Vec::new();
    for holder in holders {
        for field in ["patches", "patchesJson6902", "patchesStrategicMerge"] {
            let items = holder.get(field).and_then(Node::items).unwrap_or_default();
            for item in items {
                let kind = item.find_text("target.kind");
                let by_itself = item.get("patch").unwrap_or(item).text();
                // A part of a manifest in a file is found there, whoever names it.
                let in_file = item.find_text("path").and_then(|path| {
                    let patch = facts.files.get(join(split(&file.path).0, path)?.as_str())?;
                    let is_list = |one: &yaml::Document| one.root.items().is_some();
                    let lists = patch.documents.iter().all(is_list) && is_open(patch);
                    lists.then_some(&*patch.source.text)
                });
                let mut texts = by_itself.into_iter().chain(in_file);
                if texts.any(|text| sets_secret(text, kind)) {
                    let message = format!(
                        "a patch sets values of a Secret, but `{}` will not be sealed",
                        file.path
                    );
                    problems.push(
                        hidden_at(message, file, item.first_line_span())
                            .with_hint("write the values into a Secret in a `*.sops.yaml` file"),
                    );
                }
            }
        }
    }
    problems
}

/// Returns whether a patch sets a value of a Secret: a part of a manifest, or a list of operations on its target.
fn sets_secret(patch: &str, kind: Option<&str>) -> bool {
    let documents = yaml::load(patch).unwrap_or_default();
    documents.iter().any(|document| {
        let root = &document.root;
        let Some(operations) = root.items() else {
            return SecretManifest::all(root)
                .iter()
                .any(|secret| secret.literal().is_some());
        };
        kind == Some("Secret") && operations.iter().any(sets_value)
    })
}

fn sets_value(operation: &Node) -> bool {
    let path = operation.find_text("path").unwrap_or_default();
    let field = path.split('/').nth(1).unwrap_or_default();
    let Some(value) = operation
        .get("value")
        .filter(|_| ["data", "stringData"].contains(&field))
    else {
        return false;
    };
    let literal = |value: &Node| secret_manifest::is_literal(field, value);
    match value.entries() {
        Some(entries) => entries.iter().any(|entry| literal(&entry.value)),
        None => literal(value),
    }
}

/// Lists the texts of a list, or the one text that stands in its place.
fn texts(entry: &Entry) -> impl Iterator<Item = (&str, Span)> {
    let items = entry.value.items();
    items
        .unwrap_or_else(|| std::slice::from_ref(&entry.value))
        .iter()
        .filter_map(|item| Some((item.text()?, item.span)))
}

/// Returns the value of `KEY=value`, without the quotes that kustomize takes away; empty where there is none.
fn after_sign(text: &str) -> &str {
    let value = text.split_once('=').map_or("", |(_, value)| value.trim());
    ['"', '\'']
        .into_iter()
        .find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote))
        .unwrap_or(value)
}

/// Lists the values of an env file, without what SOPS adds to one.
fn env_values(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().map(str::trim_start);
    lines
        .filter(|line| !line.starts_with('#') && !line.starts_with("sops_"))
        .map(after_sign)
}

fn is_literal(text: &str) -> bool {
    !text.trim().is_empty() && !is_reference(text)
}

/// Returns whether a whole file is one that SOPS sealed.
fn is_sealed(text: &str) -> bool {
    let words = text.split(|sign: char| sign.is_whitespace() || "\"'".contains(sign));
    text.contains("sops") && words.into_iter().any(is_ciphertext)
}

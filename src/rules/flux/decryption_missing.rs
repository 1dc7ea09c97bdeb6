//! Sealed objects that Flux is not told to open.

use std::collections::BTreeMap;

use kustomize::Field;

use crate::diagnostic::{Diagnostic, Meaning, Severity};
use crate::flux::KustomizationBuild;
use crate::flux::builds::Member;
use crate::rules::judge::Judge;
use crate::rules::subject::JudgedSubject;
use crate::rules::{Category, Facts, Rule};
use crate::tree::{File, is_secret_path};

/// How many sealed objects are pointed at.
const SHOWN: usize = 3;

/// The Secret with the key, where nothing else in the tree names one.
const KEY: &str = "sops-age";

pub(in crate::rules) const RULE: Rule = Rule {
    meaning: Meaning {
        code: "decryption-missing",
        summary: "Every Kustomization that applies sealed objects decrypts them",
        text: "\
Flux opens what SOPS has sealed only where the Kustomization says so in `spec.decryption`. Without it, Flux refuses a
sealed Secret and with it the whole Kustomization; other kinds would get the ciphertext. Each Kustomization needs its
own: it does not inherit that of the one which applies it, but a patch of that one may add it.

    spec:
      decryption:
        provider: sops
        secretRef: {name: sops-age}",
    },
    category: Category::Flux,
    severity: Some(Severity::Error),
    weight: 3,
    remedy: None,
    judge,
};

fn judge(judge: &mut Judge<'_, '_>) {
    let facts = judge.facts;
    let mut sealed: BTreeMap<usize, Vec<&Member<'_>>> = BTreeMap::new();
    for member in &facts.builds.members {
        if is_sealed(facts, member) {
            sealed.entry(member.build).or_default().push(member);
        }
    }
    for (index, members) in sealed {
        let Some(build) = facts.builds.applied.builds.get(index) else {
            continue;
        };
        let Some(flux) = build.kustomization() else {
            continue;
        };
        let name = flux.find(&["metadata", "name"]).unwrap_or(flux);
        let mut subject = JudgedSubject::named(label(build));
        subject.names = vec![(build.owner.namespace.clone(), build.owner.name.clone())];
        subject.place = facts.builds.place(name.place());
        let provider = flux.find_text(&["spec", "decryption", "provider"]);
        let findings = match provider {
            Some("sops") => Vec::new(),
            _ => vec![missing(facts, build, name, &members)],
        };
        judge.found(subject, findings);
    }
}

/// Returns whether an object reaches Flux as SOPS sealed it, or is made of a sealed file.
fn is_sealed(facts: &Facts<'_>, member: &Member<'_>) -> bool {
    if member.find("sops").is_some() || (member.written.is_some() && member.is_secret()) {
        return true;
    }
    let is_sealed_file = |field: &Field| {
        let path = &field.place().file.path;
        let file = facts.builds.files.output(path);
        file.map_or_else(|| is_secret_path(path), File::is_secret)
    };
    let values = member.find("data").and_then(Field::entries);
    let mut values = values.into_iter().flatten();
    member.is("", "Secret") && values.any(|entry| is_sealed_file(&entry.value))
}

fn missing(
    facts: &Facts<'_>,
    build: &KustomizationBuild,
    name: &Field,
    members: &[&Member<'_>],
) -> Diagnostic {
    let (what, them) = match members {
        [only] => (format!("`{}`, which is sealed", only.label()), "it"),
        many => (format!("{} sealed objects", many.len()), "them"),
    };
    let message = format!(
        "`{}` applies {what}, and does not say how to open {them}",
        label(build)
    );
    let mut error = facts.at_field(Diagnostic::error(&RULE.meaning, message), name);
    for member in members.iter().take(SHOWN) {
        error = error.with_related(member.name_place(), "this is sealed");
    }
    let key = facts.builds.applied.builds.iter().find_map(|build| {
        let flux = build.kustomization()?;
        flux.find_text(&["spec", "decryption", "secretRef", "name"])
    });
    error.with_hint(format!(
        "add `decryption: {{provider: sops, secretRef: {{name: {}}}}}` to its `spec`",
        key.unwrap_or(KEY)
    ))
}

fn label(build: &KustomizationBuild) -> String {
    format!("Kustomization/{}", build.owner)
}

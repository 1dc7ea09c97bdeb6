//! What Flux applies of small trees: where it starts, what it builds, and what it is given.

mod build_memory;
mod follow;
mod output_base;
mod resource_sets;
mod roots;
mod sources;
mod variables;

use kiln::flux::{AppliedObjects, FollowOptions, TreeFiles, follow};
use kiln::source::MemoryFiles;

use crate::support::FLUX_INSTANCE;

/// Makes files of texts by path.
fn memory(files: &[(&str, &str)]) -> MemoryFiles {
    let bytes = |text: &&str| text.as_bytes().to_vec();
    MemoryFiles(
        files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), bytes(text)))
            .collect(),
    )
}

/// Follows Flux through files.
fn applied(files: &[(&str, &str)]) -> AppliedObjects {
    applied_with(files, &FollowOptions::default())
}

fn applied_with(files: &[(&str, &str)], options: &FollowOptions<'_>) -> AppliedObjects {
    let memory = memory(files);
    let tree = TreeFiles::of_repository(&memory, "").unwrap();
    follow(&tree, options)
}

/// Lists what is applied: owner, kind, namespace and name.
fn listed(applied: &AppliedObjects) -> Vec<String> {
    let line = |object: &kiln::flux::AppliedObject| {
        let owner = &applied.build_of(object).owner;
        format!("{} {} {}", owner.name, object.kind(), object.key())
    };
    applied.objects.iter().map(line).collect()
}

/// Lists the problems: code, place, message.
fn problems(applied: &AppliedObjects) -> Vec<String> {
    let line = |problem: &kiln::flux::FluxProblem| {
        let place = problem.place.as_ref().map(|place| format!("{place:?}"));
        let place = place.unwrap_or_default();
        format!("{} {place} {}", problem.meaning.code, problem.message)
    };
    applied.problems.iter().map(line).collect()
}

/// Lists what is not seen: what and why.
fn unseen(applied: &AppliedObjects) -> Vec<String> {
    let line = |part: &kiln::flux::UnseenPart| format!("{}: {}", part.what, part.why);
    applied.unseen.iter().map(line).collect()
}

/// Returns the JSON of the one object of a kind and name.
fn object(applied: &AppliedObjects, kind: &str, name: &str) -> serde_json::Value {
    let mut found = applied
        .objects
        .iter()
        .filter(|object| object.kind() == kind && object.key().name == name);
    let object = found.next().unwrap_or_else(|| {
        panic!(
            "no {kind} {name} in {:?}, {:?}",
            listed(applied),
            problems(applied)
        )
    });
    assert!(found.next().is_none(), "more than one {kind} {name}");
    object.field.to_json()
}

/// Writes a Flux Kustomization of `flux-system`; `more` are lines of its spec.
fn kustomization(name: &str, path: &str, more: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: \
         {{name: {name}, namespace: flux-system}}\nspec:\n  path: {path}\n  prune: true\n  \
         sourceRef: {{kind: GitRepository, name: flux-system}}\n{more}"
    )
}

/// Writes a ConfigMap with a value.
fn config_map(name: &str, value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata:\n  x: {value}\n")
}

//! What Flux applies, by Flux' own packages and by `kiln build`: the same objects of the same owners.

/// The two answers beside each other.
mod comparison;
/// The maintainers' run over public trees.
mod trees;

use std::process::Command;

use serde::Deserialize;
use serde_json::Value;

use super::flux::{OwnedObject, build_example};
use super::nodes::example_with_nodes;
use comparison::compare;

/// The answer of `kiln build -o json`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KilnBuild {
    objects: Vec<RootedObject>,
    not_seen: Vec<UnseenPart>,
    refused: Vec<RefusedBuild>,
}

/// An object, with the cluster that it is of.
#[derive(Deserialize)]
struct RootedObject {
    /// `Kustomization/NAMESPACE/NAME`.
    owner: String,
    /// The folder that the cluster starts from; empty where there is only one.
    root: String,
    object: Value,
}

/// A part that the tree does not tell of.
#[derive(Deserialize)]
struct UnseenPart {
    what: String,
    why: String,
}

/// A build that Kiln refuses.
#[derive(Deserialize)]
struct RefusedBuild {
    owner: Option<String>,
}

impl KilnBuild {
    /// Reads what a run of `kiln build -o json` prints.
    fn run(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let answer = serde_json::from_slice(&output.stdout);
        let answer: Self = answer.unwrap_or_else(|error| {
            panic!("{error}: {}", String::from_utf8_lossy(&output.stderr));
        });
        let code = i32::from(!answer.refused.is_empty());
        assert_eq!(output.status.code(), Some(code), "{command:?}");
        answer
    }

    /// Returns the objects of a cluster.
    fn of_root(&self, root: &str) -> Vec<OwnedObject> {
        let of_root = self.objects.iter().filter(|object| object.root == root);
        let owned = of_root.map(|object| OwnedObject {
            owner: without_kind(&object.owner),
            object: object.object.clone(),
        });
        owned.collect()
    }
}

fn without_kind(owner: &str) -> String {
    owner
        .strip_prefix("Kustomization/")
        .unwrap_or(owner)
        .to_owned()
}

/// Holds what Kiln builds of a rendered example against what Flux builds of it.
fn judge_example(name: &str) {
    for count in [1, 3] {
        let sandbox = example_with_nodes(name, count);
        sandbox.kiln(&["render", "--keygen"]).success();
        let Some(flux) = build_example(&sandbox) else {
            return;
        };
        let mut command = sandbox.command();
        let kiln = KilnBuild::run(command.args(["build", "--show-secrets", "-o", "json"]));
        let compared = compare(&flux.objects, &kiln.of_root(""));
        let told = compared.differences.iter().map(ToString::to_string);
        let told: Vec<String> = told.take(20).collect();
        assert!(
            told.is_empty(),
            "{name} with {count} nodes: {} objects differ:\n{}",
            compared.differences.len(),
            told.join("\n")
        );
        assert_eq!(compared.common, flux.objects.len());
        assert!(compared.common > 50, "{name}: {}", compared.common);
        assert!(kiln.refused.is_empty() && flux.refused.is_empty());
        let unseen: Vec<&str> = kiln
            .not_seen
            .iter()
            .map(|part| part.what.as_str())
            .collect();
        assert_eq!(unseen.len(), flux.not_seen.len(), "{unseen:?}");
    }
}

#[test]
fn kiln_builds_the_full_example_as_flux_does() {
    judge_example("full");
}

#[test]
fn kiln_builds_the_homelab_example_as_flux_does() {
    judge_example("homelab");
}

#[test]
fn kiln_builds_the_production_example_as_flux_does() {
    judge_example("production");
}

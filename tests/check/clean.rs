//! A sound tree stays silent, and kustomize agrees with how Kiln puts trees together.

use std::collections::BTreeSet;
use std::process::Command;

use kiln::check::{Gate, check};
use kiln::flux::TreeFiles;
use kiln::flux::builds::{Builds, Start};
use kiln::harden::harden;

use crate::harden::{self, trees};
use crate::support::Yardstick;

#[test]
fn the_checks_are_silent_about_hardened_trees() {
    for case in [
        "pod-security/levels",
        "priority-class/tiers",
        "priority-class/defined-by-the-tree",
    ] {
        let folder = trees::fixtures("harden").join(case);
        let (apps, policy, exempt) = harden::case(&folder);
        let tree = trees::tree(&trees::texts(&folder.join("in")), apps);
        let profiles = harden::profiles();
        let yardstick = Yardstick::new(&profiles)
            .with_policy(policy)
            .with_exemptions(exempt);
        let measures = yardstick.measures();
        let hardened = harden(tree, measures).unwrap().value;
        let warnings = match check(hardened, measures, &Gate::default()) {
            Ok(done) => done.warnings,
            Err(problems) => problems,
        };
        assert!(warnings.is_empty(), "{case}: {}", trees::told(&warnings));
    }
}

/// Kind, namespace and name of what `kubectl kustomize` builds from a folder.
fn kustomized(folder: &std::path::Path) -> Option<BTreeSet<String>> {
    let output = Command::new("kubectl")
        .arg("kustomize")
        .arg(folder)
        .output()
        .ok()?;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let documents = kiln::yaml::load(&String::from_utf8(output.stdout).unwrap()).unwrap();
    let text =
        |root: &kiln::yaml::Node, route: &str| root.find_text(route).unwrap_or_default().to_owned();
    let object = |root| {
        format!(
            "{}/{}/{}",
            text(root, "kind"),
            text(root, "metadata.namespace"),
            text(root, "metadata.name")
        )
    };
    Some(
        documents
            .iter()
            .map(|document| object(&document.root))
            .collect(),
    )
}

#[test]
fn kustomize_builds_the_same_objects_in_the_same_namespaces() {
    let folder = trees::fixtures("check").join("kustomize/in");
    let texts = trees::texts(&folder);
    let files: Vec<_> = texts
        .iter()
        .map(|(path, text)| trees::file(path, text))
        .collect();
    let applied_files = TreeFiles::of_tree(files.iter());
    let builds = Builds::of(&applied_files);
    let mut compared = 0;
    for (index, build) in builds.builds.iter().enumerate() {
        if !matches!(build.start, Start::Sync | Start::Unreached) {
            continue;
        }
        let Some(expected) = kustomized(&folder.join(&build.folder)) else {
            eprintln!("SKIPPED: kubectl is not installed");
            assert!(std::env::var_os("CI").is_none(), "CI must have kubectl");
            return;
        };
        let found: BTreeSet<String> = builds
            .members
            .iter()
            .filter(|member| member.build == index)
            .map(|member| {
                format!(
                    "{}/{}/{}",
                    member.kind(),
                    member.namespace_name(),
                    member.name
                )
            })
            .collect();
        assert_eq!(found, expected, "{}", build.folder);
        compared += expected.len();
    }
    assert!(compared >= 8, "only {compared} objects were compared");
}

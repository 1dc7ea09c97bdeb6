//! A tree that never heard of Kiln, in the layout that makejinja projects have: what hardening adds to it,
//! what it says, and what it leaves open, as its owner would read it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use kiln::check::{Gate, check};

use super::{changed, gaps, hardened, hardened_from, injections, outputs, profiles, trees};
use crate::support::{ExpectedFiles, Yardstick, oracle};

#[test]
fn a_foreign_tree_gains_what_its_owner_would_accept() {
    let folder = trees::fixtures("harden").join("foreign-tree");
    let given = trees::texts(&folder.join("in"));
    let done = hardened(&folder).unwrap_or_else(|problems| panic!("{}", trees::told(&problems)));
    let after = outputs(&done.value);
    let mut expected = ExpectedFiles::new();
    expected.compare_tree(&folder.join("out"), &changed(&given, after.clone()));
    for (path, before) in &given {
        assert!(keeps_lines(before, &after[path]), "{path} lost a line");
        if path.contains(".sops.") {
            assert_eq!(after.get(path), Some(before), "{path} is sealed");
        }
    }
    expected.compare(&folder.join("injections.txt"), &injections(&done.value));
    expected.compare(&folder.join("gaps.txt"), &gaps(&done.value));
    let again = hardened_from(&folder, &after).unwrap();
    assert_eq!(outputs(&again.value), after);
    builds(&after);
    let profiles = profiles();
    let yardstick = Yardstick::new(&profiles);
    let mut problems = done.warnings;
    match check(done.value, yardstick.measures(), &Gate::default()) {
        Ok(checked) => problems.extend(checked.warnings),
        Err(found) => problems.extend(found),
    }
    expected.compare(&folder.join("findings.txt"), &trees::told(&problems));
    expected.assert();
}

/// Returns whether every line is still there, in order; what stands in braces may have grown.
fn keeps_lines(before: &str, after: &str) -> bool {
    let mut lines = after.lines();
    before
        .lines()
        .all(|line| lines.any(|kept| kept == line || (line.contains('{') && grown(line, kept))))
}

fn grown(line: &str, kept: &str) -> bool {
    let mut left = kept.chars();
    line.chars().all(|char| left.any(|other| other == char))
}

/// Asks kustomize to build each folder of the tree.
fn builds(texts: &BTreeMap<String, String>) {
    let Some(kubectl) = oracle("kubectl") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in texts {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    for path in texts
        .keys()
        .filter(|path| path.ends_with("/kustomization.yaml"))
    {
        let built = folder.path().join(path);
        let output = Command::new(&kubectl)
            .arg("kustomize")
            .arg(built.parent().unwrap_or(Path::new(".")))
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{path}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

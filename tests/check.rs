//! Checks: a folder of trees for each check.
//!
//! A case is `tests/check/<check>/<case>/` with the tree in `in/`, what all checks say about it in
//! `findings.txt`, and secret values by origin in `secrets.yaml`. `KILN_BLESS=1` writes the findings.

mod clean;

use std::path::Path;

use kiln::check::{CHECKS, check};
use kiln::diagnostic::Diagnostic;
use kiln::harden::{Policy, harden};
use kiln::secret::Secrets;
use kiln::workload::Profiles;
use kiln::yaml;

use crate::harden::trees;

fn secrets(folder: &Path) -> Secrets {
    let text = std::fs::read_to_string(folder.join("secrets.yaml")).unwrap_or_default();
    let mut secrets = Secrets::default();
    for document in yaml::load(&text).unwrap() {
        for entry in document.root.entries().unwrap_or_default() {
            secrets.insert(entry.value.text().unwrap(), entry.key.as_str());
        }
    }
    secrets
}

/// What the checks say about a tree that nobody hardened.
fn findings(folder: &Path) -> Vec<Diagnostic> {
    let policy = Policy {
        enabled: false,
        ..Policy::default()
    };
    let rendered = trees::tree(&trees::texts(&folder.join("in")), Vec::new());
    let hardened = harden(rendered, &Profiles::default(), &policy)
        .unwrap()
        .value;
    match check(hardened, &secrets(folder)) {
        Ok(done) => done.warnings,
        Err(problems) => problems,
    }
}

#[test]
fn every_check_finds_what_its_fixtures_show() {
    let mut wrong = Vec::new();
    for check in CHECKS {
        let cases = trees::folders(&trees::fixtures("check").join(check.code));
        assert!(!cases.is_empty(), "check `{}` has no fixture", check.code);
        let mut fired = false;
        for folder in cases {
            let problems = findings(&folder);
            fired |= problems.iter().any(|problem| problem.code == check.code);
            for problem in problems.iter().filter(|problem| problem.code == check.code) {
                assert_eq!(problem.severity, check.severity, "{}", check.code);
            }
            trees::compare(
                &folder.join("findings.txt"),
                &trees::told(&problems),
                &mut wrong,
            );
        }
        assert!(
            fired,
            "no fixture makes check `{}` find something",
            check.code
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_finding_shows_a_secret() {
    for check in ["secret-leak", "secret-unsealed", "sealed-empty"] {
        for folder in trees::folders(&trees::fixtures("check").join(check)) {
            let problems = findings(&folder);
            let told = format!("{}{problems:?}", trees::told(&problems));
            for word in ["swordfish", "c3dvcmRmaXNo", "s3cr", "second line"] {
                assert!(!told.contains(word), "{}: {told}", folder.display());
            }
        }
    }
}

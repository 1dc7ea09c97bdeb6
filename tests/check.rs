//! Checks: a folder of trees for each check.
//!
//! A case is `tests/check/<check>/<case>/` with the tree in `in/`, what all checks say about it in
//! `findings.txt`, what differs with other secrets in `other/`, exemptions in `exempt.yaml`, and chart
//! profiles in `charts/`. The templates of a case with a file `of-the-catalogue` are those of the built-in
//! catalogue.

mod clean;
mod faults;

use std::collections::BTreeMap;
use std::path::Path;

use kiln::charts::Profiles;
use kiln::check::{Gate, check};
use kiln::diagnostic::Diagnostic;
use kiln::harden::harden;
use kiln::rules::{self, Leak, Policy, Rule, find_leaks};
use kiln::source::Source;
use kiln::tree::{File, OpenPart, Origin, Rendered, Tree};
use kiln::workload::Exemption;
use kiln::yaml;

use crate::harden::trees;
use crate::support::{ExpectedFiles, Yardstick};

/// What is open and differs when secrets do.
fn leaks(folder: &Path) -> Vec<Leak> {
    let texts = trees::texts(&folder.join("in"));
    let mut others = texts.clone();
    others.extend(trees::texts(&folder.join("other")));
    let open_part = |file: &File| {
        let text = if file.is_secret() {
            ""
        } else {
            &file.source.text
        };
        OpenPart::whole(text)
    };
    let mut leaks = find_leaks(&tree(folder, &texts), &tree(folder, &others), &open_part);
    for leak in &mut leaks {
        leak.origins.insert("dns.token".to_owned());
    }
    leaks
}

fn exemptions(folder: &Path) -> Vec<Exemption> {
    let text = std::fs::read_to_string(folder.join("exempt.yaml")).unwrap_or_default();
    let setting = |item: &yaml::Node, key: &str| item.find_text(key).map(str::to_owned);
    let every = || "*".to_owned();
    let documents = yaml::load(&text).unwrap();
    let items = documents
        .iter()
        .flat_map(|document| document.root.items().unwrap_or_default());
    items
        .map(|item| Exemption {
            code: setting(item, "rule").unwrap(),
            namespace: setting(item, "namespace").unwrap_or_else(every),
            name: setting(item, "name").unwrap_or_else(every),
            path: setting(item, "path"),
            reason: "For the test".to_owned(),
            place: None,
        })
        .collect()
}

fn rendered(folder: &Path) -> Tree<Rendered> {
    tree(folder, &trees::texts(&folder.join("in")))
}

fn tree(folder: &Path, texts: &BTreeMap<String, String>) -> Tree<Rendered> {
    let ours = folder.join("of-the-catalogue").is_file();
    let files = texts.iter().map(|(path, text)| {
        let mut file = trees::file(path, text);
        for origin in file.origins.iter_mut().filter(|_| ours) {
            if let Origin::Template { template, .. } = origin {
                *template = Source::new(format!("catalogue:{}", template.path), text.as_str());
            }
        }
        file
    });
    Tree::rendered(files, Vec::new())
}

/// What the checks say about a tree that nobody hardened.
fn findings(folder: &Path) -> Vec<Diagnostic> {
    let policy = Policy {
        enabled: false,
        ..Policy::default()
    };
    let charts: Vec<(String, String)> = trees::texts(&folder.join("charts")).into_iter().collect();
    let profiles = Profiles::load(Vec::new(), &charts)
        .unwrap_or_else(|problems| panic!("{}", trees::told(&problems)));
    let mut yardstick = Yardstick::new(&profiles)
        .with_policy(policy)
        .with_exemptions(exemptions(folder));
    yardstick.leaks = leaks(folder);
    let measures = yardstick.measures();
    let hardened = harden(rendered(folder), measures).unwrap().value;
    match check(hardened, measures, &Gate::default()) {
        Ok(done) => done.warnings,
        Err(problems) => problems,
    }
}

/// The rules that `check` asks.
pub(crate) fn checked() -> impl Iterator<Item = &'static Rule> {
    rules::all().filter(|rule| rule.is_checked())
}

#[test]
fn every_check_finds_what_its_fixtures_show() {
    let mut expected = ExpectedFiles::new();
    for check in checked() {
        let cases = trees::folders(&trees::fixtures("check").join(check.meaning.code));
        assert!(
            !cases.is_empty(),
            "check `{}` has no fixture",
            check.meaning.code
        );
        let mut worst = false;
        for folder in cases {
            let problems = findings(&folder);
            for problem in problems
                .iter()
                .filter(|problem| problem.code() == check.meaning.code)
            {
                assert!(
                    Some(problem.severity) <= check.severity,
                    "{}",
                    check.meaning.code
                );
                worst |= Some(problem.severity) == check.severity;
            }
            expected.compare(&folder.join("findings.txt"), &trees::told(&problems));
        }
        assert!(
            worst,
            "no fixture makes check `{}` find something as bad as it can",
            check.meaning.code
        );
    }
    expected.assert();
}

#[test]
fn what_is_refused_is_found_as_its_fixtures_show() {
    let mut expected = ExpectedFiles::new();
    for code in ["flux-path", "resource-missing", "duplicate-object"] {
        let mut found = false;
        for folder in trees::folders(&trees::fixtures("check").join(code)) {
            let problems = findings(&folder);
            found |= problems.iter().any(|problem| problem.code() == code);
            let told = trees::told(&problems);
            expected.compare(&folder.join("findings.txt"), &told);
        }
        assert!(found, "no fixture shows `{code}`");
    }
    expected.assert();
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

//! Hardening: edits, profiles, and a folder of trees for each rule.
//!
//! A case is `tests/harden/<rule>/<case>/` with the tree in `in/`, the files that change or come new
//! in `out/`, the findings in `findings.txt`, the record in `injections.txt`, and apps and policy in
//! `case.yaml`; profiles of its own in `charts/`.

mod catalogue;
mod codes;
mod coverage;
mod custom_resources;
mod edits;
mod foreign;
mod full;
mod layouts;
mod measured;
mod pod_security;
mod pod_security_standard;
mod profiles;
mod record;
mod security_context;
pub(crate) mod trees;
mod twice;
mod unseen;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use kiln::charts::Profiles;
use kiln::diagnostic::StageResult;
use kiln::harden::harden;
use kiln::pod_security::{Level, Version};
use kiln::rules::{ClosedNamespaces, DefaultResources, Policy, REMEDIES};
use kiln::tree::{App, Hardened, Tree};
use kiln::workload::Exemption;
use kiln::yaml::{self, Node};

use crate::support::{ExpectedFiles, Yardstick};

/// The profiles that come with Kiln.
pub(crate) fn profiles() -> Profiles {
    profiles_with(&[])
}

fn profiles_with(own: &[(String, String)]) -> Profiles {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/charts");
    let texts = trees::texts(&folder).into_iter();
    let texts = texts.map(|(path, text)| (path, text.into())).collect();
    Profiles::load(texts, own).unwrap_or_else(|problems| panic!("{}", trees::told(&problems)))
}

fn setting(node: &Node, key: &str) -> String {
    node.find_text(key).unwrap_or_default().to_owned()
}

fn list<'n>(node: Option<&'n Node>, key: &str) -> &'n [Node] {
    node.and_then(|node| node.get(key))
        .and_then(Node::items)
        .unwrap_or_default()
}

/// Reads `case.yaml`: `apps: [{namespace, name, tier}]`, `exempt`, `podSecurity: {namespace: level}`,
/// `resources: {cpu, memory, limit}`, `networkPolicies: true` or a list, and `only: <rule>`, which
/// exempts everything from all others.
pub(crate) fn case(folder: &Path) -> (Vec<App>, Policy, Vec<Exemption>) {
    let text = std::fs::read_to_string(folder.join("case.yaml")).unwrap_or_default();
    let documents = yaml::load(&text).unwrap();
    let root = documents.first().map(|document| &document.root);
    let apps = list(root, "apps").iter().map(|app| App {
        when: None,
        name: setting(app, "name"),
        namespace: setting(app, "namespace"),
        summary: String::new(),
        tier: setting(app, "tier"),
        needs: Vec::new(),
        enabled: true,
    });
    let exempt = list(root, "exempt").iter().map(|exemption| Exemption {
        code: setting(exemption, "rule"),
        namespace: setting(exemption, "namespace"),
        name: setting(exemption, "name"),
        reason: setting(exemption, "reason"),
        place: None,
        path: None,
    });
    let only = root.and_then(|root| root.find_text("only"));
    let others = REMEDIES
        .iter()
        .filter(|rule| only.is_some_and(|only| only != rule.meaning.code));
    let others = others.map(|rule| Exemption {
        code: rule.meaning.code.to_owned(),
        namespace: "*".to_owned(),
        name: "*".to_owned(),
        reason: "the case is about another rule".to_owned(),
        place: None,
        path: None,
    });
    let wishes = root
        .and_then(|root| root.get("podSecurity"))
        .and_then(Node::entries)
        .unwrap_or_default();
    let policy = Policy {
        kubernetes: Version(36),
        pod_security: wishes
            .iter()
            .map(|wish| {
                (
                    wish.key.clone(),
                    (Level::parse(wish.value.text().unwrap()).unwrap(), None),
                )
            })
            .collect(),
        resources: root
            .and_then(|root| root.get("resources"))
            .map(|node| DefaultResources {
                cpu_request: node.find_text("cpu").map(str::to_owned),
                memory_request: node.find_text("memory").map(str::to_owned),
                memory_limit: node.find_text("limit").map(str::to_owned),
                place: None,
            }),
        network_policies: match root.and_then(|root| root.get("networkPolicies")) {
            None => ClosedNamespaces::Nothing,
            Some(node) => node.items().map_or(ClosedNamespaces::All, |names| {
                let names = names.iter().filter_map(Node::text);
                ClosedNamespaces::Named(names.map(|name| (name.to_owned(), None)).collect())
            }),
        },
        ..Policy::default()
    };
    (apps.collect(), policy, exempt.chain(others).collect())
}

fn hardened(folder: &Path) -> StageResult<Tree<Hardened>> {
    hardened_from(folder, &trees::texts(&folder.join("in")))
}

fn hardened_from(folder: &Path, texts: &BTreeMap<String, String>) -> StageResult<Tree<Hardened>> {
    let (apps, policy, exempt) = case(folder);
    let own: Vec<(String, String)> = trees::texts(&folder.join("charts")).into_iter().collect();
    let profiles = profiles_with(&own);
    let yardstick = Yardstick::new(&profiles)
        .with_policy(policy)
        .with_exemptions(exempt);
    harden(trees::tree(texts, apps), yardstick.measures())
}

fn outputs(tree: &Tree<Hardened>) -> BTreeMap<String, String> {
    tree.files()
        .map(|file| (file.path.clone(), file.source.text.to_string()))
        .collect()
}

/// The files that come new or are not as they were.
fn changed(
    given: &BTreeMap<String, String>,
    outputs: BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let changed = outputs.into_iter();
    changed
        .filter(|(path, text)| given.get(path) != Some(text))
        .collect()
}

fn injections(tree: &Tree<Hardened>) -> String {
    let mut text = String::new();
    for injection in tree.injections() {
        let file = tree.get(&injection.path).unwrap();
        let (line, _) = file.source.line_column(injection.span.start);
        writeln!(
            text,
            "{}:{line} {} {} {}: {}",
            injection.path, injection.rule, injection.object, injection.route, injection.reason
        )
        .unwrap();
    }
    text
}

fn gaps(tree: &Tree<Hardened>) -> String {
    let mut text = String::new();
    for gap in tree.gaps() {
        writeln!(
            text,
            "{} {} {} {}: {}",
            gap.path, gap.rule, gap.object, gap.route, gap.reason
        )
        .unwrap();
    }
    text
}

#[test]
fn every_rule_does_what_its_fixtures_show() {
    let mut expected = ExpectedFiles::new();
    for rule in REMEDIES {
        let cases = trees::folders(&trees::fixtures("harden").join(rule.meaning.code));
        assert!(
            !cases.is_empty(),
            "rule `{}` has no fixture",
            rule.meaning.code
        );
        for folder in cases {
            let given = trees::texts(&folder.join("in"));
            let result = hardened(&folder);
            let (outputs, record, problems) = match &result {
                Ok(done) => (
                    outputs(&done.value),
                    injections(&done.value),
                    &done.warnings,
                ),
                Err(problems) => (given.clone(), String::new(), problems),
            };
            expected.compare_tree(&folder.join("out"), &changed(&given, outputs));
            expected.compare(&folder.join("findings.txt"), &trees::told(problems));
            expected.compare(&folder.join("injections.txt"), &record);
            let missing = result.as_ref().map(|done| gaps(&done.value));
            let missing = missing.unwrap_or_default();
            expected.compare(&folder.join("gaps.txt"), &missing);
        }
    }
    expected.assert();
}

#[test]
fn hardening_twice_changes_nothing() {
    for rule in REMEDIES {
        for folder in trees::folders(&trees::fixtures("harden").join(rule.meaning.code)) {
            let Ok(once) = hardened(&folder) else {
                continue;
            };
            let again = hardened_from(&folder, &outputs(&once.value)).unwrap();
            assert_eq!(
                outputs(&again.value),
                outputs(&once.value),
                "{}",
                folder.display()
            );
            assert!(again.value.injections().is_empty(), "{}", folder.display());
        }
    }
}

//! Every code that a diagnostic can carry, given beside secrets.

use std::collections::BTreeSet;

use super::mistakes::{CHECK, HARDEN, LOAD, Mistake, RENDER, SEAL, STRANGER, VALIDATE};
use super::{
    assert_hidden, audit_problems, forms, laden, problems, rekey_problems, switch_problems,
};
use crate::harden::trees;
use crate::secrets::project::{IDENTITY, Project};
use kiln::diagnostic::Diagnostic;
use kiln::pipeline::{self, CompileFailure, KeyHandling, SealedTree};
use kiln::secret::Secret;
use rand_core::OsRng;
use sops_age::keys::Identity;

/// Why the codes of makejinja projects are not given here.
const MAKEJINJA: &str = "another kind of project; `makejinja::process` gives it beside secrets";

/// Codes that no mistake here gives, each with the reason.
const OUT_OF_REACH: [(&str, &str); 18] = [
    ("exemption-without-reason", "`kiln.toml` refuses it before"),
    (
        "key-source",
        "names a variable or a path; a project in memory is handed its keys",
    ),
    (
        "pod-security-too-strict",
        "names a namespace, a level and a workload",
    ),
    (
        "resource-ignored",
        "names a path; a project in memory has no file that git ignores",
    ),
    (
        "seal-recipient-removed",
        "names recipients and paths of outputs",
    ),
    ("makejinja-data", MAKEJINJA),
    ("makejinja-input", MAKEJINJA),
    ("makejinja-missing", MAKEJINJA),
    ("makejinja-no-effect", MAKEJINJA),
    ("makejinja-option", MAKEJINJA),
    ("makejinja-overwritten", MAKEJINJA),
    ("no-typed-config", MAKEJINJA),
    ("plugin-failed", MAKEJINJA),
    ("plugin-not-run", MAKEJINJA),
    ("template-construct", MAKEJINJA),
    ("seal-self-check", "only a bug of ours gives it"),
    (
        "seal-wrap-failed",
        "names a recipient; age says why it cannot encrypt for it",
    ),
    (
        "yaml-syntax",
        "a rendered file is refused before; a comparison shows keys only",
    ),
];

/// Makes mistakes one by one, and returns the codes that they gave.
fn make(mistakes: &[Mistake]) -> BTreeSet<&'static str> {
    let mut seen = BTreeSet::new();
    let mut missing = Vec::new();
    for (number, (code, spoil)) in mistakes.iter().enumerate() {
        let mut project = laden();
        spoil(&mut project);
        let found = problems(&project);
        assert_hidden(&found, &format!("{code}, mistake {number}"));
        if !found.iter().any(|problem| problem.code() == *code) {
            let told: String = found.iter().map(forms).collect();
            missing.push(format!("{code}, mistake {number}: {told}"));
        }
        seen.extend(found.iter().map(Diagnostic::code));
    }
    assert!(missing.is_empty(), "{}", missing.concat());
    seen
}

/// Puts the trees of other tests, in which something is wrong, beside the secrets.
fn trees_of(area: &str, harden: bool) -> BTreeSet<&'static str> {
    let mut seen = BTreeSet::new();
    let kinds = trees::folders(&trees::fixtures(area));
    for case in kinds.iter().flat_map(|kind| trees::folders(kind)) {
        let mut project = laden();
        project.put(
            "kiln.toml",
            &format!("catalogue = false\n[harden]\nenabled = {harden}\n"),
        );
        for (path, text) in trees::texts(&case.join("in")) {
            if text.contains("#{") || text.contains("#%") {
                continue;
            }
            project.put(&format!("templates/{path}"), &text);
            if let Some(namespace) = path
                .strip_prefix("kubernetes/apps/")
                .and_then(|rest| rest.split('/').next())
            {
                let folder = format!("templates/kubernetes/apps/{namespace}/some-{namespace}");
                project.put(&format!("{folder}/app.toml"), "summary = \"An app\"\n");
                project.put(&format!("{folder}/x.txt"), "x\n");
            }
            let mut folders = path.split('/').skip_while(|part| *part != "apps").skip(1);
            if let (Some(namespace), Some(app), Some(_)) =
                (folders.next(), folders.next(), folders.next())
            {
                project.put(
                    &format!("templates/kubernetes/apps/{namespace}/{app}/app.toml"),
                    "summary = \"An app\"\n",
                );
            }
        }
        for (path, text) in trees::texts(&case.join("charts")) {
            project.put(&format!("charts/{path}"), &text);
        }
        let found = problems(&project);
        assert_hidden(&found, &case.display().to_string());
        seen.extend(found.iter().map(Diagnostic::code));
    }
    seen
}

#[test]
fn mistakes_in_loading_show_no_secret() {
    make(LOAD);
}

#[test]
fn mistakes_in_validation_show_no_secret() {
    make(VALIDATE);
}

#[test]
fn mistakes_in_rendering_show_no_secret() {
    make(RENDER);
}

#[test]
fn mistakes_in_hardening_and_sealing_show_no_secret() {
    make(HARDEN);
    make(CHECK);
    make(SEAL);
}

/// Edits of the config, with a secret among the arguments.
fn edits() -> BTreeSet<&'static str> {
    let option = &format!("word={}", super::CANARY);
    let named = &format!("word: {}", super::CANARY);
    let base = laden();
    let sealed_only = |project: &mut Project| {
        let text = project.text("cluster.yaml");
        project.put("cluster.json", &text);
        project.files.0.remove("cluster.yaml");
    };
    let mut json = laden();
    sealed_only(&mut json);
    let mut needing = laden();
    needing.put(
        "templates/kubernetes/apps/default/own/app.toml",
        "summary = \"x\"\nneeds = [\"demo\"]\n",
    );
    needing.put("templates/kubernetes/apps/default/own/x.txt", "x\n");
    let all = [
        switch_problems(&base, &[option], true, &[]),
        switch_problems(&base, &["nope"], true, &[option]),
        switch_problems(&base, &["demo"], true, &[named]),
        switch_problems(&base, &["demo"], true, &[super::CANARY]),
        switch_problems(&base, &["demo"], true, &[&format!("pin={}", super::CANARY)]),
        switch_problems(
            &base,
            &["demo"],
            true,
            &[&format!("word.x={}", super::CANARY)],
        ),
        switch_problems(
            &base,
            &["demo"],
            true,
            &[&format!("wrod={}", super::CANARY)],
        ),
        switch_problems(&base, &["demo", "own"], true, &[option]),
        switch_problems(&needing, &["demo"], false, &[]),
        switch_problems(&needing, &["own"], false, &[option]),
        switch_problems(&json, &["demo"], false, &[]),
        switch_problems(&encrypted(), &["demo"], false, &[]),
    ];
    let mut seen = BTreeSet::new();
    for found in &all {
        assert_hidden(found, "edit");
        seen.extend(found.iter().map(Diagnostic::code));
    }
    seen
}

/// A clone without keys, in which sealed files are.
fn keyless() -> BTreeSet<&'static str> {
    let mut project = laden();
    let compiled = project.compile().unwrap_or_else(|_| panic!("it compiles"));
    for (path, file) in compiled.tree.outputs() {
        project.files.0.insert(path.to_owned(), file.bytes.clone());
    }
    project.files.0.remove("age.key");
    project.files.0.remove("deploy.key");
    project.identities.clear();
    let compiled = project.compile_with(KeyHandling::AtHand);
    let found = compiled.map_or_else(|problems| problems, |compiled| compiled.warnings);
    assert_hidden(&found, "without keys");
    found.iter().map(Diagnostic::code).collect()
}

/// The exchange of a key, and what is sealed for another one.
fn exchanges() -> BTreeSet<&'static str> {
    let identity = |origin: &str, text: &str| (origin.to_owned(), Secret::new(text));
    let mut strange = laden();
    let compiled = strange.compile().unwrap_or_else(|_| panic!("it compiles"));
    for (path, file) in compiled.tree.outputs() {
        strange.files.0.insert(path.to_owned(), file.bytes.clone());
    }
    strange.put("age.key", STRANGER);
    strange.identities = vec![identity("age.key", STRANGER)];
    let mut none = laden();
    none.identities = vec![identity("SOPS_AGE_KEY", IDENTITY)];
    let mut same = laden();
    same.identities = vec![identity("age.key", IDENTITY), identity("old.key", IDENTITY)];
    // The rules are written by hand, for the old key.
    let mut stale = laden();
    stale.files.0.remove("templates/.sops.yaml.tera");
    let (_, rules) = compiled
        .tree
        .outputs()
        .find(|(path, _)| *path == ".sops.yaml")
        .unwrap();
    stale
        .files
        .0
        .insert(".sops.yaml".to_owned(), rules.bytes.clone());
    stale.put("age.key", STRANGER);
    stale.identities = vec![identity("age.key", STRANGER), identity("old.key", IDENTITY)];
    let found = [
        problems(&strange),
        rekey_problems(&none, &[]),
        rekey_problems(&same, &["old.key"]),
        rekey_problems(&stale, &["old.key"]),
    ];
    let mut seen = BTreeSet::new();
    for found in &found {
        assert_hidden(found, "exchange");
        seen.extend(found.iter().map(Diagnostic::code));
    }
    seen
}

/// A project whose config is encrypted as a whole.
fn encrypted() -> Project {
    let mut project = laden();
    let mut maker = project.clone();
    let config = format!(
        "{}{}",
        project.text("cluster.yaml"),
        project.text("nodes.yaml")
    );
    maker.put("templates/sealed.sops.yaml", &config);
    let compiled = maker.compile().unwrap_or_else(|_| panic!("it compiles"));
    let mut outputs = compiled.tree.outputs();
    let (_, file) = outputs
        .find(|(path, _)| *path == "sealed.sops.yaml")
        .unwrap();
    project
        .files
        .0
        .insert("cluster.sops.yaml".to_owned(), file.bytes.clone());
    project.files.0.remove("cluster.yaml");
    project.files.0.remove("nodes.yaml");
    project
}

/// Sealed files that come from elsewhere, under rules that say otherwise.
fn brought() -> BTreeSet<&'static str> {
    let sealed = laden().compile().unwrap_or_else(|_| panic!("it compiles"));
    let mut outputs = sealed.tree.outputs();
    let (_, file) = outputs
        .find(|(path, _)| path.ends_with("keep.sops.yaml"))
        .unwrap();
    let own = Identity::read(IDENTITY).unwrap().recipient().unwrap();
    let other = Identity::read(STRANGER).unwrap().recipient().unwrap();
    let both = format!("creation_rules:\n  - age: {own},{other}\n");
    let narrow = format!(
        "creation_rules:\n  - path_regex: brought\n    age: {own}\n    encrypted_regex: ^\n  - age: {own}\n"
    );
    let mut seen = BTreeSet::new();
    for (path, rules) in [
        ("templates/brought.sops.yaml", &both),
        ("templates/brought.sops.yaml", &narrow),
        ("talos/secrets.sops.yaml", &both),
    ] {
        let mut project = laden();
        project.files.0.remove("templates/.sops.yaml.tera");
        project.put(".sops.yaml", rules);
        project.files.0.insert(path.to_owned(), file.bytes.clone());
        let found = problems(&project);
        assert_hidden(&found, path);
        seen.extend(found.iter().map(Diagnostic::code));
    }
    seen
}

/// Work on single files, and secrets that cannot be set.
fn by_hand() -> BTreeSet<&'static str> {
    let mut project = laden();
    let compiled = project.compile().unwrap_or_else(|_| panic!("it compiles"));
    for (path, file) in compiled.tree.outputs() {
        project.files.0.insert(path.to_owned(), file.bytes.clone());
    }
    let route = pipeline::value_route("apps.demo.nope");
    let value = Secret::new(super::CANARY);
    let looked_at = |rules: &str| {
        let mut project = project.clone();
        project.put(".sops.yaml", rules);
        project.put("own.sops.yaml", &format!("word: {}\n", super::CANARY));
        let files = ["keep.sops.yaml", "own.sops.yaml"];
        project.world(KeyHandling::Needed, |world| {
            let tree = SealedTree::open(world, &project.files, files)
                .unwrap_or_else(|_| panic!("it opens"));
            let found = tree
                .review(files)
                .unwrap_or_else(|_| panic!("it can be read"));
            let mut problems: Vec<_> = found
                .into_iter()
                .flat_map(|file| file.review.problems)
                .collect();
            problems.extend(failed(tree.value("keep.sops.yaml", &route)));
            problems.extend(failed(tree.decrypt("no.sops.yaml")));
            problems
        })
    };
    let own = Identity::read(IDENTITY).unwrap().recipient().unwrap();
    let other = Identity::read(STRANGER).unwrap().recipient().unwrap();
    let rule = |pattern: &str, age: &str| {
        format!("creation_rules:\n  - path_regex: {pattern}\n    age: {age}\n")
    };
    let mut no_sealed = project.clone();
    no_sealed.put(
        "kiln.toml",
        "catalogue = false\ndata = [\"cluster.yaml\", \"nodes.yaml\"]\n",
    );
    let set = no_sealed.world(KeyHandling::Needed, |world| {
        failed(pipeline::set_secret(world, &route, &value, &mut OsRng))
    });
    let unknown = project.world(KeyHandling::Needed, |world| {
        failed(pipeline::set_secret(world, &route, &value, &mut OsRng))
    });
    let found = [
        looked_at(&rule("sops", &other)),
        looked_at(&rule("^nothing", &other)),
        looked_at(&(rule("sops", &own) + "    encrypted_regex: ^literal$\n")),
        set,
        unknown,
    ];
    let mut seen = BTreeSet::new();
    for found in &found {
        assert_hidden(found, "by hand");
        seen.extend(found.iter().map(Diagnostic::code));
    }
    seen
}

fn failed<T>(result: Result<T, CompileFailure>) -> Vec<Diagnostic> {
    match result {
        Ok(_) => Vec::new(),
        Err(CompileFailure::Problems(problems)) => problems,
        Err(CompileFailure::Read(error)) => panic!("{error}"),
    }
}

fn audits() -> BTreeSet<&'static str> {
    let mut project = laden();
    project.put(
        "kiln.toml",
        "catalogue = false\n[[exempt]]\nrule = \"nope\"\nreason = \"x\"\n",
    );
    let found = audit_problems(&project);
    assert_hidden(&found, "audit");
    found.iter().map(Diagnostic::code).collect()
}

/// A new diagnostic has to come with a mistake that gives it beside a secret.
#[test]
fn every_code_is_given_by_a_mistake() {
    let mut seen = edits();
    seen.extend(keyless());
    seen.extend(exchanges());
    seen.extend(audits());
    seen.extend(by_hand());
    seen.extend(brought());
    seen.extend(trees_of("check", false));
    seen.extend(trees_of("harden", true));
    for mistakes in [LOAD, VALIDATE, RENDER, HARDEN, CHECK, SEAL] {
        seen.extend(mistakes.iter().map(|(code, _)| *code));
    }
    let excused: BTreeSet<&str> = OUT_OF_REACH.iter().map(|(code, _)| *code).collect();
    let stages = pipeline::findings();
    let findings = stages.iter().flat_map(|(_, codes)| *codes);
    let checks = crate::check::checked().map(|rule| rule.meaning.code);
    let all: BTreeSet<&str> = findings.map(|meaning| meaning.code).chain(checks).collect();
    let missing: Vec<&&str> = all
        .difference(&seen)
        .filter(|code| !excused.contains(**code))
        .collect();
    let needless: Vec<&&str> = excused.intersection(&seen).collect();
    assert!(missing.is_empty(), "given by no mistake: {missing:?}");
    assert!(needless.is_empty(), "given by a mistake: {needless:?}");
}

//! Documents that are generated from the code, and stay true by this test.

mod catalogue;
mod custom_resources;
mod diagnostics;
mod tour;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use kiln::audit;
use kiln::cli::credentials;
use kiln::diagnostic::Severity;
use kiln::rules::{self, Category, REMEDIES};

use crate::support::expect_file;

const HEAD: &str = "\
# Rules and remedies

What Kiln asks of what Flux applies, by category, and what it adds where something is missing. `kiln explain CODE`
prints the same. This page is generated from the code; `just docs` writes it anew.

An error stops `kiln check` and `kiln render`, a warning is told; the others are counted by `kiln audit` alone. The weight
says how much a rule counts within its category: 3 for what takes a service down or opens it, 2 for what hurts, 1 for what
is good practice, 0 for what is not counted. A remedy is what `kiln render` and `kiln harden` add.
";

#[test]
fn generated_docs_rules_is_current() {
    let mut text = HEAD.to_owned();
    for category in Category::ALL {
        write!(
            text,
            "\n## {}\n\n`kiln audit --only {}`\n\n| Rule | Check | Weight | What holds | Remedy |\n| --- | --- | ---: | --- | --- |\n",
            category.title(),
            category.code()
        )
        .unwrap();
        let inside = || rules::all().filter(|rule| rule.category == category);
        for rule in inside() {
            let severity = match rule.severity {
                Some(Severity::Error) => "error",
                Some(Severity::Warning) => "warning",
                None => "",
            };
            let remedy = rule
                .remedy
                .map(|remedy| format!("`{}`", remedy.meaning.code));
            writeln!(
                text,
                "| `{}` | {severity} | {} | {} | {} |",
                rule.meaning.code,
                rule.weight,
                rule.meaning.summary,
                remedy.unwrap_or_default()
            )
            .unwrap();
        }
        let open = audit::UNDECIDABLE.iter();
        for one in open.filter(|one| one.category == category) {
            let (code, summary, why) = (one.meaning.code, one.meaning.summary, one.meaning.text);
            writeln!(
                text,
                "| `{code}` | | | {summary}: not decidable here, {why} | |"
            )
            .unwrap();
        }
        for rule in inside() {
            let (code, explanation) = (rule.meaning.code, rule.meaning.text.trim());
            write!(text, "\n### {code}\n\n{explanation}\n").unwrap();
        }
    }
    text.push_str("\n## Remedies\n");
    for remedy in REMEDIES {
        let (code, summary) = (remedy.meaning.code, remedy.meaning.summary);
        let explanation = remedy.meaning.text.trim();
        write!(
            text,
            "\n### The remedy {code}\n\n{summary}.\n\n{explanation}\n"
        )
        .unwrap();
    }
    compare("docs/rules.md", &text);
}

/// One anatomy for every remedy and every rule that is checked: a file, and a fixture folder.
#[test]
fn every_rule_has_a_file_and_fixtures() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut missing = Vec::new();
    for remedy in REMEDIES {
        let file = format!(
            "src/rules/remedies/{}.rs",
            remedy.meaning.code.replace('-', "_")
        );
        let fixtures = format!("tests/harden/{}", remedy.meaning.code);
        missing.extend(
            [file, fixtures]
                .into_iter()
                .filter(|path| !root.join(path).exists()),
        );
    }
    for rule in rules::all().filter(|rule| rule.is_checked()) {
        let name = format!("{}.rs", rule.meaning.code.replace('-', "_"));
        let folders = fs::read_dir(root.join("src/rules")).unwrap();
        let mut homes = folders.map(|folder| folder.unwrap().path().join(&name));
        if !homes.any(|home| home.is_file()) {
            missing.push(format!("src/rules/*/{name}"));
        }
        let fixtures = format!("tests/check/{}", rule.meaning.code);
        if !root.join(&fixtures).is_dir() {
            missing.push(fixtures);
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

/// The examples have their own ignore files, so that the keys that a first run makes change nothing that git sees.
#[test]
fn generated_ignore_files_of_examples_are_current() {
    let lines: Vec<&str> = credentials::CREDENTIALS
        .iter()
        .map(|one| one.pattern)
        .collect();
    let text = format!("{}\n{}\n", credentials::COMMENT, lines.join("\n"));
    for (example, own) in [("full", true), ("homelab", false), ("production", true)] {
        let tunnel = "# Made up, and opens nothing.\n!/cloudflare-tunnel.json\n";
        let text = text.clone() + if own { tunnel } else { "" };
        compare(&format!("examples/{example}/.gitignore"), &text);
    }
}

/// Compares a generated document with what came out.
fn compare(document: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    expect_file(&path, text);
}

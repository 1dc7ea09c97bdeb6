//! Documents that are generated from the code, and stay true by this test.

mod catalogue;
mod diagnostics;
mod expressions;
mod tour;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use kiln::audit::{self, Category};
use kiln::cli::credentials;
use kiln::pipeline;

const HEAD: &str = "\
# Rules and checks

What Kiln adds, and what it looks for. `kiln explain CODE` prints the same. This page is generated from
the code; `just docs` writes it anew.
";

#[test]
fn generated_docs_rules_is_current() {
    let mut text = HEAD.to_owned();
    for explanation in pipeline::explanations() {
        write!(
            text,
            "\n## {}\n\n{}.\n\n{}\n",
            explanation.code,
            explanation.summary,
            explanation.text.trim()
        )
        .unwrap();
    }
    compare("docs/rules.md", &text);
}

const AUDIT_HEAD: &str = "\
# The checks of the audit

What `kiln audit` asks, by category, and how much each counts: 3 for what takes a service down or opens it, 2 for what
hurts, 1 for what is good practice, 0 for what is shown and not counted. `kiln explain CODE` says more. This page is
generated from the code; `just docs` writes it anew.
";

#[test]
fn generated_docs_audit_checks_is_current() {
    let mut text = AUDIT_HEAD.to_owned();
    for category in Category::ALL {
        write!(
            text,
            "\n## {}\n\n`--only {}`\n\n| Check | Weight | What holds | Closed by |\n| --- | ---: | --- | --- |\n",
            category.title(),
            category.code()
        )
        .unwrap();
        for check in audit::checks().filter(|check| check.category == category) {
            let rule = check.rule.map(|rule| format!("`{rule}`"));
            writeln!(
                text,
                "| `{}` | {} | {} | {} |",
                check.code,
                check.weight,
                check.line,
                rule.unwrap_or_default()
            )
            .unwrap();
        }
        for check in audit::UNDECIDABLE
            .iter()
            .filter(|check| check.category == category)
        {
            writeln!(
                text,
                "| `{}` | | {}: not decidable here, {} | |",
                check.code, check.line, check.why
            )
            .unwrap();
        }
    }
    compare("docs/audit-checks.md", &text);
}

/// One anatomy for every rule and check: a file, a fixture folder, a heading.
#[test]
fn every_rule_and_check_has_a_file_and_fixtures() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let explanations = pipeline::explanations();
    assert!(explanations.len() >= 10, "{}", explanations.len());
    let mut codes = std::collections::BTreeSet::new();
    let mut missing = Vec::new();
    for explanation in explanations {
        assert!(
            codes.insert(explanation.code),
            "`{}` is used twice",
            explanation.code
        );
        let file = explanation.code.replace('-', "_");
        let homes = [
            ("src/harden/rules", "tests/harden"),
            ("src/check/checks", "tests/check"),
        ];
        let home = homes
            .iter()
            .find(|(source, _)| root.join(source).join(format!("{file}.rs")).is_file());
        match home {
            Some((_, tests)) => {
                let folder = [file.as_str(), explanation.code]
                    .iter()
                    .any(|name| root.join(tests).join(name).is_dir());
                if !folder {
                    missing.push(format!("{tests}/{}", explanation.code));
                }
            }
            None => missing.push(format!("src/…/{file}.rs")),
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

/// Compares a generated document with what came out; `KILN_BLESS=1` writes it instead.
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

fn compare(document: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(document);
    if std::env::var_os("KILN_BLESS").is_some() {
        fs::write(&path, text).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&path).unwrap_or_default(),
        text,
        "`just docs` writes it anew"
    );
}

//! `docs/diagnostics.md`, and that it knows every code that there is.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use kiln::cli::codes;

use super::compare;
use crate::support::files_with_extension;

const HEAD: &str = "\
# What messages mean

Every problem that Kiln tells of has a code, as in `error[unknown-key]`. `kiln explain CODE` prints what stands here, by the stage
that finds it; [rules.md](rules.md) has the rules and checks, [diff.md](diff.md) the dangers of a diff.
This page is generated from the code; `just docs` writes it anew.
";

#[test]
fn generated_docs_diagnostics_is_current() {
    let mut text = HEAD.to_owned();
    for (stage, codes) in codes::diagnostics() {
        write!(text, "\n## {stage}\n").unwrap();
        for meaning in codes {
            let (code, summary) = (meaning.code, meaning.summary);
            write!(
                text,
                "\n### {code}\n\n{summary}.\n\n{}\n",
                meaning.text.trim()
            )
            .unwrap();
        }
    }
    compare("docs/diagnostics.md", &text);
}

#[test]
fn explanations_have_one_form() {
    let mut codes = BTreeSet::new();
    for (stage, meanings) in codes::diagnostics() {
        for meaning in meanings {
            let code = meaning.code;
            assert!(codes.insert(code), "{code} of {stage} is explained twice");
            assert!(!meaning.summary.ends_with('.'), "{code}");
            let parts: Vec<&str> = meaning.text.split("\n\n").collect();
            assert!(parts.len() >= 3, "{code}: why, what to do, example");
            assert!(
                parts[2..].iter().any(|part| part.starts_with("    ")),
                "{code}"
            );
            assert!(
                meaning.text.lines().all(|line| line.chars().count() <= 112),
                "{code}"
            );
        }
    }
}

/// The calls that take a code first: a literal, or one of [`VARIABLES`].
const CALLS: [&str; 4] = [
    "Diagnostic::error(",
    "Diagnostic::warning(",
    "Failure::new(",
    "yaml::diagnose(&error, ",
];
/// Calls of several kinds, some of which take a code first.
const LOOSE: [&str; 2] = ["Self::new(", ".problem("];
/// Variables that hold a code, whose values are found as literals elsewhere.
const VARIABLES: [&str; 8] = [
    "code",
    "CODE",
    "NOT_YAML",
    "RULE.code",
    "rule.code",
    "self.rule.code",
    "self.code",
    "failure.code",
];

#[test]
fn no_code_in_the_source_is_unexplained() {
    let known: BTreeSet<&str> = codes::all().iter().map(|meaning| meaning.code).collect();
    let mut used = BTreeSet::new();
    let mut strange = Vec::new();
    let mut all = String::new();
    for file in files_with_extension(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "rs") {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        if !file.ends_with("codes.rs") {
            all.push_str(code);
        }
        for argument in CALLS.iter().flat_map(|call| arguments(code, call)) {
            let variable = VARIABLES.iter().any(|name| {
                let rest = argument.strip_prefix(name);
                rest.is_some_and(|rest| rest.starts_with([',', ')', ':']))
            });
            match literal(argument) {
                Some(name) => drop(used.insert(name.to_owned())),
                None if variable => {}
                None => strange.push(format!("{}: {:.40}", file.display(), argument)),
            }
        }
        let loose = LOOSE.iter().flat_map(|call| arguments(code, call));
        used.extend(
            loose
                .filter_map(literal)
                .filter(|name| is_code(name))
                .map(str::to_owned),
        );
        for line in code.lines().map(str::trim_start) {
            let holds = ["const CODE", "const NOT_YAML", "let code = ", "code: \""];
            if holds.iter().any(|start| line.starts_with(start)) {
                used.extend(line.split('"').nth(1).map(str::to_owned));
            }
        }
    }
    assert!(strange.is_empty(), "{strange:#?}");
    assert!(used.len() > 90, "{}", used.len());
    let unknown: Vec<&String> = used
        .iter()
        .filter(|name| !known.contains(name.as_str()))
        .collect();
    assert!(unknown.is_empty(), "unexplained: {unknown:?}");
    // Nor is one explained that nobody gives.
    let diagnostics = codes::diagnostics()
        .into_iter()
        .flat_map(|(_, codes)| codes);
    let dead: Vec<&str> = diagnostics
        .map(|meaning| meaning.code)
        .filter(|code| !all.contains(&format!("\"{code}\"")))
        .collect();
    assert!(dead.is_empty(), "given by nobody: {dead:?}");
}

/// Lists what follows each call in a text.
fn arguments<'t>(text: &'t str, call: &str) -> Vec<&'t str> {
    text.match_indices(call)
        .map(|(at, _)| text[at + call.len()..].trim_start())
        .collect()
}

fn literal(argument: &str) -> Option<&str> {
    argument.strip_prefix('"')?.split('"').next()
}

fn is_code(text: &str) -> bool {
    let part =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    text.contains('-') && text.bytes().all(part)
}

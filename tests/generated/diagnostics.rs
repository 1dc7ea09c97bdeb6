//! `docs/diagnostics.md`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use kiln::cli::codes;

use super::compare;

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

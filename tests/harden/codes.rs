//! Every code that hardening and checking can give.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use kiln::rules::{self, REMEDIES};
use kiln::{charts, harden};

use super::trees;
use crate::support::expect_file;

#[test]
fn codes_are_unique_and_change_only_on_purpose() {
    let mut listing = String::new();
    let mut codes = BTreeSet::new();
    let mut list = |kind: &str, code: &'static str, summary: &str| {
        assert!(codes.insert(code), "`{code}` is used twice");
        assert!(
            code.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
            "{code}"
        );
        assert!(
            !summary.ends_with('.') && !summary.contains('\n'),
            "{code}: {summary}"
        );
        writeln!(listing, "{kind} {code}: {summary}").unwrap();
    };
    for remedy in REMEDIES {
        list("remedy", remedy.meaning.code, remedy.meaning.summary);
        assert!(remedy.meaning.text.len() > 200, "{}", remedy.meaning.code);
    }
    for finding in [harden::codes::ALL, rules::codes::ALL, charts::codes::ALL].concat() {
        list("finding", finding.code, finding.summary);
    }
    // A rule that one remedy is for by itself has the code of it.
    let shared = |code: &str| REMEDIES.iter().any(|remedy| remedy.meaning.code == code);
    for rule in rules::all().filter(|rule| !shared(rule.meaning.code)) {
        list("rule", rule.meaning.code, rule.meaning.summary);
    }
    expect_file(&trees::fixtures("harden").join("codes.txt"), &listing);
}

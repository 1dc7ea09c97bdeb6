//! Every code that hardening and checking can give.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use kiln::check::CHECKS;
use kiln::harden::{CODES, RULES};

use super::trees;

#[test]
fn codes_are_unique_and_change_only_on_purpose() {
    let mut listing = String::new();
    let mut codes = BTreeSet::new();
    let mut list = |kind: &str, code: &'static str, summary: &str| {
        assert!(codes.insert(code), "`{code}` is used twice");
        assert!(
            code.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
            "{code}"
        );
        assert!(
            !summary.ends_with('.') && !summary.contains('\n'),
            "{code}: {summary}"
        );
        writeln!(listing, "{kind} {code}: {summary}").unwrap();
    };
    for rule in RULES {
        list("rule", rule.code, rule.summary);
        rule.findings
            .iter()
            .for_each(|finding| list("  finding", finding.code, finding.summary));
        assert!(rule.explanation.len() > 200, "{}", rule.code);
    }
    CODES
        .iter()
        .for_each(|finding| list("finding", finding.code, finding.summary));
    for check in CHECKS {
        list("check", check.code, check.summary);
        assert!(check.explanation.len() > 200, "{}", check.code);
    }
    let mut wrong = Vec::new();
    trees::compare(
        &trees::fixtures("harden").join("codes.txt"),
        &listing,
        &mut wrong,
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

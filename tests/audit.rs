//! The audit: trees with a scorecard for each.
//!
//! A case is `tests/audit/<case>/` with the tree in `in/`, chart profiles in `charts/`, and what comes
//! out of it in `scorecard.txt`, `scorecard.md`, `scorecard.json` and `scorecard.sarif`.

mod formats;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use kiln::audit::{Scorecard, Sheet, UNDECIDABLE, score};
use kiln::charts::Profiles;
use kiln::harden::harden;
use kiln::pipeline::Audited;
use kiln::rules::{self, Category, Measures};
use kiln::workload::Exemption;

use crate::harden::trees;
use crate::support::{Yardstick, expect_file};

fn profiles(folder: &Path) -> Profiles {
    let own: Vec<(String, String)> = trees::texts(&folder.join("charts")).into_iter().collect();
    Profiles::load(Vec::new(), &own).unwrap_or_else(|problems| panic!("{}", trees::told(&problems)))
}

/// Audits a tree as it is.
fn plain(case: &str, exemptions: &[Exemption]) -> Sheet {
    let folder = trees::fixtures("audit").join(case);
    let tree = trees::tree(&trees::texts(&folder.join("in")), Vec::new());
    let profiles = profiles(&folder);
    let yardstick = Yardstick::new(&profiles).with_exemptions(exemptions.to_vec());
    score(tree.files(), yardstick.measures())
}

/// Audits a tree before and after hardening, whatever hardening says of it.
pub(crate) fn audited(case: &str) -> Audited {
    let folder = trees::fixtures("audit").join(case);
    let tree = trees::tree(&trees::texts(&folder.join("in")), Vec::new());
    let exemptions = vec![Exemption {
        code: "replicas-min".to_owned(),
        namespace: "*".to_owned(),
        name: "homeless".to_owned(),
        reason: "It cannot run twice".to_owned(),
        place: None,
        path: None,
    }];
    let profiles = profiles(&folder);
    let yardstick = Yardstick::new(&profiles).with_exemptions(exemptions);
    let measures = yardstick.measures();
    let before = score(tree.files(), measures);
    let hardened = harden(tree, measures)
        .unwrap_or_else(|problems| panic!("{}", trees::told(&problems)))
        .value;
    let gaps = hardened.gaps();
    let after = score(hardened.files(), Measures { gaps, ..measures });
    Audited {
        scorecard: Scorecard { before, after },
        kubernetes: "v1.36".to_owned(),
        injections: hardened.injections().len(),
        warnings: Vec::new(),
        stand_ins: BTreeSet::new(),
    }
}

#[test]
fn every_check_passes_somewhere_and_fails_somewhere() {
    let mut seen: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for case in ["bad", "good", "unknown"] {
        // `tests/check` shows the others.
        let outcomes = plain(case, &[]).outcomes.into_iter();
        for outcome in outcomes.filter(|outcome| !outcome.rule.is_checked()) {
            let verdicts = outcome.judgements.iter().map(|item| item.verdict.code());
            seen.entry(outcome.rule.meaning.code)
                .or_default()
                .extend(verdicts);
        }
    }
    let wrong: Vec<_> = seen
        .iter()
        .filter(|(_, verdicts)| !verdicts.contains("pass") || !verdicts.contains("fail"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_sound_tree_fails_where_it_is_not_sound_only() {
    let sheet = plain("good", &[]);
    let folder = trees::fixtures("audit").join("good");
    let mut text = String::new();
    for outcome in &sheet.outcomes {
        for item in outcome.gaps().filter(|_| outcome.rule.weight > 0) {
            let reason = item.verdict.reason();
            writeln!(
                text,
                "{}: {}: {reason}",
                outcome.rule.meaning.code, item.subject
            )
            .unwrap();
        }
    }
    expect_file(&folder.join("gaps.txt"), &text);
}

#[test]
fn an_unknown_chart_is_neither_a_gap_nor_a_pass() {
    let sheet = plain("unknown", &[]);
    assert_eq!(sheet.unknown_charts, 2);
    for code in ["probe-readiness", "mem-limit", "drop-all", "priority-class"] {
        let outcome = sheet
            .outcomes
            .iter()
            .find(|one| one.rule.meaning.code == code)
            .unwrap();
        let unknown = outcome.judgements.iter().filter(|item| {
            item.subject.starts_with("HelmRelease/") && item.verdict.code() == "unknown"
        });
        assert_eq!(unknown.count(), 2, "{code}");
        assert_eq!(outcome.count().passed, 0, "{code}");
    }
}

#[test]
fn an_exemption_takes_a_gap_out_of_the_score_and_keeps_its_reason() {
    let exemption = |code: &str, name: &str| Exemption {
        code: code.to_owned(),
        namespace: "shop".to_owned(),
        name: name.to_owned(),
        reason: "For the test".to_owned(),
        place: None,
        path: None,
    };
    let before = plain("bad", &[]);
    // By a check's own code, and by that of the rule that would close the gap.
    let after = plain(
        "bad",
        &[exemption("mem-limit", "two"), exemption("probes", "*")],
    );
    let count = |sheet: &Sheet, code: &str| {
        let outcome = sheet
            .outcomes
            .iter()
            .find(|one| one.rule.meaning.code == code);
        outcome.unwrap().count()
    };
    assert_eq!(count(&after, "mem-limit").exempt, 1);
    assert_eq!(
        count(&after, "mem-limit").failed + 1,
        count(&before, "mem-limit").failed
    );
    assert!(count(&after, "probe-readiness").exempt >= 3);
    assert!(after.category(Category::Probes) > before.category(Category::Probes));
    assert_eq!(
        after.category(Category::Images),
        before.category(Category::Images)
    );
}

#[test]
fn scores_are_means_of_shares_by_weight() {
    let sheet = plain("bad", &[]);
    for category in Category::ALL {
        let (mut sum, mut weights) = (0.0, 0.0);
        for outcome in &sheet.outcomes {
            let count = outcome.count();
            let weight = f64::from(outcome.rule.weight);
            if outcome.rule.category == category && count.counted() > 0 {
                sum += weight * f64::from(count.passed) / f64::from(count.counted());
                weights += weight;
            }
        }
        let score = sheet.category(category).unwrap();
        let exact = sum / weights * 10_000.0;
        assert!(
            (exact - f64::from(u32::try_from(score).unwrap())).abs() < 5.0,
            "{category:?}: {exact} {score}"
        );
    }
}

#[test]
fn codes_are_those_of_the_facts() {
    let mut codes = BTreeSet::new();
    for check in rules::all() {
        assert!(
            codes.insert(check.meaning.code),
            "`{}` is used twice",
            check.meaning.code
        );
        assert!(check.weight <= 3, "{}", check.meaning.code);
        assert!(check.meaning.text.len() > 30, "{}", check.meaning.code);
        assert!(
            !check.meaning.summary.ends_with('.'),
            "{}",
            check.meaning.code
        );
    }
    for check in UNDECIDABLE {
        assert!(
            codes.insert(check.meaning.code),
            "`{}` is used twice",
            check.meaning.code
        );
    }
    let mut listing = codes.iter().copied().collect::<Vec<_>>().join("\n");
    listing.push('\n');
    let path = trees::fixtures("audit").join("codes.txt");
    expect_file(&path, &listing);
    assert!(codes.len() > 100);
}

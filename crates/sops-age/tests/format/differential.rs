use sops_age::{RuleFile, Store};

use super::cases::{Case, Content, content, each_case};
use super::setting::{Pair, open, plain, seal};
use super::sops::Sops;

/// Holds this crate and `sops` against each other: what one seals the other opens, as what it was, and what `sops`
/// wrote does not count as changed.
fn agrees(oracle: &str, usual: u64) {
    let pair = Pair::new();
    let Some(sops) = Sops::find(oracle, &pair) else {
        return;
    };
    let mut sealed = 0;
    let cases = each_case(usual, |case| {
        // Before 3.13, `sops` reads all numbers of JSON as floats.
        let big = String::from_utf8_lossy(&case.bytes).contains("9007199254740993");
        let inexact = big && case.store == Store::Json && oracle == "sops-older";
        sealed += u64::from(inexact || agrees_on(&sops, &pair, &case));
    });
    assert!(
        sealed > cases * 3 / 4,
        "only {sealed} of {cases} were sealed"
    );
}

/// Judges one case, and returns whether it was sealed.
fn agrees_on(sops: &Sops, pair: &Pair, case: &Case) -> bool {
    let Case { store, name, .. } = *case;
    let rules = pair.rules(case.more);
    let read = RuleFile::read(&rules).unwrap();
    let theirs = sops.encrypt(&rules, name, &case.bytes);
    let Some(plain) = plain(&case.bytes, store, &read) else {
        // A comment that decides, and does not say clearly about what, is refused by us alone.
        assert!(theirs.is_err() || case.is_by_comment(), "we refuse {case}");
        return false;
    };
    let theirs = theirs.unwrap_or_else(|told| panic!("sops refuses {case}\n{told}"));
    let reference = content(sops, case, &theirs);
    let ours = seal(&plain, &read, case.number);
    let by_sops = content(sops, case, &ours);
    match (&by_sops, &reference) {
        (Content::Refused(told), Content::Refused(_)) => {
            panic!("sops opens neither {case}\n{told}")
        }
        (Content::Refused(told), _) => panic!("sops does not open ours, {case}\n{told}\n{ours}"),
        // Its own digest does not fit: it moved or respelled something.
        (_, Content::Refused(_)) => return true,
        (mine, other) => assert_eq!(mine, other, "{case}\n{ours}\n{theirs}"),
    }
    let opened = open(&theirs, store, pair)
        .unwrap_or_else(|told| panic!("we do not open what sops does, {case}\n{told}\n{theirs}"));
    // go-yaml writes a comment behind a list in a list beside the next key, and `sops` loses it there.
    let lost = theirs.contains("\nsops: #");
    assert!(lost || opened.holds(&plain), "edited, {case}\n{theirs}");
    let ours = open(&ours, store, pair).unwrap();
    assert!(ours.holds(&plain), "{case}");
    if store == Store::Binary {
        assert_eq!(*ours.to_plain(), case.bytes);
    }
    true
}

#[test]
fn agrees_with_sops() {
    agrees("sops", 120);
}

#[test]
fn agrees_with_an_older_sops() {
    agrees("sops-older", 60);
}

#[test]
#[ignore = "takes ten minutes; maintainers run it before a release"]
fn agrees_with_sops_on_thousands() {
    agrees("sops", 4000);
    agrees("sops-older", 1500);
}

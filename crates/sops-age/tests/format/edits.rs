use sops_age::RuleFile;

use super::cases::{Case, Content, content, each_case};
use super::setting::{Pair, open, plain, renew, seal};
use super::sops::Sops;

/// Has `sops` change files that we sealed: what it wrote opens, and what it did not change counts as unchanged.
fn edits(oracle: &str, usual: u64) {
    let pair = Pair::new();
    let Some(sops) = Sops::find(oracle, &pair) else {
        return;
    };
    let mut edited = 0;
    let cases = each_case(usual, |case| {
        edited += u64::from(edits_one(&sops, &pair, &case).is_some());
    });
    assert!(edited > cases / 3, "only {edited} of {cases}");
}

fn edits_one(sops: &Sops, pair: &Pair, case: &Case) -> Option<()> {
    let rules = pair.rules(case.more);
    let read = RuleFile::read(&rules).unwrap();
    let plain = plain(&case.bytes, case.store, &read)?;
    let sealed = seal(&plain, &read, case.number);
    let before = content(sops, case, &sealed);
    // `rotate` loses and moves nothing but what `sops` does at each of its writings.
    let arguments = ["rotate", "--in-place", case.name];
    let rotated = sops.change(&rules, &arguments, case.name, &sealed).ok()?;
    let after = content(sops, case, &rotated);
    if after != before || matches!(after, Content::Refused(_)) {
        // Its own digest does not fit, or go-yaml cannot read what it wrote.
        return None;
    }
    let opened =
        open(&rotated, case.store, pair).unwrap_or_else(|told| panic!("{told}, {case}\n{rotated}"));
    if rotated.contains("\nsops: #") {
        // go-yaml wrote a comment beside the metadata, where it is lost.
        return None;
    }
    assert!(opened.holds(&plain), "edited by rotate, {case}\n{rotated}");
    assert_eq!(renew(&opened, &plain, &read, 5), rotated, "{case}");
    let Content::Tree(_) = after else {
        return Some(());
    };
    let arguments = ["set", case.name, "[\"edited\"]", "\"by hand\""];
    let set = sops.change(&rules, &arguments, case.name, &rotated).ok()?;
    let opened = match open(&set, case.store, pair) {
        Ok(opened) => opened,
        Err(told) => {
            let theirs = content(sops, case, &set);
            assert!(
                matches!(theirs, Content::Refused(_)),
                "{told}, {case}\n{set}"
            );
            return None;
        }
    };
    assert!(!opened.holds(&plain), "{case}\n{set}");
    // Back to what is wanted, in the place of what was edited.
    let back = renew(&opened, &plain, &read, 6);
    assert_eq!(content(sops, case, &back), before, "{case}\n{back}");
    assert!(
        open(&back, case.store, pair).unwrap().holds(&plain),
        "{case}\n{back}"
    );
    Some(())
}

#[test]
fn takes_what_sops_edits() {
    edits("sops", 60);
}

#[test]
#[ignore = "takes ten minutes; maintainers run it before a release"]
fn takes_thousands_that_sops_edits() {
    edits("sops", 2000);
    edits("sops-older", 1000);
}

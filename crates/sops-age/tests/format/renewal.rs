use std::collections::BTreeSet;

use similar::{ChangeTag, TextDiff};
use sops_age::keys::Recipient;
use sops_age::{Draw, Outline, PlainFile, RuleFile, Spot, Store};

use super::cases::{Case, Content, content, each_case};
use super::documents::Author;
use super::setting::{LATER, Pair, Stream, open, plain, renew, seal};
use super::sops::Sops;

/// How many lines went and how many came.
fn moved(before: &str, after: &str) -> (usize, usize) {
    let diff = TextDiff::from_lines(before, after);
    let count = |tag| {
        let changes = diff.iter_all_changes();
        changes.filter(|change| change.tag() == tag).count()
    };
    (count(ChangeTag::Delete), count(ChangeTag::Insert))
}

/// The ciphertexts of a file.
fn tokens(text: &str) -> BTreeSet<&str> {
    let starts = text.match_indices("ENC[");
    starts
        .map(|(at, _)| &text[at..=at + text[at..].find(']').unwrap()])
        .collect()
}

/// Changes one value, comment, key or the order of keys.
fn changed(file: &PlainFile, author: &mut Author) -> Option<Vec<u8>> {
    let outline = match file {
        PlainFile::Binary(bytes) => {
            let mut bytes = bytes.to_vec();
            bytes.push(7);
            return Some(bytes);
        }
        PlainFile::Tree(outline) => outline,
    };
    let text = outline.text.as_str();
    let document = &outline.documents[author.below(outline.documents.len())];
    let entries = document.root.as_ref()?.entries()?;
    let line = |at: usize| text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let in_braces = text[document.root.as_ref()?.span.start..].starts_with('{');
    match author.below(4) {
        0 if !in_braces && entries.len() > 1 => {
            // The first two entries change places, with what stands between.
            let (one, two) = (
                line(entries[0].key_span.start),
                line(entries[1].key_span.start),
            );
            let end = match entries.get(2) {
                Some(next) => line(next.key_span.start),
                None => text[two..]
                    .find("\n---")
                    .map_or(text.len(), |at| two + at + 1),
            };
            let end = if text[..end].ends_with('\n') {
                end
            } else {
                return None;
            };
            let swapped = [&text[..one], &text[two..end], &text[one..two], &text[end..]];
            Some(swapped.concat().into_bytes())
        }
        1 if !in_braces => {
            let at = line(entries[0].key_span.start);
            Some(format!("{}new: value\n{}", &text[..at], &text[at..]).into_bytes())
        }
        _ => changed_leaf(outline, author),
    }
}

fn changed_leaf(outline: &Outline, author: &mut Author) -> Option<Vec<u8>> {
    let leaves: Vec<_> = outline.leaves().collect();
    let leaf = leaves.get(author.below(leaves.len().max(1)))?;
    let number = author.below(1000);
    let (span, new) = match &leaf.spot {
        Spot::Block { span, .. } if !span.is_empty() => (*span, format!("changed{number}")),
        Spot::Flow(span) => (*span, format!("\"changed{number}\"")),
        Spot::Comment(span) => (*span, format!("# changed {number}")),
        _ => return None,
    };
    let text = outline.text.as_str();
    Some(format!("{}{new}{}", &text[..span.start], &text[span.end..]).into_bytes())
}

/// Seals a file, changes it, and seals it again in its place: by us and by `sops` before, by us after.
fn renews(oracle: &str, usual: u64) {
    let pair = Pair::new();
    let Some(sops) = Sops::find(oracle, &pair) else {
        return;
    };
    let (mut renewed, mut more) = (0, 0);
    let cases = each_case(usual, |case| {
        if let Some(only) = renews_on(&sops, &pair, &case) {
            renewed += 1;
            more += u64::from(!only);
        }
    });
    assert!(renewed > cases / 3, "only {renewed} of {cases}");
    assert!(more <= 2 + renewed / 10, "{more} of {renewed} moved more");
}

/// Judges one case, and returns whether nothing but the change moved.
fn renews_on(sops: &Sops, pair: &Pair, case: &Case) -> Option<bool> {
    let rules = pair.rules(case.more);
    let read = RuleFile::read(&rules).unwrap();
    let before = plain(&case.bytes, case.store, &read)?;
    let bytes = changed(&before, &mut Author::new(case.number + 1_000_000))?;
    let after = plain(&bytes, case.store, &read)?;
    let changed_case = Case {
        bytes: bytes.clone(),
        ..Case::new(case.number)
    };
    let reference = sops.encrypt(&rules, case.name, &bytes).ok()?;
    let reference = content(sops, case, &reference);
    let of_sops = case.number.is_multiple_of(2);
    let sealed = if of_sops {
        sops.encrypt(&rules, case.name, &case.bytes).ok()?
    } else {
        seal(&before, &read, case.number)
    };
    let opened = open(&sealed, case.store, pair).ok()?;
    if of_sops && !opened.holds(&before) {
        return None;
    }
    let renewed = renew(&opened, &after, &read, case.number + 1);
    let back = open(&renewed, case.store, pair).unwrap();
    assert!(back.holds(&after), "{changed_case}\n{renewed}");
    let theirs = content(sops, case, &renewed);
    if !matches!(reference, Content::Refused(_)) {
        assert_eq!(theirs, reference, "{changed_case}\n{renewed}");
    }
    let documents = after.outline().map_or(1, |outline| outline.documents.len());
    // A comment that decides what is encrypted moves more than itself.
    // A comment that decides what is encrypted moves more than itself.
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (gone, come) = moved(&sealed, &renewed);
    let (plain_gone, plain_come) = match case.store {
        Store::Binary => (1, 1),
        _ => moved(&text(&case.bytes), &text(&bytes)),
    };
    let most = 2 * documents;
    // A comment that decides what is encrypted moves more than itself.
    let only = gone <= plain_gone + most && come <= plain_come + most || case.is_by_comment();
    // What `sops` wrote is laid out otherwise than what is to be said.
    assert!(
        of_sops || only,
        "{case}\n{changed_case}\n{sealed}\n{renewed}"
    );
    // One value may move, and the digest does; comments that `sops` had put elsewhere come back.
    let (old, new) = (tokens(&sealed), tokens(&renewed));
    let fresh = new.difference(&old);
    let fresh = fresh.filter(|token| !of_sops || !token.contains("type:comment"));
    let fresh = fresh.count();
    assert!(
        fresh <= 2 || case.is_by_comment(),
        "{fresh} new ciphertexts, {case}\n{changed_case}\n{sealed}\n{renewed}"
    );
    Some(only)
}

#[test]
fn moves_only_what_changed() {
    renews("sops", 160);
}

#[test]
#[ignore = "takes ten minutes; maintainers run it before a release"]
fn moves_only_what_changed_in_thousands() {
    renews("sops", 4000);
    renews("sops-older", 1500);
}

/// Returns the lines that hold ciphertexts of values, the digest and the time.
fn values(text: &str) -> Vec<&str> {
    let lines = text.lines();
    lines
        .filter(|line| line.contains("ENC[AES256_GCM") || line.contains("lastmodified"))
        .collect()
}

#[test]
fn a_file_is_edited_by_its_own_terms_and_wrapped_for_others() {
    let (own, other) = (Pair::new(), Pair::new());
    for (store, text, changed) in [
        (Store::Yaml, "a: one\nb: two\n", "a: one\nb: three\n"),
        (
            Store::Json,
            "{\"a\": \"one\", \"b\": \"two\"}\n",
            "{\"a\": \"one\", \"b\": \"three\"}\n",
        ),
        (Store::Binary, "one\n", "two\n"),
    ] {
        let rules = RuleFile::read(&own.rules(&["mac_only_encrypted: true"])).unwrap();
        let layouts = &rules.rules[0].layouts;
        let sealed = seal(&plain(text.as_bytes(), store, &rules).unwrap(), &rules, 1);
        let opened = open(&sealed, store, &own).unwrap();
        let new = plain(changed.as_bytes(), store, &rules).unwrap();
        let draw = Draw::new(&new, &opened.metadata.scope, &mut Stream(2));
        let same = plain(text.as_bytes(), store, &rules).unwrap();
        assert_eq!(opened.edited(&same, layouts, &draw, LATER).unwrap(), sealed);
        let edited = opened.edited(&new, layouts, &draw, LATER).unwrap();
        let read = open(&edited, store, &own).unwrap();
        assert!(read.holds(&new), "{edited}");
        assert_eq!(read.metadata.sealed_for(), opened.metadata.sealed_for());
        assert_eq!(read.metadata.age, opened.metadata.age);

        // The same data key for others: nobody's values move.
        let recipients: Vec<Recipient> = [&own, &other]
            .map(|pair| Recipient::read(&pair.recipient).unwrap())
            .into();
        assert_eq!(opened.rewrapped(&recipients[..1], layouts).unwrap(), None);
        let both = opened.rewrapped(&recipients, layouts).unwrap().unwrap();
        assert_eq!(values(&both), values(&sealed));
        for pair in [&own, &other] {
            assert!(open(&both, store, pair).unwrap().holds(&same), "{both}");
        }
        let less = open(&both, store, &own).unwrap();
        let less = less.rewrapped(&recipients[1..], layouts).unwrap().unwrap();
        assert_eq!(values(&less), values(&sealed));
        assert!(open(&less, store, &own).is_err() && open(&less, store, &other).is_ok());
    }
}

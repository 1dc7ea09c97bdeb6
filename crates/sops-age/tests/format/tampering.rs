use sops_age::{RuleFile, Store};

use super::cases::{Case, each_case};
use super::documents::Author;
use super::setting::{Pair, Stream, open, plain, seal};
use super::sops::Sops;
use rand_core::RngCore as _;

/// A way to change a sealed file; `None` where it has nothing to change.
type Tampering = fn(&str, &mut Author) -> Option<String>;

/// The part of a file before its metadata, and the rest.
fn parts(text: &str) -> Option<(&str, &str)> {
    let at = text.rfind("\nsops:").or_else(|| text.rfind("\"sops\":"))?;
    Some(text.split_at(at))
}

/// The places of ciphertexts before the metadata, comments left out: `sops` takes those for what they seem.
fn places(text: &str) -> Vec<(usize, usize)> {
    let end = parts(text).map_or(0, |(values, _)| values.len());
    let starts = text[..end].match_indices("ENC[");
    let places = starts.map(|(at, _)| (at, at + text[at..].find(']').unwrap() + 1));
    places
        .filter(|(start, end)| !text[*start..*end].ends_with("type:comment]"))
        .collect()
}

fn swap_two(text: &str, author: &mut Author) -> Option<String> {
    let places = places(text);
    let first = author.below(places.len().checked_sub(1)?.max(1));
    let (one, other) = (places.get(first)?, places.get(first + 1)?);
    let swapped = [
        &text[..one.0],
        &text[other.0..other.1],
        &text[one.1..other.0],
        &text[one.0..one.1],
        &text[other.1..],
    ];
    Some(swapped.concat())
}

fn with_place(text: &str, author: &mut Author, new: impl FnOnce(&str) -> String) -> Option<String> {
    let places = places(text);
    let (start, end) = *places.get(author.below(places.len().max(1)))?;
    Some(format!(
        "{}{}{}",
        &text[..start],
        new(&text[start..end]),
        &text[end..]
    ))
}

fn cut(text: &str, author: &mut Author) -> Option<String> {
    with_place(text, author, |token| {
        token.replacen("data:", "data:AAAA", 1)
    })
}

fn other_nonce(text: &str, author: &mut Author) -> Option<String> {
    with_place(text, author, |token| {
        let at = token.find("iv:").unwrap() + 3;
        let other = if token[at..].starts_with('A') {
            "B"
        } else {
            "A"
        };
        format!("{}{other}{}", &token[..at], &token[at + 1..])
    })
}

fn broken(text: &str, author: &mut Author) -> Option<String> {
    with_place(text, author, |token| token.replace(",tag:", ",gat:"))
}

fn in_plain(text: &str, author: &mut Author) -> Option<String> {
    with_place(text, author, |_| "swordfish".to_owned())
}

fn from_elsewhere(text: &str, author: &mut Author) -> Option<String> {
    let places = places(text);
    let (start, end) = *places.first()?;
    let token = text[start..end].to_owned();
    (places.len() > 1).then_some(())?;
    let (start, end) = places[1 + author.below(places.len() - 1)];
    Some(format!("{}{token}{}", &text[..start], &text[end..]))
}

fn other_mac(text: &str, _: &mut Author) -> Option<String> {
    let (values, metadata) = parts(text)?;
    let token = metadata.find("ENC[")? + "ENC[AES256_GCM,data:".len();
    let other = if metadata[token..].starts_with('A') {
        "B"
    } else {
        "A"
    };
    Some(format!(
        "{values}{}{other}{}",
        &metadata[..token],
        &metadata[token + 1..]
    ))
}

fn other_time(text: &str, _: &mut Author) -> Option<String> {
    text.contains("2026-03-04T05:06:07Z")
        .then(|| text.replace("2026-03-04T05:06:07Z", "2026-03-04T05:06:08Z"))
}

fn other_data_key(text: &str, _: &mut Author) -> Option<String> {
    let (values, metadata) = parts(text)?;
    let line = metadata.find("YWdl")? + 60;
    let other = if metadata[line..].starts_with('A') {
        "B"
    } else {
        "A"
    };
    Some(format!(
        "{values}{}{other}{}",
        &metadata[..line],
        &metadata[line + 1..]
    ))
}

fn without_recipients(text: &str, _: &mut Author) -> Option<String> {
    let (values, metadata) = parts(text)?;
    if metadata.contains("\"age\"") {
        let (start, end) = (metadata.find('[')?, metadata.find(']')? + 1);
        return Some(format!(
            "{values}{}[]{}",
            &metadata[..start],
            &metadata[end..]
        ));
    }
    let (start, end) = (
        metadata.find("    age:")?,
        metadata.find("    lastmodified")?,
    );
    Some(format!(
        "{values}{}{}",
        &metadata[..start],
        &metadata[end..]
    ))
}

fn other_scope(text: &str, _: &mut Author) -> Option<String> {
    let (values, metadata) = parts(text)?;
    let changed = metadata
        .replace("mac_only_encrypted: true", "mac_only_encrypted: false")
        .replace("mac_only_encrypted\": true", "mac_only_encrypted\": false");
    (changed != metadata).then(|| format!("{values}{changed}"))
}

const TAMPERINGS: [(&str, Tampering); 11] = [
    ("two values change places", swap_two),
    ("a ciphertext is longer", cut),
    ("a nonce is another", other_nonce),
    ("a ciphertext is none", broken),
    ("a value is in plain text", in_plain),
    ("a value of another key", from_elsewhere),
    ("the digest is another", other_mac),
    ("the time is another", other_time),
    ("the data key is damaged", other_data_key),
    ("there is no recipient", without_recipients),
    ("the digest is over something else", other_scope),
];

fn refuses(usual: u64) {
    let pair = Pair::new();
    let sops = Sops::find("sops", &pair);
    let mut refused = [0; TAMPERINGS.len()];
    each_case(usual, |case| {
        let rules = pair.rules(case.more);
        let read = RuleFile::read(&rules).unwrap();
        let Some(plain) = plain(&case.bytes, case.store, &read) else {
            return;
        };
        let sealed = seal(&plain, &read, case.number);
        for (index, (what, tampering)) in TAMPERINGS.iter().enumerate() {
            let mut author = Author::new(case.number);
            let Some(changed) = tampering(&sealed, &mut author).filter(|new| *new != sealed) else {
                continue;
            };
            refused[index] += u64::from(is_refused(&pair, sops.as_ref(), &case, what, &changed));
        }
    });
    let counts = TAMPERINGS.iter().zip(refused);
    let never: Vec<&str> = counts
        .filter(|(_, count)| *count == 0)
        .map(|((what, _), _)| *what)
        .collect();
    assert!(never.is_empty(), "never refused: {never:?}");
}

/// Asks us and `sops` about a changed file: what one of both refuses, the other does.
fn is_refused(pair: &Pair, sops: Option<&Sops>, case: &Case, what: &str, changed: &str) -> bool {
    let ours = open(changed, case.store, pair);
    // Equal values of a list share their context, and their order is in the digest only: two of them that hold the
    // same may change places, and nothing is another then.
    let same = ours.as_ref().is_ok_and(|opened| {
        let read = RuleFile::read(&pair.rules(case.more)).unwrap();
        plain(&case.bytes, case.store, &read).is_some_and(|plain| opened.holds(&plain))
    });
    assert!(
        ours.is_err() || same,
        "{what}: we take it, {case}\n{changed}"
    );
    if let Some(sops) = sops {
        let theirs = sops.decrypt(case.name, changed);
        assert_eq!(ours.is_err(), theirs.is_err(), "{what}: {case}\n{changed}");
    }
    ours.is_err()
}

#[test]
fn refuses_what_was_tampered_with() {
    refuses(24);
}

#[test]
#[ignore = "takes ten minutes; maintainers run it before a release"]
fn refuses_thousands_that_were_tampered_with() {
    refuses(1200);
}

/// Whatever bytes of a sealed file are others, it opens to what it was, or not at all.
#[test]
fn opens_to_nothing_else_whatever_bytes_are_others() {
    let pair = Pair::new();
    let rules = RuleFile::read(&pair.rules(&[])).unwrap();
    let mut dice = Stream(7);
    for (store, bytes) in [
        (
            Store::Yaml,
            "a: swordfish\n# c\nb:\n  - |\n    x\n  - {c: d}\ne: 1\n---\nf: 2\n",
        ),
        (
            Store::Json,
            "{\"a\": \"swordfish\", \"b\": [1, {\"c\": \"d\"}]}\n",
        ),
        (Store::Binary, "swordfish"),
    ] {
        let plain = plain(bytes.as_bytes(), store, &rules).unwrap();
        let sealed = seal(&plain, &rules, 1);
        for _ in 0..400 {
            let mut changed = sealed.clone().into_bytes();
            let at = usize::try_from(dice.next_u64()).unwrap() % changed.len();
            changed[at] = b' ' + u8::try_from(dice.next_u32() % 95).unwrap();
            let changed = String::from_utf8(changed).unwrap();
            // Comments are in no digest, as in SOPS.
            match open(&changed, store, &pair) {
                Ok(opened) if store == Store::Yaml => {
                    let values = |text: &[u8]| String::from_utf8_lossy(text).contains("swordfish");
                    assert!(values(&opened.to_plain()), "{changed}");
                }
                Ok(opened) => assert!(opened.holds(&plain), "{changed}"),
                Err(told) => assert!(!told.contains("swordfish"), "{told}"),
            }
        }
    }
}

//! Another secret of the same shape.
//!
//! Leaks are found by rendering twice, the second time with other secrets: what differs in the open depends on a
//! secret, however it was transformed. For that the other secret has to differ wherever it can, and still has to be
//! taken for the same kind of thing by whatever reads it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// How private keys of age start, the longer prefix first; 32 bytes follow, whatever they are.
const KINDS: [&str; 2] = ["AGE-SECRET-KEY-PQ-1", "AGE-SECRET-KEY-1"];

/// Base64 of a shorter text is more likely a word that happens to be base64 as well.
const SHORTEST_BASE64: usize = 16;

/// A hexadecimal number of fewer digits is more likely a word.
const SHORTEST_HEX: usize = 8;

/// How many candidates are tried where one has to differ at every place by chance.
const TRIES: u32 = 500;

/// Makes a text that stands in for a secret: of the same shape, and different at every letter and digit.
///
/// The result depends on the text alone. Kept are its length, white space and punctuation, the class of each
/// character (digit, hexadecimal digit, upper and lower case, letter of another alphabet), the frame of PEM, the public
/// key that an age key file names, and the keys and literals of JSON; an age identity becomes another sound identity, base64 of printable text stays that. A
/// text that has nothing but punctuation gets other punctuation.
pub fn stand_in(text: &str) -> String {
    if is_json(text) {
        return json(text);
    }
    if let Some(other) = base64_of_text(text) {
        return other;
    }
    let mut result = String::with_capacity(text.len());
    let mut framed = false;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end_matches(['\n', '\r']);
        if bare.starts_with("-----BEGIN ") {
            framed = true;
        }
        let frame = bare.starts_with("-----BEGIN ") || bare.starts_with("-----END ");
        if (frame && framed) || bare.starts_with("# public key: ") {
            result.push_str(bare);
        } else if let Some(other) = identity(bare) {
            result.push_str(&other);
        } else {
            // Keys of age that are not known here are still told by their prefix.
            let prefix = KINDS.iter().find(|kind| bare.starts_with(*kind));
            let (kind, rest) = bare.split_at(prefix.map_or(0, |kind| kind.len()));
            result.push_str(kind);
            result.push_str(&strict_base64_end(rest, &shifted(rest, 0)));
        }
        result.push_str(&line[bare.len()..]);
    }
    if result == text {
        punctuation(text)
    } else {
        result
    }
}

/// Returns 64 hexadecimal digits that depend on a text and do not tell it, for what has to be made up.
pub fn fingerprint(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}

/// Shifts every letter and digit within its class; `variant` chooses among several results.
fn shifted(text: &str, variant: usize) -> String {
    let hex = is_hex(text);
    let mut first = true;
    text.chars()
        .enumerate()
        .map(|(at, letter)| {
            let leading = std::mem::take(&mut first);
            match letter {
                '0'..='9' => digit(letter, at + variant, leading),
                'a'..='f' if hex => rotated(letter, b'a', 6, at + variant),
                'A'..='F' if hex => rotated(letter, b'A', 6, at + variant),
                'a'..='z' => rotated(letter, b'a', 26, at + variant),
                'A'..='Z' => rotated(letter, b'A', 26, at + variant),
                _ if letter.is_alphabetic() => neighbour(letter),
                _ => letter,
            }
        })
        .collect()
}

/// Moves a letter by a distance that depends on its place and is never a whole turn.
fn rotated(letter: char, start: u8, count: u8, at: usize) -> char {
    let turns = usize::from(count) - 1;
    let distance = 1 + (at * 7 + 3) % turns;
    let own = usize::from(letter as u8 - start);
    let moved = (own + distance) % usize::from(count);
    char::from(start + u8::try_from(moved).unwrap_or_default())
}

/// Moves a digit; a number does not come to start with a zero.
fn digit(letter: char, at: usize, leading: bool) -> char {
    match (letter, leading) {
        ('1'..='9', true) => rotated(letter, b'1', 9, at),
        _ => rotated(letter, b'0', 10, at),
    }
}

/// Returns a letter of the same alphabet, case and length in UTF-8, or the same one if there is none beside it.
fn neighbour(letter: char) -> char {
    let code = u32::from(letter);
    let candidates = [code ^ 1, code + 1, code - 1, code + 2, code - 2];
    let fits = |other: &char| {
        other.is_alphabetic()
            && other.len_utf8() == letter.len_utf8()
            && other.is_lowercase() == letter.is_lowercase()
            && other.is_uppercase() == letter.is_uppercase()
    };
    let found = candidates.into_iter().filter_map(char::from_u32).find(fits);
    found.unwrap_or(letter)
}

fn is_hex(text: &str) -> bool {
    let letters = || text.chars().filter(char::is_ascii_alphanumeric);
    letters().count() >= SHORTEST_HEX
        && letters().all(|letter| letter.is_ascii_hexdigit())
        && text.chars().any(|letter| letter.is_ascii_alphabetic())
}

/// Replaces punctuation where a text has nothing else.
fn punctuation(text: &str) -> String {
    let other = |letter: char| match letter {
        _ if letter.is_whitespace() => letter,
        '.' => '_',
        _ => '.',
    };
    text.chars().map(other).collect()
}

/// Makes another age identity that differs from this one at every place where two can differ.
fn identity(line: &str) -> Option<String> {
    let own = line.trim();
    let checked = bech32::primitives::decode::CheckedHrpstring::new::<bech32::Bech32>(own);
    let kind = KINDS.iter().find(|kind| own.starts_with(**kind))?;
    checked.ok()?;
    let mut best: Option<(usize, String)> = None;
    for counter in 0..TRIES {
        let mut hash = Sha256::new();
        hash.update(own);
        hash.update(counter.to_be_bytes());
        let other = bech32_identity(kind, &hash.finalize())?;
        let same = own.chars().zip(other.chars()).skip(kind.len());
        let same = same.filter(|(own, other)| own == other).count();
        if best.as_ref().is_none_or(|(least, _)| same < *least) {
            best = Some((same, other));
        }
        if same == 0 {
            break;
        }
    }
    best.map(|(_, other)| line.replacen(own, &other, 1))
}

/// Writes 32 bytes as an age identity: Bech32 (BIP 173) in upper case.
fn bech32_identity(kind: &str, bytes: &[u8]) -> Option<String> {
    let prefix = kind.trim_end_matches('1').to_ascii_lowercase();
    let prefix = bech32::Hrp::parse(&prefix).ok()?;
    bech32::encode_upper::<bech32::Bech32>(prefix, bytes).ok()
}

/// Treats base64 of printable text as that text.
fn base64_of_text(text: &str) -> Option<String> {
    if text.len() < SHORTEST_BASE64 {
        return None;
    }
    let bytes = STANDARD.decode(text).ok()?;
    let inner = String::from_utf8(bytes).ok()?;
    if !inner
        .chars()
        .all(|letter| matches!(letter, ' '..='~' | '\n' | '\t'))
    {
        return None;
    }
    let other = if is_json(&inner) {
        json(&inner)
    } else {
        // Four characters share three bytes, so that some come out alike: the best of a few is taken.
        let differs = |candidate: &String| {
            let encoded = STANDARD.encode(candidate);
            encoded
                .chars()
                .zip(text.chars())
                .filter(|(a, b)| a != b)
                .count()
        };
        (0..64)
            .map(|variant| shifted(&inner, variant))
            .max_by_key(differs)?
    };
    Some(STANDARD.encode(other))
}

/// Repairs the last character of what is strict base64: its spare bits are zero.
fn strict_base64_end(own: &str, other: &str) -> String {
    let padding = own.len() - own.trim_end_matches('=').len();
    if padding == 0 || padding > 2 || STANDARD.decode(own).is_err() {
        return other.to_owned();
    }
    let ends = if padding == 2 {
        "AQgw"
    } else {
        "AEIMQUYcgkosw048"
    };
    let bare = &other[..other.len() - padding];
    let (Some(last), Some(written)) = (bare.chars().last(), own[..bare.len()].chars().last())
    else {
        return other.to_owned();
    };
    let end = ends.chars().find(|end| *end != written).unwrap_or(last);
    format!(
        "{}{end}{}",
        &bare[..bare.len() - last.len_utf8()],
        "=".repeat(padding)
    )
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
        && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Shifts the strings and numbers of a JSON text; keys, literals and layout stay.
fn json(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if letter == '"' {
            let end = string_end(rest);
            let (string, after) = rest.split_at(end);
            if after.trim_start().starts_with(':') {
                result.push_str(string);
            } else {
                result.push_str(&json_string(string));
            }
            rest = after;
        } else if letter == '-' || letter.is_ascii_digit() {
            let end = rest
                .find([',', ']', '}', ' ', '\n', '\r', '\t'])
                .unwrap_or(rest.len());
            result.push_str(&shifted_number(&rest[..end]));
            rest = &rest[end..];
        } else {
            result.push(letter);
            rest = &rest[letter.len_utf8()..];
        }
    }
    result
}

/// Returns where the string ends with which a JSON text starts.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Makes another of a JSON string in its quotes.
fn json_string(quoted: &str) -> String {
    let decoded: Result<String, _> = serde_json::from_str(quoted);
    match decoded {
        Ok(inner) => serde_json::Value::from(stand_in(&inner)).to_string(),
        Err(_) => quoted.to_owned(),
    }
}

/// Makes another of a number as JSON and YAML write it: `4711`, `-0.5e3`.
pub fn shifted_number(text: &str) -> String {
    let mut leading = true;
    let digits = text.chars().enumerate().map(|(at, letter)| match letter {
        '0' if leading => letter,
        '0'..='9' => {
            let moved = digit(letter, at, leading);
            leading = false;
            moved
        }
        _ => {
            leading = letter == '-';
            letter
        }
    });
    let moved: String = digits.collect();
    if moved == text { "1".to_owned() } else { moved }
}

#[cfg(test)]
mod tests {
    use sops_age::keys::{Identity, IdentityFile, NativeKind};

    use super::*;
    use proptest::prelude::*;

    fn assert_alike(text: &str) -> String {
        let other = stand_in(text);
        assert_eq!(other.chars().count(), text.chars().count(), "{other}");
        let pairs = text.chars().zip(other.chars());
        for (own, other) in pairs {
            assert_eq!(own.is_ascii_digit(), other.is_ascii_digit());
            assert_eq!(own.is_uppercase(), other.is_uppercase());
            assert_eq!(own.is_whitespace(), other.is_whitespace());
            assert_eq!(own.len_utf8(), other.len_utf8());
            assert!(own != other || !own.is_ascii_alphanumeric(), "{own}");
        }
        other
    }

    #[test]
    fn keeps_the_shape_of_words_numbers_and_hex() {
        for text in [
            "swordfish-1234567",
            "4711",
            "0",
            "a",
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "Ünïcödé",
        ] {
            assert_alike(text);
        }
        let hex = assert_alike("d41d8cd98f00b204e9800998ecf8427e");
        assert!(hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(stand_in("?!-"), "...");
        assert_ne!(stand_in("..."), "...");
        assert_eq!(stand_in(""), "");
    }

    #[test]
    fn an_age_identity_becomes_another_sound_one() {
        for kind in [NativeKind::X25519, NativeKind::PostQuantum] {
            for _ in 0..20 {
                let own = IdentityFile::generate(kind, "2026");
                let other = stand_in(own.text.expose());
                let lines = own.text.expose().lines().zip(other.lines());
                let (own_key, key) = lines.last().unwrap();
                let read = Identity::read(key).unwrap();
                assert_eq!(read.kind(), Identity::read(own_key).unwrap().kind());
                assert_ne!(read.recipient().unwrap(), own.recipient);
                let start = 1 + key.rfind('1').unwrap();
                let letters = own_key.chars().zip(key.chars()).skip(start);
                assert_eq!(letters.filter(|(own, other)| own == other).count(), 0);
            }
        }
    }

    #[test]
    fn json_keeps_its_keys_and_stays_json() {
        let text =
            "{\"AccountTag\": \"a1b2\", \"n\": [12, -0.5, true, null], \"t\": \"x\\ny\\u00f6\"}";
        let other = stand_in(text);
        let parsed: serde_json::Value = serde_json::from_str(&other).unwrap();
        assert_eq!(parsed["n"][2], true);
        assert_ne!(parsed["AccountTag"], "a1b2");
        assert_ne!(parsed["n"][0], 12);
        assert_ne!(parsed["n"][1], -0.5);
        let encoded = STANDARD.encode(text);
        let inside = STANDARD.decode(stand_in(&encoded)).unwrap();
        assert_eq!(String::from_utf8(inside).unwrap(), other);
    }

    #[test]
    fn a_pem_keeps_its_frame() {
        let text =
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\nBCIEIA==\n-----END PRIVATE KEY-----\n";
        let other = stand_in(text);
        let lines: Vec<&str> = other.lines().collect();
        assert_eq!(lines[0], "-----BEGIN PRIVATE KEY-----");
        assert_eq!(lines[3], "-----END PRIVATE KEY-----");
        assert_alike(&text[28..]);
    }

    proptest! {
        #[test]
        fn differs_wherever_it_can(text in "\\PC{1,40}") {
            prop_assume!(!is_json(&text) && base64_of_text(&text).is_none());
            let other = stand_in(&text);
            let pairs = text.chars().zip(other.chars());
            for (own, other) in pairs {
                prop_assert!(own != other || !own.is_ascii_alphanumeric());
            }
            if text.chars().any(|letter| !letter.is_whitespace() && letter.is_ascii()) {
                prop_assert_ne!(other, text);
            }
        }

        #[test]
        fn strict_base64_stays_strict(bytes in proptest::collection::vec(any::<u8>(), 1..60)) {
            let text = STANDARD.encode(bytes);
            prop_assert!(STANDARD.decode(stand_in(&text)).is_ok());
        }
    }
}

//! The test vectors of the age project.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;

use age::armor::ArmoredReader;
use age::{DecryptError, Decryptor};
use sha2::{Digest as _, Sha256};
use sops_age::keys::Identity;

use super::workshop::{Workshop, printed};
use crate::oracle::oracle;

/// A file to open, and what has to come of it.
struct Vector {
    expected: String,
    payload: Option<String>,
    identities: Vec<Identity>,
    armored: bool,
    needs_passphrase: bool,
    file: Vec<u8>,
}

impl Vector {
    fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(2).position(|pair| pair == b"\n\n").unwrap();
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let all = |key: &str| -> Vec<&str> {
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            lines
                .filter(|(name, _)| *name == key)
                .map(|(_, value)| value)
                .collect()
        };
        let one = |key: &str| all(key).first().map(|value| (*value).to_owned());
        Self {
            expected: one("expect").unwrap(),
            payload: one("payload"),
            identities: all("identity")
                .into_iter()
                .map(|text| Identity::read(text).unwrap())
                .collect(),
            armored: one("armored").is_some(),
            needs_passphrase: one("passphrase").is_some(),
            file: bytes[end + 2..].to_vec(),
        }
    }

    fn open(&self) -> Result<String, String> {
        let named = |problem: DecryptError| match problem {
            DecryptError::NoMatchingKeys => "no match".to_owned(),
            DecryptError::InvalidMac => "HMAC failure".to_owned(),
            _ => "header failure".to_owned(),
        };
        let identities = self
            .identities
            .iter()
            .map(|identity| identity as &dyn age::Identity);
        let mut plain = Vec::new();
        // White space around the armor is taken away, as `Keyring::open` does.
        let read = if self.armored {
            let decryptor = Decryptor::new_buffered(ArmoredReader::new(self.file.trim_ascii()));
            let reader = decryptor.map_err(named)?.decrypt(identities);
            reader.map_err(named)?.read_to_end(&mut plain)
        } else {
            let decryptor = Decryptor::new_buffered(self.file.as_slice());
            let reader = decryptor.map_err(named)?.decrypt(identities);
            reader.map_err(named)?.read_to_end(&mut plain)
        };
        read.map_err(|_| "payload failure".to_owned())?;
        let digest = Sha256::digest(&plain);
        Ok(digest
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<Vec<_>>()
            .concat())
    }
}

/// What the `age` crate takes and should not: the form of stanzas that early versions of it wrote.
const LENIENT: [&str; 2] = ["stanza_missing_body", "stanza_missing_final_line"];

#[test]
fn all_vectors_of_age_come_out_as_they_should() {
    let Some(program) = oracle("age-vectors") else {
        return;
    };
    let workshop = Workshop::new();
    printed(workshop.program(&program).arg(workshop.path("")), b"");
    let mut judged: BTreeMap<&str, usize> = BTreeMap::new();
    let mut lenient = Vec::new();
    for entry in fs::read_dir(workshop.path("")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let vector = Vector::read(&fs::read(&path).unwrap());
        // What a passphrase opens is never a data key.
        if vector.needs_passphrase {
            continue;
        }
        let came = vector.open();
        let is_quantum = name.contains("hybrid");
        match (vector.expected.as_str(), &came) {
            ("success", Ok(came)) => assert_eq!(Some(came), vector.payload.as_ref(), "{name}"),
            ("success", Err(came)) => panic!("{name}: {came}"),
            // Of other keys the age crate decides alone how it fails.
            (expected, Err(came)) if is_quantum => assert_eq!(came, expected, "{name}"),
            (_, Err(_)) => {}
            (_, Ok(_)) => lenient.push(name.to_owned()),
        }
        let kind = if is_quantum { "post-quantum" } else { "other" };
        *judged.entry(kind).or_default() += 1;
    }
    lenient.sort();
    assert_eq!(lenient, LENIENT);
    assert!(
        judged["post-quantum"] >= 19 && judged["other"] >= 90,
        "{judged:?}"
    );
}

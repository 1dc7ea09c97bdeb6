//! SSH keys of the kind `ssh-ed25519` as recipients and identities of age.
//!
//! The stanza of that name as age's own package `agessh` has it. An ed25519 key is turned into an X25519 key by the
//! birational map between the two curves; the header names the key by four bytes of a hash, so that such a file, unlike
//! others, tells for whom it is.
//!
//! `ssh-rsa` is left out on purpose: the only implementation of RSA in Rust leaks private keys by timing
//! (RUSTSEC-2023-0071), and nothing that is made today needs it.

#[expect(
    clippy::disallowed_types,
    reason = "the trait of age asks for this set"
)]
use std::collections::HashSet;
use std::fmt;

use age::{DecryptError, EncryptError};
use age_core::format::{FILE_KEY_BYTES, FileKey, Stanza};
use age_core::primitives::{aead_decrypt, aead_encrypt, hkdf};
use age_core::secrecy::ExposeSecret as _;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use rand_core::{OsRng, RngCore as _};
use sha2::{Digest as _, Sha256, Sha512};
use ssh_key::private::KeypairData;
use ssh_key::{Algorithm, PrivateKey, PublicKey};
use x25519_dalek::{SharedSecret, StaticSecret};
use zeroize::Zeroizing;

const KIND: &str = "ssh-ed25519";
const INFO: &[u8] = b"age-encryption.org/v1/ssh-ed25519";

/// How a private key of OpenSSH starts.
const OPENSSH_HEADER: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";

/// Why a text is not an SSH key that age files can be encrypted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SshRefusal {
    /// An RSA key.
    Rsa,
    /// A key of another kind than ed25519 and RSA, a certificate or a key in a hardware token.
    OtherAlgorithm,
    /// A private key that a passphrase protects.
    Passphrase,
    /// A private key in another form than that of OpenSSH.
    OtherForm,
    /// A text that starts like an SSH key and is none.
    Broken,
}

/// A public key `ssh-ed25519 AAAA…`.
#[derive(Clone)]
pub struct SshRecipient {
    key: CurveKey,
    /// As it was read, comment included: SOPS keeps it so.
    text: String,
}

/// A private key of OpenSSH of the kind ed25519, without a passphrase.
///
/// Wiped when dropped; `Debug` shows nothing of it.
#[derive(Clone)]
pub struct SshIdentity {
    key: CurveKey,
    scalar: StaticSecret,
}

/// A public key on both curves.
#[derive(Clone)]
struct CurveKey {
    edwards: [u8; 32],
    montgomery: x25519_dalek::PublicKey,
}

impl CurveKey {
    /// Takes a public key; `None` for bytes that are no point, or one that gives the same secret to everybody.
    fn new(edwards: [u8; 32]) -> Option<Self> {
        let point = CompressedEdwardsY(edwards).decompress()?;
        let montgomery = point.to_montgomery().to_bytes().into();
        (!point.is_small_order()).then_some(Self {
            edwards,
            montgomery,
        })
    }

    /// Returns the key as SSH sends it: kind and point, each behind its length.
    fn wire(&self) -> Vec<u8> {
        let mut wire = Vec::with_capacity(51);
        for part in [KIND.as_bytes(), &self.edwards] {
            let length = u32::try_from(part.len()).expect("both parts are short");
            wire.extend(length.to_be_bytes());
            wire.extend(part);
        }
        wire
    }

    /// Returns the four bytes of a hash that name the key in a header.
    fn tag(&self) -> String {
        STANDARD_NO_PAD.encode(&Sha256::digest(self.wire())[..4])
    }

    /// Derives the key that encrypts the file key from the secret that both sides share.
    fn wrapping_key(
        &self,
        ephemeral: &x25519_dalek::PublicKey,
        shared: &SharedSecret,
    ) -> Zeroizing<[u8; 32]> {
        let tweak = hkdf(&self.wire(), INFO, &[]);
        let tweaked = Zeroizing::new(x25519_dalek::x25519(tweak, *shared.as_bytes()));
        let salt = [*ephemeral.as_bytes(), *self.montgomery.as_bytes()].concat();
        Zeroizing::new(hkdf(&salt, INFO, &*tweaked))
    }

    fn to_text(&self) -> String {
        format!("{KIND} {}", STANDARD.encode(self.wire()))
    }
}

impl SshRecipient {
    /// Reads a public key as a line of `authorized_keys` without options has it.
    ///
    /// # Errors
    /// A key of another kind, or a text that is none.
    pub fn read(text: &str) -> Result<Self, SshRefusal> {
        let key = PublicKey::from_openssh(text).map_err(|_| refusal_of(text))?;
        let Some(point) = key.key_data().ed25519() else {
            return Err(refusal_by(&key.algorithm()));
        };
        Ok(Self {
            key: CurveKey::new(point.0).ok_or(SshRefusal::Broken)?,
            text: text.trim().to_owned(),
        })
    }
}

/// Says why a line that cannot be read as a whole is refused: by the kind that it names.
fn refusal_of(line: &str) -> SshRefusal {
    match line.split_ascii_whitespace().next() {
        Some(KIND) | None => SshRefusal::Broken,
        Some("ssh-rsa") => SshRefusal::Rsa,
        Some(_) => SshRefusal::OtherAlgorithm,
    }
}

fn refusal_by(algorithm: &Algorithm) -> SshRefusal {
    match algorithm {
        Algorithm::Rsa { .. } => SshRefusal::Rsa,
        _ => SshRefusal::OtherAlgorithm,
    }
}

impl fmt::Display for SshRecipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl fmt::Debug for SshRecipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SshRecipient({self})")
    }
}

#[expect(
    clippy::disallowed_types,
    reason = "the trait of age asks for this set"
)]
impl age::Recipient for SshRecipient {
    fn wrap_file_key(
        &self,
        file_key: &FileKey,
    ) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let mut bytes = Zeroizing::new([0; 32]);
        OsRng.fill_bytes(&mut bytes[..]);
        let ephemeral = StaticSecret::from(*bytes);
        let sent = x25519_dalek::PublicKey::from(&ephemeral);
        let shared = ephemeral.diffie_hellman(&self.key.montgomery);
        let key = self.key.wrapping_key(&sent, &shared);
        let stanza = Stanza {
            tag: KIND.to_owned(),
            args: vec![self.key.tag(), STANDARD_NO_PAD.encode(sent.as_bytes())],
            body: aead_encrypt(&key, file_key.expose_secret()),
        };
        Ok((vec![stanza], HashSet::new()))
    }
}

/// Returns whether a text starts as a private key does in any form that SSH knows.
pub(super) fn looks_like_private_key(text: &str) -> bool {
    let line = text.trim_start().lines().next().unwrap_or_default();
    line.starts_with("-----BEGIN ") && line.trim_end().ends_with("PRIVATE KEY-----")
}

impl SshIdentity {
    /// Reads a private key as `ssh-keygen` writes it.
    ///
    /// # Errors
    /// A key of another kind, in another form or with a passphrase, or a text that is none.
    pub fn read(text: &str) -> Result<Self, SshRefusal> {
        let text = text.trim();
        if !text.starts_with(OPENSSH_HEADER) {
            let header = text.lines().next().unwrap_or_default();
            return Err(if header.contains("RSA PRIVATE KEY") {
                SshRefusal::Rsa
            } else if header.contains("ENCRYPTED PRIVATE KEY") {
                SshRefusal::Passphrase
            } else if looks_like_private_key(text) {
                SshRefusal::OtherForm
            } else {
                SshRefusal::Broken
            });
        }
        let key = PrivateKey::from_openssh(text).map_err(|problem| match problem {
            ssh_key::Error::AlgorithmUnknown | ssh_key::Error::AlgorithmUnsupported { .. } => {
                SshRefusal::OtherAlgorithm
            }
            _ => SshRefusal::Broken,
        })?;
        let public = key.public_key();
        if public.key_data().ed25519().is_none() {
            return Err(refusal_by(&public.algorithm()));
        }
        if key.is_encrypted() {
            return Err(SshRefusal::Passphrase);
        }
        let KeypairData::Ed25519(pair) = key.key_data() else {
            return Err(SshRefusal::Broken);
        };
        let seed = Zeroizing::new(pair.private.to_bytes());
        let hash = Zeroizing::new(<[u8; 64]>::from(Sha512::digest(*seed)));
        let mut scalar = Zeroizing::new([0; 32]);
        scalar.copy_from_slice(&hash[..32]);
        // A public half that does not belong to the private one would encrypt for somebody else.
        let edwards = EdwardsPoint::mul_base_clamped(*scalar)
            .compress()
            .to_bytes();
        if edwards != pair.public.0 {
            return Err(SshRefusal::Broken);
        }
        Ok(Self {
            key: CurveKey::new(edwards).ok_or(SshRefusal::Broken)?,
            scalar: StaticSecret::from(*scalar),
        })
    }

    /// Returns the public key that belongs to this, without a comment.
    pub fn recipient(&self) -> SshRecipient {
        SshRecipient {
            text: self.key.to_text(),
            key: self.key.clone(),
        }
    }
}

impl fmt::Debug for SshIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SshIdentity(…)")
    }
}

impl age::Identity for SshIdentity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        if stanza.tag != KIND {
            return None;
        }
        let [tag, sent] = stanza.args.as_slice() else {
            return Some(Err(DecryptError::InvalidHeader));
        };
        let sent: Option<[u8; 32]> = STANDARD_NO_PAD
            .decode(sent)
            .ok()
            .and_then(|sent| sent.try_into().ok());
        let Some(sent) = sent else {
            return Some(Err(DecryptError::InvalidHeader));
        };
        if *tag != self.key.tag() {
            return None;
        }
        let sent = x25519_dalek::PublicKey::from(sent);
        let shared = self.scalar.diffie_hellman(&sent);
        if !shared.was_contributory() {
            return Some(Err(DecryptError::InvalidHeader));
        }
        let key = self.key.wrapping_key(&sent, &shared);
        let opened = aead_decrypt(&key, FILE_KEY_BYTES, &stanza.body).map(Zeroizing::new);
        Some(match opened {
            Ok(opened) => Ok(FileKey::init_with_mut(|key| key.copy_from_slice(&opened))),
            Err(_) => Err(DecryptError::DecryptionFailed),
        })
    }
}

#[cfg(test)]
mod tests {
    use age::Identity as _;
    use age::Recipient as _;
    use proptest::prelude::*;

    use super::*;

    const SEED: [u8; 32] = [7; 32];

    fn string(bytes: &[u8]) -> Vec<u8> {
        let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
        [&length[..], bytes].concat()
    }

    fn public_blob() -> Vec<u8> {
        let mut scalar = [0; 32];
        scalar.copy_from_slice(&Sha512::digest(SEED)[..32]);
        let point = EdwardsPoint::mul_base_clamped(scalar).compress();
        [string(KIND.as_bytes()), string(point.as_bytes())].concat()
    }

    /// Returns a private key in the form that OpenSSH describes in `PROTOCOL.key`.
    fn private_key(cipher: &str, public: &[u8], private: &[u8]) -> String {
        let (kdf, options) = match cipher {
            "none" => ("none", Vec::new()),
            _ => ("bcrypt", [string(&[1; 16]), vec![0, 0, 0, 24]].concat()),
        };
        let bytes = [
            b"openssh-key-v1\0".to_vec(),
            string(cipher.as_bytes()),
            string(kdf.as_bytes()),
            string(&options),
            vec![0, 0, 0, 1],
            string(public),
            string(private),
        ]
        .concat();
        let text = STANDARD.encode(bytes).into_bytes();
        let lines: Vec<&str> = text
            .chunks(70)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        let kind = "OPENSSH PRIVATE KEY";
        format!(
            "-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n",
            lines.join("\n")
        )
    }

    fn ed25519(seed: [u8; 32]) -> String {
        let public = public_blob();
        let point = &public[public.len() - 32..];
        let mut private = [
            vec![5; 8],
            public.clone(),
            string(&[&seed[..], point].concat()),
            string(b"me@here"),
        ]
        .concat();
        private.extend((1..=8).take((8 - private.len() % 8) % 8));
        private_key("none", &public, &private)
    }

    fn public_text() -> String {
        format!("{KIND} {}", STANDARD.encode(public_blob()))
    }

    #[test]
    fn reads_a_key_of_openssh_and_opens_what_is_for_it() {
        let identity = SshIdentity::read(&format!("\n{}\n", ed25519(SEED))).unwrap();
        let recipient = SshRecipient::read(&format!("{} me@here", public_text())).unwrap();
        assert_eq!(identity.recipient().to_string(), public_text());
        assert_eq!(recipient.to_string(), format!("{} me@here", public_text()));
        assert_eq!(format!("{identity:?}"), "SshIdentity(…)");
        let file_key = FileKey::new(Box::new([9; 16]));
        let (stanzas, labels) = recipient.wrap_file_key(&file_key).unwrap();
        assert!(labels.is_empty());
        let opened = identity.unwrap_stanzas(&stanzas).unwrap().unwrap();
        assert_eq!(opened.expose_secret(), file_key.expose_secret());
    }

    #[test]
    fn refuses_broken_stanzas_and_passes_over_foreign_ones() {
        let identity = SshIdentity::read(&ed25519(SEED)).unwrap();
        let file_key = FileKey::new(Box::new([9; 16]));
        let wrap = || {
            identity
                .recipient()
                .wrap_file_key(&file_key)
                .unwrap()
                .0
                .remove(0)
        };
        let unwrap = |change: &dyn Fn(&mut Stanza)| {
            let mut stanza = wrap();
            change(&mut stanza);
            identity.unwrap_stanza(&stanza).map(Result::err)
        };
        let invalid = |problem| matches!(problem, Some(Some(DecryptError::InvalidHeader)));
        assert!(unwrap(&|stanza| stanza.args[0] = "AAAAAA".to_owned()).is_none());
        assert!(unwrap(&|stanza| stanza.tag = "X25519".to_owned()).is_none());
        assert!(invalid(unwrap(&|stanza| stanza.args.truncate(1))));
        assert!(invalid(unwrap(&|stanza| stanza.args[1].push('A'))));
        assert!(invalid(unwrap(&|stanza| stanza.args[1] = "A".repeat(43))));
        let failed = |problem| matches!(problem, Some(Some(DecryptError::DecryptionFailed)));
        assert!(failed(unwrap(&|stanza| stanza.body[0] ^= 1)));
        assert!(failed(unwrap(&|stanza| stanza.body.push(0))));
    }

    #[test]
    fn says_why_it_refuses_a_key() {
        let refusal = |text: &str| SshIdentity::read(text).unwrap_err();
        let locked = private_key("aes256-ctr", &public_blob(), &[3; 160]);
        assert_eq!(refusal(&locked), SshRefusal::Passphrase);
        let rsa = [string(b"ssh-rsa"), string(&[1, 0, 1]), string(&[1; 128])].concat();
        let rsa = private_key("aes256-ctr", &rsa, &[3; 160]);
        assert_eq!(refusal(&rsa), SshRefusal::Rsa);
        // A public half of another key.
        assert_eq!(refusal(&ed25519([8; 32])), SshRefusal::Broken);
        assert_eq!(refusal("-----BEGIN RSA PRIVATE KEY-----"), SshRefusal::Rsa);
        assert_eq!(
            refusal("-----BEGIN EC PRIVATE KEY-----"),
            SshRefusal::OtherForm
        );
        assert_eq!(
            refusal("-----BEGIN ENCRYPTED PRIVATE KEY-----"),
            SshRefusal::Passphrase
        );
        assert_eq!(refusal(&ed25519(SEED)[..200]), SshRefusal::Broken);
        let point = |bytes: [u8; 32]| {
            let wire = [&[0, 0, 0, 11][..], KIND.as_bytes(), &[0, 0, 0, 32], &bytes].concat();
            SshRecipient::read(&format!("{KIND} {}", STANDARD.encode(wire)))
        };
        // Neither a number that is no point, nor the neutral point, which gives the same secret to everybody.
        assert_eq!(point([2; 32]).unwrap_err(), SshRefusal::Broken);
        let mut neutral = [0; 32];
        neutral[0] = 1;
        assert_eq!(point(neutral).unwrap_err(), SshRefusal::Broken);
    }

    proptest! {
        #[test]
        fn reads_no_key_with_a_panic(at in 0..380_usize, letter in "[A-Za-z0-9+/=\n]") {
            let mut text = ed25519(SEED);
            text.replace_range(at..=at, &letter);
            if let Ok(identity) = SshIdentity::read(&text) {
                // What is not covered by the check of the public half: comment and padding.
                prop_assert_eq!(identity.recipient().to_string(), public_text());
            }
        }
    }
}

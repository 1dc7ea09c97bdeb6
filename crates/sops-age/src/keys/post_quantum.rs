//! Post-quantum keys of age: recipients `age1pq1…`, identities `AGE-SECRET-KEY-PQ-1…`.
//!
//! The stanza `mlkem768x25519` of the [age specification](https://c2sp.org/age): HPKE (RFC 9180) in base mode with
//! [X-Wing](super::x_wing), HKDF-SHA256 and ChaCha20-Poly1305. `age-keygen -pq` makes them since age 1.3, sops reads
//! them since 3.12.

#[expect(
    clippy::disallowed_types,
    reason = "the trait of age asks for this set"
)]
use std::collections::HashSet;
use std::fmt;

use age::{DecryptError, EncryptError};
use age_core::format::{FILE_KEY_BYTES, FileKey, Stanza};
use age_core::secrecy::ExposeSecret as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::{Deserializable as _, HpkeError, Kem as _, OpModeR, OpModeS, Serializable as _};
use rand_core::{CryptoRngCore, OsRng};
use zeroize::Zeroizing;

use super::bech32_text::{KeyDamage, TextForm};
use super::x_wing::{
    PUBLIC_KEY_BYTES, SEED_BYTES, XWing, XWingEncapsulatedKey, XWingPrivateKey, XWingPublicKey,
};
use crate::secret::Secret;

const STANZA: &str = "mlkem768x25519";
const INFO: &[u8] = b"age-encryption.org/mlkem768x25519";
/// The label by which age refuses a header that others than post-quantum keys open as well.
const LABEL: &str = "postquantum";
/// A wrapped file key: its bytes and the tag of Poly1305.
const BODY_BYTES: usize = FILE_KEY_BYTES + 16;

pub(super) const RECIPIENT: TextForm = TextForm {
    prefix: "age1pq",
    bytes: PUBLIC_KEY_BYTES,
};
pub(super) const IDENTITY: TextForm = TextForm {
    prefix: "age-secret-key-pq-",
    bytes: SEED_BYTES,
};

/// A post-quantum public key: 1,959 letters that start with `age1pq1`.
#[derive(Clone, PartialEq, Eq)]
pub struct PostQuantumRecipient(XWingPublicKey);

/// A post-quantum private key: 77 letters that start with `AGE-SECRET-KEY-PQ-1`.
///
/// Wiped when dropped; `Debug` shows nothing of it.
#[derive(Clone)]
pub struct PostQuantumIdentity(XWingPrivateKey);

impl PostQuantumRecipient {
    /// Reads a public key.
    ///
    /// # Errors
    /// What is wrong with the text, or that its bytes are no key: a coefficient beyond the modulus of ML-KEM, or a
    /// point of X25519 that gives the same secret to everybody.
    pub fn read(text: &str) -> Result<Self, KeyDamage> {
        let bytes = RECIPIENT.read(text)?;
        let key = XWingPublicKey::from_bytes(&bytes).ok();
        let key = key.filter(XWingPublicKey::contributes);
        key.map(Self).ok_or(KeyDamage::NoKey)
    }
}

impl fmt::Display for PostQuantumRecipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&RECIPIENT.write(&self.0.to_bytes()))
    }
}

impl fmt::Debug for PostQuantumRecipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PostQuantumRecipient({self})")
    }
}

#[expect(
    clippy::disallowed_types,
    reason = "the trait of age asks for this set"
)]
impl age::Recipient for PostQuantumRecipient {
    fn wrap_file_key(
        &self,
        file_key: &FileKey,
    ) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let sealed = hpke::single_shot_seal::<ChaCha20Poly1305, HkdfSha256, XWing, _>(
            &OpModeS::Base,
            &self.0,
            INFO,
            file_key.expose_secret(),
            &[],
            &mut OsRng,
        );
        let (sent, body) = sealed.map_err(|_: HpkeError| {
            EncryptError::Io(std::io::Error::other("this public key encrypts nothing"))
        })?;
        let stanza = Stanza {
            tag: STANZA.to_owned(),
            args: vec![STANDARD_NO_PAD.encode(sent.to_bytes())],
            body,
        };
        Ok((vec![stanza], HashSet::from([LABEL.to_owned()])))
    }
}

impl PostQuantumIdentity {
    /// Makes a new private key, as `age-keygen -pq` does.
    pub fn generate(entropy: &mut impl CryptoRngCore) -> Self {
        let mut seed = Zeroizing::new([0; SEED_BYTES]);
        entropy.fill_bytes(&mut seed[..]);
        Self(XWingPrivateKey::new(seed))
    }

    /// Reads a private key.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn read(text: &str) -> Result<Self, KeyDamage> {
        let bytes = IDENTITY.read(text)?;
        let key = XWingPrivateKey::from_bytes(&bytes).map_err(|_| KeyDamage::NoKey)?;
        Ok(Self(key))
    }

    /// Returns the public key that belongs to this.
    pub fn recipient(&self) -> PostQuantumRecipient {
        PostQuantumRecipient(XWing::sk_to_pk(&self.0))
    }

    /// Hands out the text of this key, in upper case as `age-keygen` writes it.
    pub fn to_text(&self) -> Secret {
        let mut text = IDENTITY.write(self.0.seed());
        text.make_ascii_uppercase();
        // Taken and not copied: what is left behind is empty.
        Secret::new(std::mem::take(&mut *text))
    }
}

impl fmt::Debug for PostQuantumIdentity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PostQuantumIdentity(…)")
    }
}

impl age::Identity for PostQuantumIdentity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        if stanza.tag != STANZA {
            return None;
        }
        // The size is checked first: a longer body could be made to open for several keys.
        let sent = match stanza.args.as_slice() {
            [sent] if stanza.body.len() == BODY_BYTES => STANDARD_NO_PAD.decode(sent).ok(),
            _ => None,
        };
        let Some(sent) = sent.and_then(|sent| XWingEncapsulatedKey::from_bytes(&sent).ok()) else {
            return Some(Err(DecryptError::InvalidHeader));
        };
        let opened = hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeR::Base,
            &self.0,
            &sent,
            INFO,
            &stanza.body,
            &[],
        );
        match opened.map(Zeroizing::new) {
            Ok(opened) => Some(FileKey::try_init_with_mut(|key| {
                let whole = opened.len() == key.len();
                let opened = whole.then_some(&opened[..]);
                key.copy_from_slice(opened.ok_or(DecryptError::InvalidHeader)?);
                Ok(())
            })),
            // ML-KEM rejects by another secret, so a stanza for somebody else ends here.
            Err(HpkeError::OpenError) => None,
            Err(_) => Some(Err(DecryptError::InvalidHeader)),
        }
    }
}

#[cfg(test)]
mod tests {
    use age::Identity as _;
    use age::Recipient as _;
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha256};

    use super::*;

    fn pair() -> (PostQuantumIdentity, PostQuantumRecipient) {
        let identity = PostQuantumIdentity::generate(&mut OsRng);
        let recipient = identity.recipient();
        (identity, recipient)
    }

    fn copy(stanza: &Stanza) -> Stanza {
        Stanza {
            tag: stanza.tag.clone(),
            args: stanza.args.clone(),
            body: stanza.body.clone(),
        }
    }

    /// The identity that the age specification shows, and the digest of its recipient there.
    #[test]
    fn reads_the_key_of_the_specification() {
        const SHOWN: &str =
            "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR";
        const DIGEST: &str = "oJHdfg7p1it1Fz3MmEQaBCS6qUHmaod25XCkrmD/Yeo";
        let identity = PostQuantumIdentity::read(SHOWN).unwrap();
        assert_eq!(identity.to_text().expose(), SHOWN);
        let recipient = identity.recipient().to_string();
        assert_eq!((recipient.len(), RECIPIENT.letters()), (1959, 1959));
        let digest = STANDARD_NO_PAD.encode(Sha256::digest(&recipient));
        assert_eq!(digest, DIGEST);
        assert!(PostQuantumRecipient::read(&recipient).unwrap() == identity.recipient());
        assert_eq!(format!("{identity:?}"), "PostQuantumIdentity(…)");
    }

    #[test]
    fn only_the_right_identity_unwraps() {
        let (identity, recipient) = pair();
        let file_key = FileKey::new(Box::new([9; 16]));
        let (stanzas, labels) = recipient.wrap_file_key(&file_key).unwrap();
        assert_eq!(labels.into_iter().collect::<Vec<_>>(), ["postquantum"]);
        let opened = identity.unwrap_stanzas(&stanzas).unwrap().unwrap();
        assert_eq!(opened.expose_secret(), file_key.expose_secret());
        let (other, _) = pair();
        assert!(other.unwrap_stanzas(&stanzas).is_none());
    }

    #[test]
    fn refuses_broken_stanzas() {
        let (identity, recipient) = pair();
        let file_key = FileKey::new(Box::new([9; 16]));
        let (stanzas, _) = recipient.wrap_file_key(&file_key).unwrap();
        let broken = |change: &dyn Fn(&mut Stanza)| {
            let mut stanza = copy(&stanzas[0]);
            change(&mut stanza);
            matches!(
                identity.unwrap_stanza(&stanza),
                Some(Err(DecryptError::InvalidHeader))
            )
        };
        assert!(broken(&|stanza| stanza.args.push("x".to_owned())));
        assert!(broken(&|stanza| stanza.args.clear()));
        assert!(broken(&|stanza| stanza.body.push(0)));
        assert!(broken(&|stanza| stanza.args[0].push('=')));
        assert!(broken(&|stanza| stanza.args[0].truncate(1400)));
        // X25519 with a point of low order gives the same secret to everybody.
        assert!(broken(&|stanza| {
            let mut sent = STANDARD_NO_PAD.decode(&stanza.args[0]).unwrap();
            sent[1088..].fill(0);
            stanza.args[0] = STANDARD_NO_PAD.encode(sent);
        }));
        let mut foreign = copy(&stanzas[0]);
        foreign.tag = "MLKEM768X25519".to_owned();
        assert!(identity.unwrap_stanza(&foreign).is_none());
    }

    #[test]
    fn age_refuses_to_mix_it_with_others_in_one_header() {
        let (_, quantum) = pair();
        let plain = age::x25519::Identity::generate().to_public();
        let mixed: [&dyn age::Recipient; 2] = [&quantum, &plain];
        assert!(matches!(
            age::Encryptor::with_recipients(mixed.into_iter()).err(),
            Some(EncryptError::IncompatibleRecipients { .. })
        ));
        let (_, second) = pair();
        let alike: [&dyn age::Recipient; 2] = [&quantum, &second];
        assert!(age::Encryptor::with_recipients(alike.into_iter()).is_ok());
    }

    proptest! {
        #[test]
        fn takes_no_stanza_with_a_panic(
            args in proptest::collection::vec("[A-Za-z0-9+/]{0,1600}", 0..3),
            body in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let identity = PostQuantumIdentity(XWingPrivateKey::new(Zeroizing::new([3; 32])));
            let stanza = Stanza { tag: STANZA.to_owned(), args, body };
            prop_assert!(!matches!(identity.unwrap_stanza(&stanza), Some(Ok(_))));
        }
    }
}

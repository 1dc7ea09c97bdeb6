//! X-Wing: ML-KEM-768 and X25519 as one key encapsulation.
//!
//! It is the KEM `MLKEM768-X25519` of draft-ietf-hpke-pq, number 0x647a, for HPKE (RFC 9180). Sizes in bytes: private
//! key 32 (a seed), public key 1216, encapsulated key 1120, shared secret 32. Whoever can break one of the two halves
//! still has to break the other.

use std::fmt;

use hpke::generic_array::typenum::{Sum, U32};
use hpke::kem::SharedSecret;
use hpke::{Deserializable, HpkeError, Kem, Serializable};
use ml_kem::kem::{Decapsulate as _, DecapsulationKey, Encapsulate as _, EncapsulationKey};
use ml_kem::{Ciphertext, Encoded, EncodedSizeUser, KemCore, MlKem768, MlKem768Params};
use rand_core::{CryptoRng, RngCore};
use sha3::digest::{ExtendableOutput as _, Update as _, XofReader as _};
use sha3::{Digest as _, Sha3_256, Shake256};
use x25519_dalek::{EphemeralSecret, PublicKey, SharedSecret as CurveSecret, StaticSecret};
use zeroize::Zeroizing;

type LatticePublicKey = EncapsulationKey<MlKem768Params>;
type LatticePrivateKey = DecapsulationKey<MlKem768Params>;
type LatticeKeySize = <LatticePublicKey as EncodedSizeUser>::EncodedSize;
type LatticeCiphertextSize = <MlKem768 as KemCore>::CiphertextSize;

/// The bytes of a private key.
pub(super) const SEED_BYTES: usize = 32;
/// The bytes of a public key.
pub(super) const PUBLIC_KEY_BYTES: usize = 1184 + 32;

/// What the secrets of both halves are hashed with: a drawing of an X-Wing.
const LABEL: &[u8; 6] = br"\.//^\";

/// The key encapsulation, as HPKE names it.
pub(super) enum XWing {}

/// A private key: the seed from which both halves are made.
#[derive(Clone)]
pub(super) struct XWingPrivateKey(Zeroizing<[u8; SEED_BYTES]>);

/// A public key of both halves.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct XWingPublicKey {
    lattice: Box<Encoded<LatticePublicKey>>,
    curve: PublicKey,
}

/// What the sender sends along: the ciphertext of ML-KEM, and the ephemeral key of X25519.
#[derive(Clone)]
pub(super) struct XWingEncapsulatedKey {
    lattice: Box<Ciphertext<MlKem768>>,
    curve: PublicKey,
}

/// The private keys of both halves.
struct ExpandedKey {
    lattice: LatticePrivateKey,
    curve: StaticSecret,
}

impl XWingPrivateKey {
    pub(super) fn new(seed: Zeroizing<[u8; SEED_BYTES]>) -> Self {
        Self(seed)
    }

    pub(super) fn seed(&self) -> &[u8; SEED_BYTES] {
        &self.0
    }

    fn expand(&self) -> ExpandedKey {
        let mut reader = Shake256::default().chain(&self.0[..]).finalize_xof();
        let mut draw = || {
            let mut part = Zeroizing::new([0; 32]);
            reader.read(&mut part[..]);
            part
        };
        let (d, z, scalar) = (draw(), draw(), draw());
        let (lattice, _) = MlKem768::generate_deterministic(&(*d).into(), &(*z).into());
        ExpandedKey {
            lattice,
            curve: StaticSecret::from(*scalar),
        }
    }
}

impl ExpandedKey {
    fn public(&self) -> XWingPublicKey {
        XWingPublicKey {
            lattice: Box::new(self.lattice.encapsulation_key().as_bytes()),
            curve: PublicKey::from(&self.curve),
        }
    }
}

impl PartialEq for XWingPrivateKey {
    fn eq(&self, other: &Self) -> bool {
        // By what is public, so that the time tells nothing.
        XWing::sk_to_pk(self) == XWing::sk_to_pk(other)
    }
}

impl Eq for XWingPrivateKey {}

impl Serializable for XWingPrivateKey {
    type OutputSize = U32;

    fn write_exact(&self, buffer: &mut [u8]) {
        buffer.copy_from_slice(&self.0[..]);
    }
}

impl Deserializable for XWingPrivateKey {
    fn from_bytes(bytes: &[u8]) -> Result<Self, HpkeError> {
        let seed = bytes.try_into().map_err(|_| wrong_length::<Self>(bytes))?;
        Ok(Self::new(Zeroizing::new(seed)))
    }
}

impl XWingPublicKey {
    /// Returns whether the half of X25519 gives another secret to everybody, as all points but a few do.
    pub(super) fn contributes(&self) -> bool {
        contributes(&self.curve)
    }
}

/// Returns whether a point gives another secret for every key: not one of the few of low order.
pub(super) fn contributes(point: &PublicKey) -> bool {
    // Any key tells: multiplied by a clamped number, points of low order vanish and no others do.
    let probe = StaticSecret::from([1; 32]);
    probe.diffie_hellman(point).was_contributory()
}

impl fmt::Debug for XWingPublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("XWingPublicKey")
    }
}

impl Serializable for XWingPublicKey {
    type OutputSize = Sum<LatticeKeySize, U32>;

    fn write_exact(&self, buffer: &mut [u8]) {
        write_halves(buffer, &self.lattice, &self.curve);
    }
}

impl Deserializable for XWingPublicKey {
    fn from_bytes(bytes: &[u8]) -> Result<Self, HpkeError> {
        let (lattice, curve) = split_off_curve::<Self>(bytes)?;
        let lattice: Encoded<LatticePublicKey> = lattice
            .try_into()
            .map_err(|_| wrong_length::<Self>(bytes))?;
        // The check of FIPS 203, section 7.2: numbers beyond the modulus come back reduced, and so as other bytes.
        if LatticePublicKey::from_bytes(&lattice).as_bytes() != lattice {
            return Err(HpkeError::ValidationError);
        }
        Ok(Self {
            lattice: Box::new(lattice),
            curve: PublicKey::from(curve),
        })
    }
}

impl Serializable for XWingEncapsulatedKey {
    type OutputSize = Sum<LatticeCiphertextSize, U32>;

    fn write_exact(&self, buffer: &mut [u8]) {
        write_halves(buffer, &self.lattice, &self.curve);
    }
}

impl Deserializable for XWingEncapsulatedKey {
    fn from_bytes(bytes: &[u8]) -> Result<Self, HpkeError> {
        let (lattice, curve) = split_off_curve::<Self>(bytes)?;
        let lattice = lattice
            .try_into()
            .map_err(|_| wrong_length::<Self>(bytes))?;
        Ok(Self {
            lattice: Box::new(lattice),
            curve: PublicKey::from(curve),
        })
    }
}

fn write_halves(buffer: &mut [u8], lattice: &[u8], curve: &PublicKey) {
    let (first, last) = buffer.split_at_mut(lattice.len());
    first.copy_from_slice(lattice);
    last.copy_from_slice(curve.as_bytes());
}

fn wrong_length<T: Serializable>(bytes: &[u8]) -> HpkeError {
    HpkeError::IncorrectInputLength(T::size(), bytes.len())
}

/// Splits the 32 bytes of X25519 off the end of a whole key.
fn split_off_curve<T: Serializable>(bytes: &[u8]) -> Result<(&[u8], [u8; 32]), HpkeError> {
    let whole = (bytes.len() == T::size()).then_some(bytes);
    let (lattice, curve) = whole
        .and_then(<[u8]>::split_last_chunk::<32>)
        .ok_or_else(|| wrong_length::<T>(bytes))?;
    Ok((lattice, *curve))
}

/// Makes the shared secret out of those of both halves.
fn combine(
    lattice: &[u8],
    curve: &CurveSecret,
    ephemeral: &PublicKey,
    recipient: &PublicKey,
) -> SharedSecret<XWing> {
    let hash = Sha3_256::new_with_prefix(lattice)
        .chain_update(curve.as_bytes())
        .chain_update(ephemeral.as_bytes())
        .chain_update(recipient.as_bytes())
        .chain_update(LABEL);
    SharedSecret(hash.finalize())
}

impl Kem for XWing {
    type PublicKey = XWingPublicKey;
    type PrivateKey = XWingPrivateKey;
    type EncappedKey = XWingEncapsulatedKey;
    type NSecret = U32;
    const KEM_ID: u16 = 0x647a;

    fn sk_to_pk(private: &XWingPrivateKey) -> XWingPublicKey {
        private.expand().public()
    }

    /// `DeriveKeyPair` of draft-ietf-hpke-pq: SHAKE256 over the material and labels of HPKE.
    fn derive_keypair(material: &[u8]) -> (XWingPrivateKey, XWingPublicKey) {
        const NAME: &[u8] = b"DeriveKeyPair";
        let mut reader = Shake256::default()
            .chain(material)
            .chain(b"HPKE-v1")
            .chain(b"KEM")
            .chain(Self::KEM_ID.to_be_bytes())
            .chain([0, 13])
            .chain(NAME)
            .chain([0, 32])
            .finalize_xof();
        let mut seed = Zeroizing::new([0; SEED_BYTES]);
        reader.read(&mut seed[..]);
        let private = XWingPrivateKey::new(seed);
        let public = Self::sk_to_pk(&private);
        (private, public)
    }

    fn gen_keypair<R: CryptoRng + RngCore>(entropy: &mut R) -> (XWingPrivateKey, XWingPublicKey) {
        let mut seed = Zeroizing::new([0; SEED_BYTES]);
        entropy.fill_bytes(&mut seed[..]);
        let private = XWingPrivateKey::new(seed);
        let public = Self::sk_to_pk(&private);
        (private, public)
    }

    fn decap(
        private: &XWingPrivateKey,
        sender: Option<&XWingPublicKey>,
        sent: &XWingEncapsulatedKey,
    ) -> Result<SharedSecret<Self>, HpkeError> {
        // X-Wing has no authenticated mode.
        if sender.is_some() {
            return Err(HpkeError::DecapError);
        }
        let key = private.expand();
        let lattice = key.lattice.decapsulate(&sent.lattice);
        let lattice = Zeroizing::new(lattice.map_err(|()| HpkeError::DecapError)?.0);
        let curve = key.curve.diffie_hellman(&sent.curve);
        if !curve.was_contributory() {
            return Err(HpkeError::DecapError);
        }
        let recipient = PublicKey::from(&key.curve);
        Ok(combine(&lattice[..], &curve, &sent.curve, &recipient))
    }

    fn encap<R: CryptoRng + RngCore>(
        recipient: &XWingPublicKey,
        sender: Option<(&XWingPrivateKey, &XWingPublicKey)>,
        entropy: &mut R,
    ) -> Result<(SharedSecret<Self>, XWingEncapsulatedKey), HpkeError> {
        if sender.is_some() {
            return Err(HpkeError::EncapError);
        }
        let key = LatticePublicKey::from_bytes(&recipient.lattice);
        let (sent, lattice) = key
            .encapsulate(entropy)
            .map_err(|()| HpkeError::EncapError)?;
        let lattice = Zeroizing::new(lattice.0);
        let ephemeral = EphemeralSecret::random_from_rng(entropy);
        let ephemeral_public = PublicKey::from(&ephemeral);
        let curve = ephemeral.diffie_hellman(&recipient.curve);
        if !curve.was_contributory() {
            return Err(HpkeError::EncapError);
        }
        let secret = combine(&lattice[..], &curve, &ephemeral_public, &recipient.curve);
        let sent = XWingEncapsulatedKey {
            lattice: Box::new(sent),
            curve: ephemeral_public,
        };
        Ok((secret, sent))
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    use rand_core::OsRng;
    use sha2::Sha256;

    use super::*;

    #[test]
    fn both_sides_share_a_secret() {
        let (private, public) = XWing::gen_keypair(&mut OsRng);
        let (secret, sent) = XWing::encap(&public, None, &mut OsRng).unwrap();
        assert_eq!(XWing::decap(&private, None, &sent).unwrap().0, secret.0);
        let (other, _) = XWing::gen_keypair(&mut OsRng);
        assert_ne!(XWing::decap(&other, None, &sent).unwrap().0, secret.0);
        let read = XWingEncapsulatedKey::from_bytes(&sent.to_bytes()).unwrap();
        assert_eq!(XWing::decap(&private, None, &read).unwrap().0, secret.0);
        assert_eq!(XWingEncapsulatedKey::size(), 1120);
        assert_eq!(XWingPublicKey::size(), PUBLIC_KEY_BYTES);
        assert!(XWingPublicKey::from_bytes(&public.to_bytes()).unwrap() == public);
    }

    /// The vector of draft-ietf-hpke-pq for HKDF-SHA256 and ChaCha20-Poly1305.
    #[test]
    fn derives_the_keys_of_the_draft() {
        let material = STANDARD_NO_PAD.decode(DERIVED_FROM).unwrap();
        let (private, public) = XWing::derive_keypair(&material);
        assert_eq!(STANDARD_NO_PAD.encode(private.to_bytes()), DERIVED_SEED);
        let digest = STANDARD_NO_PAD.encode(Sha256::digest(public.to_bytes()));
        assert_eq!(digest, DERIVED_PUBLIC_DIGEST);
    }

    const DERIVED_FROM: &str = "A3l2H6T2hpWSsNH5px65KxItwDCnqIWBMhCfaxpLveQ";
    const DERIVED_SEED: &str = "s/mLAxJqQxzOzGKuD2jhAsLY4cx7IbqF2CHY4xdh4Pg";
    const DERIVED_PUBLIC_DIGEST: &str = "Egtg4K48AMHJ3vHGGusS3nEL+klkaub5mn5WSyWs5JM";

    #[test]
    fn refuses_numbers_beyond_the_modulus_and_points_of_low_order() {
        let (_, public) = XWing::gen_keypair(&mut OsRng);
        let mut bytes = public.to_bytes();
        bytes[0] = 0xff;
        bytes[1] |= 0x0f;
        let refused = XWingPublicKey::from_bytes(&bytes);
        assert!(matches!(refused, Err(HpkeError::ValidationError)));
        let mut bytes = public.to_bytes();
        bytes[1184..].fill(0);
        let low = XWingPublicKey::from_bytes(&bytes).unwrap();
        let refused = XWing::encap(&low, None, &mut OsRng);
        assert!(matches!(refused, Err(HpkeError::EncapError)));
        assert!(XWingPublicKey::from_bytes(&bytes[1..]).is_err());
    }
}

//! The ciphertexts of a SOPS file: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.

use aes_gcm::aead::consts::U32;
use aes_gcm::aead::generic_array::GenericArray;
use aes_gcm::aead::{AeadInPlace as _, KeyInit as _};
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, Tag};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::value::{Kind, Value};

/// AES-256-GCM with the 32-byte nonce that SOPS uses.
type Gcm = AesGcm<Aes256, U32>;

/// The number of bytes in a nonce.
pub(crate) const IV_BYTES: usize = 32;

const PREFIX: &str = "ENC[AES256_GCM,data:";

/// The key that encrypts every value of one file; wiped when dropped.
#[derive(Clone)]
pub struct DataKey(Zeroizing<[u8; 32]>);

impl DataKey {
    /// Takes the bytes of a key.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Takes a key of unknown length, as an age file holds it.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::new)
    }

    /// Hands out the bytes, to wrap them.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Encrypts a value that belongs to `context`, which is authenticated along with it.
    ///
    /// An `iv` must never serve twice under one key.
    pub(crate) fn encrypt(&self, value: &Value, context: &str, iv: &[u8; IV_BYTES]) -> String {
        self.encrypt_bytes(value.text.expose().as_bytes(), value.kind, context, iv)
    }

    /// Encrypts bytes that need not be text; as of [`DataKey::encrypt`].
    pub(crate) fn encrypt_bytes(
        &self,
        bytes: &[u8],
        kind: Kind,
        context: &str,
        iv: &[u8; IV_BYTES],
    ) -> String {
        let mut data = bytes.to_vec();
        let tag = self
            .gcm()
            .encrypt_in_place_detached(GenericArray::from_slice(iv), context.as_bytes(), &mut data)
            .expect("a file in memory is far below the limit of AES-GCM");
        format!(
            "{PREFIX}{},iv:{},tag:{},type:{}]",
            STANDARD.encode(data),
            STANDARD.encode(iv),
            STANDARD.encode(tag),
            kind.name()
        )
    }

    /// Decrypts a value; `None` when key, context or bytes are not those it was encrypted with, or
    /// when it is not of the type that the token claims.
    pub(crate) fn decrypt(&self, token: &Token, context: &str) -> Option<Value> {
        let data = self.decrypt_bytes(token, context)?;
        Value::opened(token.kind, std::str::from_utf8(&data).ok()?)
    }

    /// Decrypts bytes that need not be text.
    pub(crate) fn decrypt_bytes(&self, token: &Token, context: &str) -> Option<Zeroizing<Vec<u8>>> {
        let mut data = Zeroizing::new(token.data.clone());
        self.gcm()
            .decrypt_in_place_detached(
                GenericArray::from_slice(&token.iv),
                context.as_bytes(),
                &mut data,
                Tag::from_slice(&token.tag),
            )
            .ok()?;
        Some(data)
    }

    fn gcm(&self) -> Gcm {
        Gcm::new(GenericArray::from_slice(self.bytes()))
    }
}

/// A ciphertext taken apart.
pub struct Token {
    data: Vec<u8>,
    iv: [u8; IV_BYTES],
    tag: [u8; 16],
    /// The type that stands beside it, which nothing authenticates.
    pub kind: Kind,
}

impl Token {
    /// Reads a ciphertext; `None` for any other text.
    pub fn read(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(PREFIX)?.strip_suffix(']')?;
        let (data, rest) = rest.split_once(",iv:")?;
        let (iv, rest) = rest.split_once(",tag:")?;
        let (tag, kind) = rest.split_once(",type:")?;
        Some(Self {
            data: STANDARD.decode(data).ok()?,
            iv: STANDARD.decode(iv).ok()?.try_into().ok()?,
            tag: STANDARD.decode(tag).ok()?.try_into().ok()?,
            kind: Kind::of(kind)?,
        })
    }

    /// Returns whether this could hold a value: GCM shows type and length of what it hides.
    pub fn could_hold(&self, value: &Value) -> bool {
        self.kind == value.kind && self.hidden_length() == value.text.expose().len()
    }

    /// Returns the length of what is hidden, in bytes.
    pub fn hidden_length(&self) -> usize {
        self.data.len()
    }
}

/// Returns whether a text says of itself that it is a ciphertext, sound or not.
pub(crate) fn looks_encrypted(text: &str) -> bool {
    text.starts_with("ENC[")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_with_the_same_key_context_and_bytes() {
        let key = DataKey::new([7; 32]);
        let text = key.encrypt(&Value::new(Kind::Int, "420"), "data:mode:", &[9; 32]);
        let token = Token::read(&text).unwrap();
        let value = key.decrypt(&token, "data:mode:").unwrap();
        assert_eq!((value.kind, value.text.expose()), (Kind::Int, "420"));
        assert!(key.decrypt(&token, "data:other:").is_none());
        assert!(
            DataKey::new([8; 32])
                .decrypt(&token, "data:mode:")
                .is_none()
        );
        let other = key.encrypt(&Value::new(Kind::Int, "421"), "data:mode:", &[9; 32]);
        assert_ne!(text, other);
    }

    #[test]
    fn takes_no_broken_token() {
        for text in [
            "",
            "ENC[]",
            "ENC[AES256_GCM,data:,iv:,tag:,type:str]",
            "ENC[AES256_GCM,data:xA==,iv:AAAA,tag:AAAA,type:str]",
            "ENC[AES256_GCM,data:xA==]",
        ] {
            assert!(Token::read(text).is_none(), "{text}");
        }
    }
}

//! The public keys that a file is sealed for.

use std::fmt;

use crate::cipher::DataKey;

/// The data key of a file, wrapped for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// The public key, as its owner writes it; nothing authenticates it.
    pub recipient: String,
    /// An armored age file that holds the 32 bytes of the data key.
    pub enc: String,
}

/// A public key of a kind that this crate can seal for.
///
/// Our own type around age's, so that kinds which the `age` crate does not know become further variants and nothing
/// else changes.
#[derive(Clone)]
pub enum Recipient {
    /// A native key of age (`age1…`).
    X25519(age::x25519::Recipient),
}

/// Why a text is not a recipient that this crate can seal for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// No public key at all.
    Malformed,
    /// A private key: it must not stand in a rule file.
    Private,
    /// A kind of key that `sops` may know and this crate does not, in words.
    Unsupported(&'static str),
}

/// Why a data key could not be wrapped for a recipient.
#[derive(Debug, thiserror::Error)]
#[error("the data key cannot be wrapped for `{recipient}`: {reason}")]
pub struct WrapError {
    /// The public key.
    pub recipient: String,
    /// What age or one of its plugins said.
    pub reason: String,
}

impl Recipient {
    /// Reads a public key as it stands in a rule file or in the metadata of a sealed file.
    ///
    /// # Errors
    /// What is no public key, or one of a kind that is not supported.
    pub fn read(text: &str) -> Result<Self, Unfit> {
        if let Ok(recipient) = text.parse() {
            return Ok(Self::X25519(recipient));
        }
        if text.to_ascii_uppercase().contains("AGE-SECRET-KEY-") {
            return Err(Unfit::Private);
        }
        if text.starts_with("age1pq1") {
            return Err(Unfit::Unsupported("post-quantum age keys (`age1pq1…`)"));
        }
        if text.starts_with("ssh-") {
            return Err(Unfit::Unsupported("SSH keys"));
        }
        // `age1<plugin>1…`: a second `1` cannot stand in the data of a native key.
        if text
            .strip_prefix("age1")
            .is_some_and(|rest| rest.contains('1'))
        {
            return Err(Unfit::Unsupported("keys of age plugins"));
        }
        Err(Unfit::Malformed)
    }

    /// Wraps a data key for the owner of this public key, as an armored age file.
    ///
    /// The ephemeral key in it comes from the operating system, so no two results are equal.
    ///
    /// # Errors
    /// What age says when it cannot encrypt for this key.
    pub fn wrap(&self, key: &DataKey) -> Result<WrappedKey, WrapError> {
        let Self::X25519(recipient) = self;
        let enc = age::encrypt_and_armor(recipient, key.bytes()).map_err(|problem| WrapError {
            recipient: self.to_string(),
            reason: problem.to_string(),
        })?;
        Ok(WrappedKey {
            recipient: self.to_string(),
            enc,
        })
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::X25519(recipient) = self;
        recipient.fmt(formatter)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Recipient({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_which_kind_of_key_it_cannot_use() {
        let unfit = |text: &str| Recipient::read(text).unwrap_err();
        assert_eq!(unfit("age1abc"), Unfit::Malformed);
        assert_eq!(unfit("AGE-SECRET-KEY-1GQ9778V"), Unfit::Private);
        assert!(
            matches!(unfit("age1pq1qqqq"), Unfit::Unsupported(kind) if kind.contains("post-quantum"))
        );
        assert!(
            matches!(unfit("age1yubikey1qqqq"), Unfit::Unsupported(kind) if kind.contains("plugins"))
        );
        assert!(matches!(
            unfit("ssh-ed25519 AAAA"),
            Unfit::Unsupported("SSH keys")
        ));
    }
}

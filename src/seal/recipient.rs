//! The public keys that a file is sealed for.

use std::fmt;

use super::cipher::DataKey;

/// A public key of a kind that Kiln can seal for.
///
/// Our own type around age's, so that kinds which the `age` crate does not know (post-quantum keys)
/// become further variants and nothing else changes.
#[derive(Clone)]
pub(super) enum Recipient {
    X25519(age::x25519::Recipient),
}

/// Why a text is not a recipient that Kiln can seal for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// No public key at all.
    Malformed,
    /// A private key: it must not stand in a rule file.
    Private,
    /// A kind of key that `sops` may know and Kiln does not, in words.
    Unsupported(&'static str),
}

impl Recipient {
    pub(super) fn read(text: &str) -> Result<Self, Unfit> {
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
    pub(super) fn wrap(&self, key: &DataKey) -> String {
        let Self::X25519(recipient) = self;
        age::encrypt_and_armor(recipient, key.bytes())
            .expect("an X25519 key wraps 32 bytes in memory")
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

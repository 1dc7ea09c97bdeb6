//! The digest that protects a whole file.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha512};

use crate::outline::{Content, Leaf};

/// What SOPS hashes first when only encrypted values count: SHA-256 of `sops`.
const ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b,
    0x0b, 0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// The running digest over the plain text of values, in the order of the file.
pub(crate) struct Mac {
    hash: Sha512,
    only_encrypted: bool,
}

impl Mac {
    pub(crate) fn new(only_encrypted: bool) -> Self {
        let mut hash = Sha512::new();
        if only_encrypted {
            hash.update(ONLY_ENCRYPTED);
        }
        Self {
            hash,
            only_encrypted,
        }
    }

    /// Takes in bytes that are encrypted.
    pub(crate) fn add_bytes(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
    }

    /// Takes in a value in plain text; comments and nulls do not count.
    pub(crate) fn add(&mut self, leaf: &Leaf, encrypted: bool) {
        if let Content::Value(value) = &leaf.content
            && !leaf.is_comment()
            && (encrypted || !self.only_encrypted)
        {
            self.hash.update(value.text.expose());
        }
    }

    /// Returns the digest in upper-case hexadecimal.
    pub(crate) fn finish(self) -> String {
        let mut text = String::with_capacity(128);
        for byte in self.hash.finalize() {
            write!(text, "{byte:02X}").expect("writing to a string cannot fail");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::ONLY_ENCRYPTED;
    use sha2::{Digest as _, Sha256};

    #[test]
    fn starts_from_the_digest_of_the_name_of_sops() {
        assert_eq!(Sha256::digest("sops").as_slice(), ONLY_ENCRYPTED);
    }
}

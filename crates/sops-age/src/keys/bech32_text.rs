//! Bech32 as age uses it: BIP 173 without its limit of length.

use std::fmt;

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Checksum, Hrp};
use zeroize::Zeroizing;

/// The checksum of BIP 173 for texts of any length, as the age specification has it.
enum UnlimitedChecksum {}

impl Checksum for UnlimitedChecksum {
    type MidstateRepr = u32;
    const CODE_LENGTH: usize = usize::MAX;
    const CHECKSUM_LENGTH: usize = bech32::Bech32::CHECKSUM_LENGTH;
    const GENERATOR_SH: [u32; 5] = bech32::Bech32::GENERATOR_SH;
    const TARGET_RESIDUE: u32 = bech32::Bech32::TARGET_RESIDUE;
}

/// What is wrong with the text of a key, without the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyDamage {
    /// Letters are missing: so many.
    TooShort(usize),
    /// There are letters too many: so many.
    TooLong(usize),
    /// Upper and lower case are mixed.
    MixedCase,
    /// A character stands there that no key has.
    StrangeCharacter,
    /// The checksum does not fit the rest.
    Checksum,
    /// The text is sound, and what it says is no key.
    NoKey,
}

impl fmt::Display for KeyDamage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = |count: usize| if count == 1 { "letter" } else { "letters" };
        match self {
            Self::TooShort(count) => write!(formatter, "{count} {} missing", letters(*count)),
            Self::TooLong(count) => write!(formatter, "{count} {} too many", letters(*count)),
            Self::MixedCase => formatter.write_str("upper and lower case mixed"),
            Self::StrangeCharacter => formatter.write_str("a character that no key has"),
            Self::Checksum => formatter.write_str("a checksum that does not fit"),
            Self::NoKey => formatter.write_str("bytes that are no key"),
        }
    }
}

/// The forms of a key of one kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextForm {
    /// The part before the last `1`, in lower case.
    pub(super) prefix: &'static str,
    /// The number of bytes that the rest stands for.
    pub(super) bytes: usize,
}

impl TextForm {
    /// Returns the number of letters of such a key.
    pub(super) const fn letters(&self) -> usize {
        self.prefix.len() + 1 + (self.bytes * 8).div_ceil(5) + bech32::Bech32::CHECKSUM_LENGTH
    }

    /// Reads the bytes of a key.
    pub(super) fn read(&self, text: &str) -> Result<Zeroizing<Vec<u8>>, KeyDamage> {
        let (prefix, bytes) = decode(text).map_err(|damage| self.explain(text, damage))?;
        if prefix != self.prefix || bytes.len() != self.bytes {
            return Err(KeyDamage::NoKey);
        }
        Ok(bytes)
    }

    /// Says what a broken checksum comes from, where the number of letters tells.
    fn explain(&self, text: &str, damage: KeyDamage) -> KeyDamage {
        let (found, wanted) = (text.chars().count(), self.letters());
        match damage {
            KeyDamage::Checksum if found < wanted => KeyDamage::TooShort(wanted - found),
            KeyDamage::Checksum if found > wanted => KeyDamage::TooLong(found - wanted),
            other => other,
        }
    }

    /// Writes a key in lower case.
    pub(super) fn write(&self, bytes: &[u8]) -> Zeroizing<String> {
        let prefix = Hrp::parse_unchecked(self.prefix);
        // Reserved at once: a text that grows leaves copies of itself in memory.
        let mut text = Zeroizing::new(String::with_capacity(self.letters()));
        bech32::encode_lower_to_fmt::<UnlimitedChecksum, _>(&mut *text, prefix, bytes)
            .expect("a String takes any text, and the checksum has no limit of length");
        text
    }
}

/// Reads any Bech32 text: its prefix in lower case, and its bytes.
pub(super) fn decode(text: &str) -> Result<(String, Zeroizing<Vec<u8>>), KeyDamage> {
    let letters = || text.bytes().filter(u8::is_ascii_alphabetic);
    if letters().any(|letter| letter.is_ascii_lowercase())
        && letters().any(|letter| letter.is_ascii_uppercase())
    {
        return Err(KeyDamage::MixedCase);
    }
    let data = text.rsplit_once('1').map_or(text, |(_, data)| data);
    let known = |letter: char| bech32::primitives::gf32::Fe32::from_char(letter).is_ok();
    if !data.chars().all(known) {
        return Err(KeyDamage::StrangeCharacter);
    }
    let checked =
        CheckedHrpstring::new::<UnlimitedChecksum>(text).map_err(|_| KeyDamage::Checksum)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    bytes.extend(checked.byte_iter());
    Ok((checked.hrp().to_lowercase(), bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FORM: TextForm = TextForm {
        prefix: "age",
        bytes: 32,
    };

    #[test]
    fn names_what_is_wrong_with_a_text() {
        let key = FORM.write(&[7; 32]);
        assert_eq!(key.len(), FORM.letters());
        assert_eq!(FORM.read(&key).unwrap().as_slice(), [7; 32]);
        assert_eq!(FORM.read(&key.to_uppercase()).unwrap().as_slice(), [7; 32]);
        let damage = |text: &str| FORM.read(text).unwrap_err();
        assert_eq!(damage(&key[..60]), KeyDamage::TooShort(2));
        assert_eq!(damage(&key.replacen('q', "qq", 1)), KeyDamage::TooLong(1));
        assert_eq!(damage(&key.replacen('q', "p", 1)), KeyDamage::Checksum);
        assert_eq!(damage(&key.replacen('q', "Q", 1)), KeyDamage::MixedCase);
        assert_eq!(
            damage(&key.replacen('q', "b", 1)),
            KeyDamage::StrangeCharacter
        );
        let short = TextForm {
            prefix: "age",
            bytes: 31,
        }
        .write(&[7; 31]);
        assert_eq!(damage(&short), KeyDamage::NoKey);
        let other = TextForm {
            prefix: "agf",
            bytes: 32,
        }
        .write(&[7; 32]);
        assert_eq!(damage(&other), KeyDamage::NoKey);
    }

    proptest! {
        #[test]
        fn reads_no_text_with_a_panic(text in "\\PC*", key in "(?i)age1[a-z0-9]{0,80}") {
            prop_assert!(FORM.read(&text).is_err());
            prop_assert!(FORM.read(&key).is_err());
        }

        #[test]
        fn reads_back_what_it_writes(bytes in proptest::collection::vec(any::<u8>(), 32)) {
            let text = FORM.write(&bytes);
            let read = FORM.read(&text).unwrap();
            prop_assert_eq!(read.as_slice(), &bytes[..]);
        }
    }
}

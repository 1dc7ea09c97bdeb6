//! The public keys that a file is sealed for.

#[expect(
    clippy::disallowed_types,
    reason = "the trait of age asks for this set"
)]
use std::collections::HashSet;
use std::fmt;
use std::io::{self, Write as _};
use std::iter;

use age::armor::{ArmoredWriter, Format};
use age::{EncryptError, Encryptor};
use age_core::format::{FileKey, Stanza};

use super::bech32_text::{KeyDamage, TextForm};
use super::plugin::{PluginAccess, PluginRecipient, PluginRefusal, one_line, told_by};
use super::post_quantum::PostQuantumRecipient;
use super::ssh::{SshRecipient, SshRefusal, looks_like_private_key};
use super::x_wing::contributes;
use crate::cipher::DataKey;

const X25519: TextForm = TextForm {
    prefix: "age",
    bytes: 32,
};

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
/// SOPS wraps the data key of a file once for each recipient, each in an age file of its own, so that recipients of all
/// kinds go together. Inside of one age file they do not: post-quantum keys stand only beside their like, which the
/// `age` crate sees to by the labels of [`age::Recipient`].
#[derive(Clone)]
pub enum Recipient {
    /// A native key of age: `age1…`, 62 letters.
    X25519(age::x25519::Recipient),
    /// A native key that withstands quantum computers: `age1pq1…`, 1,959 letters.
    PostQuantum(PostQuantumRecipient),
    /// A key `ssh-ed25519 AAAA…`.
    Ssh(SshRecipient),
    /// A key of an age plugin: `age1NAME1…`.
    Plugin(PluginRecipient),
}

/// A kind of key that age files can be encrypted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// `age1…` and `AGE-SECRET-KEY-1…`.
    X25519,
    /// `age1pq1…` and `AGE-SECRET-KEY-PQ-1…`.
    PostQuantum,
    /// `ssh-ed25519 …` and private keys of OpenSSH.
    Ssh,
    /// `age1NAME1…` and `AGE-PLUGIN-NAME-1…`.
    Plugin,
}

impl fmt::Display for KeyKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::X25519 => "age",
            Self::PostQuantum => "post-quantum age",
            Self::Ssh => "SSH",
            Self::Plugin => "age plugin",
        })
    }
}

/// Why a text is not a recipient that this crate can seal for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// No public key at all.
    Malformed,
    /// A private key: it must not stand in a rule file.
    Private,
    /// A key of this kind that was not copied as a whole, or was changed.
    Damaged(KeyKind, KeyDamage),
    /// A kind of key that other programs know and this crate does not.
    Unsupported(ForeignKey),
}

/// A kind of key that this crate does not seal for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForeignKey {
    /// `ssh-rsa`.
    SshRsa,
    /// SSH keys of other kinds than ed25519 and RSA, which age itself refuses as well.
    SshOther,
    /// Fingerprints and public keys of PGP.
    Pgp,
    /// Names of keys in AWS KMS.
    AwsKms,
    /// Names of keys in GCP KMS.
    GcpKms,
    /// Addresses of keys in Azure Key Vault.
    AzureKeyVault,
    /// Addresses of keys in the transit engine of Vault.
    Vault,
}

impl fmt::Display for ForeignKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::SshRsa => "SSH keys of the kind `ssh-rsa`",
            Self::SshOther => "SSH keys of other kinds than `ssh-ed25519`",
            Self::Pgp => "keys of PGP",
            Self::AwsKms => "keys of AWS KMS",
            Self::GcpKms => "keys of GCP KMS",
            Self::AzureKeyVault => "keys of Azure Key Vault",
            Self::Vault => "keys of Vault",
        })
    }
}

impl ForeignKey {
    /// Says why this kind is left out, and what to use.
    pub fn advice(self) -> &'static str {
        match self {
            Self::SshRsa => {
                "private keys of RSA can be learned by timing (RUSTSEC-2023-0071): make a key with `ssh-keygen -t ed25519`"
            }
            Self::SshOther => {
                "age encrypts for `ssh-ed25519` only: make a key with `ssh-keygen -t ed25519`"
            }
            _ => "use a key of age: `age-keygen` makes one",
        }
    }

    /// Recognizes the names that SOPS gives to the keys of other programs.
    fn of(text: &str) -> Option<Self> {
        let upper_hex = |letter: u8| letter.is_ascii_digit() || (b'A'..=b'F').contains(&letter);
        if (text.len() == 40 && text.bytes().all(upper_hex)) || text.starts_with("-----BEGIN PGP") {
            Some(Self::Pgp)
        } else if text.starts_with("arn:aws") {
            Some(Self::AwsKms)
        } else if text.starts_with("projects/") && text.contains("/cryptoKeys/") {
            Some(Self::GcpKms)
        } else if text.starts_with("https://") && text.contains(".vault.azure.net/") {
            Some(Self::AzureKeyVault)
        } else if text.starts_with("http") && text.contains("/v1/") && text.contains("/keys/") {
            Some(Self::Vault)
        } else {
            None
        }
    }
}

/// Why a data key could not be wrapped for a recipient.
#[derive(Debug, thiserror::Error)]
#[error("the data key cannot be wrapped for `{}`: {reason}", shown_recipient(.recipient))]
pub struct WrapError {
    /// The public key.
    pub recipient: String,
    /// What went wrong.
    pub reason: WrapFailure,
}

/// What went wrong when a data key was wrapped.
#[derive(Debug, thiserror::Error)]
pub enum WrapFailure {
    /// The program of the plugin is not there, or may not run.
    #[error(transparent)]
    NoPlugin(#[from] PluginRefusal),
    /// What the plugin said, in one line.
    #[error("the plugin says: {0}")]
    Plugin(String),
    /// What age said, in one line.
    #[error("{0}")]
    Age(String),
}

impl From<EncryptError> for WrapFailure {
    fn from(problem: EncryptError) -> Self {
        match problem {
            EncryptError::Plugin(problems) => Self::Plugin(told_by(&problems)),
            other => Self::Age(one_line(&other.to_string())),
        }
    }
}

/// Shortens a public key for a message: post-quantum keys have 1,959 letters.
///
/// The beginning and the end stay, by which people tell keys apart.
pub fn shown_recipient(text: &str) -> String {
    const WHOLE: usize = 100;
    const ENDS: usize = 16;
    let letters = text.chars().count();
    if letters <= WHOLE {
        return text.to_owned();
    }
    let head: String = text.chars().take(ENDS).collect();
    let tail: String = text.chars().skip(letters - ENDS).collect();
    format!("{head}…{tail}")
}

/// Returns whether two texts name the same public key: the comment of an SSH key is no part of it.
pub fn is_same_recipient(one: &str, other: &str) -> bool {
    let key = |text: &str| -> Vec<String> {
        let words = text.split_ascii_whitespace().take(2);
        words.map(str::to_owned).collect()
    };
    one == other || (one.starts_with("ssh-") && key(one) == key(other))
}

impl Recipient {
    /// Reads a public key as it stands in a rule file or in the metadata of a sealed file.
    ///
    /// No program is run, and nothing is looked up.
    ///
    /// # Errors
    /// What is no public key, one that is damaged, or one of a kind that is not supported.
    pub fn read(text: &str) -> Result<Self, Unfit> {
        let text = text.trim();
        let upper = text.to_ascii_uppercase();
        if ["AGE-SECRET-KEY-", "AGE-PLUGIN-"]
            .iter()
            .any(|start| upper.contains(start))
            || looks_like_private_key(text)
        {
            return Err(Unfit::Private);
        }
        let damaged = |kind| move |damage| Unfit::Damaged(kind, damage);
        if text.starts_with("age1pq1") {
            let key = PostQuantumRecipient::read(text);
            return key
                .map(Self::PostQuantum)
                .map_err(damaged(KeyKind::PostQuantum));
        }
        if let Some(rest) = text.strip_prefix("age1") {
            // `age1NAME1…`: a second `1` cannot stand in the data of a native key.
            return if rest.contains('1') {
                let key = PluginRecipient::read(text);
                key.map(Self::Plugin).map_err(damaged(KeyKind::Plugin))
            } else {
                let key = read_x25519(text);
                key.map(Self::X25519).map_err(damaged(KeyKind::X25519))
            };
        }
        if is_ssh(text) {
            return SshRecipient::read(text).map(Self::Ssh).map_err(unfit_by);
        }
        Err(ForeignKey::of(text).map_or(Unfit::Malformed, Unfit::Unsupported))
    }

    /// Returns of which kind this is.
    pub fn kind(&self) -> KeyKind {
        match self {
            Self::X25519(_) => KeyKind::X25519,
            Self::PostQuantum(_) => KeyKind::PostQuantum,
            Self::Ssh(_) => KeyKind::Ssh,
            Self::Plugin(_) => KeyKind::Plugin,
        }
    }

    /// Says whether the program of the plugin may run, if this is a key of one; it may not by default.
    #[must_use]
    pub fn with_plugins(self, access: &PluginAccess) -> Self {
        match self {
            Self::Plugin(key) => Self::Plugin(key.with_access(access.clone())),
            other => other,
        }
    }

    /// Wraps a data key for the owner of this public key, as an armored age file.
    ///
    /// The ephemeral key in it comes from the operating system, so no two results are equal. A key of a plugin runs
    /// its program, where [`Recipient::with_plugins`] allows it.
    ///
    /// # Errors
    /// What age or a plugin says when it cannot encrypt for this key, or that the plugin is not there or may not run.
    pub fn wrap(&self, key: &DataKey) -> Result<WrappedKey, WrapError> {
        let recipient = self.to_string();
        match self.encrypt(key) {
            Ok(enc) => Ok(WrappedKey { recipient, enc }),
            Err(reason) => Err(WrapError { recipient, reason }),
        }
    }

    fn encrypt(&self, key: &DataKey) -> Result<String, WrapFailure> {
        match self {
            Self::Plugin(own) => encrypt_for(&own.connect()?, key),
            native => encrypt_for(native, key),
        }
    }
}

/// By hand, since `age::encrypt_and_armor` panics where a recipient encrypts nothing.
fn encrypt_for(recipient: &dyn age::Recipient, key: &DataKey) -> Result<String, WrapFailure> {
    let encryptor = Encryptor::with_recipients(iter::once(recipient))?;
    let mut armored = Vec::new();
    let write = |armored| {
        let armor = ArmoredWriter::wrap_output(armored, Format::AsciiArmor)?;
        let mut writer = encryptor.wrap_output(armor)?;
        writer.write_all(key.bytes())?;
        writer.finish()?.finish()
    };
    write(&mut armored).map_err(EncryptError::Io)?;
    String::from_utf8(armored).map_err(|_| WrapFailure::Age("the armor is not ASCII".to_owned()))
}

/// Reads a native key; one of low order is refused here, since age panics when it encrypts for it.
fn read_x25519(text: &str) -> Result<age::x25519::Recipient, KeyDamage> {
    let bytes = X25519.read(text)?;
    let point = <[u8; 32]>::try_from(bytes.as_slice()).map(x25519_dalek::PublicKey::from);
    if !point.is_ok_and(|point| contributes(&point)) {
        return Err(KeyDamage::NoKey);
    }
    text.parse().map_err(|_| KeyDamage::NoKey)
}

fn is_ssh(text: &str) -> bool {
    ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"]
        .iter()
        .any(|start| text.starts_with(start))
}

fn unfit_by(refusal: SshRefusal) -> Unfit {
    match refusal {
        SshRefusal::Rsa => Unfit::Unsupported(ForeignKey::SshRsa),
        SshRefusal::OtherAlgorithm => Unfit::Unsupported(ForeignKey::SshOther),
        SshRefusal::Passphrase | SshRefusal::OtherForm => Unfit::Private,
        SshRefusal::Broken => Unfit::Damaged(KeyKind::Ssh, KeyDamage::NoKey),
    }
}

#[expect(
    clippy::disallowed_types,
    reason = "the trait of age asks for this set"
)]
impl age::Recipient for Recipient {
    fn wrap_file_key(
        &self,
        file_key: &FileKey,
    ) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        match self {
            Self::X25519(key) => key.wrap_file_key(file_key),
            Self::PostQuantum(key) => key.wrap_file_key(file_key),
            Self::Ssh(key) => key.wrap_file_key(file_key),
            Self::Plugin(key) => {
                let connection = key.connect().map_err(io::Error::other)?;
                connection.wrap_file_key(file_key)
            }
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::X25519(key) => key.fmt(formatter),
            Self::PostQuantum(key) => key.fmt(formatter),
            Self::Ssh(key) => key.fmt(formatter),
            Self::Plugin(key) => key.fmt(formatter),
        }
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Recipient({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_core::OsRng;

    use super::super::post_quantum::PostQuantumIdentity;
    use super::*;

    const SSH: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";

    fn unfit(text: &str) -> Unfit {
        Recipient::read(text).unwrap_err()
    }

    #[test]
    fn reads_keys_of_all_kinds_and_writes_them_as_they_were() {
        let quantum = PostQuantumIdentity::generate(&mut OsRng).recipient();
        let plain = age::x25519::Identity::generate().to_public();
        let commented = format!("{SSH} somebody@somewhere");
        let plugin = "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t";
        for (text, kind) in [
            (plain.to_string(), KeyKind::X25519),
            (quantum.to_string(), KeyKind::PostQuantum),
            (commented, KeyKind::Ssh),
            (plugin.to_owned(), KeyKind::Plugin),
        ] {
            let recipient = Recipient::read(&format!(" {text}\n")).unwrap();
            assert_eq!((recipient.to_string(), recipient.kind()), (text, kind));
        }
    }

    #[test]
    fn says_what_is_wrong_with_a_key() {
        let plain = age::x25519::Identity::generate().to_public().to_string();
        let quantum = PostQuantumIdentity::generate(&mut OsRng)
            .recipient()
            .to_string();
        let damaged = |kind, damage| Unfit::Damaged(kind, damage);
        assert_eq!(
            unfit(&plain[..61]),
            damaged(KeyKind::X25519, KeyDamage::TooShort(1))
        );
        assert_eq!(
            unfit(&quantum[..1950]),
            damaged(KeyKind::PostQuantum, KeyDamage::TooShort(9))
        );
        assert_eq!(
            unfit("age1yubikey1qqqqqqqqqq"),
            damaged(KeyKind::Plugin, KeyDamage::Checksum)
        );
        assert_eq!(unfit(&SSH[..60]), damaged(KeyKind::Ssh, KeyDamage::NoKey));
        assert_eq!(unfit("AGE-SECRET-KEY-1GQ9778V"), Unfit::Private);
        assert_eq!(
            unfit("-----BEGIN OPENSSH PRIVATE KEY-----\nAA"),
            Unfit::Private
        );
        assert_eq!(unfit("hunter2"), Unfit::Malformed);
        // X25519 with zero gives zero, and age panics over it.
        let zero = X25519.write(&[0; 32]);
        assert_eq!(unfit(&zero), damaged(KeyKind::X25519, KeyDamage::NoKey));
    }

    #[test]
    fn names_the_kinds_that_it_leaves_out() {
        for (text, kind) in [
            ("ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB", ForeignKey::SshRsa),
            ("ecdsa-sha2-nistp256 AAAA", ForeignKey::SshOther),
            ("ssh-dss AAAA", ForeignKey::SshOther),
            ("sk-ssh-ed25519@openssh.com AAAA", ForeignKey::SshOther),
            ("FBC7B9E2A4F9289AC0C1D4843D16CEE4A27381B4", ForeignKey::Pgp),
            (
                "arn:aws:kms:us-east-1:656532927350:key/920aff2e",
                ForeignKey::AwsKms,
            ),
            (
                "projects/p/locations/global/keyRings/r/cryptoKeys/k",
                ForeignKey::GcpKms,
            ),
            (
                "https://v.vault.azure.net/keys/k/1",
                ForeignKey::AzureKeyVault,
            ),
            (
                "https://vault.example.com/v1/transit/keys/k",
                ForeignKey::Vault,
            ),
        ] {
            assert_eq!(unfit(text), Unfit::Unsupported(kind), "{text}");
        }
        assert!(ForeignKey::SshRsa.advice().contains("RUSTSEC"));
    }

    #[test]
    fn shortens_and_compares_keys() {
        let quantum = PostQuantumIdentity::generate(&mut OsRng)
            .recipient()
            .to_string();
        let shown = shown_recipient(&quantum);
        assert_eq!(shown.chars().count(), 33);
        assert!(shown.starts_with("age1pq1") && shown.ends_with(&quantum[1943..]));
        assert_eq!(shown_recipient(SSH), SSH);
        assert!(is_same_recipient(SSH, &format!("{SSH} me")));
        assert!(!is_same_recipient("age1a", "age1b"));
    }

    #[test]
    fn a_plugin_that_may_not_run_or_is_not_there_is_named() {
        let text = TextForm {
            prefix: "age1no-such-plugin",
            bytes: 4,
        };
        let recipient = Recipient::read(&text.write(&[1; 4])).unwrap();
        let told = |recipient: &Recipient| {
            let problem = recipient.wrap(&DataKey::new([7; 32])).unwrap_err();
            problem.to_string().split_once(": ").unwrap().1.to_owned()
        };
        assert_eq!(
            told(&recipient),
            "the program `age-plugin-no-such-plugin` may not run here"
        );
        assert_eq!(
            told(&recipient.with_plugins(&PluginAccess::Silent)),
            "the program `age-plugin-no-such-plugin` is not in `$PATH`"
        );
    }

    proptest! {
        #[test]
        fn reads_no_text_with_a_panic(
            text in "\\PC*",
            key in "(age1|age1pq1|ssh-ed25519 |ssh-rsa |age1x1|AGE-PLUGIN-X-1)[a-zA-Z0-9+/=]{0,90}",
        ) {
            prop_assert!(Recipient::read(&text).is_err());
            prop_assert!(Recipient::read(&key).is_err());
        }
    }
}

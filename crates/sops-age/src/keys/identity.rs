//! The private keys that open a file.

use std::fmt;
use std::io::Read as _;
use std::iter;

use age::armor::ArmoredReader;
use age::secrecy::ExposeSecret as _;
use age::{DecryptError, Decryptor};
use age_core::format::{FileKey, Stanza};
use rand_core::OsRng;
use zeroize::Zeroizing;

use super::bech32_text::{KeyDamage, TextForm};
use super::plugin::{PluginAccess, PluginIdentity, PluginRefusal, told_by};
use super::post_quantum::PostQuantumIdentity;
use super::recipient::KeyKind;
use super::ssh::{SshIdentity, SshRefusal, looks_like_private_key};
use crate::cipher::DataKey;
use crate::secret::Secret;

const X25519: TextForm = TextForm {
    prefix: "age-secret-key-",
    bytes: 32,
};

/// A private key of a kind that this crate can open files with; the counterpart of
/// [`Recipient`](super::Recipient).
///
/// Wiped when dropped; `Debug` shows its kind and nothing else.
#[derive(Clone)]
pub enum Identity {
    /// A native key of age: `AGE-SECRET-KEY-1…`, 74 letters.
    X25519(age::x25519::Identity),
    /// A native key that withstands quantum computers: `AGE-SECRET-KEY-PQ-1…`, 77 letters.
    PostQuantum(PostQuantumIdentity),
    /// A private key of OpenSSH of the kind ed25519.
    Ssh(SshIdentity),
    /// A key of an age plugin: `AGE-PLUGIN-NAME-1…`.
    Plugin(PluginIdentity),
}

/// Why a text is no identity; nothing of the text is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityRefusal {
    /// It does not even start like one.
    NoIdentity,
    /// It starts like one and is none.
    Damaged(KeyDamage),
    /// One of a kind that this crate does not open files with, in words.
    Unsupported(&'static str),
}

/// Why an identity does not open a wrapped data key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotOpened {
    /// It is wrapped for others.
    #[error("it is wrapped for others")]
    NoMatch,
    /// It is no age file, or a changed one.
    #[error("it is damaged")]
    Damaged,
    /// The program of the plugin is not there, or may not run.
    #[error(transparent)]
    NoPlugin(#[from] PluginRefusal),
    /// What the plugin said, in one line.
    #[error("the plugin says: {0}")]
    Plugin(String),
}

impl Identity {
    /// Reads an identity: one word, or a whole private key of SSH.
    ///
    /// No program is run, and nothing is looked up.
    ///
    /// # Errors
    /// What is no identity, one that is damaged, or one of a kind that is not supported.
    pub fn read(text: &str) -> Result<Self, IdentityRefusal> {
        let upper = Zeroizing::new(text.to_ascii_uppercase());
        if upper.starts_with("AGE-SECRET-KEY-PQ-1") {
            let key = PostQuantumIdentity::read(text);
            key.map(Self::PostQuantum).map_err(IdentityRefusal::Damaged)
        } else if upper.starts_with("AGE-SECRET-KEY-") {
            X25519.read(text).map_err(IdentityRefusal::Damaged)?;
            let key = upper.parse().map(Self::X25519);
            key.map_err(|_: &str| IdentityRefusal::Damaged(KeyDamage::NoKey))
        } else if upper.starts_with("AGE-PLUGIN-") {
            let key = PluginIdentity::read(text);
            // Other keys of the file count all the same: a plugin's is never the one that a project is sealed for.
            key.map(Self::Plugin)
                .map_err(|_| IdentityRefusal::Unsupported("a damaged key of an age plugin"))
        } else if looks_like_private_key(text) {
            SshIdentity::read(text).map(Self::Ssh).map_err(refusal_by)
        } else if text.starts_with("-----BEGIN AGE") || text.starts_with("age-encryption.org/") {
            Err(IdentityRefusal::Unsupported(
                "an identity file that is itself encrypted",
            ))
        } else {
            Err(IdentityRefusal::NoIdentity)
        }
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

    /// Returns the public key that belongs to this; a plugin keeps that for itself.
    pub fn recipient(&self) -> Option<String> {
        match self {
            Self::X25519(key) => Some(key.to_public().to_string()),
            Self::PostQuantum(key) => Some(key.recipient().to_string()),
            Self::Ssh(key) => Some(key.recipient().to_string()),
            Self::Plugin(_) => None,
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

    /// Opens a data key that is wrapped as an armored age file.
    pub(super) fn open(&self, armored: &str) -> Result<DataKey, NotOpened> {
        if let Self::Plugin(key) = self {
            let connection = key.connect()?;
            return open_by(&connection, armored);
        }
        open_by(self, armored)
    }
}

/// Opens an age file of exactly 32 bytes, which never lie in memory that is not wiped.
fn open_by(identity: &dyn age::Identity, armored: &str) -> Result<DataKey, NotOpened> {
    // White space around it is fine for sops, and not for the `age` crate.
    let armored = ArmoredReader::new(armored.trim().as_bytes());
    let decryptor = Decryptor::new_buffered(armored).map_err(not_opened)?;
    let mut reader = decryptor
        .decrypt(iter::once(identity))
        .map_err(not_opened)?;
    let mut key = Zeroizing::new([0; 32]);
    reader
        .read_exact(&mut key[..])
        .map_err(|_| NotOpened::Damaged)?;
    let mut more = Zeroizing::new([0; 1]);
    match reader.read(&mut more[..]) {
        Ok(0) => Ok(DataKey::new(*key)),
        Ok(_) | Err(_) => Err(NotOpened::Damaged),
    }
}

fn not_opened(problem: DecryptError) -> NotOpened {
    match problem {
        DecryptError::NoMatchingKeys => NotOpened::NoMatch,
        DecryptError::Plugin(problems) => NotOpened::Plugin(told_by(&problems)),
        _ => NotOpened::Damaged,
    }
}

fn refusal_by(refusal: SshRefusal) -> IdentityRefusal {
    match refusal {
        SshRefusal::Rsa => IdentityRefusal::Unsupported("an SSH key of the kind RSA"),
        SshRefusal::OtherAlgorithm => {
            IdentityRefusal::Unsupported("an SSH key of another kind than ed25519")
        }
        SshRefusal::Passphrase => {
            IdentityRefusal::Unsupported("an SSH key that a passphrase protects")
        }
        SshRefusal::OtherForm => {
            IdentityRefusal::Unsupported("a private key in another form than that of OpenSSH")
        }
        SshRefusal::Broken => IdentityRefusal::Damaged(KeyDamage::NoKey),
    }
}

impl age::Identity for Identity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        match self {
            Self::X25519(key) => key.unwrap_stanza(stanza),
            Self::PostQuantum(key) => key.unwrap_stanza(stanza),
            Self::Ssh(key) => key.unwrap_stanza(stanza),
            Self::Plugin(key) => key.connect().ok()?.unwrap_stanza(stanza),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Identity({:?})", self.kind())
    }
}

/// The kinds of keys that this crate makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NativeKind {
    /// As `age-keygen` makes them.
    X25519,
    /// As `age-keygen -pq` makes them: for SOPS 3.12, Flux' kustomize-controller 1.9 and age 1.3, or newer.
    PostQuantum,
}

/// A new private key as a file, with its public key.
#[derive(Clone, Debug)]
pub struct IdentityFile {
    /// The file as `age-keygen` writes it: when it was made, the public key, the private key, a line each.
    pub text: Secret,
    /// The public key.
    pub recipient: String,
}

impl IdentityFile {
    /// Makes a key of the operating system's randomness.
    ///
    /// `created` is the time to write into the first line, by RFC 3339.
    pub fn generate(kind: NativeKind, created: &str) -> Self {
        let (recipient, key) = match kind {
            NativeKind::X25519 => {
                let key = age::x25519::Identity::generate();
                let text = Secret::new(key.to_string().expose_secret());
                (key.to_public().to_string(), text)
            }
            NativeKind::PostQuantum => {
                let key = PostQuantumIdentity::generate(&mut OsRng);
                (key.recipient().to_string(), key.to_text())
            }
        };
        let head = format!("# created: {created}\n# public key: {recipient}\n");
        // Reserved at once: a text that grows leaves copies of itself in memory.
        let mut text = Zeroizing::new(String::with_capacity(head.len() + 80));
        text.push_str(&head);
        text.push_str(key.expose());
        text.push('\n');
        Self {
            text: Secret::new(std::mem::take(&mut *text)),
            recipient,
        }
    }
}

//! The private keys at hand.

use std::fmt;

use zeroize::Zeroizing;

use super::recipient::WrappedKey;
use crate::cipher::DataKey;
use crate::secret::Secret;

/// A private key of a kind that this crate can open files with; the counterpart of
/// [`Recipient`](super::recipient::Recipient).
#[derive(Clone)]
enum Identity {
    X25519(age::x25519::Identity),
}

impl Identity {
    fn recipient(&self) -> String {
        let Self::X25519(identity) = self;
        identity.to_public().to_string()
    }

    fn unwrap(&self, armored: &str) -> Option<DataKey> {
        let Self::X25519(identity) = self;
        let bytes = Zeroizing::new(age::decrypt(identity, armored.as_bytes()).ok()?);
        DataKey::from_slice(&bytes)
    }
}

/// The end of the path of the user's own identity file, as SOPS has it: it may hold keys that other programs use.
pub const USUAL_IDENTITY_FILE: &str = "sops/age/keys.txt";

/// An identity with the name of what it came from.
#[derive(Clone)]
struct HeldIdentity {
    identity: Identity,
    origin: String,
}

/// Why a line, or a whole file, gives no identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityFlaw {
    /// The file holds none.
    NoneThere,
    /// It starts as an identity does and is none.
    Broken,
    /// It is no identity.
    NoIdentity,
    /// A kind of identity that `sops` may know and this crate does not, in words.
    Unsupported(&'static str),
}

/// What is wrong with an identity file; the text of a line is never shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.told())]
pub struct IdentityProblem {
    /// The name to show for the file.
    pub origin: String,
    /// The line, counted from 1; `None` for the whole file.
    pub line: Option<usize>,
    /// What is wrong.
    pub flaw: IdentityFlaw,
    /// Whether somebody asked for this file, as nobody did for [`USUAL_IDENTITY_FILE`].
    pub wanted: bool,
}

impl IdentityProblem {
    /// Returns whether nothing may be sealed or opened before this is mended.
    pub fn is_error(&self) -> bool {
        matches!(self.flaw, IdentityFlaw::NoneThere | IdentityFlaw::Broken)
    }

    fn told(&self) -> String {
        let origin = &self.origin;
        let line = self.line.unwrap_or_default();
        match self.flaw {
            IdentityFlaw::NoneThere => format!("`{origin}` holds no age identity"),
            IdentityFlaw::Broken => format!("line {line} of `{origin}` is a broken age identity"),
            IdentityFlaw::NoIdentity => format!("line {line} of `{origin}` is not an age identity"),
            IdentityFlaw::Unsupported(kind) => {
                format!("line {line} of `{origin}` is {kind}, which is not supported yet")
            }
        }
    }
}

/// The age identities of a run, and where they were looked for.
///
/// `Debug` shows how many there are and nothing of them.
#[derive(Clone, Default)]
pub struct Keyring {
    identities: Vec<HeldIdentity>,
    places: Vec<String>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Keyring({} identities)", self.identities.len())
    }
}

impl Keyring {
    /// Reads age identity files, each handed over with the name to show for it.
    ///
    /// A line is an identity (`AGE-SECRET-KEY-1…`), a comment (`#`) or empty. A line that is none of
    /// these, or a kind of identity that this crate cannot use, is reported by file and line
    /// number, never by its text, and the other lines count.
    ///
    /// A broken identity and a file without any are errors, but for the user's own file of all keys
    /// ([`USUAL_IDENTITY_FILE`]), which nobody asked for.
    pub fn parse(texts: &[(String, Secret)]) -> (Self, Vec<IdentityProblem>) {
        let mut keyring = Self::default();
        let mut problems: Vec<IdentityProblem> = Vec::new();
        for (origin, text) in texts {
            keyring.places.push(origin.clone());
            let wanted = !origin.ends_with(USUAL_IDENTITY_FILE);
            let problem = |line, flaw| IdentityProblem {
                origin: origin.clone(),
                line,
                flaw,
                wanted,
            };
            let (held, told) = (keyring.identities.len(), problems.len());
            for (index, line) in text.expose().lines().enumerate() {
                let line = line.trim();
                if line.is_empty() || line.starts_with('#') {
                    continue;
                }
                match line.parse() {
                    Ok(identity) => keyring.identities.push(HeldIdentity {
                        identity: Identity::X25519(identity),
                        origin: origin.clone(),
                    }),
                    Err(_) => problems.push(problem(Some(index + 1), flaw_of(line, wanted))),
                }
            }
            let explained = |problem: &IdentityProblem| problem.flaw != IdentityFlaw::NoIdentity;
            if wanted && held == keyring.identities.len() && !problems[told..].iter().any(explained)
            {
                problems.push(problem(None, IdentityFlaw::NoneThere));
            }
        }
        (keyring, problems)
    }

    /// Adds places where identities were looked for and not found, to be named when one is missing.
    #[must_use]
    pub fn looked_in(mut self, places: impl IntoIterator<Item = String>) -> Self {
        self.places.extend(places);
        self
    }

    /// Returns where identities were looked for.
    pub fn places(&self) -> &[String] {
        &self.places
    }

    /// Returns whether there is no identity at all.
    pub fn is_empty(&self) -> bool {
        self.identities.is_empty()
    }

    /// Lists the public keys of the identities.
    pub fn recipients(&self) -> Vec<String> {
        self.identities
            .iter()
            .map(|held| held.identity.recipient())
            .collect()
    }

    /// Lists the public keys of the identities that came from one place, in the order of its lines.
    pub fn recipients_from(&self, origin: &str) -> Vec<String> {
        let mut found = Vec::new();
        for held in self.identities.iter().filter(|held| held.origin == origin) {
            let recipient = held.identity.recipient();
            if !found.contains(&recipient) {
                found.push(recipient);
            }
        }
        found
    }

    /// Opens the data key with the first identity that fits one of the copies.
    ///
    /// The identity whose public key a copy names is tried on it first; since that name is not
    /// authenticated, all others are tried after it.
    pub fn open(&self, copies: &[WrappedKey]) -> Option<DataKey> {
        let named = |copy: &WrappedKey, identity: &Identity| identity.recipient() == copy.recipient;
        let identities = || self.identities.iter().map(|held| &held.identity);
        let pairs = || {
            copies
                .iter()
                .flat_map(|copy| identities().map(move |identity| (copy, identity)))
        };
        let first = pairs().filter(|(copy, identity)| named(copy, identity));
        let rest = pairs().filter(|(copy, identity)| !named(copy, identity));
        first
            .chain(rest)
            .find_map(|(copy, identity)| identity.unwrap(&copy.enc))
    }
}

fn flaw_of(text: &str, wanted: bool) -> IdentityFlaw {
    let upper = text.to_ascii_uppercase();
    let kind = if upper.starts_with("AGE-SECRET-KEY-PQ-1") {
        "a post-quantum identity (`AGE-SECRET-KEY-PQ-1…`)"
    } else if upper.starts_with("AGE-PLUGIN-") {
        "an identity of an age plugin"
    } else if text.starts_with("-----BEGIN") && text.contains("PRIVATE KEY") {
        "an SSH key"
    } else if text.starts_with("-----BEGIN AGE") || text.starts_with("age-encryption.org/") {
        "an identity file that is itself encrypted"
    } else if wanted && upper.starts_with("AGE-SECRET-KEY-") {
        return IdentityFlaw::Broken;
    } else {
        return IdentityFlaw::NoIdentity;
    };
    IdentityFlaw::Unsupported(kind)
}

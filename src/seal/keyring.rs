//! The private keys at hand.

use std::fmt;

use zeroize::Zeroizing;

use super::cipher::DataKey;
use super::metadata::Wrapped;
use crate::diagnostic::Diagnostic;
use crate::secret::Secret;

/// A private key of a kind that Kiln can open files with; the counterpart of
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
    /// these, or a kind of identity that Kiln cannot use, is reported as a warning by file and line
    /// number, never by its text, and the other lines count.
    ///
    /// A broken identity and a file without any are errors, but for the user's own file of all keys
    /// ([`USUAL_IDENTITY_FILE`]), which no project asked for.
    pub fn parse(texts: &[(String, Secret)]) -> (Self, Vec<Diagnostic>) {
        let mut keyring = Self::default();
        let mut problems = Vec::new();
        for (origin, text) in texts {
            keyring.places.push(origin.clone());
            let wanted = !origin.ends_with(USUAL_IDENTITY_FILE);
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
                    Err(_) => problems.push(unusable(origin, index + 1, line, wanted)),
                }
            }
            let explained =
                |problem: &Diagnostic| problem.is_error() || problem.code == "unsupported-identity";
            if wanted && held == keyring.identities.len() && !problems[told..].iter().any(explained)
            {
                let message = format!("`{origin}` holds no age identity");
                problems.push(Diagnostic::error("bad-identity", message).with_hint(WHOLE_KEY));
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
    pub(super) fn open(&self, copies: &[Wrapped]) -> Option<DataKey> {
        let named = |copy: &Wrapped, identity: &Identity| identity.recipient() == copy.recipient;
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

    /// Says that nothing here opens a file, what it is sealed for and where Kiln looked.
    pub(super) fn cannot_open(&self, path: &str, recipients: &[Wrapped]) -> Diagnostic {
        let diagnostic = match self.identities.len() {
            0 => Diagnostic::error(
                "missing-identity",
                format!("there is no age identity to open `{path}` with"),
            ),
            1 => Diagnostic::error(
                "wrong-identity",
                format!("the age identity at hand does not open `{path}`"),
            ),
            count => Diagnostic::error(
                "wrong-identity",
                format!("none of the {count} age identities at hand opens `{path}`"),
            ),
        };
        let sealed_for = listed(recipients.iter().map(|copy| copy.recipient.as_str()));
        let mut diagnostic = diagnostic.with_hint(format!("the file is sealed for {sealed_for}"));
        if !self.is_empty() {
            let at_hand = self.recipients();
            let at_hand = listed(at_hand.iter().map(String::as_str));
            diagnostic = diagnostic.with_hint(format!("the identity at hand is for {at_hand}"));
        }
        if self.places.is_empty() {
            return diagnostic.with_hint("hand over the private key of one of these");
        }
        let places = listed(self.places.iter().map(String::as_str));
        diagnostic.with_hint(format!("Kiln looked for identities in {places}"))
    }
}

const WHOLE_KEY: &str = "copy the whole file again: an identity is a line that starts with `AGE-SECRET-KEY-1` and has 74 characters";

/// Lists names in backticks.
pub(super) fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn unusable(origin: &str, line: usize, text: &str, wanted: bool) -> Diagnostic {
    let upper = text.to_ascii_uppercase();
    let kind = if upper.starts_with("AGE-SECRET-KEY-PQ-1") {
        "a post-quantum identity (`AGE-SECRET-KEY-PQ-1…`)"
    } else if upper.starts_with("AGE-PLUGIN-") {
        "an identity of an age plugin"
    } else if text.starts_with("-----BEGIN") && text.contains("PRIVATE KEY") {
        "an SSH key"
    } else if text.starts_with("-----BEGIN AGE") || text.starts_with("age-encryption.org/") {
        "an identity file that is itself encrypted"
    } else {
        if wanted && upper.starts_with("AGE-SECRET-KEY-") {
            let message = format!("line {line} of `{origin}` is a broken age identity");
            return Diagnostic::error("bad-identity", message).with_hint(WHOLE_KEY);
        }
        return Diagnostic::warning(
            "bad-identity",
            format!("line {line} of `{origin}` is not an age identity"),
        )
        .with_hint("an identity is a line that starts with `AGE-SECRET-KEY-1`");
    };
    let message = format!("line {line} of `{origin}` is {kind}, which is not supported yet");
    Diagnostic::warning("unsupported-identity", message)
}

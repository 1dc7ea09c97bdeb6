//! The private keys at hand.

use std::fmt;

use super::bech32_text::KeyDamage;
use super::identity::{Identity, IdentityRefusal, NotOpened};
use super::plugin::{PluginAccess, PluginRefusal};
use super::recipient::{KeyKind, WrappedKey, is_same_recipient};
use super::ssh::looks_like_private_key;
use crate::cipher::DataKey;
use crate::secret::Secret;

/// The end of the path of the user's own identity file, as SOPS has it: it may hold keys that other programs use.
pub const USUAL_IDENTITY_FILE: &str = "sops/age/keys.txt";

/// The private keys of SSH that SOPS tries, in the user's home folder.
pub(super) const USUAL_SSH_FILES: [&str; 2] = [".ssh/id_ed25519", ".ssh/id_rsa"];

/// Returns whether somebody asked for the keys of a place, as nobody did for those that every user may have.
fn is_wanted(origin: &str) -> bool {
    !is_usual(origin, &[USUAL_IDENTITY_FILE]) && !is_usual(origin, &USUAL_SSH_FILES)
}

fn is_usual(origin: &str, files: &[&str]) -> bool {
    let origin = origin.replace('\\', "/");
    files.iter().any(|file| origin.ends_with(file))
}

/// An identity with its public key and the name of what it came from.
#[derive(Clone)]
struct HeldIdentity {
    identity: Identity,
    recipient: Option<String>,
    origin: String,
}

/// Why a line, or a whole file, gives no identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityFlaw {
    /// The file holds none.
    NoneThere,
    /// It starts as an identity does and is none.
    Broken(KeyDamage),
    /// It is no identity.
    NoIdentity,
    /// A kind of identity that this crate does not open files with, in words.
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
}

impl IdentityProblem {
    /// Returns whether nothing may be sealed or opened before this is mended.
    pub fn is_error(&self) -> bool {
        matches!(self.flaw, IdentityFlaw::NoneThere | IdentityFlaw::Broken(_))
    }

    fn told(&self) -> String {
        let origin = &self.origin;
        let line = self.line.unwrap_or_default();
        match self.flaw {
            IdentityFlaw::NoneThere => format!("`{origin}` holds no age identity"),
            IdentityFlaw::Broken(damage) => {
                format!("line {line} of `{origin}` is a broken age identity: {damage}")
            }
            IdentityFlaw::NoIdentity => format!("line {line} of `{origin}` is not an age identity"),
            IdentityFlaw::Unsupported(kind) => {
                format!("line {line} of `{origin}` is {kind}, which is not supported")
            }
        }
    }
}

/// Why no identity at hand opens a file, beyond that it is sealed for others.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnlockObstacle {
    /// A key lies there that this crate does not open files with.
    #[error("`{origin}` is {kind}, which opens nothing here")]
    Unsupported {
        /// Where it lies.
        origin: String,
        /// What it is, in words.
        kind: &'static str,
    },
    /// The program of a plugin is not there, or may not run.
    #[error("`{origin}` names a plugin, and {refusal}")]
    NoPlugin {
        /// Where the identity lies.
        origin: String,
        /// Which program, and why.
        refusal: PluginRefusal,
    },
    /// A plugin said no.
    #[error("the plugin that `{origin}` names says: {message}")]
    Plugin {
        /// Where the identity lies.
        origin: String,
        /// What it said, in one line.
        message: String,
    },
}

/// No identity at hand opens a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
#[error("no identity at hand opens the data key")]
pub struct UnlockError {
    /// What stood in the way; empty where the file is just sealed for others.
    pub obstacles: Vec<UnlockObstacle>,
}

/// The age identities of a run, and where they were looked for.
///
/// `Debug` shows how many there are and nothing of them.
#[derive(Clone, Default)]
pub struct Keyring {
    identities: Vec<HeldIdentity>,
    /// What nobody asked for and cannot be used: told only where nothing else opens a file.
    passed_over: Vec<UnlockObstacle>,
    places: Vec<String>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Keyring({} identities)", self.identities.len())
    }
}

/// What may be an identity in a file, with its line.
type Piece<'t> = (usize, &'t str);

/// Takes an identity file apart: a whole private key of SSH or encrypted file, or lines.
///
/// SOPS takes several identities in one line from a variable, where line breaks are hard to have, so that lines of
/// identities are taken apart into words. Of a key in several lines among others, the first line stands for all.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let whole = text.trim();
    if looks_like_private_key(whole)
        || whole.starts_with("-----BEGIN AGE")
        || whole.starts_with("age-encryption.org/")
    {
        return vec![(1, whole)];
    }
    let mut pieces = Vec::new();
    let mut is_inside = false;
    for (index, line) in text.lines().enumerate() {
        let (number, line) = (index + 1, line.trim());
        if is_inside {
            is_inside = !line.starts_with("-----END ");
        } else if is_identity_like(line) {
            pieces.extend(line.split_whitespace().map(|word| (number, word)));
        } else if !line.is_empty() && !line.starts_with('#') {
            is_inside = line.starts_with(BLOCK);
            pieces.push((number, line));
        }
    }
    pieces
}

/// How keys in several lines start.
const BLOCK: &str = "-----BEGIN ";

fn is_identity_like(line: &str) -> bool {
    line.get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case("AGE-"))
}

/// Reads a piece of a file; a key in several lines needs the file for itself.
fn read_piece(piece: &str) -> Result<Identity, IdentityRefusal> {
    if piece.starts_with(BLOCK) && !piece.contains('\n') {
        let kind = "a key in several lines beside others";
        return Err(IdentityRefusal::Unsupported(kind));
    }
    Identity::read(piece)
}

impl Keyring {
    /// Reads age identity files, each handed over with the name to show for it.
    ///
    /// A file is a private key of SSH, or lines: identities (`AGE-SECRET-KEY-1…`, `AGE-SECRET-KEY-PQ-1…`,
    /// `AGE-PLUGIN-NAME-1…`), comments (`#`) and empty ones. What is none of these, or a kind of identity that this
    /// crate cannot use, is reported by file and line number, never by its text, and the rest counts.
    ///
    /// A broken identity and a file without any are errors, but for the files that every user may have, which nobody
    /// asked for: [`USUAL_IDENTITY_FILE`], `~/.ssh/id_ed25519` and `~/.ssh/id_rsa`. Of these, keys that cannot be used
    /// are told by [`Keyring::open`] alone.
    pub fn parse(texts: &[(String, Secret)]) -> (Self, Vec<IdentityProblem>) {
        let mut keyring = Self::default();
        let mut problems: Vec<IdentityProblem> = Vec::new();
        for (origin, text) in texts {
            keyring.places.push(origin.clone());
            let (held, told) = (keyring.identities.len(), problems.len());
            for (line, piece) in pieces(text.expose()) {
                let refusal = match read_piece(piece) {
                    Ok(identity) => {
                        keyring.hold(identity, origin);
                        continue;
                    }
                    Err(refusal) => refusal,
                };
                let repeated = problems[told..].last();
                if repeated.is_none_or(|last| last.line != Some(line)) {
                    problems.extend(keyring.report(refusal, origin, line));
                }
            }
            let mut explained = problems[told..]
                .iter()
                .map(|problem| problem.flaw != IdentityFlaw::NoIdentity);
            if is_wanted(origin) && held == keyring.identities.len() && !explained.any(|it| it) {
                problems.push(IdentityProblem {
                    origin: origin.clone(),
                    line: None,
                    flaw: IdentityFlaw::NoneThere,
                });
            }
        }
        (keyring, problems)
    }

    fn hold(&mut self, identity: Identity, origin: &str) {
        self.identities.push(HeldIdentity {
            recipient: identity.recipient(),
            identity,
            origin: origin.to_owned(),
        });
    }

    /// Makes a problem of what is no identity, or keeps it for later where nobody asked for it.
    fn report(
        &mut self,
        refusal: IdentityRefusal,
        origin: &str,
        line: usize,
    ) -> Option<IdentityProblem> {
        let wanted = is_wanted(origin);
        let unsupported = match refusal {
            IdentityRefusal::Unsupported(kind) => Some(kind),
            _ if is_usual(origin, &USUAL_SSH_FILES) => Some("a private key that cannot be read"),
            _ => None,
        };
        if let Some(kind) = unsupported.filter(|_| !wanted) {
            let origin = origin.to_owned();
            self.passed_over
                .push(UnlockObstacle::Unsupported { origin, kind });
            return None;
        }
        let flaw = match refusal {
            IdentityRefusal::Damaged(damage) if wanted => IdentityFlaw::Broken(damage),
            IdentityRefusal::Unsupported(kind) => IdentityFlaw::Unsupported(kind),
            IdentityRefusal::Damaged(_) | IdentityRefusal::NoIdentity => IdentityFlaw::NoIdentity,
        };
        Some(IdentityProblem {
            origin: origin.to_owned(),
            line: Some(line),
            flaw,
        })
    }

    /// Says whether the programs of plugins may run, and whom they may ask; they may not by default.
    #[must_use]
    pub fn with_plugins(mut self, access: &PluginAccess) -> Self {
        let allow = |held: HeldIdentity| HeldIdentity {
            identity: held.identity.with_plugins(access),
            ..held
        };
        self.identities = self.identities.into_iter().map(allow).collect();
        self
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

    /// Lists the public keys of the identities; those of plugins are not known.
    pub fn recipients(&self) -> Vec<String> {
        let known = self.identities.iter();
        known.filter_map(|held| held.recipient.clone()).collect()
    }

    /// Lists the public keys of the identities that came from one place, in the order of its lines.
    pub fn recipients_from(&self, origin: &str) -> Vec<String> {
        let mut found = Vec::new();
        for held in self.identities.iter().filter(|held| held.origin == origin) {
            let new = held.recipient.as_ref();
            found.extend(new.filter(|new| !found.contains(*new)).cloned());
        }
        found
    }

    /// Opens the data key with the first identity that fits one of the copies.
    ///
    /// The identity whose public key a copy names is tried on it first; since that name is not authenticated, all
    /// others are tried after it. Plugins come last, since each try runs a program that may ask its user for something.
    ///
    /// # Errors
    /// None of them opens one; what stood in the way of those that might have.
    pub fn open(&self, copies: &[WrappedKey]) -> Result<DataKey, UnlockError> {
        let rank = |copy: &WrappedKey, held: &HeldIdentity| {
            let named = |own: &String| is_same_recipient(own, &copy.recipient);
            match (&held.identity, &held.recipient) {
                (_, Some(own)) if named(own) => 0,
                (Identity::Plugin(key), _) => {
                    let prefix = format!("age1{}1", key.plugin());
                    if copy.recipient.starts_with(&prefix) {
                        2
                    } else {
                        3
                    }
                }
                _ => 1,
            }
        };
        let mut pairs: Vec<(u8, &WrappedKey, &HeldIdentity)> = copies
            .iter()
            .flat_map(|copy| {
                let held = self.identities.iter();
                held.map(move |held| (rank(copy, held), copy, held))
            })
            .collect();
        pairs.sort_by_key(|(rank, _, _)| *rank);
        let mut obstacles = Vec::new();
        for (_, copy, held) in pairs {
            match held.identity.open(&copy.enc) {
                Ok(key) => return Ok(key),
                Err(problem) => {
                    let new = obstacle(problem, &held.origin);
                    obstacles.extend(new.filter(|new| !obstacles.contains(new)));
                }
            }
        }
        obstacles.extend(self.passed_over.iter().cloned());
        Err(UnlockError { obstacles })
    }

    /// Returns whether there is a native identity for a public key.
    pub fn holds(&self, recipient: &str) -> bool {
        let mut known = self
            .identities
            .iter()
            .filter_map(|held| held.recipient.as_ref());
        known.any(|own| is_same_recipient(own, recipient))
    }

    /// Lists the kinds of the identities, in their order.
    pub fn kinds(&self) -> Vec<KeyKind> {
        let identities = self.identities.iter();
        identities.map(|held| held.identity.kind()).collect()
    }
}

fn obstacle(problem: NotOpened, origin: &str) -> Option<UnlockObstacle> {
    let origin = origin.to_owned();
    match problem {
        NotOpened::NoMatch | NotOpened::Damaged => None,
        NotOpened::NoPlugin(refusal) => Some(UnlockObstacle::NoPlugin { origin, refusal }),
        NotOpened::Plugin(message) => Some(UnlockObstacle::Plugin { origin, message }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::identity::{IdentityFile, NativeKind};
    use super::super::recipient::Recipient;
    use super::*;

    fn wrap(recipients: &[&str], key: &DataKey) -> Vec<WrappedKey> {
        let read = |text: &&str| Recipient::read(text).unwrap();
        let wrap = |recipient: Recipient| recipient.wrap(key).unwrap();
        recipients.iter().map(read).map(wrap).collect()
    }

    fn ring(files: &[(&str, &str)]) -> (Keyring, Vec<String>) {
        let texts = files.iter();
        let texts: Vec<(String, Secret)> = texts
            .map(|(origin, text)| ((*origin).to_owned(), Secret::new(*text)))
            .collect();
        let (keyring, problems) = Keyring::parse(&texts);
        (keyring, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn each_kind_of_identity_opens_its_own_copy() {
        let key = DataKey::new([5; 32]);
        let made = [NativeKind::X25519, NativeKind::PostQuantum];
        let made = made.map(|kind| IdentityFile::generate(kind, "2026-01-01T00:00:00Z"));
        let copies = wrap(&[&made[0].recipient, &made[1].recipient], &key);
        for file in &made {
            let (keyring, problems) = ring(&[("age.key", file.text.expose())]);
            assert_eq!(
                (problems.len(), keyring.recipients()),
                (0, vec![file.recipient.clone()])
            );
            assert!(keyring.holds(&file.recipient));
            assert_eq!(keyring.open(&copies).unwrap().bytes(), key.bytes());
        }
        let other = IdentityFile::generate(NativeKind::PostQuantum, "now");
        let (keyring, _) = ring(&[("age.key", other.text.expose())]);
        assert_eq!(keyring.open(&copies).err(), Some(UnlockError::default()));
    }

    #[test]
    fn reads_several_keys_and_reports_the_rest_by_line() {
        let one = IdentityFile::generate(NativeKind::X25519, "now");
        let two = IdentityFile::generate(NativeKind::PostQuantum, "now");
        let last = |file: &IdentityFile| file.text.expose().lines().last().unwrap().to_owned();
        let text = format!(
            "{} {}\n\nwhat is this\n{}\n",
            last(&one),
            last(&two),
            &last(&one)[..70]
        );
        let (keyring, problems) = ring(&[("SOPS_AGE_KEY", &text)]);
        assert_eq!(keyring.kinds(), [KeyKind::X25519, KeyKind::PostQuantum]);
        assert_eq!(
            problems,
            [
                "line 3 of `SOPS_AGE_KEY` is not an age identity",
                "line 4 of `SOPS_AGE_KEY` is a broken age identity: 4 letters missing",
            ]
        );
        let (keyring, problems) = ring(&[("a", &format!("{}\n{}", last(&one), BLOCKED))]);
        assert_eq!(keyring.kinds(), [KeyKind::X25519]);
        assert_eq!(
            problems,
            ["line 2 of `a` is a key in several lines beside others, which is not supported"]
        );
        let (_, problems) = ring(&[("a", "# nothing\n"), ("/h/.config/sops/age/keys.txt", "")]);
        assert_eq!(problems, ["`a` holds no age identity"]);
    }

    const BLOCKED: &str = "-----BEGIN X PRIVATE KEY-----\nhunter2\n-----END X PRIVATE KEY-----\n";

    #[test]
    fn names_what_it_cannot_use() {
        let rsa = "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n";
        let locked = "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n";
        let (keyring, problems) = ring(&[
            ("a", rsa),
            ("b", locked),
            ("/h/.ssh/id_rsa", rsa),
            (r"C:\h\.ssh\id_ed25519", "x"),
        ]);
        assert_eq!(
            problems,
            [
                "line 1 of `a` is an SSH key of the kind RSA, which is not supported",
                "line 1 of `b` is an identity file that is itself encrypted, which is not supported",
            ]
        );
        let failure = keyring.open(&[]).err().unwrap();
        let told: Vec<String> = failure.obstacles.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "`/h/.ssh/id_rsa` is an SSH key of the kind RSA, which opens nothing here",
                r"`C:\h\.ssh\id_ed25519` is a private key that cannot be read, which opens nothing here",
            ]
        );
    }

    #[test]
    fn names_the_plugin_that_may_not_run_or_is_not_there() {
        let form = super::super::bech32_text::TextForm {
            prefix: "age-plugin-no-such-plugin-",
            bytes: 3,
        };
        let text = form.write(&[1; 3]).to_uppercase();
        let (keyring, problems) = ring(&[("age.key", &text)]);
        assert_eq!(
            (problems.len(), keyring.kinds()),
            (0, vec![KeyKind::Plugin])
        );
        let own = IdentityFile::generate(NativeKind::X25519, "now").recipient;
        let copies = wrap(&[&own], &DataKey::new([1; 32]));
        let told = |keyring: &Keyring| {
            let failure = keyring.open(&copies).err().unwrap();
            failure.obstacles[0].to_string()
        };
        assert_eq!(
            told(&keyring),
            "`age.key` names a plugin, and the program `age-plugin-no-such-plugin` may not run here"
        );
        assert_eq!(
            told(&keyring.with_plugins(&PluginAccess::Silent)),
            "`age.key` names a plugin, and the program `age-plugin-no-such-plugin` is not in `$PATH`"
        );
    }

    #[test]
    fn shows_nothing_of_a_key() {
        let file = IdentityFile::generate(NativeKind::PostQuantum, "now");
        let (keyring, _) = ring(&[("age.key", file.text.expose())]);
        assert_eq!(format!("{keyring:?}"), "Keyring(1 identities)");
        let secret = file.text.expose().lines().last().unwrap();
        assert!(!format!("{file:?} {:?}", keyring.identities[0].identity).contains(secret));
    }

    proptest! {
        #[test]
        fn reads_no_file_with_a_panic(text in "\\PC*", key in KEY_LIKE, tail in "[ -~\n]{0,200}") {
            for text in [text, format!("{key}{tail}")] {
                let (keyring, _) = ring(&[("a", &text), ("/h/.ssh/id_ed25519", &text)]);
                prop_assert!(keyring.is_empty());
            }
        }

        #[test]
        fn opens_no_text_with_a_panic(enc in "\\PC*", body in "[ -~\n]{0,300}") {
            let file = IdentityFile::generate(NativeKind::PostQuantum, "now");
            let (keyring, _) = ring(&[("a", file.text.expose())]);
            let armored = format!("-----BEGIN AGE ENCRYPTED FILE-----\n{body}\n-----END AGE ENCRYPTED FILE-----\n");
            let header = format!("age-encryption.org/v1\n-> mlkem768x25519 {body}\n");
            for enc in [enc, armored, header] {
                let copy = WrappedKey { recipient: file.recipient.clone(), enc };
                prop_assert!(keyring.open(&[copy]).is_err());
            }
        }
    }

    const KEY_LIKE: &str = "(AGE-SECRET-KEY-1|AGE-SECRET-KEY-PQ-1|AGE-PLUGIN-X-1|-----BEGIN OPENSSH PRIVATE KEY-----\n|-----BEGIN )";
}

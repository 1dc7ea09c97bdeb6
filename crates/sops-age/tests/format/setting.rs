use age::secrecy::ExposeSecret as _;
use sops_age::keys::Keyring;
use sops_age::{Draw, OpenedFile, PlainFile, RuleFile, SealedFile, Secret, Store};

pub(crate) use super::stream::Stream;

pub(crate) const NOW: &str = "2026-03-04T05:06:07Z";
pub(crate) const LATER: &str = "2027-01-01T00:00:00Z";

/// A key pair, made for one test.
pub(crate) struct Pair {
    pub(crate) identity: String,
    pub(crate) recipient: String,
}

impl Pair {
    pub(crate) fn new() -> Self {
        let identity = age::x25519::Identity::generate();
        Self {
            identity: identity.to_string().expose_secret().to_owned(),
            recipient: identity.to_public().to_string(),
        }
    }

    pub(crate) fn keyring(&self) -> Keyring {
        let text = Secret::new(self.identity.as_str());
        let (keyring, problems) = Keyring::parse(&[("age.key".to_owned(), text)]);
        assert!(problems.is_empty());
        keyring
    }

    /// Returns a rule file with one rule for everything; `more` are further lines of it.
    pub(crate) fn rules(&self, more: &[&str]) -> String {
        let mut lines = vec![format!("creation_rules:\n  - age: {}", self.recipient)];
        lines.extend(more.iter().map(|line| format!("    {line}")));
        lines.push(String::new());
        lines.join("\n")
    }
}

/// Reads a plain file; `None` where it cannot be sealed by the first of some rules, for a reason that is no defect.
pub(crate) fn plain(bytes: &[u8], store: Store, rules: &RuleFile) -> Option<PlainFile> {
    let plain = PlainFile::read(bytes, store).ok()?;
    let problems = plain.unsealable(&rules.rules[0].scope);
    problems.is_empty().then_some(plain)
}

/// Seals a file by the first of some rules.
pub(crate) fn seal(plain: &PlainFile, rules: &RuleFile, seed: u64) -> String {
    let target = rules.rules[0].target();
    let draw = Draw::new(plain, target.scope, &mut Stream(seed));
    plain.seal(&target, &draw, NOW).unwrap()
}

/// Seals a file in the place of one that is open.
pub(crate) fn renew(opened: &OpenedFile, plain: &PlainFile, rules: &RuleFile, seed: u64) -> String {
    let target = rules.rules[0].target();
    let draw = Draw::new(plain, target.scope, &mut Stream(seed));
    opened.renew(plain, &target, &draw, LATER).unwrap()
}

/// Opens a sealed file; the error says in words why it does not open.
pub(crate) fn open(text: &str, store: Store, pair: &Pair) -> Result<OpenedFile, String> {
    let sealed = SealedFile::read(text, store).map_err(|problem| problem.to_string())?;
    let key = sealed.unlock(&pair.keyring());
    let key = key.map_err(|problem| problem.to_string())?;
    sealed.open(key).map_err(|problem| problem.to_string())
}

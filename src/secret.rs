//! Values that must not be seen, and the list of those a run has met.

mod terms;
mod stand_in;

pub use stand_in::{fingerprint, shifted_number, stand_in};

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

pub use sops_age::Secret;
pub use terms::SealTerms;

/// The project's own age identities, whose first key outputs are sealed for.
pub const AGE_KEY: &str = "age.key";
/// The private half of the deploy key.
pub const DEPLOY_KEY: &str = "deploy.key";
/// The token of Flux' webhook.
pub const WEBHOOK_TOKEN: &str = "flux-webhook-token.txt";
/// The credentials file of the Cloudflare tunnel, as `cloudflared tunnel create` writes it.
pub const TUNNEL: &str = "cloudflare-tunnel.json";

/// The files in which a project keeps its keys, below its folder.
pub const KEY_FILES: [&str; 4] = [AGE_KEY, DEPLOY_KEY, WEBHOOK_TOKEN, TUNNEL];

/// Words in a key whose value is never shown, whatever a schema says of it.
const SECRET_WORDS: [&str; 7] = [
    "token",
    "secret",
    "passw",
    "passphrase",
    "apikey",
    "private",
    "credential",
];

/// Returns whether a key says that its value is a secret.
pub fn names_a_secret(key: &str) -> bool {
    let letters = key.chars().filter(|letter| !matches!(letter, '_' | '-'));
    let key = letters.collect::<String>().to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| key.contains(word))
}

/// A secret that is shorter is only looked for as a whole word: its letters stand in any text.
const SHORTEST_PART: usize = 4;

/// The secret values of a run, each with where it came from (`dns.token`, `deploy.key`).
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    values: BTreeMap<Secret, String>,
}

impl Secrets {
    /// Notes a secret value and its origin, without the white space around it.
    pub fn insert(&mut self, value: &str, origin: impl Into<String>) {
        if !value.trim().is_empty() {
            self.values
                .entry(Secret::new(value.trim()))
                .or_insert_with(|| origin.into());
        }
    }

    /// Takes over all of `other`.
    pub fn extend(&mut self, other: Self) {
        for (value, origin) in other.values {
            self.values.entry(value).or_insert(origin);
        }
    }

    /// Lists the values with their origins, sorted by value.
    pub fn iter(&self) -> impl Iterator<Item = (&Secret, &str)> {
        self.values
            .iter()
            .map(|(value, origin)| (value, origin.as_str()))
    }

    /// Returns whether a text quotes a secret, whole or one of its lines.
    pub fn are_quoted_in(&self, text: &str) -> bool {
        self.lines().any(|line| quotes(text, line))
    }

    /// Lists the lines of all values that tell something.
    fn lines(&self) -> impl Iterator<Item = &str> {
        let lines = self.values.keys();
        let lines = lines.flat_map(|secret| secret.expose().lines());
        let telling =
            |line: &&str| !line.is_empty() && !line.starts_with("-----") && !line.starts_with('#');
        lines.map(str::trim).filter(telling)
    }
}

/// A secret that is shorter may be a word of any message by chance, so that the last look passes over it.
const SHORTEST_UNIQUE: usize = 8;

/// The secrets that a process has met until now, shared by all that meet some and all that print.
#[derive(Clone, Debug, Default)]
pub struct KnownSecrets(Arc<Mutex<Secrets>>);

impl KnownSecrets {
    /// Notes secrets.
    pub fn note(&self, secrets: Secrets) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(secrets);
    }

    /// Returns a text without any of the secrets: the last look at what leaves the process.
    ///
    /// `spellings` lists how a text is written where it is escaped. JSON stays JSON. Secrets of less than eight
    /// letters stay, since they may be words of any text.
    pub fn blot_out<'t>(
        &self,
        text: &'t str,
        spellings: impl Fn(&str) -> Vec<String>,
    ) -> Cow<'t, str> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let unique = known.lines().filter(|line| line.len() >= SHORTEST_UNIQUE);
        let mut needles: Vec<(Vec<String>, &str)> = Vec::new();
        for line in unique {
            let mut written = spellings(line);
            written.push(line.to_owned());
            written.retain(|spelling| text.contains(spelling));
            if !written.is_empty() {
                needles.push((written, line));
            }
        }
        // The longest first: one may be a part of another.
        needles.sort_by_key(|(_, line)| std::cmp::Reverse(line.len()));
        let blot = |text: String, (written, line): &(Vec<String>, &str)| {
            // A number stays one.
            let mark = if line.bytes().all(|byte| byte.is_ascii_digit()) {
                "0"
            } else {
                "…"
            };
            let written = written.iter();
            written.fold(text, |text, spelling| text.replace(spelling, mark))
        };
        if needles.is_empty() {
            return Cow::Borrowed(text);
        }
        Cow::Owned(needles.iter().fold(text.to_owned(), blot))
    }
}

fn quotes(text: &str, secret: &str) -> bool {
    if secret.len() >= SHORTEST_PART {
        return text.contains(secret);
    }
    let apart = |letter: Option<char>| !letter.is_some_and(char::is_alphanumeric);
    text.match_indices(secret).any(|(at, found)| {
        apart(text[..at].chars().next_back()) && apart(text[at + found.len()..].chars().next())
    })
}

/// Finds the age recipients in a text, each once, in order.
pub fn recipients_in(text: &str) -> Vec<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric());
    let mut found: Vec<String> = Vec::new();
    for word in words.filter(|word| word.starts_with("age1") && word.len() > 50) {
        if !found.iter().any(|known| known == word) {
            found.push(word.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_each_recipient_of_a_rule_file_once() {
        let one = format!("age1{}", "q".repeat(58));
        let text = format!(
            "creation_rules:\n  - age: {one}\n  - age: >-\n      {one},\n      age1short\n"
        );
        assert_eq!(recipients_in(&text), [one]);
    }

    #[test]
    fn a_short_secret_is_quoted_as_a_whole_word_only() {
        let mut secrets = Secrets::default();
        secrets.insert("abc", "short");
        secrets.insert("-----BEGIN X-----\nline-of-a-key\n-----END X-----", "key");
        assert!(secrets.are_quoted_in("it is abc."));
        assert!(!secrets.are_quoted_in("abcdef -----BEGIN X-----"));
        assert!(secrets.are_quoted_in("has line-of-a-key"));
    }

    fn as_json(line: &str) -> Vec<String> {
        let quoted = serde_json::Value::from(line).to_string();
        vec![quoted[1..quoted.len() - 1].to_owned()]
    }

    fn known(values: &[&str]) -> KnownSecrets {
        let mut secrets = Secrets::default();
        for value in values {
            secrets.insert(value, "test");
        }
        let known = KnownSecrets::default();
        known.note(secrets);
        known
    }

    #[test]
    fn no_secret_goes_out_in_plain_text_or_in_json() {
        let known = known(&[
            "hunter2hunter2",
            "with \"quotes\"",
            "1234567890",
            "a\nsecond-line-x",
        ]);
        let text = "hunter2hunter2 and second-line-x";
        assert_eq!(known.blot_out(text, as_json), "… and …");
        let value = serde_json::json!({"a": "x with \"quotes\"", "b": 1_234_567_890});
        let json = value.to_string();
        let blotted = known.blot_out(&json, as_json);
        let read: serde_json::Value = serde_json::from_str(&blotted).unwrap();
        assert_eq!(read, serde_json::json!({"a": "x …", "b": 0}));
    }

    #[test]
    fn words_of_any_text_stay() {
        let known = known(&[
            "true",
            "one",
            "-----BEGIN PRIVATE KEY-----",
            "# a comment of a file",
        ]);
        let text = "true is one, -----BEGIN PRIVATE KEY----- # a comment of a file";
        assert_eq!(known.blot_out(text, as_json), text);
    }
}

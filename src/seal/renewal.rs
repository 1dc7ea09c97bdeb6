//! Sealing what is sealed already for a new key.

use std::collections::BTreeSet;
use std::sync::Arc;

use rand_core::CryptoRngCore;

use super::identities::listed;
use super::metadata::Metadata;
use super::outline::{Content, Leaf, Outline, State};
use super::rules::{INDENT, Rule, Rules};
use super::store::Store;
use super::writer::{self, Draw};
use super::{metadata, reader};
use crate::diagnostic::Diagnostic;
use crate::source::Source;
use sops_age::keys::Keyring;
use sops_age::keys::Recipient;

/// The exchange of an age key for another one.
pub struct Renewal<'r> {
    rules: &'r Rules,
    keyring: &'r Keyring,
    new: String,
    /// The public keys that must open nothing any more.
    retired: BTreeSet<String>,
    /// The public keys that a file without a rule of its own loses.
    replaced: BTreeSet<String>,
}

impl<'r> Renewal<'r> {
    /// Prepares to seal for the first identity of `origin`, in place of its others and of those of the files
    /// `old`; where there are none of either, in place of all others at hand.
    ///
    /// # Errors
    /// No identity in `origin` (`rekey-no-key`), or the new one among the old ones (`rekey-same-key`).
    pub fn prepare(
        rules: &'r Rules,
        keyring: &'r Keyring,
        origin: &str,
        old: &[String],
    ) -> Result<Self, Diagnostic> {
        let mut own = keyring.recipients_from(origin).into_iter();
        let Some(new) = own.next() else {
            let message = format!("`{origin}` holds no key to seal for");
            return Err(
                Diagnostic::error("rekey-no-key", message).with_hint(format!(
                    "make one with `kiln secrets rekey --keygen`, or put one into `{origin}`"
                )),
            );
        };
        let mut retired: BTreeSet<String> = own.filter(|recipient| *recipient != new).collect();
        for file in old {
            let recipients = keyring.recipients_from(file);
            if recipients.contains(&new) {
                let message = format!("`{file}` holds the same key as `{origin}`, `{new}`");
                return Err(Diagnostic::error("rekey-same-key", message).with_hint(format!(
                    "name the file with the key that is to be replaced, and put the new one into `{origin}`"
                )));
            }
            retired.extend(recipients);
        }
        let replaced = if retired.is_empty() {
            let others = keyring.recipients().into_iter();
            others.filter(|recipient| *recipient != new).collect()
        } else {
            retired.clone()
        };
        Ok(Self {
            rules,
            keyring,
            new,
            retired,
            replaced,
        })
    }

    /// Returns the public key that everything is sealed for from now on.
    pub fn recipient(&self) -> &str {
        &self.new
    }

    /// Seals a file of the project anew, with a new data key, for the recipients of the rule that matches it; `None` when it
    /// is in order, or is no sealed file.
    ///
    /// A file that no rule matches keeps its recipients, with the new key in the place of the old one. What is
    /// encrypted and what is not stays as it is.
    ///
    /// # Errors
    /// No identity at hand opens the file, it was changed since it was sealed, it has a form that Kiln does not
    /// write, or its rule still names the old key.
    pub fn seal(
        &self,
        source: &Arc<Source>,
        now: &str,
        entropy: &mut dyn CryptoRngCore,
    ) -> Result<Option<String>, Diagnostic> {
        let outline = match Outline::read_sealed(source) {
            None => return self.other_form(source).map_or(Ok(None), Err),
            Some(Err(problems)) => return problems.into_iter().next().map_or(Ok(None), Err),
            Some(Ok(outline)) => outline,
        };
        let metadata = reader::metadata(&outline)?;
        let sealed_for: BTreeSet<String> = metadata
            .age
            .iter()
            .map(|copy| copy.recipient.clone())
            .collect();
        let rule = self.rules.find_in_project(&source.path);
        let recipients = self.recipients(&sealed_for, rule)?;
        let wanted: BTreeSet<String> = recipients.iter().map(ToString::to_string).collect();
        let opened = reader::unlock(&outline, &metadata, self.keyring);
        if sealed_for == wanted && (self.is_in_order(&wanted) || opened.is_err()) {
            return Ok(None);
        }
        let key = opened?;
        if let Some(rule) = rule {
            self.judge(rule)?;
        }
        if !metadata.foreign.is_empty() {
            return Err(foreign(&source.path, &metadata));
        }
        let opened = reader::open_with(outline, &metadata, &key)?;
        let indent = rule.map_or(INDENT, |rule| rule.indent);
        let renewed = writer::SealTarget {
            scope: &metadata.scope,
            mac_only_encrypted: metadata.mac_only_encrypted,
            recipients: &recipients,
            indent,
        };
        let plain = Source::sensitive(source.path.clone(), opened.to_text());
        let plain = Outline::read(&plain, State::Plain).ok();
        let plain = plain
            .and_then(|plain| with_values(plain, &opened.outline))
            .ok_or_else(|| not_the_same(&source.path))?;
        let draw = Draw::new(&plain, renewed.scope, entropy);
        let now = now
            .parse()
            .map_or_else(|_| now.to_owned(), metadata::rfc3339);
        writer::write(&plain, renewed, &draw, &now).map(Some)
    }

    /// Says that the rule of a file that Kiln renders still seals for the old key.
    pub fn stale_rule(&self, path: &str) -> Option<Diagnostic> {
        self.judge(self.rules.find(path)?).err()
    }

    /// Where nobody said which key is the old one, only the new one tells that all is done.
    fn is_in_order(&self, recipients: &BTreeSet<String>) -> bool {
        let is_new = recipients.contains(&self.new);
        (is_new || !self.retired.is_empty()) && self.retired.is_disjoint(recipients)
    }

    fn recipients(
        &self,
        sealed_for: &BTreeSet<String>,
        rule: Option<&Rule>,
    ) -> Result<Vec<Recipient>, Diagnostic> {
        if let Some(rule) = rule {
            return match rule.unfit.first() {
                Some(problem) => Err(problem.clone()),
                None => Ok(rule.recipients.clone()),
            };
        }
        let kept = sealed_for.difference(&self.replaced);
        let replaces = kept.clone().count() < sealed_for.len();
        let new = [&self.new];
        let all: BTreeSet<&String> = kept.chain(new.into_iter().filter(|_| replaces)).collect();
        all.into_iter()
            .map(|text| {
                Recipient::read(text).map_err(|_| {
                    let message =
                        format!("a file is sealed for `{text}`, which Kiln cannot seal for");
                    Diagnostic::error("unsupported-recipient", message)
                })
            })
            .collect()
    }

    fn judge(&self, rule: &Rule) -> Result<(), Diagnostic> {
        let recipients: BTreeSet<String> =
            rule.recipients.iter().map(ToString::to_string).collect();
        if rule.recipients.is_empty() || self.is_in_order(&recipients) {
            return Ok(());
        }
        let old: Vec<&str> = recipients
            .intersection(&self.replaced)
            .map(String::as_str)
            .collect();
        let (message, hint) = if old.is_empty() {
            (
                format!(
                    "a creation rule does not seal for the new key `{}`",
                    self.new
                ),
                format!("add `{}` to its recipients", self.new),
            )
        } else {
            let old = listed(old.into_iter());
            (
                format!("a creation rule still seals for {old}, the key that is replaced"),
                format!("write `{}` in its place", self.new),
            )
        };
        let problem = Diagnostic::error("rekey-rule", message).with_hint(hint);
        Err(problem.at_place_if(rule.recipients_place.as_ref()))
    }

    /// Refuses the forms of sealed files that are neither YAML nor JSON, unless they are in order.
    fn other_form(&self, source: &Source) -> Option<Diagnostic> {
        let text = &source.text;
        let sealed = matches!(Store::of(&source.path), Store::Dotenv | Store::Ini)
            && text.contains("ENC[AES256_GCM,data:");
        let renewed =
            text.contains(&self.new) && !self.retired.iter().any(|old| text.contains(old));
        (sealed && !renewed).then(|| {
            let message = format!("`{}` is sealed in a form that Kiln does not write", source.path);
            Diagnostic::error("unsupported-secret-format", message).with_hint(
                "seal it for the new key first: change its rule, run `sops updatekeys` and `sops rotate --in-place` on it",
            )
        })
    }
}

/// Gives a plain outline the values of the opened one, which know their types: all numbers of JSON are floats to
/// SOPS. `None` when the two are not of the same file.
fn with_values(mut plain: Outline, opened: &Outline) -> Option<Outline> {
    let same = |mine: &Leaf, theirs: &Leaf| match (&mine.content, &theirs.content) {
        (Content::Value(mine), Content::Value(theirs)) => {
            mine.text.expose() == theirs.text.expose()
        }
        (mine, theirs) => mine == theirs,
    };
    if !plain.same_shape(opened, same) {
        return None;
    }
    let leaves = plain
        .documents
        .iter_mut()
        .flat_map(|document| &mut document.leaves);
    for (leaf, opened) in leaves.zip(opened.leaves()) {
        leaf.content = opened.content.clone();
    }
    Some(plain)
}

fn foreign(path: &str, metadata: &Metadata) -> Diagnostic {
    let kinds = metadata.foreign.join(", ");
    let message =
        format!("`{path}` is sealed for {kinds} as well, and Kiln seals for age keys only");
    Diagnostic::error("unsupported-key-type", message).with_hint(
        "seal it for the new key first: change its rule, run `sops updatekeys` and `sops rotate --in-place` on it",
    )
}

fn not_the_same(path: &str) -> Diagnostic {
    let message = format!("`{path}` was opened, but does not read back as what it was");
    Diagnostic::error("seal-self-check", message).with_hint(
        "nothing was written; this is a defect of Kiln, please report it with the file's layout",
    )
}

//! Sealing what is sealed already for a new key.

use std::collections::BTreeSet;
use std::sync::Arc;

use rand_core::CryptoRngCore;
use sops_age::keys::{Keyring, Recipient, shown_recipient};
use sops_age::{Draw, SealedFile, Store};

use super::identities::{listed_keys, names};
use super::report;
use super::rules::{Rules, SealingRule, layouts};
use crate::diagnostic::Diagnostic;
use crate::seal::codes;
use crate::source::Source;

/// What is to be done with a file that Kiln does not seal.
const RENEW_WITH_SOPS: &str = "seal it for the new key first: change its rule, run `sops updatekeys` and `sops rotate --in-place` on it";

/// The exchange of an age key for another one.
pub struct Renewal<'r> {
    rules: &'r Rules,
    keyring: &'r Keyring,
    new: String,
    /// The file that holds its private half.
    origin: String,
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
                Diagnostic::error(&codes::REKEY_NO_KEY, message).with_hint(format!(
                    "make one with `kiln secrets rekey --keygen`, or put one into `{origin}`"
                )),
            );
        };
        let mut retired: BTreeSet<String> = own.filter(|recipient| *recipient != new).collect();
        for file in old {
            let recipients = keyring.recipients_from(file);
            if recipients.contains(&new) {
                let message = format!(
                    "`{file}` holds the same key as `{origin}`, `{}`",
                    shown_recipient(&new)
                );
                return Err(Diagnostic::error(&codes::REKEY_SAME_KEY, message).with_hint(format!(
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
            origin: origin.to_owned(),
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
        let store = Store::of_sealed(&source.path, &source.text);
        let sealed = match SealedFile::find(&source.text, store) {
            None => return self.other_form(source).map_or(Ok(None), Err),
            Some(Err(problem)) => return Err(report::sealed_problem(source, &problem)),
            Some(Ok(sealed)) => sealed,
        };
        let sealed_for = sealed.metadata.sealed_for();
        let rule = self.rules.find_in_project(&source.path);
        let recipients = self.recipients(&sealed_for, rule)?;
        let wanted = names(&recipients);
        let is_closed = sealed.unlock(self.keyring).is_err();
        if sealed_for == wanted && (self.is_in_order(&wanted) || is_closed) {
            return Ok(None);
        }
        if let (false, Some(rule)) = (is_closed, rule) {
            self.judge(rule)?;
        }
        if !is_closed && !sealed.metadata.foreign.is_empty() {
            return Err(report::foreign(&source.path, &sealed.metadata).with_hint(RENEW_WITH_SOPS));
        }
        let opened = report::open(source, sealed, self.keyring)?;
        let layouts = layouts(rule);
        let draw = Draw::for_rotation(&opened, entropy);
        let sealed = opened.rotate(&recipients, &layouts, &draw, now);
        let told = |problem| report::seal_problem(source, &opened.metadata.scope, &problem);
        sealed.map(Some).map_err(told)
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
        rule: Option<&SealingRule>,
    ) -> Result<Vec<Recipient>, Diagnostic> {
        if let Some(rule) = rule {
            return match rule.unfit.first() {
                Some(problem) => Err(problem.clone()),
                None => Ok(rule.creation.recipients.clone()),
            };
        }
        let kept = sealed_for.difference(&self.replaced);
        let replaces = kept.clone().count() < sealed_for.len();
        let new = [&self.new];
        let all: BTreeSet<&String> = kept.chain(new.into_iter().filter(|_| replaces)).collect();
        all.into_iter()
            .map(|text| {
                Recipient::read(text).map_err(|_| {
                    let message = format!(
                        "a file is sealed for `{}`, which Kiln cannot seal for",
                        shown_recipient(text)
                    );
                    Diagnostic::error(&codes::UNSUPPORTED_RECIPIENT, message)
                })
            })
            .collect()
    }

    fn judge(&self, rule: &SealingRule) -> Result<(), Diagnostic> {
        let recipients = names(&rule.creation.recipients);
        if rule.creation.recipients.is_empty() || self.is_in_order(&recipients) {
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
                    shown_recipient(&self.new)
                ),
                format!("add {} to its recipients", self.whole_key()),
            )
        } else {
            let old = listed_keys(old.into_iter());
            (
                format!("a creation rule still seals for {old}, the key that is replaced"),
                format!("write {} in its place", self.whole_key()),
            )
        };
        let problem = Diagnostic::error(&codes::REKEY_RULE, message).with_hint(hint);
        Err(problem.at_place_if(rule.recipients_place.as_ref()))
    }

    /// Names the new key so that it can be copied.
    fn whole_key(&self) -> String {
        let shown = shown_recipient(&self.new);
        if shown == self.new {
            return format!("`{shown}`");
        }
        format!("`{shown}`, which `age-keygen -y {}` prints,", self.origin)
    }

    /// Refuses the forms of sealed files that are neither YAML nor JSON, unless they are in order.
    fn other_form(&self, source: &Source) -> Option<Diagnostic> {
        let text = &source.text;
        let sealed = matches!(Store::of(&source.path), Store::Dotenv | Store::Ini)
            && text.contains("ENC[AES256_GCM,data:");
        let renewed =
            text.contains(&self.new) && !self.retired.iter().any(|old| text.contains(old));
        (sealed && !renewed).then(|| {
            let message = format!(
                "`{}` is sealed in a form that Kiln does not write",
                source.path
            );
            Diagnostic::error(&codes::UNSUPPORTED_SECRET_FORMAT, message).with_hint(RENEW_WITH_SOPS)
        })
    }
}

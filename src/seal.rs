//! Encrypts the secret outputs in SOPS' file format, for age recipients.
//!
//! Owns creation rules, the file format in both directions, and the decision whether what is on disk
//! can stay. Knows nothing of where files, keys, time or randomness come from.
//!
//! The format itself is the crate `sops-age`. A file takes this way: `rules` find the one that applies, `coverage`
//! judges how far it goes, `keep` decides whether the sealed file that is there (`earlier`) still holds the same, and
//! if not, what of it stays; `report` turns what the crate says into diagnostics. A file that came sealed goes another
//! way: `carried` judges it, and its bytes stay.

mod carried;
pub mod codes;
mod coverage;
mod earlier;
mod file_sealer;
mod identities;
mod keep;
mod open_part;
mod renewal;
mod report;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand_core::CryptoRngCore;
use rayon::prelude::*;
use sops_age::{Draw, Metadata, OpenedFile, PlainFile, SealedFile, Store};

pub use carried::kept_problem;
pub use earlier::Earlier;
pub use file_sealer::{FileSealer, NewKeys, SealReview};
pub use identities::{key_source_problem, read_identities};
pub use open_part::open_part;
pub use renewal::Renewal;
pub use rules::Rules;
pub use sops_age::keys::Keyring;

use crate::diagnostic::{Diagnostic, StageResult, Warned};
use crate::secret::SealTerms;
use crate::source::Source;
use crate::tree::{
    Checked, File, Rendered, Sealed, SealedFile as SealedOutput, Tree, is_secret_path,
};
use coverage::Extent;
use earlier::EarlierFile as Found;
use keep::{KeepVerdict, WantedFile};
use rules::SealingRule;

/// What sealing needs besides the tree.
pub struct Inputs<'i> {
    /// The creation rules.
    pub rules: &'i Rules,
    /// The identities at hand.
    pub keyring: &'i Keyring,
    /// Whether those are known for whom the rules seal; a made-up key tells nobody.
    pub knows_recipients: bool,
    /// What is on disk at the paths of secret files.
    pub earlier: &'i Earlier,
    /// The same files with other values made up, if some are made up: a value that differs is not known here.
    pub unseen: Option<&'i Tree<Rendered>>,
    /// What becomes of the data keys of files that are for others than before.
    pub data_keys: DataKeys,
    /// The time, RFC 3339 in UTC.
    pub now: &'i str,
}

/// What becomes of the data key of a file that is for others than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataKeys {
    /// It stays, and is wrapped anew.
    Kept,
    /// The file gets a new one: whoever had the old one is to read nothing that comes.
    Replaced,
}

/// Encrypts every secret file of a tree in memory, or keeps the bytes that are there.
///
/// A file stays as it is, byte for byte, when it opens with an identity at hand and holds the same
/// values and comments, by the same rule, for the same recipients. Without an identity that opens it,
/// a file that could hold the same stays as well, and one warning `seal-unverified` counts these.
/// A file that opens and holds something else keeps its data key and the ciphertexts and the layout of
/// what has not changed; one warning `seal-recipient-removed` names who could open such files before and
/// knows their data keys. Every other file is sealed anew, with a new data key.
///
/// A file that came sealed, in a file that is only copied, stays as it is, if it is sealed as its rule has it.
///
/// Apart from the ephemeral keys inside age, which come from the operating system, the result
/// depends on the inputs and `entropy` only, not on the number of threads.
///
/// # Panics
/// When `now` is not a time.
pub fn seal(
    tree: Tree<Checked>,
    inputs: &Inputs<'_>,
    entropy: &mut dyn CryptoRngCore,
) -> StageResult<Tree<Sealed>> {
    let _: jiff::Timestamp = inputs
        .now
        .parse()
        .expect("the caller hands in the time as RFC 3339");
    let secrets: Vec<&File> = tree.files().filter(|file| file.is_secret()).collect();
    let decisions: Vec<Result<Decision<'_>, Vec<Diagnostic>>> = secrets
        .par_iter()
        .map(|file| decide(file, inputs))
        .collect();
    let mut problems = Vec::new();
    let mut sealed = BTreeMap::new();
    let mut jobs = Vec::new();
    let mut unverified = Vec::new();
    let mut removed = RemovedRecipients::default();
    for (file, decision) in secrets.iter().zip(decisions) {
        let Decision { action, warnings } = match decision {
            Ok(decision) => decision,
            Err(found) => {
                problems.extend(found);
                continue;
            }
        };
        problems.extend(warnings);
        match action {
            SealAction::Keep { bytes, verified } => {
                if !verified {
                    unverified.push(file.path.as_str());
                }
                sealed.insert(file.path.clone(), ciphertext(bytes, true));
            }
            SealAction::Seal {
                plain,
                rule,
                opened,
            } => {
                // In path order, and as much for each file whatever the threads do later.
                let draw = Draw::new(&plain, &rule.creation.scope, entropy);
                removed.add(file, opened, rule);
                jobs.push(Job {
                    file,
                    plain,
                    rule,
                    opened,
                    draw,
                });
            }
        }
    }
    if problems.iter().any(Diagnostic::is_error) {
        return Err(problems);
    }
    problems.extend(not_verified(&unverified));
    problems.extend(removed.warning());
    let written: Vec<(String, Result<String, Diagnostic>)> = jobs
        .into_par_iter()
        .map(|job| (job.file.path.clone(), job.run(inputs.now)))
        .collect();
    for (path, result) in written {
        match result {
            Ok(text) => {
                sealed.insert(path, ciphertext(text.into_bytes(), false));
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.iter().any(Diagnostic::is_error) {
        return Err(problems);
    }
    Ok(Warned {
        value: tree.sealed(sealed),
        warnings: problems,
    })
}

/// Decrypts a YAML or JSON file that SOPS sealed, and returns it as plain YAML.
///
/// Everything but the ciphertexts and the metadata stands as it was. The MAC is verified.
///
/// # Errors
/// No identity that opens it (`missing-identity`, `wrong-identity`), a file that was changed since
/// (`mac-mismatch`, `malformed-ciphertext`), or one that is no such file (`not-sealed`,
/// `malformed-sops-metadata`).
pub fn decrypt(source: &Arc<Source>, keyring: &Keyring) -> Result<String, Diagnostic> {
    let plain = report::open_source(source, keyring)?.to_plain();
    let plain = std::str::from_utf8(&plain).map_err(|_| {
        let message = format!("`{}` holds something that is no text", source.path);
        Diagnostic::error(&codes::UNSUPPORTED_SECRET_FORMAT, message)
            .with_hint("open it with `sops decrypt`")
    })?;
    Ok(plain.to_owned())
}

/// Returns whether a text is a YAML or JSON file that SOPS sealed.
pub fn is_sealed(text: &str) -> bool {
    sops_age::is_sealed(text)
}

/// Returns for whom a sealed file says that it is sealed; `None` for any other file.
pub fn sealed_terms(source: &Source) -> Option<SealTerms> {
    let store = Store::of_sealed(&source.path, &source.text);
    let sealed = SealedFile::find(&source.text, store)?.ok()?;
    Some(terms_of(&sealed.metadata))
}

fn terms_of(metadata: &Metadata) -> SealTerms {
    SealTerms {
        path_regex: None,
        recipients: metadata.sealed_for(),
        selector: metadata.scope.to_string(),
        line: 1,
    }
}

/// A file that is sealed, anew or in the place of one that is there.
struct Job<'s> {
    file: &'s File,
    plain: PlainFile,
    rule: &'s SealingRule,
    opened: Option<&'s OpenedFile>,
    draw: Draw,
}

impl Job<'_> {
    fn run(&self, now: &str) -> Result<String, Diagnostic> {
        let target = self.rule.creation.target();
        let sealed = match self.opened {
            Some(opened) => opened.renew(&self.plain, &target, &self.draw, now),
            None => self.plain.seal(&target, &self.draw, now),
        };
        sealed.map_err(|problem| report::seal_problem(&self.file.source, target.scope, &problem))
    }
}

/// What becomes of one file.
struct Decision<'r> {
    action: SealAction<'r>,
    warnings: Vec<Diagnostic>,
}

enum SealAction<'r> {
    Keep {
        bytes: Vec<u8>,
        verified: bool,
    },
    Seal {
        plain: PlainFile,
        rule: &'r SealingRule,
        opened: Option<&'r OpenedFile>,
    },
}

fn decide<'r>(file: &File, inputs: &Inputs<'r>) -> Result<Decision<'r>, Vec<Diagnostic>> {
    let found = inputs.rules.find(&file.path);
    if carried::is_carried(file) {
        let rule = found.ok_or_else(|| vec![inputs.rules.no_rule(&file.path)])?;
        let warnings = carried::judge(file, rule, inputs)?;
        let bytes = file.bytes().to_vec();
        let action = SealAction::Keep {
            bytes,
            verified: true,
        };
        return Ok(Decision { action, warnings });
    }
    let store = Store::of(&file.path);
    let plain = PlainFile::read(file.bytes(), store);
    // A format that cannot be sealed is wrong whatever the rule.
    let format =
        matches!(&plain, Err(problem) if !matches!(problem, sops_age::PlainError::Outline(_)));
    if let (true, Err(problem)) = (format, &plain) {
        let mut problems = report::plain_problems(&file.source, problem.clone());
        if let Some(place) = file.template_place(0).filter(|_| file.binary.is_some()) {
            problems = in_template(problems, &place);
        }
        let named = found.filter(|_| file.binary.is_some() || !is_secret_path(&file.path));
        return Err(match named {
            Some(rule) => named_by(problems, rule),
            None => problems,
        });
    }
    let Some(rule) = found else {
        return Err(vec![inputs.rules.no_rule(&file.path)]);
    };
    let rule = rule.fit(&file.path)?;
    let plain = plain.map_err(|problem| report::plain_problems(&file.source, problem))?;
    Extent::of_rule(rule).require(&file.source, &plain)?;
    Ok(judged(file, plain, rule, inputs))
}

/// Decides what becomes of a file that can be sealed.
fn judged<'r>(
    file: &File,
    plain: PlainFile,
    rule: &'r SealingRule,
    inputs: &Inputs<'r>,
) -> Decision<'r> {
    let store = Store::of(&file.path);
    let unseen = inputs.unseen.and_then(|tree| tree.get(&file.path));
    let unseen = unseen.and_then(|other| PlainFile::read(other.bytes(), store).ok());
    let earlier: Option<&'r Found> = inputs.earlier.get(&file.path);
    let wanted = WantedFile {
        file: &plain,
        unseen: unseen.as_ref(),
        target: rule.creation.target(),
        store,
        data_keys: inputs.data_keys,
    };
    let verdict = earlier.map(|earlier| (earlier, keep::judge(&wanted, earlier)));
    let mut warnings = Vec::new();
    let keep = |found: &Found, verified| SealAction::Keep {
        bytes: found.bytes.clone(),
        verified,
    };
    let opened = match verdict {
        Some((found, verdict @ (KeepVerdict::Same | KeepVerdict::Unverified))) => {
            let action = keep(found, matches!(verdict, KeepVerdict::Same));
            return Decision { action, warnings };
        }
        Some((_, KeepVerdict::Changed(opened))) => Some(opened),
        Some((_, KeepVerdict::Damaged(problem))) => {
            warnings.push(damaged(&file.path, &problem));
            None
        }
        Some((_, KeepVerdict::Differs)) | None => None,
    };
    let action = SealAction::Seal {
        plain,
        rule,
        opened,
    };
    Decision { action, warnings }
}

fn in_template(problems: Vec<Diagnostic>, place: &crate::source::Place) -> Vec<Diagnostic> {
    let told = problems.into_iter();
    told.map(|problem| problem.at_place(place.clone(), "copied from this file"))
        .collect()
}

fn named_by(problems: Vec<Diagnostic>, rule: &SealingRule) -> Vec<Diagnostic> {
    let told = problems.into_iter();
    told.map(|problem| problem.with_related(rule.place.clone(), "named by this rule"))
        .collect()
}

/// Who could open files before, and knows their data keys.
#[derive(Default)]
struct RemovedRecipients<'s> {
    recipients: BTreeSet<String>,
    files: Vec<&'s str>,
}

impl<'s> RemovedRecipients<'s> {
    fn add(&mut self, file: &'s File, opened: Option<&OpenedFile>, rule: &SealingRule) {
        let Some(opened) = opened else {
            return;
        };
        let now = identities::names(&rule.creation.recipients);
        let gone = &opened.metadata.sealed_for() - &now;
        if !gone.is_empty() {
            self.recipients.extend(gone);
            self.files.push(&file.path);
        }
    }

    fn warning(&self) -> Option<Diagnostic> {
        let first = self.files.first()?;
        let files = match self.files.len() {
            1 => format!("`{first}` is"),
            count => format!("{count} files are, the first being `{first}`,"),
        };
        let who = identities::listed_keys(self.recipients.iter().map(String::as_str));
        let message = format!("{files} no longer sealed for {who}, who knows the data key");
        Some(
            Diagnostic::warning(&codes::SEAL_RECIPIENT_REMOVED, message)
                .with_hint("whoever kept the old file can read what is sealed with that key: change the secrets themselves")
                .with_hint("`kiln secrets rotate FILE` gives a file a new data key"),
        )
    }
}

fn ciphertext(bytes: Vec<u8>, kept: bool) -> SealedOutput {
    SealedOutput {
        executable: false,
        bytes,
        sealed: true,
        kept,
    }
}

fn damaged(path: &str, problem: &Diagnostic) -> Diagnostic {
    Diagnostic::warning(
        &codes::SEAL_DAMAGED,
        format!("the sealed file at `{path}` is broken, so it is sealed anew"),
    )
    .with_hint(problem.message.clone())
}

/// One warning for all files that nobody here can open.
fn not_verified(paths: &[&str]) -> Option<Diagnostic> {
    let first = paths.first()?;
    let files = match paths.len() {
        1 => format!("`{first}` was kept as it is"),
        count => format!("{count} sealed files were kept as they are, the first being `{first}`"),
    };
    let message =
        format!("{files}, since no identity at hand can tell whether their secrets changed");
    let message = if paths.len() == 1 {
        message.replace("their secrets", "its secrets")
    } else {
        message
    };
    Some(
        Diagnostic::warning(&codes::SEAL_UNVERIFIED, message)
            .with_hint("render where an age identity is at hand after a secret was changed"),
    )
}

//! Encrypts the secret outputs in SOPS' file format, for age recipients.
//!
//! Owns creation rules, the file format in both directions, and the decision whether what is on disk
//! can stay. Knows nothing of where files, keys, time or randomness come from.
//!
//! A file takes this way: `outline` lists its values and comments in order with their places,
//! `rules` find the one that applies and `scope` says which values it covers, `keep` decides
//! whether the sealed file that is there (`earlier`) still holds the same, and if not, `writer` replaces each
//! covered value by its ciphertext (`cipher`) and appends `metadata`. `reader` goes the other
//! way. Source of the format: getsops/sops, proved in both directions against `sops` 3.11.0 and 3.13.3.

mod codes;
mod coverage;
mod earlier;
mod edit;
mod identities;
mod keep;
mod mac;
mod metadata;
mod open_part;
mod outline;
mod pattern;
mod reader;
mod renewal;
mod rules;
mod scalar_text;
mod scope;
mod store;
mod writer;

use std::collections::BTreeMap;
use std::sync::Arc;

use rand_core::CryptoRngCore;
use rayon::prelude::*;

pub use codes::CODES;
pub use earlier::Earlier;
pub use identities::read_identities;
pub use open_part::open_part;
pub use renewal::Renewal;
pub use rules::Rules;
pub use sops_age::keys::{Keyring, USUAL_IDENTITY_FILE};

use crate::diagnostic::{Diagnostic, StageResult, Warned};
use crate::secret::SealTerms;
use crate::source::{Source, Span};
use crate::tree::{Checked, File, Rendered, Sealed, SealedFile, Tree, is_secret_path};
use crate::yaml;
use earlier::File as Found;
use keep::Verdict;
use metadata::Metadata;
use outline::{Outline, State};
use rules::Rule;
use store::Store;
use writer::Draw;

/// What sealing needs besides the tree.
pub struct Inputs<'i> {
    /// The creation rules.
    pub rules: &'i Rules,
    /// What is on disk at the paths of secret files.
    pub earlier: &'i Earlier,
    /// The same files with other values made up, if some are made up: a value that differs is not known here.
    pub unseen: Option<&'i Tree<Rendered>>,
    /// The time, RFC 3339 in UTC.
    pub now: &'i str,
}

/// Encrypts every secret file of a tree in memory, or keeps the bytes that are there.
///
/// A file stays as it is, byte for byte, when it opens with an identity at hand and holds the same
/// values and comments, by the same rule, for the same recipients. Without an identity that opens it,
/// a file that could hold the same stays as well, and one warning `seal-unverified` counts these.
/// Every other file is sealed anew, with a new data key.
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
    let now: jiff::Timestamp = inputs
        .now
        .parse()
        .expect("the caller hands in the time as RFC 3339");
    let now = metadata::rfc3339(now);
    let secrets: Vec<&File> = tree.files().filter(|file| file.is_secret()).collect();
    let decisions: Vec<Result<Decision<'_>, Vec<Diagnostic>>> = secrets
        .par_iter()
        .map(|file| decide(file, inputs))
        .collect();
    let mut problems = Vec::new();
    let mut sealed = BTreeMap::new();
    let mut jobs = Vec::new();
    let mut unverified = Vec::new();
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
            Action::Keep { bytes, verified } => {
                if !verified {
                    unverified.push(file.path.as_str());
                }
                sealed.insert(file.path.clone(), ciphertext(bytes, true));
            }
            Action::Seal { outline, rule } => {
                // In path order, and as much for each file whatever the threads do later.
                let draw = Draw::new(&outline, &rule.scope, entropy);
                jobs.push((file.path.clone(), outline, rule, draw));
            }
        }
    }
    if problems.iter().any(Diagnostic::is_error) {
        return Err(problems);
    }
    problems.extend(not_verified(&unverified));
    let written: Vec<(String, Result<String, Diagnostic>)> = jobs
        .into_par_iter()
        .map(|(path, outline, rule, draw)| {
            (path, writer::write(&outline, rule.into(), &draw, &now))
        })
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
    let outline = Outline::read(source, State::Sealed).map_err(|problems| {
        let unreadable =
            || Diagnostic::error("not-sealed", format!("`{}` cannot be read", source.path));
        problems.into_iter().next().unwrap_or_else(unreadable)
    })?;
    let metadata = reader::metadata(&outline)?;
    let key = reader::unlock(&outline, &metadata, keyring)?;
    Ok(reader::open_with(outline, &metadata, &key)?.to_text())
}

/// Returns whether a text is a YAML or JSON file that SOPS sealed.
pub fn is_sealed(text: &str) -> bool {
    outline::is_sealed(text)
}

/// Returns for whom a sealed file says that it is sealed; `None` for any other file.
pub fn sealed_terms(source: &Source) -> Option<SealTerms> {
    if !is_sealed(&source.text) {
        return None;
    }
    let documents = yaml::load(&source.text).ok()?;
    let metadata = documents
        .iter()
        .find_map(|document| document.root.get("sops"));
    let metadata = Metadata::read(metadata?).ok()?;
    Some(SealTerms {
        path_regex: None,
        recipients: metadata
            .age
            .into_iter()
            .map(|wrapped| wrapped.recipient)
            .collect(),
        selector: metadata.scope.to_string(),
        line: 1,
    })
}

/// What becomes of one file.
struct Decision<'r> {
    action: Action<'r>,
    warnings: Vec<Diagnostic>,
}

enum Action<'r> {
    Keep { bytes: Vec<u8>, verified: bool },
    Seal { outline: Outline, rule: &'r Rule },
}

/// Says that a file that is no text would have to be sealed.
fn binary(file: &File, rule: Option<&Rule>) -> Diagnostic {
    let message = format!(
        "`{}` is to be sealed, but is no text, and Kiln seals YAML only",
        file.path
    );
    let mut problem = Diagnostic::error("unsupported-secret-format", message);
    if let Some(place) = file.template_place(0) {
        problem = problem.at_place(place, "copied from this file");
    }
    if let Some(rule) = rule {
        problem = problem.with_related(rule.place.clone(), "named by this rule");
    }
    problem.with_hint("put it into the `data` of a Secret, in base64, or seal it by hand with `sops encrypt --input-type binary` outside of the templates")
}

fn decide<'r>(file: &File, inputs: &Inputs<'r>) -> Result<Decision<'r>, Vec<Diagnostic>> {
    let found = inputs.rules.find(&file.path);
    if file.binary.is_some() {
        return Err(vec![binary(file, found)]);
    }
    let store = Store::of(&file.path);
    if store != Store::Yaml {
        let start = Span::default();
        let mut problem = store.unsupported(&file.path).at(&file.source, start, "");
        if let Some(rule) = found.filter(|_| !is_secret_path(&file.path)) {
            problem = problem.with_related(rule.place.clone(), "named by this rule");
        }
        return Err(vec![problem]);
    }
    let Some(rule) = found else {
        return Err(vec![inputs.rules.no_rule(&file.path)]);
    };
    if !rule.unfit.is_empty() {
        let needed = |problem: &Diagnostic| {
            problem
                .clone()
                .with_hint(format!("the rule applies to `{}`", file.path))
        };
        return Err(rule.unfit.iter().map(needed).collect());
    }
    let outline = Outline::read(&file.source, State::Plain)?;
    let unclear = writer::unclear_comments(&outline, &rule.scope);
    if !unclear.is_empty() {
        return Err(unclear);
    }
    let open = coverage::problems(&outline, rule);
    if !open.is_empty() {
        return Err(open);
    }
    let mut warnings = Vec::new();
    let earlier = inputs.earlier.get(&file.path);
    let unseen = inputs.unseen.and_then(|tree| tree.get(&file.path));
    let unseen = unseen.and_then(|other| Outline::read(&other.source, State::Plain).ok());
    let verdict = earlier.map(|earlier| keep::judge(&outline, rule, earlier, unseen.as_ref()));
    if let Some(Verdict::Damaged(problem)) = &verdict {
        warnings.push(damaged(&file.path, problem));
    }
    let action = match (earlier, verdict) {
        (Some(Found { bytes, .. }), Some(Verdict::Same)) => Action::Keep {
            bytes: bytes.clone(),
            verified: true,
        },
        (Some(Found { bytes, .. }), Some(Verdict::Unverified)) => Action::Keep {
            bytes: bytes.clone(),
            verified: false,
        },
        _ => Action::Seal { outline, rule },
    };
    Ok(Decision { action, warnings })
}

fn ciphertext(bytes: Vec<u8>, kept: bool) -> SealedFile {
    SealedFile {
        executable: false,
        bytes,
        sealed: true,
        kept,
    }
}

fn damaged(path: &str, problem: &Diagnostic) -> Diagnostic {
    Diagnostic::warning(
        "seal-damaged",
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
        Diagnostic::warning("seal-unverified", message)
            .with_hint("render where an age identity is at hand after a secret was changed"),
    )
}

//! Files that came sealed: they go to the output as they are, if that is what their rule asks for.

use sops_age::keys::Keyring;
use sops_age::{LockedError, Metadata, SealedFile, Store};

use super::Inputs;
use super::coverage::{self, Extent};
use super::identities::{listed_keys, without};
use super::report;
use super::rules::{Rules, SealingRule};
use crate::diagnostic::Diagnostic;
use crate::seal::codes;
use crate::source::Source;
use crate::tree::{File, Origin};

/// How the names of templates end that are more than copied.
const TEMPLATE: &str = ".tera";

/// Returns whether a file is copied from one that is sealed already.
///
/// What a template prints is none: it may have put a secret into what is not encrypted.
pub(super) fn is_carried(file: &File) -> bool {
    let copied = |origin: &Origin| match origin {
        Origin::Template { template, .. } => !template.path.ends_with(TEMPLATE),
        Origin::Rule(_) => false,
    };
    let is_copied = !file.origins.is_empty() && file.origins.iter().all(copied);
    is_copied && file.binary.is_none() && sops_age::is_sealed(&file.source.text)
}

/// Judges a file that is carried by the rule that would seal it; returns warnings.
///
/// # Errors
/// One that is broken or was changed, that is sealed for others than its rule names, or that keeps values of a Secret
/// in plain text.
pub(super) fn judge(
    file: &File,
    rule: &SealingRule,
    inputs: &Inputs<'_>,
) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    let source = &file.source;
    let store = Store::of_sealed(&file.path, &source.text);
    let sealed = SealedFile::read(&source.text, store)
        .map_err(|problem| vec![report::sealed_problem(source, &problem)])?;
    let others = || other_recipients(file, rule, &sealed);
    let others = inputs.knows_recipients.then(others).flatten();
    let mut problems: Vec<Diagnostic> = others.into_iter().collect();
    let extent = Extent {
        scope: &sealed.metadata.scope,
        named: "its metadata",
        place: None,
    };
    let seen = report::source_of(source);
    problems.extend(coverage::problems(&seen, &sealed.outline, &extent));
    let warning = other_selector(file, rule, &sealed, store);
    problems.extend(open_problem(file, sealed, inputs.keyring));
    if problems.is_empty() {
        Ok(warning.into_iter().collect())
    } else {
        Err(problems)
    }
}

/// Says that a file is sealed for others than its rule names.
fn other_recipients(file: &File, rule: &SealingRule, sealed: &SealedFile) -> Option<Diagnostic> {
    let difference = difference(&sealed.metadata, rule)?;
    let message = format!("`{}` is sealed already, {difference}", file.path);
    let mut problem = Diagnostic::error(&codes::CARRIED_RECIPIENTS, message);
    if let Some(place) = file.template_place(0) {
        let template = place.source.path.clone();
        problem = problem.at_place(place, "copied from this file").with_hint(format!(
            "seal it for those whom the rule names: `sops rotate --in-place --add-age NEW --rm-age OLD {template}`"
        ));
    }
    if let Some(place) = &rule.recipients_place {
        problem = problem.with_related(place.clone(), "its rule seals for these");
    }
    Some(problem)
}

/// Says how those for whom a file is sealed are others than those whom a rule names.
fn difference(metadata: &Metadata, rule: &SealingRule) -> Option<String> {
    let (found, wanted) = (metadata.sealed_for(), &rule.creation.named_keys);
    let [missing, strange] = [without(wanted, &found), without(&found, wanted)];
    let [unable, able] = [&missing, &strange].map(|keys| listed_keys(keys.iter().copied()));
    match (missing.is_empty(), strange.is_empty()) {
        (true, true) => None,
        (false, true) => Some(format!("not for {unable}, whom its rule names")),
        (true, false) => Some(format!("also for {able}, whom its rule does not name")),
        (false, false) => Some(format!(
            "for {able} and not for {unable}, whom its rule names"
        )),
    }
}

/// Warns of a sealed file that is kept in the project by hand, and is for others than its rule names.
///
/// The path of the source is that of the file in the project.
pub fn kept_problem(source: &Source, rules: &Rules) -> Option<Diagnostic> {
    let rule = rules.find_in_project(&source.path)?;
    let store = Store::of_sealed(&source.path, &source.text);
    let sealed = SealedFile::find(&source.text, store)?.ok()?;
    let difference = difference(&sealed.metadata, rule)?;
    let path = &source.path;
    let message = format!("`{path}`, which you keep, is sealed, {difference}");
    let mut problem = Diagnostic::warning(&codes::KEPT_RECIPIENTS, message).with_hint(format!(
        "`kiln secrets update-keys {path}` seals it for those whom the rule names"
    ));
    if let Some(place) = &rule.recipients_place {
        problem = problem.with_related(place.clone(), "its rule seals for these");
    }
    Some(problem)
}

/// Warns of a file of which another part is encrypted than its rule says.
fn other_selector(
    file: &File,
    rule: &SealingRule,
    sealed: &SealedFile,
    store: Store,
) -> Option<Diagnostic> {
    let (found, wanted) = (&sealed.metadata, &rule.creation);
    let same = found.scope == wanted.scope && found.mac_only_encrypted == wanted.mac_only_encrypted;
    if same || store == Store::Binary {
        return None;
    }
    let message = format!(
        "`{}` is sealed already, by {} and not by {} as its rule has it",
        file.path,
        told(&found.scope.to_string(), found.mac_only_encrypted),
        told(&wanted.scope.to_string(), wanted.mac_only_encrypted),
    );
    let problem = Diagnostic::warning(&codes::CARRIED_SELECTOR, message).with_hint(
        "decrypt it, and seal it again by the rule: `sops` seals by the first rule that matches its path",
    );
    let problem = problem.with_related(rule.scope_place.clone(), "its rule");
    Some(match file.template_place(0) {
        Some(place) => problem.at_place(place, "copied from this file"),
        None => problem,
    })
}

fn told(selector: &str, mac_only_encrypted: bool) -> String {
    if mac_only_encrypted {
        format!("`{selector}` with `mac_only_encrypted`")
    } else {
        format!("`{selector}`")
    }
}

/// Opens a file that an identity at hand is for, to see that it is whole.
fn open_problem(file: &File, sealed: SealedFile, keyring: &Keyring) -> Option<Diagnostic> {
    let mut copies = sealed.metadata.age.iter();
    let is_for_us = copies.any(|copy| keyring.holds(&copy.recipient));
    match sealed.unlock(keyring) {
        Ok(key) => {
            let opened = sealed.open(key);
            let problem = opened.err()?;
            Some(report::open_problem(&file.source, &problem))
        }
        Err(problem @ LockedError::NoIdentity(_)) if is_for_us => Some(report::locked_problem(
            &file.path, &sealed, keyring, &problem,
        )),
        Err(_) => None,
    }
}

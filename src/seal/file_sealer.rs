//! One file at a time, by the hand of its owner: sealed, opened, changed, and looked at.

use std::collections::BTreeSet;
use std::sync::Arc;

use rand_core::CryptoRngCore;
use sops_age::keys::{Keyring, PluginAccess, Recipient, shown_recipient};
use sops_age::{Draw, Layouts, OpenedFile, PlainFile, Scope, SealTarget, SealedFile, Store};
use zeroize::Zeroizing;

use super::coverage::Extent;
use super::identities::{listed_keys, names, without};
use super::report;
use super::rules::{Rules, SealingRule, layouts};
use crate::diagnostic::{self, Diagnostic};
use crate::seal::codes;
use crate::secret::SealTerms;
use crate::source::{Place, Source, Span};

/// The rules and the keys for work on single files; paths are those of the rules.
///
/// No diagnostic shows a value, and nothing is written: a caller gets ciphertext to put on disk, or plain text that is
/// wiped when it is dropped.
pub struct FileSealer<'s> {
    rules: &'s Rules,
    keyring: &'s Keyring,
    plugins: PluginAccess,
}

/// What a new wrapping of the data key comes to.
pub struct NewKeys {
    /// The sealed text.
    pub text: String,
    /// Who could open the file before and may have kept the data key.
    pub removed: BTreeSet<String>,
}

/// What everybody can see of a file that is sealed, or that should be.
#[derive(Clone, Debug)]
pub struct SealReview {
    /// For whom it is sealed and how far; `None` for a file in plain text.
    pub terms: Option<SealTerms>,
    /// What the first rule that matches it says.
    pub rule: Option<SealTerms>,
    /// Whether an identity at hand opens it; `None` where there is no identity, or nothing to open.
    pub opens: Option<bool>,
    /// What is wrong: errors only.
    pub problems: Vec<Diagnostic>,
}

impl<'s> FileSealer<'s> {
    /// Takes the rules, the private keys at hand, and what plugins may do for recipients that stand in no rule.
    pub fn new(rules: &'s Rules, keyring: &'s Keyring, plugins: PluginAccess) -> Self {
        Self {
            rules,
            keyring,
            plugins,
        }
    }

    /// Opens a sealed file and returns its plain text; the MAC is verified.
    ///
    /// # Errors
    /// As of [`decrypt`](super::decrypt), for files of bytes as well.
    pub fn open(&self, source: &Arc<Source>) -> Result<Zeroizing<Vec<u8>>, Diagnostic> {
        Ok(self.opened(source)?.to_plain())
    }

    /// Seals a plain text with a new data key, by the first rule that matches its path; where none does, for the
    /// recipient `own`, every value of it.
    ///
    /// # Errors
    /// No rule and no `own`, a text that cannot be sealed, or one whose Secrets the rule would leave readable.
    pub fn seal(
        &self,
        path: &str,
        plain: &[u8],
        own: Option<&str>,
        now: &str,
        entropy: &mut dyn CryptoRngCore,
    ) -> Result<String, Vec<Diagnostic>> {
        if let Some(rule) = self.rules.find(path) {
            return seal_by(rule, path, plain, now, entropy);
        }
        let own = own.and_then(|own| Recipient::read(own).ok());
        let Some(own) = own else {
            return Err(vec![self.rules.no_rule(path)]);
        };
        let target = SealTarget {
            scope: &Scope::default(),
            mac_only_encrypted: false,
            recipients: &[own],
            layouts: &Layouts::default(),
        };
        let source = veiled(path, plain);
        let file = readable(&source, plain, Store::of(path))?;
        let unsealable = report::unsealable(&source, &file, target.scope);
        if !unsealable.is_empty() {
            return Err(unsealable);
        }
        let draw = Draw::new(&file, target.scope, entropy);
        let sealed = file.seal(&target, &draw, now);
        sealed.map_err(|problem| vec![report::seal_problem(&source, target.scope, &problem)])
    }

    /// Seals a changed text in the place of a sealed file: data key, recipients and selector stay, and so do all bytes
    /// of what has not changed. `None` where nothing has.
    ///
    /// # Errors
    /// What keeps the file from being opened or the text from being sealed.
    pub fn edit(
        &self,
        source: &Arc<Source>,
        plain: &[u8],
        now: &str,
        entropy: &mut dyn CryptoRngCore,
    ) -> Result<Option<String>, Vec<Diagnostic>> {
        let opened = self.opened(source).map_err(|problem| vec![problem])?;
        refuse_foreign(source, &opened).map_err(|problem| vec![problem])?;
        let scope = &opened.metadata.scope;
        let new = veiled(&source.path, plain);
        let store = Store::of_sealed(&source.path, &source.text);
        let file = readable(&new, plain, store)?;
        let rule = self.rules.find(&source.path);
        let extent = Extent {
            scope,
            named: "the sealed file",
            place: None,
        };
        extent.require(&new, &file)?;
        if opened.holds(&file) {
            return Ok(None);
        }
        let draw = Draw::new(&file, scope, entropy);
        let sealed = opened.edited(&file, &layouts(rule), &draw, now);
        let told = |problem| vec![report::seal_problem(&new, scope, &problem)];
        sealed.map(Some).map_err(told)
    }

    /// Seals a file with a new data key and every ciphertext anew, for the recipients of its rule, or for its own where no
    /// rule matches it. Where the rule has another selector than the file, the rule counts.
    ///
    /// # Errors
    /// What keeps the file from being opened or sealed.
    pub fn rotate(
        &self,
        source: &Arc<Source>,
        now: &str,
        entropy: &mut dyn CryptoRngCore,
    ) -> Result<String, Vec<Diagnostic>> {
        let one = |problem| vec![problem];
        let opened = self.opened(source).map_err(one)?;
        refuse_foreign(source, &opened).map_err(one)?;
        let rule = self.rules.find(&source.path);
        if let Some(rule) = rule
            && !opened.is_sealed_by(&rule.creation.target())
        {
            return seal_by(rule, &source.path, &opened.to_plain(), now, entropy);
        }
        let recipients = match rule {
            Some(rule) => rule.fit(&source.path)?.creation.recipients.clone(),
            None => self.own_recipients(source, &opened).map_err(one)?,
        };
        let draw = Draw::for_rotation(&opened, entropy);
        let sealed = opened.rotate(&recipients, &layouts(rule), &draw, now);
        let scope = &opened.metadata.scope;
        sealed.map_err(|problem| vec![report::seal_problem(source, scope, &problem)])
    }

    /// Wraps the data key of a file for the recipients of its rule; its values stay. `None` where that is so already.
    ///
    /// # Errors
    /// No rule matches the file, or the file cannot be opened.
    pub fn update_keys(&self, source: &Arc<Source>) -> Result<Option<NewKeys>, Vec<Diagnostic>> {
        let one = |problem| vec![problem];
        let rule = self.rules.find(&source.path);
        let rule = rule.ok_or_else(|| vec![self.rules.no_rule(&source.path)])?;
        let recipients = &rule.fit(&source.path)?.creation.recipients;
        let opened = self.opened(source).map_err(one)?;
        refuse_foreign(source, &opened).map_err(one)?;
        let wrapped = opened.rewrapped(recipients, &rule.creation.layouts);
        let scope = &opened.metadata.scope;
        let text =
            wrapped.map_err(|problem| vec![report::seal_problem(source, scope, &problem)])?;
        let removed = &opened.metadata.sealed_for() - &names(recipients);
        Ok(text.map(|text| NewKeys { text, removed }))
    }

    /// Looks at a sealed file: for whom it is, whether its rule still fits, and, with an identity, whether it opens.
    /// `None` for any other file.
    pub fn review(&self, source: &Arc<Source>) -> Option<SealReview> {
        let path = &source.path;
        let rule = self.rules.find(path);
        let store = Store::of_sealed(path, &source.text);
        let of = |terms, problems| SealReview {
            terms,
            rule: rule.map(|rule| rule.terms.clone()),
            opens: None,
            problems,
        };
        let sealed = match SealedFile::find(&source.text, store) {
            None => return sealed_otherwise(source, store).map(|problem| of(None, vec![problem])),
            Some(Err(problem)) => {
                return Some(of(None, vec![report::sealed_problem(source, &problem)]));
            }
            Some(Ok(sealed)) => sealed,
        };
        let terms = super::terms_of(&sealed.metadata);
        let mut problems = self.judge(source, &sealed, rule);
        let mut opens = None;
        if !self.keyring.is_empty() {
            let key = sealed.unlock(self.keyring);
            opens = Some(key.is_ok());
            if let Some(Err(problem)) = key.ok().map(|key| sealed.open(key)) {
                problems.push(report::open_problem(source, &problem));
            }
        }
        Some(SealReview {
            opens,
            ..of(Some(terms), problems)
        })
    }

    /// Says that a file is in plain text although it should be sealed; `why` says why it should.
    pub fn review_plain(&self, source: &Arc<Source>, span: Span, why: &str) -> SealReview {
        let path = &source.path;
        let rule = self.rules.find(path);
        let problem = Diagnostic::error(
            &diagnostic::codes::FILE_UNSEALED,
            format!("`{path}` is in plain text, and {why}"),
        );
        let problem = problem.at_place(Place::new(source, span), "");
        SealReview {
            terms: None,
            rule: rule.map(|rule| rule.terms.clone()),
            opens: None,
            problems: vec![match rule {
                Some(_) => problem.with_hint(format!("seal it with `kiln secrets encrypt {path}`")),
                None => problem
                    .with_hint("write a rule for it into `.sops.yaml`, and seal it with `kiln secrets encrypt`"),
            }],
        }
    }

    fn own_recipients(
        &self,
        source: &Source,
        opened: &OpenedFile,
    ) -> Result<Vec<Recipient>, Diagnostic> {
        let recipients = opened.metadata.sealed_for().into_iter();
        let read = |text: String| {
            let read = Recipient::read(&text).map_err(|_| {
                let shown = shown_recipient(&text);
                let message = format!(
                    "`{}` is sealed for `{shown}`, which Kiln cannot seal for",
                    source.path
                );
                Diagnostic::error(&codes::UNSUPPORTED_RECIPIENT, message)
            });
            Ok(read?.with_plugins(&self.plugins))
        };
        recipients.map(read).collect()
    }

    fn opened(&self, source: &Arc<Source>) -> Result<OpenedFile, Diagnostic> {
        report::open_source(source, self.keyring)
    }

    /// Lists where a sealed file and the rules say different things.
    fn judge(
        &self,
        source: &Arc<Source>,
        sealed: &SealedFile,
        rule: Option<&SealingRule>,
    ) -> Vec<Diagnostic> {
        let path = &source.path;
        let mut documents = sealed.outline.documents.iter();
        let sops = documents.find_map(|document| document.sops.as_ref());
        let key = sops.map(|sops| sops.key_span).unwrap_or_default();
        let place = Place::new(&report::source_of(source), key);
        let sealed_for = sealed.metadata.sealed_for();
        let Some(rule) = rule else {
            return self.judge_without_rule(path, &sealed_for, place);
        };
        let mut problems = Vec::new();
        let wanted = &rule.creation.named_keys;
        let (more, less) = (without(&sealed_for, wanted), without(wanted, &sealed_for));
        let ours = rule.unfit.is_empty() && sealed.metadata.foreign.is_empty();
        if ours && !(more.is_empty() && less.is_empty()) {
            let [more, less] = [more, less].map(|keys| listed_keys(keys.into_iter()));
            let message = match (more.as_str(), less.as_str()) {
                ("", less) => format!("`{path}` is not sealed for {less}, as its rule says it is"),
                (more, "") => {
                    format!("`{path}` is sealed for {more} as well, who is not in its rule")
                }
                (more, less) => format!("`{path}` is sealed for {more}, and its rule says {less}"),
            };
            let problem = Diagnostic::error(&codes::SEAL_RECIPIENTS_STALE, message)
                .at_place(place.clone(), "")
                .with_hint(format!(
                    "seal it for those of the rule with `kiln secrets update-keys {path}`"
                ));
            problems.push(related(problem, rule.recipients_place.as_ref()));
        }
        let store = Store::of_sealed(path, &source.text);
        if ours && !sealed.metadata.is_of_rule(&rule.creation.target(), store) {
            let (own, other) = (&sealed.metadata.scope, &rule.creation.scope);
            let message = if own == other {
                format!("`{path}` and its rule differ in `mac_only_encrypted`")
            } else {
                format!("`{path}` is sealed by `{own}`, and its rule says `{other}`")
            };
            let problem = Diagnostic::error(&codes::SEAL_SELECTOR_STALE, message)
                .at_place(place, "")
                .with_hint(format!(
                    "seal it by the rule with `kiln secrets rotate {path}`"
                ));
            problems.push(related(problem, Some(&rule.scope_place)));
        }
        problems
    }

    fn judge_without_rule(
        &self,
        path: &str,
        sealed_for: &BTreeSet<String>,
        place: Place,
    ) -> Vec<Diagnostic> {
        let terms = self.rules.all_terms();
        let known: BTreeSet<&String> = terms.iter().flat_map(|terms| &terms.recipients).collect();
        if known.is_empty() || sealed_for.iter().any(|one| known.contains(one)) {
            return Vec::new();
        }
        let message = format!(
            "`{path}` is sealed for nobody whom a rule names, but for {}",
            listed_keys(sealed_for.iter().map(String::as_str))
        );
        let problem = Diagnostic::error(&codes::SEALED_FOR_STRANGERS, message)
            .at_place(place, "")
            .with_hint("write a rule for it into `.sops.yaml`, and seal it anew with `kiln secrets rotate`, where its key is");
        vec![problem]
    }
}

fn related(problem: Diagnostic, place: Option<&Place>) -> Diagnostic {
    match place {
        Some(place) => problem.with_related(place.clone(), "the rule"),
        None => problem,
    }
}

/// A plain text as messages may show it: by its lines, and not what stands there.
fn veiled(path: &str, plain: &[u8]) -> Arc<Source> {
    Source::sensitive(path, String::from_utf8_lossy(plain).into_owned())
}

fn readable(
    source: &Arc<Source>,
    plain: &[u8],
    store: Store,
) -> Result<PlainFile, Vec<Diagnostic>> {
    PlainFile::read(plain, store).map_err(|problem| report::plain_problems(source, problem))
}

fn seal_by(
    rule: &SealingRule,
    path: &str,
    plain: &[u8],
    now: &str,
    entropy: &mut dyn CryptoRngCore,
) -> Result<String, Vec<Diagnostic>> {
    let target = rule.fit(path)?.creation.target();
    let source = veiled(path, plain);
    let file = readable(&source, plain, Store::of(path))?;
    Extent::of_rule(rule).require(&source, &file)?;
    let draw = Draw::new(&file, target.scope, entropy);
    let sealed = file.seal(&target, &draw, now);
    sealed.map_err(|problem| vec![report::seal_problem(&source, target.scope, &problem)])
}

/// Refuses a file that other keys than age's open as well: they would be lost.
fn refuse_foreign(source: &Source, opened: &OpenedFile) -> Result<(), Diagnostic> {
    if opened.metadata.foreign.is_empty() {
        return Ok(());
    }
    Err(report::foreign(&source.path, &opened.metadata).with_hint("change it with `sops`"))
}

/// Says that a file is sealed in a form that Kiln does not open.
fn sealed_otherwise(source: &Source, store: Store) -> Option<Diagnostic> {
    let sealed =
        matches!(store, Store::Dotenv | Store::Ini) && source.text.contains("ENC[AES256_GCM,data:");
    sealed.then(|| {
        let message = format!(
            "`{}` is sealed in a form that Kiln does not open",
            source.path
        );
        Diagnostic::error(&codes::UNSUPPORTED_SECRET_FORMAT, message)
            .with_hint("look at it with `sops`, or put its values into a `*.sops.yaml` file")
    })
}

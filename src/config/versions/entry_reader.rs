//! One entry of a file of versions.

use std::sync::Arc;

use crate::config::model::versions::{SignerIdentity, VersionEntry, VersionGroup, VersionKey};
use crate::diagnostic::Diagnostic;
use crate::source::{Place, Source, Span, shown_key};
use crate::tree::version_number::version_number;
use crate::yaml::{Content, Entry, Node};

/// The keys of an entry.
pub(super) const KEYS: [&str; 5] = ["source", "version", "digest", "minimum", "verify"];
const VERIFY: [&str; 2] = ["issuer", "subject"];

/// Whether a file says who signs something.
#[derive(Clone, Debug)]
enum WrittenSigner {
    /// `verify: false`: nobody who would be asked.
    Nobody,
    Signer(SignerIdentity),
}

/// Whose the names of entries are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryOwner {
    /// The catalogue's, which templates of its read.
    Catalogue,
    /// The project's, which has no catalogue.
    Project,
}

/// An entry as a file has it.
#[derive(Clone, Debug)]
pub(super) struct WrittenEntry {
    /// The bytes of its name.
    pub(super) key_span: Span,
    version: Option<(String, Span)>,
    source: Option<String>,
    digest: Option<String>,
    minimum: Option<String>,
    verify: Option<WrittenSigner>,
}

impl WrittenEntry {
    /// Returns the entry of the catalogue.
    pub(super) fn into_built_in(self) -> VersionEntry {
        let version = self.version.map(|(version, _)| version).unwrap_or_default();
        VersionEntry {
            built_in: Some(version.clone()),
            version,
            source: self.source,
            digest: self.digest,
            verify: match self.verify {
                Some(WrittenSigner::Signer(signer)) => Some(signer),
                Some(WrittenSigner::Nobody) | None => None,
            },
            minimum: self.minimum,
            place: None,
        }
    }

    /// Returns whether it sets the version itself.
    pub(super) fn has_version(&self) -> bool {
        self.version.is_some()
    }

    /// Returns whether it can be there without one of the catalogue's: beside a catalogue, it says where it comes from.
    pub(super) fn is_of_its_own(&self, key: &VersionKey, owner: EntryOwner) -> bool {
        let sourced = matches!(key.group, VersionGroup::Charts | VersionGroup::Images)
            && self.source.is_some();
        self.has_version() && (sourced || owner == EntryOwner::Project)
    }

    /// Returns the entry of a project that the catalogue has none for.
    pub(super) fn into_own(self, source: &Arc<Source>) -> VersionEntry {
        let place = self
            .version
            .as_ref()
            .map(|(_, span)| Place::new(source, *span));
        VersionEntry {
            built_in: None,
            place,
            ..self.into_built_in()
        }
    }

    /// Lays the entry of a project over that of the catalogue.
    pub(super) fn lay_over(self, entry: &mut VersionEntry, source: &Arc<Source>) {
        if let Some((version, span)) = self.version {
            if version != entry.version {
                entry.digest = None;
            }
            entry.version = version;
            entry.place = Some(Place::new(source, span));
        }
        if let Some(address) = self.source {
            if entry.source.as_ref() != Some(&address) {
                entry.digest = None;
                entry.verify = None;
            }
            entry.source = Some(address);
        }
        if self.digest.is_some() {
            entry.digest = self.digest;
        }
        match self.verify {
            Some(WrittenSigner::Nobody) => entry.verify = None,
            Some(WrittenSigner::Signer(signer)) => entry.verify = Some(signer),
            None => {}
        }
    }
}

/// Reads one entry.
pub(super) struct VersionEntryReader<'r> {
    pub(super) source: &'r Arc<Source>,
    pub(super) key: &'r VersionKey,
}

impl VersionEntryReader<'_> {
    /// Returns the entry, unless something is wrong with it.
    pub(super) fn read(
        &self,
        entry: &Entry,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<WrittenEntry> {
        let before = problems.len();
        let Some(values) = entry.value.entries() else {
            let message = format!(
                "`{}` holds `version` and what belongs to it",
                self.key.route()
            );
            problems.push(
                self.shape(message, entry.value.first_line_span())
                    .with_hint("write `version: …` below it, indented"),
            );
            return None;
        };
        let mut written = WrittenEntry {
            key_span: entry.key_span,
            version: None,
            source: None,
            digest: None,
            minimum: None,
            verify: None,
        };
        for value in values {
            if let Err(problem) = self.read_value(value, &mut written) {
                problems.push(*problem);
            }
        }
        (problems.len() == before).then_some(written)
    }

    fn read_value(&self, value: &Entry, written: &mut WrittenEntry) -> Result<(), Box<Diagnostic>> {
        let node = &value.value;
        match value.key.as_str() {
            "version" => {
                let version = self.text(value)?;
                self.check_version(version, node.span)?;
                written.version = Some((version.to_owned(), node.span));
            }
            "minimum" => {
                let version = self.text(value)?;
                self.check_version(version, node.span)?;
                written.minimum = Some(version.to_owned());
            }
            "source" => written.source = Some(self.address(value)?),
            "digest" => written.digest = Some(self.digest(value)?),
            "verify" => written.verify = Some(self.signer(value)?),
            _ => return Err(Box::new(self.unknown_key(value, &KEYS))),
        }
        Ok(())
    }

    /// Returns a text as it is written: 1.10 is not the number 1.1 here.
    fn text<'e>(&self, value: &'e Entry) -> Result<&'e str, Box<Diagnostic>> {
        match &value.value.content {
            Content::Scalar(scalar) if !scalar.text.trim().is_empty() => Ok(&scalar.text),
            _ => {
                let message = format!("`{}` of `{}` is a text", value.key, self.key.route());
                let span = if value.value.span.is_empty() {
                    value.key_span
                } else {
                    value.value.first_line_span()
                };
                Err(Box::new(self.shape(message, span)))
            }
        }
    }

    fn check_version(&self, version: &str, span: Span) -> Result<(), Box<Diagnostic>> {
        let hint = match self.key.group {
            _ if self.is_version(version) => return Ok(()),
            VersionGroup::Talos => "write it in full, with the `v`: `v1.13.7`",
            VersionGroup::Kubernetes => "write it in full, with the `v`: `v1.36.4`",
            VersionGroup::Charts => {
                "write it in full, as the chart's registry has it: `1.20.1`; ranges are none"
            }
            VersionGroup::Images => {
                "write the tag of a release: `v1.2.3`; one that moves, such as `latest`, is none"
            }
            VersionGroup::Tools => "write the numbers of a release: `1.58.0`",
            VersionGroup::Actions => {
                "write the tag of a release: `v7.0.1`, with its commit as `digest`"
            }
        };
        let message = format!("this is no version of `{}`", self.key.route());
        let problem = Diagnostic::error("version-invalid", message)
            .at(self.source, span, "")
            .with_hint(hint);
        Err(Box::new(problem))
    }

    fn is_version(&self, text: &str) -> bool {
        let bare = text.strip_prefix('v').unwrap_or(text);
        let is_full = || semver::Version::parse(bare).is_ok();
        match self.key.group {
            VersionGroup::Talos | VersionGroup::Kubernetes => text.starts_with('v') && is_full(),
            VersionGroup::Charts => is_full(),
            VersionGroup::Images => is_tag(text) && text.contains(|c: char| c.is_ascii_digit()),
            VersionGroup::Tools | VersionGroup::Actions => version_number(text).is_some(),
        }
    }

    fn address(&self, value: &Entry) -> Result<String, Box<Diagnostic>> {
        let text = self.text(value)?;
        let is_chart = ["oci://", "https://", "http://"]
            .iter()
            .any(|scheme| text.starts_with(scheme));
        let (is_right, hint) = match self.key.group {
            VersionGroup::Charts => (
                is_chart,
                "write `oci://…` with the chart's name, or the `https://…` of its repository",
            ),
            _ => (
                !text.contains("://") && !text.contains('@'),
                "write the image without a tag: `docker.io/cloudflare/cloudflared`",
            ),
        };
        if is_right && !text.contains(char::is_whitespace) {
            return Ok(text.to_owned());
        }
        let message = format!("this is no source of `{}`", self.key.route());
        Err(Box::new(
            self.shape(message, value.value.span).with_hint(hint),
        ))
    }

    fn digest(&self, value: &Entry) -> Result<String, Box<Diagnostic>> {
        let text = self.text(value)?;
        let is_hex = |text: &str, length: usize| {
            let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
            text.len() == length && text.chars().all(hex)
        };
        let (is_right, hint) = match self.key.group {
            VersionGroup::Actions => (is_hex(text, 40), "write the commit, 40 digits"),
            _ => (
                text.strip_prefix("sha256:")
                    .is_some_and(|hex| is_hex(hex, 64)),
                "write `sha256:` and 64 digits, or leave it out: Renovate fills it in",
            ),
        };
        if is_right {
            return Ok(text.to_owned());
        }
        let message = format!("this is no digest of `{}`", self.key.route());
        let problem = Diagnostic::error("version-invalid", message)
            .at(self.source, value.value.span, "")
            .with_hint(hint);
        Err(Box::new(problem))
    }

    fn signer(&self, value: &Entry) -> Result<WrittenSigner, Box<Diagnostic>> {
        if value.value.text() == Some("false") {
            return Ok(WrittenSigner::Nobody);
        }
        let part = |key: &str| value.value.find_text(key).filter(|text| !text.is_empty());
        if let Some(strange) = unknown_in(&value.value) {
            return Err(Box::new(self.unknown_key(strange, &VERIFY)));
        }
        if let (Some(issuer), Some(subject)) = (part("issuer"), part("subject")) {
            return Ok(WrittenSigner::Signer(SignerIdentity {
                issuer: issuer.to_owned(),
                subject: subject.to_owned(),
            }));
        }
        let message = format!(
            "`verify` of `{}` names `issuer` and `subject`",
            self.key.route()
        );
        let problem = self.shape(message, value.key_span);
        Err(Box::new(problem.with_hint(
            "both are regular expressions; `verify: false` asks for no signature",
        )))
    }

    fn unknown_key(&self, value: &Entry, keys: &[&'static str]) -> Diagnostic {
        let message = format!("a version has no key `{}`", shown_key(&value.key));
        Diagnostic::error("versions-shape", message)
            .at(self.source, value.key_span, "")
            .with_suggestion(&value.key, keys.iter().copied())
            .with_hint(format!("the keys are `{}`", keys.join("`, `")))
    }

    fn shape(&self, message: String, span: Span) -> Diagnostic {
        Diagnostic::error("versions-shape", message).at(self.source, span, "")
    }
}

/// Returns the first entry of a signer that is none of its parts.
fn unknown_in(node: &Node) -> Option<&Entry> {
    let entries = node.entries()?;
    entries
        .iter()
        .find(|entry| !VERIFY.contains(&entry.key.as_str()))
}

/// Returns whether a text can be the tag of an image.
fn is_tag(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= 128
        && text.starts_with(is_word)
        && text.chars().all(|c| is_word(c) || matches!(c, '.' | '-'))
}

//! One entry of a file of versions.

use std::sync::Arc;

use crate::config::cluster::versions::{SignerIdentity, VersionEntry, VersionGroup, VersionKey};
use crate::source::{Place, Source, Span};
use crate::tree::version_number::version_number;
use crate::yaml::decode::{DecodeProblem, DecodeProblemKind, Table};

/// The keys of an entry.
pub(super) const KEYS: [&str; 5] = ["source", "version", "digest", "minimum", "verify"];

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

impl WrittenEntry {
    /// Reads an entry with a name that stands at `key_span`.
    pub(super) fn decode(table: &mut Table<'_>, key: &VersionKey, key_span: Span) -> Self {
        table.call("a version");
        Self {
            key_span,
            source: address(table, key),
            version: version(table, "version", key),
            digest: digest(table, key),
            minimum: version(table, "minimum", key).map(|(minimum, _)| minimum),
            verify: WrittenSigner::decode(table, key),
        }
    }
}

/// Reads a text as it is written: 1.10 is not the number 1.1 here.
fn text<'t>(
    table: &mut Table<'t>,
    field: &'static str,
    key: &VersionKey,
) -> Option<(&'t str, Span)> {
    let entry = table.entry(field)?;
    let node = &entry.value;
    match node.text() {
        Some(text) if !text.trim().is_empty() => Some((text, node.span)),
        _ => {
            let span = if node.span.is_empty() {
                entry.key_span
            } else {
                node.first_line_span()
            };
            table.wrong_type(span, format!("`{field}` of `{}` is a text", key.route()));
            None
        }
    }
}

fn version(table: &mut Table<'_>, field: &'static str, key: &VersionKey) -> Option<(String, Span)> {
    let (text, span) = text(table, field, key)?;
    let hint = match key.group {
        group if is_version(text, group) => return Some((text.to_owned(), span)),
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
    let message = format!("this is no version of `{}`", key.route());
    let problem = DecodeProblem::new(DecodeProblemKind::WrongValue, message, span);
    table.note(problem.with_hint(hint));
    None
}

fn is_version(text: &str, group: VersionGroup) -> bool {
    let bare = text.strip_prefix('v').unwrap_or(text);
    let is_full = || semver::Version::parse(bare).is_ok();
    match group {
        VersionGroup::Talos | VersionGroup::Kubernetes => text.starts_with('v') && is_full(),
        VersionGroup::Charts => is_full(),
        VersionGroup::Images => is_tag(text) && text.contains(|c: char| c.is_ascii_digit()),
        VersionGroup::Tools | VersionGroup::Actions => version_number(text).is_some(),
    }
}

fn address(table: &mut Table<'_>, key: &VersionKey) -> Option<String> {
    let (text, span) = text(table, "source", key)?;
    let is_chart = ["oci://", "https://", "http://"]
        .iter()
        .any(|scheme| text.starts_with(scheme));
    let (is_right, hint) = match key.group {
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
        return Some(text.to_owned());
    }
    let message = format!("this is no source of `{}`", key.route());
    let problem = DecodeProblem::new(DecodeProblemKind::WrongType, message, span);
    table.note(problem.with_hint(hint));
    None
}

fn digest(table: &mut Table<'_>, key: &VersionKey) -> Option<String> {
    let (text, span) = text(table, "digest", key)?;
    let is_hex = |text: &str, length: usize| {
        let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
        text.len() == length && text.chars().all(hex)
    };
    let (is_right, hint) = match key.group {
        VersionGroup::Actions => (is_hex(text, 40), "write the commit, 40 digits"),
        _ => (
            text.strip_prefix("sha256:")
                .is_some_and(|hex| is_hex(hex, 64)),
            "write `sha256:` and 64 digits, or leave it out: Renovate fills it in",
        ),
    };
    if is_right {
        return Some(text.to_owned());
    }
    let message = format!("this is no digest of `{}`", key.route());
    let problem = DecodeProblem::new(DecodeProblemKind::WrongValue, message, span);
    table.note(problem.with_hint(hint));
    None
}

impl WrittenSigner {
    fn decode(table: &mut Table<'_>, key: &VersionKey) -> Option<Self> {
        let entry = table.entry("verify")?;
        if entry.value.text() == Some("false") {
            return Some(Self::Nobody);
        }
        let signer = table.table_of("verify", &entry.value, |table| {
            let mut part = |field| text(table, field, key).map(|(text, _)| text.to_owned());
            let (issuer, subject) = (part("issuer"), part("subject"));
            Some(SignerIdentity {
                issuer: issuer?,
                subject: subject?,
            })
        })?;
        if signer.is_none() {
            let message = format!("`verify` of `{}` names `issuer` and `subject`", key.route());
            let kind = DecodeProblemKind::WrongType;
            table.note(
                DecodeProblem::new(kind, message, entry.key_span).with_hint(
                    "both are regular expressions; `verify: false` asks for no signature",
                ),
            );
        }
        signer.map(Self::Signer)
    }
}

/// Returns whether a text can be the tag of an image.
fn is_tag(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= 128
        && text.starts_with(is_word)
        && text.chars().all(|c| is_word(c) || matches!(c, '.' | '-'))
}

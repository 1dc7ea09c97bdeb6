//! From a sealed file to plain text.

use super::edit::{self, Edit};
use super::identities::cannot_open;
use super::mac::Mac;
use super::metadata::Metadata;
use super::outline::{Content, Leaf, Outline, Spot};
use super::scalar_text;
use super::writer::{covered_value, is_covered};
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use sops_age::cipher::{DataKey, Token, looks_encrypted};
use sops_age::keys::Keyring;
use sops_age::value::{Kind, Value};

/// A file whose values were decrypted and whose MAC holds.
pub(super) struct Opened {
    /// The outline of the sealed text, with the contents in plain text.
    pub(super) outline: Outline,
    /// For each leaf in order, whether it was encrypted.
    encrypted: Vec<bool>,
}

/// Reads the metadata of a sealed file.
pub(super) fn metadata(outline: &Outline) -> Result<Metadata, Diagnostic> {
    let path = &outline.source.path;
    let Some(entry) = outline
        .documents
        .iter()
        .find_map(|document| document.sops.as_ref())
    else {
        return Err(Diagnostic::error(
            "not-sealed",
            format!("`{path}` is not a file that SOPS sealed"),
        )
        .with_hint("it has no top-level key `sops`"));
    };
    Metadata::read(&entry.value).map_err(|problem| {
        Diagnostic::error(
            "malformed-sops-metadata",
            format!("`{path}` cannot be opened: {problem}"),
        )
        .at(&outline.source, entry.key_span, "")
    })
}

/// Finds the data key of a file with the identities at hand.
pub(super) fn unlock(
    outline: &Outline,
    metadata: &Metadata,
    keyring: &Keyring,
) -> Result<DataKey, Diagnostic> {
    let path = &outline.source.path;
    if metadata.age.is_empty() {
        let kinds = if metadata.foreign.is_empty() {
            "nobody".to_owned()
        } else {
            metadata.foreign.join(", ")
        };
        let message = format!("`{path}` is sealed for {kinds} and not for any age key");
        return Err(Diagnostic::error("unsupported-key-type", message)
            .with_hint("Kiln opens files with age identities only: add an age recipient with `sops updatekeys`"));
    }
    keyring
        .open(&metadata.age)
        .ok_or_else(|| cannot_open(keyring, path, &metadata.age))
}

/// Decrypts every value and checks the MAC.
pub(super) fn open_with(
    mut outline: Outline,
    metadata: &Metadata,
    key: &DataKey,
) -> Result<Opened, Diagnostic> {
    let mut mac = Mac::new(metadata.mac_only_encrypted);
    let mut encrypted = Vec::new();
    let source = outline.source.clone();
    for leaf in outline
        .documents
        .iter_mut()
        .flat_map(|document| &mut document.leaves)
    {
        // Before the content changes: a comment decides about its own scope by its sealed text.
        let covered = is_covered(leaf, &metadata.scope);
        let opened = match covered_value(leaf, &metadata.scope) {
            None => None,
            Some(value) => match decrypt(leaf, value, key) {
                Ok(value) => Some(value),
                // As in SOPS: a comment may have been added by hand, and counts for nothing.
                Err(_) if leaf.is_comment() => None,
                Err(problem) => return Err(malformed(leaf, &source, problem)),
            },
        };
        encrypted.push(opened.is_some());
        if let Some(value) = opened {
            leaf.content = Content::Value(value);
        }
        mac.add(leaf, covered);
    }
    let stored =
        Token::read(&metadata.mac).and_then(|token| key.decrypt(&token, &metadata.last_modified));
    if stored.is_none_or(|stored| stored.text.expose() != mac.finish()) {
        let message = format!(
            "`{}` was changed after it was sealed: its MAC does not match",
            source.path
        );
        return Err(Diagnostic::error("mac-mismatch", message).with_hint(
            "restore it from version control, or render it anew, if you did not change it yourself",
        ));
    }
    Ok(Opened { outline, encrypted })
}

/// Why a value could not be decrypted.
#[derive(Clone, Copy)]
enum Flaw {
    Plain,
    Malformed,
    Forged,
}

fn decrypt(leaf: &Leaf, value: &Value, key: &DataKey) -> Result<Value, Flaw> {
    let text = value.text.expose();
    let Some(token) = Token::read(text) else {
        return Err(if looks_encrypted(text) {
            Flaw::Malformed
        } else {
            Flaw::Plain
        });
    };
    let opened = key.decrypt(&token, &leaf.context()).ok_or(Flaw::Forged)?;
    // A type is not authenticated: nothing but a comment may turn into one, and back.
    if (opened.kind == Kind::Comment) != leaf.is_comment() {
        return Err(Flaw::Forged);
    }
    Ok(opened)
}

fn malformed(
    leaf: &Leaf,
    source: &std::sync::Arc<crate::source::Source>,
    flaw: Flaw,
) -> Diagnostic {
    let what = match flaw {
        Flaw::Plain => "should be encrypted and is not",
        Flaw::Malformed => "is not a ciphertext that SOPS could have written",
        Flaw::Forged => "does not decrypt: it was changed, or moved from another key or file",
    };
    let message = format!("`{}` in `{}` {what}", leaf.route, source.path);
    let diagnostic = Diagnostic::error("malformed-ciphertext", message);
    match flaw {
        // The text may be the secret itself.
        Flaw::Plain => diagnostic,
        Flaw::Malformed | Flaw::Forged => diagnostic.at(source, leaf.spot.span(), ""),
    }
}

impl Opened {
    /// Writes the file in plain text: values in the place of ciphertexts, no metadata.
    pub(super) fn to_text(&self) -> String {
        let text = &self.outline.source.text;
        let mut edits = Vec::new();
        for (leaf, encrypted) in self.outline.leaves().zip(&self.encrypted) {
            if let (true, Content::Value(value)) = (encrypted, &leaf.content) {
                edits.extend(plain(text, leaf, value));
            }
        }
        for document in &self.outline.documents {
            if let Some(sops) = &document.sops {
                let flow = document
                    .root
                    .as_ref()
                    .is_some_and(|root| text[root.span.start..].starts_with('{'));
                let entry = Span::new(sops.key_span.start, sops.value.span.end);
                let piece = if flow {
                    flow_entry(text, entry)
                } else {
                    block_lines(text, entry)
                };
                edits.push((piece, String::new()));
            }
        }
        edit::apply(text, edits)
    }
}

fn plain(text: &str, leaf: &Leaf, value: &Value) -> Option<Edit> {
    let content = value.text.expose();
    let replacement = match &leaf.spot {
        Spot::Comment(span) | Spot::CommentItem(span) => {
            // A break would turn the rest of a comment into YAML.
            return Some((*span, format!("#{}", content.replace(['\n', '\r'], " "))));
        }
        Spot::Nothing(_) => return None,
        Spot::Flow(_) | Spot::Literal { .. } => scalar(value, scalar_text::quoted),
        Spot::Block { span, column } => {
            let ends_line = text[span.end..]
                .trim_start_matches([' ', '\t', '\r'])
                .starts_with('\n');
            let block = || scalar_text::block(content, column + 2).filter(|_| ends_line);
            scalar(value, |content| {
                block().unwrap_or_else(|| scalar_text::inline(content))
            })
        }
    };
    Some((leaf.spot.span(), replacement))
}

fn scalar(value: &Value, string: impl FnOnce(&str) -> String) -> String {
    let text = value.text.expose();
    match (value.kind, text) {
        (Kind::Str | Kind::Comment, _) => string(text),
        (Kind::Bool, _) => text.to_ascii_lowercase(),
        (Kind::Float, "+Inf") => ".inf".to_owned(),
        (Kind::Float, "-Inf") => "-.inf".to_owned(),
        (Kind::Float, "NaN") => ".nan".to_owned(),
        (Kind::Int | Kind::Float | Kind::Time, _) => text.to_owned(),
    }
}

/// The lines of an entry in block YAML.
fn block_lines(text: &str, entry: Span) -> Span {
    let start = text[..entry.start]
        .rfind('\n')
        .map_or(0, |newline| newline + 1);
    let end = text[entry.end..]
        .find('\n')
        .map_or(text.len(), |newline| entry.end + newline + 1);
    Span::new(start, end)
}

/// An entry in braces, with the comma that parts it from its neighbour.
fn flow_entry(text: &str, entry: Span) -> Span {
    let after = &text[entry.end..];
    let rest = after.trim_start();
    if let Some(rest) = rest.strip_prefix(',') {
        return Span::new(entry.start, text.len() - rest.trim_start_matches(' ').len());
    }
    let before = text[..entry.start].trim_end();
    let start = before.strip_suffix(',').map_or(entry.start, str::len);
    Span::new(start, entry.end)
}

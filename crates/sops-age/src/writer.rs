//! From plain text to a sealed file.

use std::collections::{BTreeMap, VecDeque};

use spanned_yaml::Span;

use crate::cipher::{DataKey, IV_BYTES};
use crate::edit::{self, Edit};
use crate::keys::{Recipient, WrapError, WrappedKey};
use crate::mac::Mac;
use crate::metadata::{Metadata, normal_time};
use crate::outline::{Document, Leaf, Notation, Outline, Spot};
use crate::plain::{Draw, PlainFile, SealError, SealTarget};
use crate::reader::{BINARY_KEY, OpenedFile, SealedFile};
use crate::rules::Layouts;
use crate::scope::{Scope, covered_value, is_covered};
use crate::store::Store;
use crate::value::{Kind, Value};

impl PlainFile {
    /// Seals the file with a new data key.
    ///
    /// Lines keep their indentation. `now` is RFC 3339 in UTC. The result is read back before it is handed over.
    ///
    /// # Errors
    /// What [`PlainFile::unsealable`] lists is not looked for; the rest of [`SealError`] is.
    pub fn seal(
        &self,
        target: &SealTarget<'_>,
        draw: &Draw,
        now: &str,
    ) -> Result<String, SealError> {
        let now = normal_time(now).unwrap_or_else(|_| now.to_owned());
        let mut nonces = draw.ivs.iter();
        match self {
            Self::Tree(outline) => {
                let seal = LeafSealer {
                    key: &draw.key,
                    target,
                    now: &now,
                };
                let sealed = seal.leaves(outline, &mut Stash::default(), &mut nonces)?;
                let metadata = metadata(target, &draw.key, &now, sealed.mac)?;
                let envelope = Envelope::New(&metadata, target.layouts);
                let text = write(outline, &sealed.tokens, &envelope);
                if reads_back(self, &text, store_of(outline.notation), &draw.key) {
                    Ok(text)
                } else {
                    Err(SealError::SelfCheck)
                }
            }
            Self::Binary(bytes) => {
                let token = encrypt_binary(bytes, &draw.key, next(&mut nonces));
                let digest = digest(bytes);
                let mac = draw
                    .key
                    .encrypt(&Value::new(Kind::Str, digest), &now, next(&mut nonces));
                // SOPS lets no rule leave the one value in plain text.
                let scope = Scope::default();
                let target = SealTarget {
                    scope: &scope,
                    mac_only_encrypted: false,
                    ..*target
                };
                let metadata = metadata(&target, &draw.key, &now, mac)?;
                let indent = &target.layouts.binary;
                let entry = metadata.to_json(indent);
                let text = format!(
                    "{{\n{indent}\"{BINARY_KEY}\": {},\n{indent}{entry}\n}}\n",
                    crate::json::quoted(&token)
                );
                if reads_back(self, &text, Store::Binary, &draw.key) {
                    Ok(text)
                } else {
                    Err(SealError::SelfCheck)
                }
            }
        }
    }
}

pub(crate) fn store_of(notation: Notation) -> Store {
    match notation {
        Notation::Yaml => Store::Yaml,
        Notation::Json => Store::Json,
    }
}

/// Encrypts the content of a binary file; SOPS leaves an empty one as it is.
pub(crate) fn encrypt_binary(bytes: &[u8], key: &DataKey, iv: &[u8; IV_BYTES]) -> String {
    if bytes.is_empty() {
        return String::new();
    }
    key.encrypt_bytes(bytes, Kind::Str, &format!("{BINARY_KEY}:"), iv)
}

/// Returns the digest of a binary file.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let mut mac = Mac::new(false);
    mac.add_bytes(bytes);
    mac.finish()
}

/// Takes the next nonce of a draw.
pub(crate) fn next<'i>(nonces: &mut std::slice::Iter<'i, [u8; IV_BYTES]>) -> &'i [u8; IV_BYTES] {
    nonces
        .next()
        .expect("a nonce was drawn for every value that is encrypted")
}

fn metadata(
    target: &SealTarget<'_>,
    key: &DataKey,
    now: &str,
    mac: String,
) -> Result<Metadata, WrapError> {
    Ok(Metadata {
        age: wrapped(target.recipients, key)?,
        last_modified: now.to_owned(),
        mac,
        scope: target.scope.clone(),
        mac_only_encrypted: target.mac_only_encrypted,
        foreign: Vec::new(),
    })
}

/// Wraps a data key for each recipient.
pub(crate) fn wrapped(
    recipients: &[Recipient],
    key: &DataKey,
) -> Result<Vec<WrappedKey>, WrapError> {
    recipients
        .iter()
        .map(|recipient| recipient.wrap(key))
        .collect()
}

/// Ciphertexts that may be used again, by what they hold and where.
///
/// They are copied and never made anew, so that no nonce meets another plain text.
#[derive(Default)]
pub(crate) struct Stash {
    by_value: BTreeMap<(String, &'static str, String), VecDeque<String>>,
}

impl Stash {
    /// Adds the ciphertext of a leaf, whose content is open.
    pub(crate) fn add(&mut self, leaf: &Leaf, value: &Value, token: &str) {
        let tokens = self.by_value.entry(key_of(leaf, value)).or_default();
        tokens.push_back(token.to_owned());
    }

    fn take(&mut self, leaf: &Leaf, value: &Value) -> Option<String> {
        self.by_value.get_mut(&key_of(leaf, value))?.pop_front()
    }
}

fn key_of(leaf: &Leaf, value: &Value) -> (String, &'static str, String) {
    let text = value.text.expose().to_owned();
    (leaf.context(), value.kind.name(), text)
}

/// The ciphertexts of a file.
pub(crate) struct SealedLeaves {
    /// For each leaf in order, its ciphertext, if it is covered.
    pub(crate) tokens: Vec<Option<String>>,
    /// The encrypted digest.
    pub(crate) mac: String,
}

/// What is needed to encrypt the values of a file.
pub(crate) struct LeafSealer<'s> {
    pub(crate) key: &'s DataKey,
    pub(crate) target: &'s SealTarget<'s>,
    pub(crate) now: &'s str,
}

impl LeafSealer<'_> {
    /// Encrypts what is covered, with the ciphertexts of a stash where they hold the same.
    pub(crate) fn leaves(
        &self,
        outline: &Outline,
        stash: &mut Stash,
        nonces: &mut std::slice::Iter<'_, [u8; IV_BYTES]>,
    ) -> Result<SealedLeaves, SealError> {
        let none = outline.leaves().map(|_| None).collect();
        self.leaves_with(outline, none, stash, nonces)
    }

    /// As [`LeafSealer::leaves`], with the ciphertexts of some leaves given.
    pub(crate) fn leaves_with(
        &self,
        outline: &Outline,
        given: Vec<Option<String>>,
        stash: &mut Stash,
        nonces: &mut std::slice::Iter<'_, [u8; IV_BYTES]>,
    ) -> Result<SealedLeaves, SealError> {
        let scope = self.target.scope;
        let mut mac = Mac::new(self.target.mac_only_encrypted);
        let mut tokens = Vec::new();
        for (leaf, given) in outline.leaves().zip(given) {
            mac.add(leaf, is_covered(leaf, scope));
            let Some(value) = covered_value(leaf, scope) else {
                tokens.push(None);
                continue;
            };
            let token = given.or_else(|| stash.take(leaf, value));
            let token =
                token.unwrap_or_else(|| self.key.encrypt(value, &leaf.context(), next(nonces)));
            if leaf.is_comment() && scope.misreads(&token) {
                return Err(SealError::MisreadComment(leaf.spot.span()));
            }
            tokens.push(Some(token));
        }
        let mac = Value::new(Kind::Str, mac.finish());
        let mac = self.key.encrypt(&mac, self.now, next(nonces));
        Ok(SealedLeaves { tokens, mac })
    }
}

/// The metadata of a file that is written.
pub(crate) enum Envelope<'e> {
    /// Laid out anew.
    New(&'e Metadata, &'e Layouts),
    /// As it stands in a sealed file: the lines of the entry in block YAML, or the entry in braces.
    Kept(String),
}

impl Envelope<'_> {
    fn block(&self, column: usize) -> String {
        match self {
            Self::New(metadata, layouts) => metadata.to_block(column, layouts.yaml),
            Self::Kept(lines) => lines.clone(),
        }
    }

    fn flow(&self) -> String {
        match self {
            Self::New(metadata, _) => metadata.to_flow(),
            Self::Kept(entry) => entry.clone(),
        }
    }

    fn json(&self) -> String {
        match self {
            Self::New(metadata, layouts) => metadata.to_json(&layouts.json),
            Self::Kept(entry) => entry.clone(),
        }
    }
}

/// Writes ciphertexts in the place of values, and the metadata.
pub(crate) fn write(
    outline: &Outline,
    tokens: &[Option<String>],
    envelope: &Envelope<'_>,
) -> String {
    let mut edits = value_edits(outline, tokens);
    for document in &outline.documents {
        edits.push(append(outline, document, envelope));
    }
    edit::apply(&outline.text, edits)
}

/// Returns the edits that put ciphertexts in the place of values.
pub(crate) fn value_edits(outline: &Outline, tokens: &[Option<String>]) -> Vec<Edit> {
    let text = outline.text.as_str();
    let mut edits = Vec::new();
    for (leaf, token) in outline.leaves().zip(tokens) {
        match token {
            Some(token) => replace(text, leaf, token, &mut edits),
            None => edits.extend(unbroken(text, leaf)),
        }
    }
    edits
}

/// Returns the edits that hide what a scope covers behind a text.
pub fn cover(outline: &Outline, scope: &Scope, text: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    for leaf in outline.leaves() {
        if covered_value(leaf, scope).is_some() {
            replace(&outline.text, leaf, text, &mut edits);
        }
    }
    edits
}

/// Adds the edits that put a ciphertext, or another scalar of one line, in the place of a leaf of a text.
pub(crate) fn replace(text: &str, leaf: &Leaf, token: &str, edits: &mut Vec<Edit>) {
    match &leaf.spot {
        Spot::Block { span, .. } => edits.push((*span, token.to_owned())),
        Spot::CommentItem(span) if text[span.start..].starts_with('-') => {
            edits.push((*span, format!("- {token}")));
        }
        // A plain scalar ends at a comma or bracket here.
        Spot::Flow(span) | Spot::CommentItem(span) => {
            edits.push((*span, format!("\"{token}\"")));
        }
        Spot::Literal { header, body, .. } => {
            edits.push((*header, token.to_owned()));
            edits.push((*body, String::new()));
        }
        Spot::Comment(span) => edits.push((*span, format!("#{token}"))),
        Spot::Nothing(_) => {}
    }
}

/// Keeps a block that stays in plain text, and that the file ends in without a line break, from
/// gaining one when the metadata follows.
fn unbroken(text: &str, leaf: &Leaf) -> Option<Edit> {
    let Spot::Literal { header, body, .. } = leaf.spot else {
        return None;
    };
    if body.end < text.len() || text.ends_with('\n') {
        return None;
    }
    let signs = text[header.start..header.end].replace(['+', '-'], "");
    Some((header, format!("{signs}-")))
}

/// Puts the metadata at the end of a document, or behind the brace that opens it.
fn append(outline: &Outline, document: &Document, envelope: &Envelope<'_>) -> Edit {
    let text = outline.text.as_str();
    let at = |offset| Span::new(offset, offset);
    if let Some(root) = &document.root
        && text[root.span.start..].starts_with('{')
    {
        let is_empty = root.entries().is_some_and(<[_]>::is_empty);
        if outline.notation == Notation::Json {
            return append_json(text, root.span, is_empty, envelope);
        }
        let separator = if is_empty { "" } else { ", " };
        return (
            at(root.span.start + 1),
            format!("{}{separator}", envelope.flow()),
        );
    }
    let content_end = document
        .root
        .as_ref()
        .map_or(document.span.start, |root| root.span.end);
    let end =
        end_marker(text, Span::new(content_end, document.span.end)).unwrap_or(document.span.end);
    let break_line = end > 0 && !text[..end].ends_with('\n');
    let separator = if break_line { "\n" } else { "" };
    let block = envelope.block(root_column(text, document));
    (at(end), format!("{separator}{block}"))
}

/// Returns the column at which the keys of a document stand.
pub(crate) fn root_column(text: &str, document: &Document) -> usize {
    document
        .root
        .as_ref()
        .map_or(0, |root| crate::outline::column(text, root.span.start))
}

fn append_json(text: &str, root: Span, is_empty: bool, envelope: &Envelope<'_>) -> Edit {
    let inside = &text[..root.end - 1];
    let content = inside.trim_end();
    let indent = match envelope {
        Envelope::New(_, layouts) => layouts.json.as_str(),
        Envelope::Kept(_) => "\t",
    };
    let comma = if is_empty { "" } else { "," };
    let closed = if inside[content.len()..].contains('\n') {
        ""
    } else {
        "\n"
    };
    let at = Span::new(content.len(), content.len());
    (at, format!("{comma}\n{indent}{}{closed}", envelope.json()))
}

/// Finds the `...` line that ends a document early.
fn end_marker(text: &str, rest: Span) -> Option<usize> {
    let mut at = rest.start;
    for line in text[rest.start..rest.end].split_inclusive('\n') {
        let starts_line = at == 0 || text.as_bytes()[at - 1] == b'\n';
        if starts_line && line.trim_end() == "..." {
            return Some(at);
        }
        at += line.len();
    }
    None
}

/// Returns whether a sealed text opens to what a file holds.
pub(crate) fn reads_back(plain: &PlainFile, sealed: &str, store: Store, key: &DataKey) -> bool {
    opened(sealed, store, key).is_some_and(|opened| match plain {
        PlainFile::Tree(outline) => opened.outline.same_content(outline),
        PlainFile::Binary(bytes) => opened.bytes.as_ref() == Some(bytes),
    })
}

/// Opens what was just sealed.
pub(crate) fn opened(sealed: &str, store: Store, key: &DataKey) -> Option<OpenedFile> {
    let sealed = SealedFile::read(sealed, store).ok()?;
    sealed.open(key.clone()).ok()
}

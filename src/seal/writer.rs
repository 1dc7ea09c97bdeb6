//! From plain text to a sealed file.

use std::sync::Arc;

use rand_core::CryptoRngCore;

use super::edit::{self, Edit};
use super::mac::Mac;
use super::metadata::Metadata;
use super::outline::{Content, Document, Leaf, Outline, Spot, State};
use super::reader;
use super::rules::Rule;
use super::scope::Scope;
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use sops_age::cipher::{DataKey, IV_BYTES};
use sops_age::keys::{Recipient, WrapError, WrappedKey};
use sops_age::value::{Kind, Value};

/// The random numbers of one file: drawn in the order of files, so that files may then be
/// encrypted in any order with the same result.
pub(super) struct Draw {
    key: DataKey,
    ivs: Vec<[u8; IV_BYTES]>,
}

impl Draw {
    /// Draws a data key, and one nonce for every value that `scope` covers and one for the MAC.
    pub(super) fn new(outline: &Outline, scope: &Scope, entropy: &mut dyn CryptoRngCore) -> Self {
        let mut draw = || {
            let mut bytes = [0; 32];
            entropy.fill_bytes(&mut bytes);
            bytes
        };
        let key = DataKey::new(draw());
        let covered = outline
            .leaves()
            .filter(|leaf| covered_value(leaf, scope).is_some())
            .count();
        Self {
            key,
            ivs: (0..=covered).map(|_| draw()).collect(),
        }
    }
}

/// How a file is sealed.
#[derive(Clone, Copy)]
pub(super) struct SealTarget<'s> {
    pub(super) scope: &'s Scope,
    pub(super) mac_only_encrypted: bool,
    pub(super) recipients: &'s [Recipient],
    /// The indentation of the metadata.
    pub(super) indent: usize,
}

impl<'s> From<&'s Rule> for SealTarget<'s> {
    fn from(rule: &'s Rule) -> Self {
        Self {
            scope: &rule.scope,
            mac_only_encrypted: rule.mac_only_encrypted,
            recipients: &rule.recipients,
            indent: rule.indent,
        }
    }
}

/// Returns the value of a leaf that is to be encrypted; SOPS leaves nulls and empty strings alone.
pub(super) fn covered_value<'l>(leaf: &'l Leaf, scope: &Scope) -> Option<&'l Value> {
    match &leaf.content {
        Content::Value(value) if !value.is_empty() && is_covered(leaf, scope) => Some(value),
        _ => None,
    }
}

/// Returns whether a rule's scope covers a leaf.
pub(super) fn is_covered(leaf: &Leaf, scope: &Scope) -> bool {
    scope.covers(&leaf.keys, &leaf.comments, leaf.comment())
}

/// Says which comments decide about encryption, but not clearly about that of which value.
pub(super) fn unclear_comments(outline: &Outline, scope: &Scope) -> Vec<Diagnostic> {
    let unclear =
        |leaf: &&Leaf| leaf.astray && leaf.comment().is_some_and(|text| scope.heeds(text));
    let path = &outline.source.path;
    outline
        .leaves()
        .filter(unclear)
        .map(|leaf| {
            let key = scope.selector.key();
            let message = format!(
                "a comment that `{key}` matches is not aligned with what follows in `{path}`"
            );
            Diagnostic::error("sops-comment-astray", message)
                .at(&outline.source, leaf.spot.span(), "")
                .with_hint("indent it like the entry it is about, as it decides what is encrypted")
        })
        .collect()
}

/// Seals a plain text for the recipients of a rule.
///
/// Lines keep their indentation. `now` is RFC 3339 in UTC.
///
/// The result is read back before it is handed over: an error here is a defect of Kiln, found before
/// it could cost anyone a secret.
pub(super) fn write(
    outline: &Outline,
    sealing: SealTarget<'_>,
    draw: &Draw,
    now: &str,
) -> Result<String, Diagnostic> {
    let mut ivs = draw.ivs.iter();
    let mut next_iv = || {
        ivs.next()
            .expect("a nonce was drawn for every value that is encrypted")
    };
    let mut mac = Mac::new(sealing.mac_only_encrypted);
    let mut edits = Vec::new();
    for leaf in outline.leaves() {
        mac.add(leaf, is_covered(leaf, sealing.scope));
        if let Some(value) = covered_value(leaf, sealing.scope) {
            let token = draw.key.encrypt(value, &leaf.context(), next_iv());
            if leaf.is_comment() && sealing.scope.misreads(&token) {
                return Err(misread_comment(outline, leaf));
            }
            replace(leaf, &token, &mut edits);
        } else {
            edits.extend(unbroken(&outline.source.text, leaf));
        }
    }
    let mac = draw
        .key
        .encrypt(&Value::new(Kind::Str, mac.finish()), now, next_iv());
    let wrapped: Result<Vec<WrappedKey>, WrapError> = sealing
        .recipients
        .iter()
        .map(|recipient| recipient.wrap(&draw.key))
        .collect();
    let wrapped = wrapped.map_err(|problem| unwrappable(&outline.source.path, &problem))?;
    let metadata = Metadata {
        age: wrapped,
        last_modified: now.to_owned(),
        mac,
        scope: sealing.scope.clone(),
        mac_only_encrypted: sealing.mac_only_encrypted,
        foreign: Vec::new(),
    };
    for document in &outline.documents {
        edits.push(append(
            &outline.source.text,
            document,
            &metadata,
            sealing.indent,
        ));
    }
    let sealed = edit::apply(&outline.source.text, edits);
    if reads_back(outline, &sealed, &draw.key) {
        return Ok(sealed);
    }
    let message = format!(
        "`{}` was sealed, but does not read back as what it was",
        outline.source.path
    );
    Err(Diagnostic::error("seal-self-check", message).with_hint(
        "nothing was written; this is a defect of Kiln, please report it with the file's layout",
    ))
}

fn unwrappable(path: &str, problem: &WrapError) -> Diagnostic {
    Diagnostic::error(
        "seal-wrap-failed",
        format!("`{path}` cannot be sealed: {problem}"),
    )
    .with_hint("remove this recipient from the rule, or install the plugin that it needs")
}

fn misread_comment(outline: &Outline, leaf: &Leaf) -> Diagnostic {
    let path = &outline.source.path;
    let message =
        format!("`unencrypted_comment_regex` also matches an encrypted comment of `{path}`");
    Diagnostic::error("sops-rules-comment-regex", message)
        .at(&outline.source, leaf.spot.span(), "")
        .with_hint(
            "make it match only what the ciphertext cannot hold, such as `^ plain$` with its blank",
        )
}

pub(super) fn replace(leaf: &Leaf, token: &str, edits: &mut Vec<Edit>) {
    match &leaf.spot {
        Spot::Block { span, .. } => edits.push((*span, token.to_owned())),
        // A plain scalar ends at a comma or bracket here.
        Spot::Flow(span) => edits.push((*span, format!("\"{token}\""))),
        Spot::Literal { header, body, .. } => {
            edits.push((*header, token.to_owned()));
            edits.push((*body, String::new()));
        }
        Spot::Comment(span) => edits.push((*span, format!("#{token}"))),
        Spot::CommentItem(_) | Spot::Nothing(_) => {}
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
fn append(text: &str, document: &Document, metadata: &Metadata, indent: usize) -> Edit {
    let at = |offset| Span::new(offset, offset);
    if let Some(root) = &document.root
        && text[root.span.start..].starts_with('{')
    {
        let separator = if root.entries().is_some_and(<[_]>::is_empty) {
            ""
        } else {
            ", "
        };
        return (
            at(root.span.start + 1),
            format!("{}{separator}", metadata.to_flow()),
        );
    }
    let first = document
        .root
        .as_ref()
        .map_or(document.span.end, |root| root.span.start);
    let column = match document.root {
        Some(_) => first - text[..first].rfind('\n').map_or(0, |newline| newline + 1),
        None => 0,
    };
    let content_end = document
        .root
        .as_ref()
        .map_or(document.span.start, |root| root.span.end);
    let end =
        end_marker(text, Span::new(content_end, document.span.end)).unwrap_or(document.span.end);
    let break_line = end > 0 && !text[..end].ends_with('\n');
    let separator = if break_line { "\n" } else { "" };
    let block = metadata.to_block(column, indent);
    (at(end), format!("{separator}{block}"))
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

fn reads_back(outline: &Outline, sealed: &str, key: &DataKey) -> bool {
    let source: Arc<Source> = Source::new(outline.source.path.clone(), sealed);
    let Ok(read) = Outline::read(&source, State::Sealed) else {
        return false;
    };
    let Ok(metadata) = reader::metadata(&read) else {
        return false;
    };
    reader::open_with(read, &metadata, key).is_ok_and(|opened| opened.outline.same_content(outline))
}

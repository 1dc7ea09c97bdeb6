//! `kiln.lock`: the committed list of the outputs that Kiln owns.
//!
//! TOML with one line an output, sorted by path, so that a change of one output is a change of one
//! line and git can merge two branches that touched different outputs. It also names the Kiln that last
//! changed any of them; one that has nothing to change leaves that line as it is.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use crate::tree::output_path::{LOCK_FILE, ReservedPaths};
use crate::write::codes;
use crate::write::digest::Digest;

const VERSION: i64 = 1;

/// What helps where the list cannot be read.
const RESTORE: &str = "take the file from git, `git checkout HEAD -- kiln.lock`; without one at all, `kiln render --force` takes over the files that are just as it would write them";

/// The version of this Kiln.
pub const KILN: &str = env!("CARGO_PKG_VERSION");

/// The outputs that Kiln owns, each with the digest of what Kiln wrote last.
pub(super) type Owned = BTreeMap<String, Digest>;

/// What `kiln.lock` says.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// The version of the Kiln that last changed an output; earlier ones did not note it.
    pub kiln: Option<String>,
    /// The outputs that Kiln owns, each with the digest of what Kiln wrote last.
    pub outputs: BTreeMap<String, Digest>,
}

/// Reads the list.
///
/// # Errors
/// One diagnostic with the place of what is wrong; paths that no output can have are wrong too, as
/// what is listed may be removed.
pub(super) fn parse(
    source: &Arc<Source>,
    reserved: &ReservedPaths,
) -> Result<List, Vec<Diagnostic>> {
    let bad_in = |source: &Arc<Source>, span: toml_span::Span, message: String| {
        vec![
            Diagnostic::error(&codes::BAD_LOCK, message)
                .at(source, Span::new(span.start, span.end), "")
                .with_hint(RESTORE),
        ]
    };
    let bad = |span, message| bad_in(source, span, message);
    // What is no list may be another file than it seems.
    let strange = |span, message| bad_in(&source.keys_only(), span, message);
    let root = toml_span::parse(&source.text).map_err(|error| {
        conflict(source).unwrap_or_else(|| {
            let reason = match &error.kind {
                toml_span::ErrorKind::DuplicateKey { .. }
                | toml_span::ErrorKind::DuplicateTable { .. } => "a key is set twice".to_owned(),
                _ => error.to_string(),
            };
            strange(
                error.span,
                format!("`{LOCK_FILE}` is not valid TOML: {reason}"),
            )
        })
    })?;
    let version = root.pointer("/version");
    if version.and_then(toml_span::Value::as_integer) != Some(VERSION) {
        let span = version.map_or(toml_span::Span::new(0, 0), |value| value.span);
        let complain: &dyn Fn(toml_span::Span, String) -> Vec<Diagnostic> = match version {
            Some(_) => &bad,
            None => &strange,
        };
        return Err(complain(
            span,
            format!("`{LOCK_FILE}` is not of version {VERSION}, the one that this Kiln reads"),
        ));
    }
    let kiln = root.pointer("/kiln").and_then(toml_span::Value::as_str);
    let kiln = kiln.filter(|kiln| is_version(kiln)).map(str::to_owned);
    let Some(table) = root.pointer("/sha256").and_then(toml_span::Value::as_table) else {
        return Err(bad(
            toml_span::Span::new(0, 0),
            format!("`{LOCK_FILE}` has no table `sha256`"),
        ));
    };
    let mut outputs = Owned::new();
    for (key, value) in table {
        let path = key.name.to_string();
        if let Some(reason) = reserved.refuse(&path) {
            let shown = path.escape_debug();
            let message = format!("`{LOCK_FILE}` lists `{shown}`, which is no output: {reason}");
            return Err(bad(key.span, message));
        }
        let digest = value.as_str().and_then(Digest::parse);
        let digest = digest.ok_or_else(|| {
            bad(
                value.span,
                format!("the digest of `{path}` is not 64 hex digits"),
            )
        })?;
        outputs.insert(path, digest);
    }
    Ok(List { kiln, outputs })
}

/// Returns whether a text can be the version of a Kiln, so that it may be shown and written back.
fn is_version(text: &str) -> bool {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(part)
}

/// Tells a half-merged list from other damage.
fn conflict(source: &Arc<Source>) -> Option<Vec<Diagnostic>> {
    let at = if source.text.starts_with("<<<<<<< ") {
        0
    } else {
        source.text.find("\n<<<<<<< ")? + 1
    };
    Some(vec![
        Diagnostic::error(
            &codes::BAD_LOCK,
            format!("`{LOCK_FILE}` has a git conflict in it"),
        )
        .at(source, Span::new(at, at + "<<<<<<<".len()), "")
        .with_hint("keep the lines of both sides, one a path, then render again"),
    ])
}

/// Writes the list, with the version of the Kiln that last changed an output.
pub(super) fn format(kiln: Option<&str>, owned: &Owned) -> String {
    let mut text = head(kiln);
    for (path, digest) in owned {
        // Output paths have neither backslashes nor control characters.
        let path = path.replace('"', "\\\"");
        writeln!(text, "\"{path}\" = \"{digest}\"").expect("writing to a string does not fail");
    }
    text
}

/// Writes what stands above the outputs.
fn head(kiln: Option<&str>) -> String {
    let kiln = kiln.map_or_else(String::new, |kiln| format!("kiln = \"{kiln}\"\n"));
    format!(
        "# The files that Kiln owns and what it last wrote to them. Kiln keeps this list; commit it, do not edit it.\nversion = {VERSION}\n{kiln}\n[sha256]\n"
    )
}

//! One data file: YAML, TOML or JSON, encrypted or not.

use std::sync::Arc;

use super::Decrypt;
use super::readings::OtherReading;
use super::sealed::{SealedValues, without_metadata};
use crate::config::codes;
use crate::diagnostic::Diagnostic;
use crate::source::Source;
use crate::yaml::{self, Node, read_toml};

/// A data file that was read.
pub(super) struct ParsedData {
    /// The text, secrets included.
    pub(super) source: Arc<Source>,
    /// The documents in it.
    pub(super) roots: Vec<Node>,
    /// What others read otherwise.
    pub(super) readings: Vec<OtherReading>,
    /// The values that are encrypted on disk.
    pub(super) sealed: Option<SealedValues>,
}

pub(super) fn parse(
    path: &str,
    text: &str,
    decrypt: &Decrypt<'_>,
) -> Result<ParsedData, Vec<Diagnostic>> {
    if path.contains(".sops.") {
        let encrypted = Source::sensitive(path, text);
        let plain = decrypt(&encrypted).map_err(|problem| vec![problem])?;
        let roots = parse_text(&encrypted).map(|parsed| parsed.roots);
        let sealed = roots.map(|roots| SealedValues::find(&roots, plain.is_none()));
        let mut parsed =
            parse_text(&plain.map_or(encrypted, |plain| Source::sensitive(path, plain)))?;
        parsed.roots = without_metadata(parsed.roots);
        parsed.sealed = sealed.ok();
        return Ok(parsed);
    }
    parse_text(&Source::new(path, text))
}

fn parse_text(source: &Arc<Source>) -> Result<ParsedData, Vec<Diagnostic>> {
    let is_toml = source.path.ends_with(".toml") && !source.path.ends_with(".sops.toml");
    let roots = if is_toml {
        vec![read_toml(source, &codes::CONFIG_SYNTAX).map_err(|problem| vec![problem])?]
    } else {
        let documents = yaml::load(&source.text).map_err(|error| {
            vec![yaml::diagnose(
                &error,
                &codes::CONFIG_SYNTAX,
                &source.keys_only(),
            )]
        })?;
        documents
            .into_iter()
            .map(|document| document.root)
            .filter(|root| !root.is_null())
            .collect()
    };
    let mut readings = Vec::new();
    if source.path.ends_with(".yaml") || source.path.ends_with(".yml") {
        for root in &roots {
            OtherReading::find(root, &mut readings);
        }
    }
    Ok(ParsedData {
        source: Arc::clone(source),
        roots,
        readings,
        sealed: None,
    })
}

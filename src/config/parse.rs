//! One data file: YAML, TOML or JSON, encrypted or not.

use std::sync::Arc;

use super::Decrypt;
use super::places::masked;
use super::sealed::{SealedValues, without_metadata};
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use crate::yaml::{self, Content, Entry, Node, Resolver, Scalar, Style};

/// A data file that was read.
pub(super) struct Parsed {
    /// The text that messages may show, secrets blotted out.
    pub(super) source: Arc<Source>,
    /// The documents in it.
    pub(super) roots: Vec<Node>,
    /// What is worth a look.
    pub(super) warnings: Vec<Diagnostic>,
    /// The values that are encrypted on disk.
    pub(super) sealed: Option<SealedValues>,
}

/// Words in a key whose value is never shown, whatever the schema says of it.
const SECRET_WORDS: [&str; 7] = [
    "token",
    "secret",
    "passw",
    "passphrase",
    "apikey",
    "private",
    "credential",
];

fn is_secret_key(key: &str) -> bool {
    let key: String = key
        .chars()
        .filter(|letter| *letter != '_' && *letter != '-')
        .collect();
    let key = key.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| key.contains(word))
}

/// Finds what stands behind a secret's key on the lines of a text, sound or not.
fn secret_lines(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some(end) = line.find([':', '='])
            && is_secret_key(&line[..end])
        {
            found.push(Span::new(start + end + 1, start + line.len()));
        }
        start += line.len();
    }
    found
}

pub(super) fn parse(
    path: &str,
    text: &str,
    decrypt: &Decrypt<'_>,
) -> Result<Parsed, Vec<Diagnostic>> {
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

fn parse_text(plain: &Arc<Source>) -> Result<Parsed, Vec<Diagnostic>> {
    let mut shown = secret_lines(&plain.text)
        .into_iter()
        .fold(Arc::clone(plain), |source, span| masked(&source, span));
    let is_toml = plain.path.ends_with(".toml") && !plain.path.ends_with(".sops.toml");
    let roots = if is_toml {
        vec![toml(&plain.text, &shown)?]
    } else {
        let documents = yaml::load(&plain.text)
            .map_err(|error| vec![error.diagnostic("config-syntax", &shown)])?;
        documents
            .into_iter()
            .map(|document| document.root)
            .filter(|root| !root.is_null())
            .collect()
    };
    for root in &roots {
        shown = mask_secret_keys(root, false, shown);
    }
    let mut warnings = Vec::new();
    if plain.path.ends_with(".yaml") || plain.path.ends_with(".yml") {
        for root in &roots {
            warn_of_other_readings(root, &shown, &mut warnings);
        }
    }
    Ok(Parsed {
        source: shown,
        roots,
        warnings,
        sealed: None,
    })
}

fn mask_secret_keys(node: &Node, secret: bool, source: Arc<Source>) -> Arc<Source> {
    match &node.content {
        Content::Scalar(_) if secret => masked(&source, node.span),
        Content::Scalar(_) => source,
        Content::Sequence { items, .. } => items.iter().fold(source, |source, item| {
            mask_secret_keys(item, secret, source)
        }),
        Content::Mapping { entries, .. } => entries.iter().fold(source, |source, entry| {
            mask_secret_keys(&entry.value, secret || is_secret_key(&entry.key), source)
        }),
    }
}

/// Warns of plain scalars that YAML 1.1, and so every other tool on the way to the cluster, reads as
/// another type.
fn warn_of_other_readings(node: &Node, source: &Arc<Source>, warnings: &mut Vec<Diagnostic>) {
    match &node.content {
        Content::Scalar(scalar) => {
            let here = Resolver::Core.resolve(scalar);
            let elsewhere = Resolver::Kubernetes.resolve(scalar);
            if here != elsewhere {
                let message = format!("`{}` means another value in YAML 1.1", scalar.text);
                warnings.push(
                    Diagnostic::warning("yaml-1.1-scalar", message)
                        .at(
                            source,
                            node.span,
                            format!("read as {here}, elsewhere as {elsewhere}"),
                        )
                        .with_hint("put it in quotes, or write the number in decimal"),
                );
            }
        }
        Content::Sequence { items, .. } => {
            items
                .iter()
                .for_each(|item| warn_of_other_readings(item, source, warnings));
        }
        Content::Mapping { entries, .. } => {
            entries
                .iter()
                .for_each(|entry| warn_of_other_readings(&entry.value, source, warnings));
        }
    }
}

/// Reads TOML into the same nodes as YAML.
pub(super) fn toml(text: &str, shown: &Arc<Source>) -> Result<Node, Vec<Diagnostic>> {
    let mut value = toml_span::parse(text).map_err(|error| {
        let span = Span::new(error.span.start, error.span.end.max(error.span.start));
        let diagnostic = Diagnostic::error("config-syntax", format!("this is not TOML: {error}"))
            .at(shown, span, "");
        vec![match error.kind {
            toml_span::ErrorKind::DuplicateKey { key, first } => {
                let place = crate::source::Place::new(shown, Span::new(first.start, first.end));
                Diagnostic::error("config-syntax", format!("the key `{key}` is set twice"))
                    .at(shown, span, "")
                    .with_related(place, "first set here")
            }
            _ => diagnostic,
        }]
    })?;
    Ok(toml_node(&mut value))
}

fn toml_node(value: &mut toml_span::Value<'_>) -> Node {
    use toml_span::value::ValueInner;
    let span = Span::new(value.span.start, value.span.end);
    let plain = |text: String| scalar(text, Style::Plain);
    let content = match value.take() {
        ValueInner::String(text) => scalar(text.into_owned(), Style::Quoted),
        ValueInner::Integer(number) => plain(number.to_string()),
        ValueInner::Float(number) => plain(number.to_string()),
        ValueInner::Boolean(flag) => plain(flag.to_string()),
        ValueInner::Array(mut items) => Content::Sequence {
            items: items.iter_mut().map(toml_node).collect(),
            flow: true,
        },
        ValueInner::Table(table) => {
            let mut entries: Vec<Entry> = table
                .into_iter()
                .map(|(key, mut value)| Entry {
                    key: key.name.to_string(),
                    key_span: Span::new(key.span.start, key.span.end),
                    value: toml_node(&mut value),
                })
                .collect();
            entries.sort_by_key(|entry| entry.key_span);
            Content::Mapping {
                entries,
                flow: false,
            }
        }
    };
    Node {
        span,
        content,
        aliased: false,
        anchored: false,
    }
}

fn scalar(text: String, style: Style) -> Content {
    Content::Scalar(Scalar {
        text,
        style,
        tagged_string: false,
    })
}

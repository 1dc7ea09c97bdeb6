//! The `app.toml` of an app, read with the places that messages need.

use std::sync::Arc;

use toml_span::ErrorKind;

use crate::diagnostic::Diagnostic;
use crate::render::asks::AppAsks;
use crate::render::layers::Entry;
use crate::source::{Place, Source, Span, shown_key};
use crate::tree::App;
use crate::yaml::{Content, Node, Style, toml_node};

const KEYS: &[&str] = &[
    "summary",
    "when",
    "tier",
    "needs",
    "machine",
    "bootstrap",
    "namespace",
    "asks",
    "operator_pods",
];
const TIERS: &[&str] = &["critical", "high", "standard", "low"];

/// The `app.toml` of an app.
#[derive(Clone, Debug)]
pub(in crate::render) struct Manifest {
    /// The app; nothing is on before [`discover`](super::discover).
    pub(in crate::render) app: App,
    /// The file.
    pub(in crate::render) source: Arc<Source>,
    /// The apps that it needs, with the places where it says so.
    pub(super) needs: Vec<(String, Span)>,
    /// Where its condition stands.
    pub(super) when: Option<Span>,
    /// What it asks for.
    pub(in crate::render) asks: AppAsks,
}

impl Manifest {
    /// Reads a manifest; `None` where it is not TOML.
    pub(super) fn read(
        entry: &Entry,
        namespace: &str,
        name: &str,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let source = &entry.source;
        let root = match toml_span::parse(&source.text) {
            Ok(mut parsed) => toml_node(&mut parsed),
            Err(error) => {
                problems.push(not_toml(source, &error));
                return None;
            }
        };
        let entries = root.entries()?;
        let is_strange = entries
            .iter()
            .any(|entry| !KEYS.contains(&entry.key.as_str()));
        // It may be another file than it seems.
        let shown = if is_strange {
            source.keys_only()
        } else {
            Arc::clone(source)
        };
        let mut reader = ManifestReader {
            source: &shown,
            problems,
        };
        reader.reject_unknown_keys(&root, "an app", KEYS);
        let summary = reader.text(&root, "summary");
        if summary.is_none() && root.get("summary").is_none() {
            reader.problem("an app needs a `summary`", Span::default());
        }
        let tier = reader.tier(&root);
        let needs = reader.texts(&root, "needs", "a list of apps");
        let when = reader.text(&root, "when");
        let asks = AppAsks::read(&root, &mut reader);
        Some(Self {
            app: App {
                name: name.to_owned(),
                namespace: namespace.to_owned(),
                summary: summary.map_or_else(String::new, |(summary, _)| summary),
                tier,
                when: when.as_ref().map(|(condition, _)| condition.clone()),
                needs: needs.iter().map(|(need, _)| need.clone()).collect(),
                enabled: false,
            },
            source: Arc::clone(&shown),
            needs,
            when: when.map(|(_, span)| span),
            asks,
        })
    }

    /// Returns a place in the file.
    pub(in crate::render) fn place(&self, span: Span) -> Place {
        Place::new(&self.source, span)
    }
}

fn not_toml(source: &Arc<Source>, error: &toml_span::Error) -> Diagnostic {
    let at = Span::new(error.span.start, error.span.end);
    let source = &source.keys_only();
    let first = match &error.kind {
        ErrorKind::DuplicateKey { first, .. } | ErrorKind::DuplicateTable { first, .. } => {
            Some(Span::new(first.start, first.end))
        }
        _ => None,
    };
    let reason = match first {
        Some(_) => "a key is set twice".to_owned(),
        None => error.to_string(),
    };
    let problem =
        Diagnostic::error("app-manifest", format!("this is not TOML: {reason}")).at(source, at, "");
    match first {
        Some(first) => problem.with_related(Place::new(source, first), "first set here"),
        None => problem,
    }
}

/// Reads parts of a manifest; what is wrong with them goes to `problems`.
pub(in crate::render) struct ManifestReader<'m> {
    source: &'m Arc<Source>,
    problems: &'m mut Vec<Diagnostic>,
}

impl ManifestReader<'_> {
    /// Reports a problem at a place in the file.
    pub(in crate::render) fn problem(&mut self, message: impl Into<String>, span: Span) {
        self.problems
            .push(Diagnostic::error("app-manifest", message).at(self.source, span, ""));
    }

    /// Reports the keys of a table that are not among those it may have.
    pub(in crate::render) fn reject_unknown_keys(
        &mut self,
        table: &Node,
        what: &str,
        known: &[&str],
    ) {
        let entries = table.entries().into_iter().flatten();
        for entry in entries.filter(|entry| !known.contains(&entry.key.as_str())) {
            let message = format!("{what} has no key `{}`", shown_key(&entry.key));
            self.problems.push(
                Diagnostic::error("app-manifest", message)
                    .at(self.source, entry.key_span, "")
                    .with_suggestion(&entry.key, known.iter().copied()),
            );
        }
    }

    /// Reads a text that is not empty.
    pub(in crate::render) fn text(&mut self, table: &Node, key: &str) -> Option<(String, Span)> {
        let value = table.get(key)?;
        match text_of(value) {
            Some(text) if !text.trim().is_empty() => Some((text.to_owned(), value.span)),
            _ => {
                let message = format!("`{key}` must be a string that says something");
                self.problem(message, value.span);
                None
            }
        }
    }

    /// Reads a text that is one of some words.
    pub(in crate::render) fn word(
        &mut self,
        table: &Node,
        key: &str,
        words: &[&str],
    ) -> Option<(String, Span)> {
        let (word, at) = self.text(table, key)?;
        if !words.contains(&word.as_str()) {
            let message = format!("there is no {key} `{word}`, only `{}`", words.join("`, `"));
            self.problems.push(
                Diagnostic::error("app-manifest", message)
                    .at(self.source, at, "")
                    .with_suggestion(&word, words.iter().copied()),
            );
        }
        Some((word, at))
    }

    /// Reads a list of texts; without the key, it is empty.
    pub(in crate::render) fn texts(
        &mut self,
        table: &Node,
        key: &str,
        what: &str,
    ) -> Vec<(String, Span)> {
        let Some(value) = table.get(key) else {
            return Vec::new();
        };
        let Some(items) = value.items() else {
            self.problem(format!("`{key}` must be {what}"), value.span);
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match text_of(item) {
                Some(name) => texts.push((name.to_owned(), item.span)),
                None => self.problem(format!("`{key}` must be {what}"), item.span),
            }
        }
        texts
    }

    /// Reads a table; `None` without the key, or where something else stands there.
    pub(in crate::render) fn table<'n>(&mut self, table: &'n Node, key: &str) -> Option<&'n Node> {
        let value = table.get(key)?;
        if value.entries().is_none() {
            self.problem(format!("`[{key}]` must be a table"), value.span);
            return None;
        }
        Some(value)
    }

    /// Reads a list of tables; without the key, it is empty.
    pub(in crate::render) fn tables<'n>(&mut self, table: &'n Node, key: &str) -> Vec<&'n Node> {
        let Some(value) = table.get(key) else {
            return Vec::new();
        };
        let items = value.items().unwrap_or_default();
        let is_list = value.items().is_some() && items.iter().all(|one| one.entries().is_some());
        if is_list {
            return items.iter().collect();
        }
        // The span of a table is all of it.
        let entry = table.entry(key);
        let span = entry.map_or(value.span, |entry| entry.key_span);
        let message = format!("`{key}` must be a list of tables: write `[[{key}]]`");
        self.problem(message, span);
        Vec::new()
    }

    /// Reads the tier; an app without one is a standard one.
    fn tier(&mut self, root: &Node) -> String {
        self.word(root, "tier", TIERS)
            .map_or_else(|| "standard".to_owned(), |(tier, _)| tier)
    }
}

/// Returns the text of a string.
pub(in crate::render) fn text_of(node: &Node) -> Option<&str> {
    match &node.content {
        Content::Scalar(scalar) if scalar.style == Style::Quoted => Some(&scalar.text),
        _ => None,
    }
}

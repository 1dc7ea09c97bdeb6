//! The `app.toml` of an app, read with the places that messages need.

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::render::asks::AppAsks;
use crate::render::codes;
use crate::render::layers::LayerEntry;
use crate::source::{Place, Source, Span};
use crate::tree::App;
use crate::yaml::decode::{DecodeProblem, Table, decode};
use crate::yaml::{diagnose_decoding, read_toml};

const TIERS: [&str; 4] = ["critical", "high", "standard", "low"];

/// The `app.toml` of an app.
#[derive(Clone, Debug)]
pub(in crate::render) struct AppManifest {
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

impl AppManifest {
    /// Reads a manifest; `None` where it is not TOML.
    pub(super) fn read(
        entry: &LayerEntry,
        namespace: &str,
        name: &str,
        problems: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let source = &entry.source;
        let root = match read_toml(source, &codes::APP_MANIFEST) {
            Ok(root) => root,
            Err(problem) => {
                problems.push(problem);
                return None;
            }
        };
        let mut wrong = Vec::new();
        let manifest = decode("an app", &root, &mut wrong, |table| {
            Self::decode(table, namespace, name, source)
        });
        // With an unknown key, it may be another file than it seems.
        let is_strange = wrong.iter().any(DecodeProblem::is_strange);
        problems.extend(diagnose_decoding(wrong, |_| &codes::APP_MANIFEST, source));
        let mut manifest = manifest?;
        if is_strange {
            manifest.source = source.keys_only();
        }
        Some(manifest)
    }

    fn decode(table: &mut Table<'_>, namespace: &str, name: &str, source: &Arc<Source>) -> Self {
        table.require(&["summary"]);
        let summary = table.filled_text("summary");
        let tier = table.word("tier", &TIERS);
        let needs = table.texts_at("needs", "a list of apps");
        let when = table.filled_text("when");
        let asks = AppAsks::decode(table);
        Self {
            app: App {
                name: name.to_owned(),
                namespace: namespace.to_owned(),
                summary: summary.map(|(summary, _)| summary).unwrap_or_default(),
                tier: tier.map_or_else(|| "standard".to_owned(), |(tier, _)| tier),
                when: when.as_ref().map(|(condition, _)| condition.clone()),
                needs: needs.iter().map(|(need, _)| need.clone()).collect(),
                enabled: false,
            },
            source: Arc::clone(source),
            needs,
            when: when.map(|(_, span)| span),
            asks,
        }
    }

    /// Returns a place in the file.
    pub(in crate::render) fn place(&self, span: Span) -> Place {
        Place::new(&self.source, span)
    }
}

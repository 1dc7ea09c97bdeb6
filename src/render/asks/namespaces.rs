//! What apps ask of namespaces: labels, annotations and a Pod Security level.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::AskCondition;
use super::claims::Claims;
use super::field_value::{FieldAsk, FieldClaim, FieldKind, claims};
use crate::diagnostic::Diagnostic;
use crate::render::apps::AppManifest;
use crate::render::codes;
use crate::render::condition::Conditions;
use crate::source::{Place, Span};
use crate::tree::File;
use crate::yaml::Node;
use crate::yaml::decode::Table;

const LABELS: &str = "labels";
const ANNOTATIONS: &str = "annotations";
/// The levels of Pod Security, the most permissive first.
const LEVELS: [&str; 3] = ["privileged", "baseline", "restricted"];
/// What labels begin with that the level is for.
const LEVEL_LABEL: &str = "pod-security.kubernetes.io/";
/// What a template includes that makes a namespace as apps ask for it.
const PARTIAL: &str = "_partials/namespace.tera";

/// One `[[namespace]]` of an app.
#[derive(Clone, Debug)]
pub(super) struct NamespaceAsk {
    when: Option<AskCondition>,
    /// The namespaces; that of the app where none is named.
    names: Vec<FieldAsk>,
    level: Option<(String, Span)>,
    fields: Vec<FieldAsk>,
}

impl NamespaceAsk {
    pub(super) fn decode(table: &mut Table<'_>) -> Self {
        table.call("`[[namespace]]`");
        let mut fields = FieldKind::TextTable.decode(LABELS, table);
        fields.extend(FieldKind::TextTable.decode(ANNOTATIONS, table));
        let labels = table.get(LABELS).and_then(Node::entries);
        for label in labels.into_iter().flatten() {
            if label.key.starts_with(LEVEL_LABEL) {
                let message = "a label of Pod Security is not asked for: say `level`";
                table.wrong_value(label.key_span, message);
            }
        }
        Self {
            when: AskCondition::decode(table),
            names: FieldKind::Texts.decode("names", table),
            level: table.word("level", &LEVELS),
            fields,
        }
    }
}

/// A namespace as apps ask for it.
#[derive(Debug, Default)]
struct AskedNamespace {
    claims: Claims,
    /// The most permissive level that an app needs, with the app and the place.
    level: Option<(String, String, Place)>,
}

/// The namespaces of the apps that are on, as they ask for them.
#[derive(Debug, Default)]
pub(in crate::render) struct AskedNamespaces {
    namespaces: BTreeMap<String, AskedNamespace>,
}

/// The Pod Security level that an app needs its namespace to have.
#[derive(Clone, Debug)]
pub struct NeededLevel {
    /// The level.
    pub level: String,
    /// The app.
    pub app: String,
    /// Where it asks for it.
    pub place: Place,
}

impl AskedNamespaces {
    pub(super) fn of(
        asking: &[&AppManifest],
        conditions: &Conditions<'_>,
        problems: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut asked = Self::default();
        let known: BTreeSet<&str> = asking
            .iter()
            .map(|manifest| manifest.app.namespace.as_str())
            .collect();
        for manifest in asking {
            for ask in &manifest.asks.namespaces {
                if AskCondition::holds(ask.when.as_ref(), manifest, conditions, problems) {
                    asked.add(manifest, ask, &known, conditions, problems);
                }
            }
        }
        asked
    }

    fn add(
        &mut self,
        manifest: &AppManifest,
        ask: &NamespaceAsk,
        known: &BTreeSet<&str>,
        conditions: &Conditions<'_>,
        problems: &mut Vec<Diagnostic>,
    ) {
        let name = &manifest.app.name;
        let claims = claims(&ask.fields, conditions, &manifest.source, problems);
        for namespace in ask.namespaces(manifest, known, conditions, problems) {
            let what = format!(" of namespace `{namespace}`");
            let own = self.namespaces.entry(namespace).or_default();
            for claim in &claims {
                own.claims.add(name, claim.clone(), &what, problems);
            }
            if let Some((level, span)) = &ask.level {
                let place = manifest.place(*span);
                own.need(level, name, place);
            }
        }
    }

    /// Returns the variable `namespace` of templates in the folder of a namespace.
    pub(in crate::render) fn to_json(&self, name: &str) -> Json {
        let asked = self.namespaces.get(name);
        let table = |field| asked.map_or_else(Map::new, |asked| asked.claims.table(field));
        json!({
            "name": name,
            "labels": table(LABELS),
            "annotations": table(ANNOTATIONS),
        })
    }

    /// Lists the levels that namespaces need, by their names.
    pub(in crate::render) fn levels(&self) -> BTreeMap<String, NeededLevel> {
        let levels = self.namespaces.iter().filter_map(|(name, asked)| {
            let (level, app, place) = asked.level.clone()?;
            Some((name.clone(), NeededLevel { level, app, place }))
        });
        levels.collect()
    }

    /// Reports what is asked for and not in the manifest of the namespace: a template of one's own may leave it out.
    pub(in crate::render) fn unmet(&self, files: &[File]) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        for (name, asked) in &self.namespaces {
            let Some((file, manifest)) = manifest_of(name, files) else {
                continue;
            };
            let unmet = asked.claims.iter().filter(|(_, claim)| {
                let key = claim.key.as_deref().unwrap_or_default();
                let metadata = manifest.get("metadata");
                let own = metadata.and_then(|metadata| metadata.get(claim.field)?.get(key)?.text());
                own != claim.value.as_str()
            });
            let told = unmet.map(|(app, claim)| unmet_claim(name, app, claim, file, manifest));
            problems.extend(told);
        }
        problems
    }
}

/// Finds the manifest of a namespace.
fn manifest_of<'f>(name: &str, files: &'f [File]) -> Option<(&'f File, &'f Node)> {
    let documents = files
        .iter()
        .flat_map(|file| file.documents.iter().map(move |one| (file, &one.root)));
    documents.into_iter().find(|(_, root)| {
        root.find_text("kind") == Some("Namespace") && root.find_text("metadata.name") == Some(name)
    })
}

fn unmet_claim(
    namespace: &str,
    app: &str,
    claim: &FieldClaim,
    file: &File,
    manifest: &Node,
) -> Diagnostic {
    let message = format!(
        "`{app}` asks for `{}` in the `{}` of namespace `{namespace}`, whose manifest has another value or none",
        claim.key.as_deref().unwrap_or_default(),
        claim.field
    );
    let written = manifest.first_line_span();
    let place = file.template_place(written.start);
    let place = place.unwrap_or_else(|| Place::new(&file.source, written));
    Diagnostic::error(&codes::APP_ASKS_UNMET, message)
        .at_place(place, "")
        .with_related(claim.place.clone(), "asked for here")
        .with_hint(format!(
            "write `#% include \"{PARTIAL}\" %#` in the template of the namespace, or the entry itself"
        ))
}

impl AskedNamespace {
    /// Notes a level that an app needs; the most permissive one of all counts.
    fn need(&mut self, level: &str, app: &str, place: Place) {
        let rank = |level: &str| LEVELS.iter().position(|known| *known == level);
        let is_lower = self
            .level
            .as_ref()
            .is_none_or(|(known, ..)| rank(level) < rank(known));
        if is_lower {
            self.level = Some((level.to_owned(), app.to_owned(), place));
        }
    }
}

impl NamespaceAsk {
    /// Lists the namespaces that it is about; one that no app is in is reported.
    fn namespaces(
        &self,
        manifest: &AppManifest,
        known: &BTreeSet<&str>,
        conditions: &Conditions<'_>,
        problems: &mut Vec<Diagnostic>,
    ) -> Vec<String> {
        if self.names.is_empty() {
            return vec![manifest.app.namespace.clone()];
        }
        let mut found = Vec::new();
        for claim in claims(&self.names, conditions, &manifest.source, problems) {
            let FieldClaim {
                key: Some(name),
                place,
                ..
            } = claim
            else {
                continue;
            };
            if known.contains(name.as_str()) {
                found.push(name);
            } else {
                problems.push(nobody_there(&manifest.app.name, &name, place, known));
            }
        }
        found
    }
}

fn nobody_there(app: &str, namespace: &str, place: Place, known: &BTreeSet<&str>) -> Diagnostic {
    let message =
        format!("`{app}` asks something of namespace `{namespace}`, in which no app is on");
    Diagnostic::error(&codes::APP_ASKS, message)
        .at_place(place, "")
        .with_suggestion(namespace, known.iter().copied())
        .with_hint("name namespaces that a template of this project makes")
}

//! What apps ask for besides their own files: machines, a place in the bootstrap, namespaces, options of other apps.
//!
//! An `app.toml` says it; what the apps that are on ask for is brought together here, and templates see it as `asked`.

mod bootstrap;
mod claims;
mod field_value;
mod machine;
mod namespaces;
mod options;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::apps::AppManifest;
use super::condition::Conditions;
use super::library::Library;
use crate::diagnostic::Diagnostic;
use crate::source::{Source, Span};
use crate::tree::{App, File};
use crate::yaml::Node;
use crate::yaml::decode::Table;
use bootstrap::BootstrapAsk;
use field_value::{FieldAsk, FieldKind, claims};
use machine::{AskedMachines, MachineAsk};
pub use namespaces::NeededLevel;
use namespaces::{AskedNamespaces, NamespaceAsk};
pub use options::AskedOption;
use options::OptionAsk;

/// What an app asks for, as its `app.toml` says it.
#[derive(Clone, Debug, Default)]
pub(super) struct AppAsks {
    machine: Vec<MachineAsk>,
    bootstrap: Option<BootstrapAsk>,
    namespaces: Vec<NamespaceAsk>,
    options: Vec<OptionAsk>,
    operator_pods: Vec<OperatorPodsAsk>,
}

impl AppAsks {
    pub(super) fn decode(table: &mut Table<'_>) -> Self {
        Self {
            machine: tables(table, "machine", MachineAsk::decode),
            bootstrap: table.table("bootstrap", BootstrapAsk::decode),
            namespaces: tables(table, "namespace", NamespaceAsk::decode),
            options: options::decode(table),
            operator_pods: tables(table, "operator_pods", OperatorPodsAsk::decode),
        }
    }

    /// Returns whether there are options of other apps among them.
    pub(super) fn asks_options(&self) -> bool {
        !self.options.is_empty()
    }
}

/// Reads a list of tables; without the key, it is empty.
fn tables<T>(table: &mut Table<'_>, key: &'static str, decode: fn(&mut Table<'_>) -> T) -> Vec<T> {
    let Some(entry) = table.entry(key) else {
        return Vec::new();
    };
    let items = entry.value.items();
    if items.is_some_and(|items| items.iter().all(|item| item.entries().is_some())) {
        return table.tables(key, decode);
    }
    // The span of a table is all of it.
    let message = format!("`{key}` must be a list of tables: write `[[{key}]]`");
    table.wrong_type(entry.key_span, message);
    Vec::new()
}

/// One `[[operator_pods]]` of an app: what its operator makes of custom resources of some kinds.
#[derive(Clone, Debug)]
struct OperatorPodsAsk {
    /// The table, whose other keys are those of `charts/custom-resources.yaml`.
    table: Node,
    /// The images of the pods, which no manifest and no chart names.
    images: Vec<FieldAsk>,
}

impl OperatorPodsAsk {
    /// Returns whether it tells of pods, and not of images alone.
    fn says_pods(&self) -> bool {
        let mut entries = self.table.entries().into_iter().flatten();
        entries.any(|entry| !matches!(entry.key.as_str(), "images" | "source"))
    }

    fn decode(table: &mut Table<'_>) -> Self {
        Self {
            images: FieldKind::Texts.decode("images", table),
            table: table.whole().clone(),
        }
    }
}

/// Lists the images that the operators of apps start, sorted.
fn images(
    asking: &[&AppManifest],
    conditions: &Conditions<'_>,
    problems: &mut Vec<Diagnostic>,
) -> BTreeSet<String> {
    let mut images = BTreeSet::new();
    for manifest in asking {
        let own = manifest.asks.operator_pods.iter();
        let own = own.flat_map(|pods| &pods.images);
        let claims = claims(own, conditions, &manifest.source, problems);
        images.extend(claims.into_iter().filter_map(|claim| claim.key));
    }
    images
}

/// The condition of an ask, besides that of its app.
#[derive(Clone, Debug)]
struct AskCondition {
    text: String,
    span: Span,
}

impl AskCondition {
    fn decode(table: &mut Table<'_>) -> Option<Self> {
        let (text, span) = table.filled_text("when")?;
        Some(Self { text, span })
    }

    /// Returns whether an ask counts; one without a condition does.
    fn holds(
        condition: Option<&Self>,
        manifest: &AppManifest,
        conditions: &Conditions<'_>,
        problems: &mut Vec<Diagnostic>,
    ) -> bool {
        let Some(condition) = condition else {
            return true;
        };
        let place = manifest.place(condition.span);
        conditions
            .holds(&condition.text, &place)
            .unwrap_or_else(|problem| {
                problems.push(*problem);
                false
            })
    }
}

/// What the apps that are on ask for.
#[derive(Debug, Default)]
pub(super) struct GatheredAsks {
    machines: AskedMachines,
    bootstrap: Json,
    images: BTreeSet<String>,
    /// The namespaces, as apps ask for them.
    pub(super) namespaces: AskedNamespaces,
}

impl GatheredAsks {
    /// Brings together what the apps that are on ask for; `apps` are those of the library, in its order.
    pub(super) fn of(
        library: &Library,
        apps: &[App],
        values: &Json,
        problems: &mut Vec<Diagnostic>,
    ) -> Self {
        let asking = asking(library, apps);
        let conditions = Conditions::new(values);
        Self {
            machines: AskedMachines::of(&asking, &conditions, problems),
            bootstrap: bootstrap::asked(library, &asking, &conditions, problems),
            images: images(&asking, &conditions, problems),
            namespaces: AskedNamespaces::of(&asking, &conditions, problems),
        }
    }

    /// Reports what is asked for and is not in what was rendered.
    pub(super) fn unmet(&self, files: &[File]) -> Vec<Diagnostic> {
        self.namespaces.unmet(files)
    }

    /// Returns the variable `asked` of templates.
    pub(super) fn to_json(&self) -> Json {
        json!({
            "machine": self.machines.to_json(),
            "bootstrap": self.bootstrap,
            "operator_images": self.images,
        })
    }
}

/// Lists the manifests of the apps that are on.
fn asking<'m>(library: &'m Library, apps: &[App]) -> Vec<&'m AppManifest> {
    let all = library.manifests.iter().zip(apps);
    all.filter(|(_, app)| app.enabled)
        .map(|(manifest, _)| manifest)
        .collect()
}

/// A custom resource of which an app says what pods its operator makes of it.
#[derive(Clone, Debug)]
pub struct OperatorPods {
    /// The entry, in the words of `charts/custom-resources.yaml`.
    pub entry: Node,
    /// The `app.toml` that it stands in.
    pub source: Arc<Source>,
}

/// What the apps that are on say of pods: a level that their namespaces need, and what their operators start.
#[derive(Clone, Debug, Default)]
pub struct PodAsks {
    /// The Pod Security levels that namespaces need, by their names.
    pub levels: BTreeMap<String, NeededLevel>,
    /// The custom resources of which apps say what pods come of them.
    pub operator_pods: Vec<OperatorPods>,
}

impl PodAsks {
    pub(super) fn of(library: &Library, apps: &[App], asked: &GatheredAsks) -> Self {
        let asking = asking(library, apps);
        let all = asking.iter().flat_map(|manifest| {
            let entries = manifest.asks.operator_pods.iter();
            entries
                .filter(|pods| pods.says_pods())
                .map(|pods| OperatorPods {
                    entry: pods.table.clone(),
                    source: Arc::clone(&manifest.source),
                })
        });
        Self {
            levels: asked.namespaces.levels(),
            operator_pods: all.collect(),
        }
    }
}

/// Lists the options of other apps that the apps that are on ask for.
///
/// # Errors
/// Two apps that ask for different values, an app that there is not, and expressions that fail.
pub(super) fn options(
    library: &Library,
    apps: &[App],
    values: &Json,
) -> Result<Vec<AskedOption>, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let asking = asking(library, apps);
    let asked = options::asked(&asking, apps, &Conditions::new(values), &mut problems);
    if problems.is_empty() {
        Ok(asked)
    } else {
        Err(problems)
    }
}

//! `kiln.toml`: what makes a folder a project.

use std::sync::Arc;

use crate::config::codes;
use crate::diagnostic::{self, Diagnostic, StageResult, Warned};
use crate::source::{Files, Place, Source, shown_key};
use crate::yaml::decode::{DecodeProblem, DecodeProblemKind, Table, decode};
use crate::yaml::{Node, Resolver, diagnose_decoding, read_toml};

/// The file that makes a folder a makejinja project.
pub const MAKEJINJA_FILE: &str = "makejinja.toml";

/// What makes the files of a project.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProjectKind {
    /// A typed config, the project's templates, and the catalogue.
    #[default]
    Typed,
    /// The templates, data and plugins that the settings of makejinja name.
    Makejinja,
}

/// `[makejinja]`: how the plugins of a makejinja project run.
#[derive(Clone, Debug)]
pub struct PluginSettings {
    /// The command of the Python that runs them.
    pub python: Vec<String>,
    /// How long one answer may take, in seconds.
    pub timeout: u64,
}

impl Default for PluginSettings {
    fn default() -> Self {
        Self {
            python: vec!["python3".to_owned()],
            timeout: 60,
        }
    }
}

/// The settings of a project.
#[derive(Clone, Debug)]
pub struct Project {
    /// What makes its files.
    pub kind: ProjectKind,
    /// `[makejinja]`.
    pub plugins: PluginSettings,
    /// The data files with where they are named; `None` for the usual names.
    pub data: Option<Vec<(String, Place)>>,
    /// The folders of templates, the one that wins first.
    pub templates: Vec<String>,
    /// Whether the built-in catalogue lies beneath.
    pub catalogue: bool,
    /// The files that git ignores and that templates may read with `file()` all the same.
    pub files: Vec<String>,
    /// The folder that outputs go to, below the project.
    pub output: String,
    /// `[harden]`.
    pub harden: HardenSettings,
    /// `[seal]`.
    pub seal: SealSettings,
    /// `[check]`.
    pub check: CheckSettings,
    /// `[diff]`.
    pub diff: DiffSettings,
    /// `[flux]`.
    pub flux: FluxSettings,
    /// `[[exempt]]`: what rules leave alone.
    pub exempt: Vec<Exempt>,
}

/// `[flux]`: what the files of the repository do not tell of what Flux applies.
#[derive(Clone, Debug)]
pub struct FluxSettings {
    /// The folders that Flux starts from, counted from the root of the repository; empty for those that it tells of.
    pub roots: Vec<(String, Place)>,
    /// Files with ConfigMaps and Secrets that lie outside of git.
    pub values: Vec<(String, Place)>,
    /// Folders with the files of other sources, by `KIND/NAMESPACE/NAME`.
    pub sources: Vec<(String, String, Place)>,
    /// Whether a variable that nothing gives is an error, as since Flux 2.9.
    pub strict: bool,
    /// Objects that are there though nothing here applies them: `KIND/NAMESPACE/NAME`, or `KIND/NAME`.
    pub external: Vec<(String, Place)>,
}

impl Default for FluxSettings {
    fn default() -> Self {
        Self {
            roots: Vec::new(),
            values: Vec::new(),
            sources: Vec::new(),
            strict: true,
            external: Vec::new(),
        }
    }
}

/// What a comparison leaves out.
#[derive(Clone, Debug)]
pub struct DiffSettings {
    /// Labels and annotations by name, and values by their way (`/spec/interval`).
    pub ignore: Vec<String>,
    /// Whether the usual noise is left out as well.
    pub defaults: bool,
}

/// What hardening may do.
#[derive(Clone, Debug)]
pub struct HardenSettings {
    /// Whether anything is added at all; `None` where `kiln.toml` does not say.
    pub enabled: Option<bool>,
    /// The requests and limits of containers that nobody knows.
    pub resources: Option<ResourcesSetting>,
    /// The namespaces that network policies close.
    pub network_policies: ClosedNamespacesSetting,
    /// `[harden.tiers]`: the tier of what belongs to no app, by chart or namespace.
    pub tiers: Vec<(String, String)>,
}

/// `[harden.resources]`: requests and limits where no chart profile knows any.
#[derive(Clone, Debug, Default)]
pub struct ResourcesSetting {
    /// `requests.cpu`.
    pub cpu_request: Option<String>,
    /// `requests.memory`.
    pub memory_request: Option<String>,
    /// `limits.memory`; there is no limit of CPU on purpose.
    pub memory_limit: Option<String>,
    /// Where `kiln.toml` says so.
    pub place: Option<Place>,
}

/// `network-policies`: the namespaces that are closed.
#[derive(Clone, Debug, Default)]
pub enum ClosedNamespacesSetting {
    /// `false`: none.
    #[default]
    Nothing,
    /// `true`: all but those of the cluster itself.
    All,
    /// A list: these, each with its place.
    Named(Vec<(String, Place)>),
}

/// An object that a rule leaves alone.
#[derive(Clone, Debug, Default)]
pub struct Exempt {
    /// The code of the rule.
    pub rule: String,
    /// The namespace; `None` for every one.
    pub namespace: Option<String>,
    /// The name of the object; `None` for every one.
    pub name: Option<String>,
    /// The output or the folder of outputs; `None` for everywhere.
    pub path: Option<String>,
    /// Why, for whoever reads the audit.
    pub reason: String,
    /// Where `kiln.toml` says so.
    pub place: Option<Place>,
}

/// What sealing is given.
#[derive(Clone, Debug, Default)]
pub struct SealSettings {
    /// Files of age identities, besides `age.key` and those that SOPS would find.
    pub identities: Vec<String>,
}

/// What checks measure against.
#[derive(Clone, Debug)]
pub struct CheckSettings {
    /// The Kubernetes minor version (`1.36`).
    pub kubernetes: String,
    /// Folders of CRDs.
    pub crds: Vec<String>,
    /// Files and folders of which nothing is said.
    pub ignore: Vec<String>,
    /// What is an error though its rule calls it a warning: `warning`, `not-seen`, or codes.
    pub fail_on: Vec<(String, Place)>,
    /// The file of the findings that are known already.
    pub baseline: Option<String>,
}

impl Default for Project {
    fn default() -> Self {
        Self {
            kind: ProjectKind::Typed,
            plugins: PluginSettings::default(),
            data: None,
            templates: vec!["templates".to_owned()],
            catalogue: true,
            files: Vec::new(),
            output: ".".to_owned(),
            harden: HardenSettings {
                enabled: None,
                resources: None,
                network_policies: ClosedNamespacesSetting::Nothing,
                tiers: Vec::new(),
            },
            seal: SealSettings::default(),
            check: CheckSettings {
                kubernetes: "1.36".to_owned(),
                crds: Vec::new(),
                ignore: Vec::new(),
                fail_on: Vec::new(),
                baseline: None,
            },
            diff: DiffSettings {
                ignore: Vec::new(),
                defaults: true,
            },
            flux: FluxSettings::default(),
            exempt: Vec::new(),
        }
    }
}

/// The file that makes a folder a project of Kiln's own.
pub const FILE: &str = "kiln.toml";
/// How important pods can be.
const TIERS: [&str; 4] = ["critical", "high", "standard", "low"];

/// Reads `kiln.toml`; unknown keys and wrong types are errors in it.
pub fn load(files: &dyn Files) -> StageResult<Project> {
    let text = match files.read(FILE) {
        Ok(Some(bytes)) => String::from_utf8(bytes).map_err(|_| {
            vec![Diagnostic::error(
                &diagnostic::codes::NOT_UTF8,
                format!("`{FILE}` is not UTF-8 text"),
            )]
        })?,
        Ok(None) => String::new(),
        Err(error) => {
            return Err(vec![Diagnostic::error(
                &diagnostic::codes::UNREADABLE_CONFIG,
                error.to_string(),
            )]);
        }
    };
    let source = Source::new(FILE, text);
    let root = read_toml(&source, &codes::CONFIG_SYNTAX).map_err(|problem| vec![problem])?;
    let mut problems = Vec::new();
    let project = decode("`kiln.toml`", &root, &mut problems, |table| {
        Project::decode(table, &source)
    });
    let mut project = project.unwrap_or_default();
    if !is_typed(&root) && matches!(files.read(MAKEJINJA_FILE), Ok(Some(_))) {
        project.kind = ProjectKind::Makejinja;
    }
    let code = |kind| match kind {
        DecodeProblemKind::UnknownKey => &diagnostic::codes::UNKNOWN_KEY,
        _ => &codes::KILN_TOML,
    };
    Warned::unless_errors(project, diagnose_decoding(problems, code, &source))
}

/// Returns whether a `kiln.toml` says itself what its project is made from, whatever lies beside it.
fn is_typed(root: &Node) -> bool {
    let mut own = ["data", "templates", "catalogue"].iter();
    own.any(|key| root.get(key).is_some())
}

impl Project {
    /// Returns whether hardening adds anything: unless `kiln.toml` says otherwise, to what Kiln's own templates make.
    pub fn hardens(&self) -> bool {
        let own = self.kind == ProjectKind::Typed;
        self.harden.enabled.unwrap_or(own)
    }
}

/// A list of strings, as messages call it.
const TEXTS: &str = "a list of strings";

/// A text with its place in `kiln.toml`.
type PlacedText = (String, Place);

fn placed_texts(
    table: &mut Table<'_>,
    key: &'static str,
    source: &Arc<Source>,
) -> Option<Vec<PlacedText>> {
    table.get(key)?;
    let texts = table.texts_at(key, TEXTS).into_iter();
    Some(
        texts
            .map(|(text, span)| (text, Place::new(source, span)))
            .collect(),
    )
}

fn texts(table: &mut Table<'_>, key: &'static str) -> Option<Vec<String>> {
    table.get(key).map(|_| table.texts(key))
}

impl Project {
    fn decode(table: &mut Table<'_>, source: &Arc<Source>) -> Self {
        let usual = Self::default();
        Self {
            kind: usual.kind,
            data: placed_texts(table, "data", source),
            templates: texts(table, "templates").unwrap_or(usual.templates),
            catalogue: table.optional_flag("catalogue").unwrap_or(usual.catalogue),
            files: table.texts("files"),
            output: table.text("output").unwrap_or(usual.output),
            harden: table
                .table("harden", |table| HardenSettings::decode(table, source))
                .unwrap_or(usual.harden),
            seal: table
                .table("seal", |table| SealSettings {
                    identities: table.texts("identities"),
                })
                .unwrap_or_default(),
            check: table
                .table("check", |table| {
                    CheckSettings::decode(table, source, usual.check.clone())
                })
                .unwrap_or(usual.check),
            diff: table
                .table("diff", |table| DiffSettings {
                    ignore: table.texts("ignore"),
                    defaults: table.optional_flag("defaults").unwrap_or(true),
                })
                .unwrap_or(usual.diff),
            flux: table
                .table("flux", |table| FluxSettings::decode(table, source))
                .unwrap_or_default(),
            exempt: table.tables("exempt", |table| Exempt::decode(table, source)),
            plugins: table
                .table("makejinja", PluginSettings::decode)
                .unwrap_or_default(),
        }
    }
}

impl PluginSettings {
    fn decode(table: &mut Table<'_>) -> Self {
        let usual = Self::default();
        let python = texts(table, "python");
        if let (Some([]), Some(node)) = (python.as_deref(), table.get("python")) {
            table.wrong_value(node.span, "`python` must be a command, word by word");
        }
        Self {
            python: python.unwrap_or(usual.python),
            timeout: table.number("timeout").unwrap_or(usual.timeout),
        }
    }
}

impl HardenSettings {
    fn decode(table: &mut Table<'_>, source: &Arc<Source>) -> Self {
        let tiers = table.named("tiers", "a table of tiers by chart or namespace");
        Self {
            enabled: table.optional_flag("enabled"),
            resources: table.table("resources", |table| ResourcesSetting::decode(table, source)),
            network_policies: ClosedNamespacesSetting::decode(table, source),
            tiers: tiers
                .iter()
                .filter_map(|entry| {
                    let (name, node) = (&entry.key, &entry.value);
                    let tier = table.text_of(name, node)?;
                    table.check_word("tier", &tier, node.span, &TIERS);
                    Some((name.clone(), tier))
                })
                .collect(),
        }
    }
}

impl ResourcesSetting {
    fn decode(table: &mut Table<'_>, source: &Arc<Source>) -> Self {
        let place = Some(Place::new(source, table.span()));
        let requests = table.table("requests", |table| {
            (table.text("cpu"), table.text("memory"))
        });
        let limits = table.table("limits", |table| table.text("memory"));
        let (cpu_request, memory_request) = requests.unwrap_or_default();
        Self {
            cpu_request,
            memory_request,
            memory_limit: limits.flatten(),
            place,
        }
    }
}

impl ClosedNamespacesSetting {
    fn decode(table: &mut Table<'_>, source: &Arc<Source>) -> Self {
        const KEY: &str = "network-policies";
        let Some(node) = table.get(KEY) else {
            return Self::Nothing;
        };
        if node.items().is_some() {
            return Self::Named(placed_texts(table, KEY, source).unwrap_or_default());
        }
        match node.to_value(Resolver::Core).as_bool() {
            Some(true) => Self::All,
            Some(false) => Self::Nothing,
            None => {
                let message = format!("`{KEY}` must be true, false or a list of namespaces");
                table.wrong_type(node.first_line_span(), message);
                Self::Nothing
            }
        }
    }
}

impl CheckSettings {
    fn decode(table: &mut Table<'_>, source: &Arc<Source>, usual: Self) -> Self {
        Self {
            kubernetes: kubernetes_version(table).unwrap_or(usual.kubernetes),
            crds: table.texts("crds"),
            ignore: table.texts("ignore"),
            fail_on: placed_texts(table, "fail-on", source).unwrap_or_default(),
            baseline: table.text("baseline"),
        }
    }
}

/// Reads a Kubernetes version of the form `1.36`.
fn kubernetes_version(table: &mut Table<'_>) -> Option<String> {
    let (text, span) = table.text_at("kubernetes")?;
    let minor = text.strip_prefix("1.").map(str::parse::<u16>);
    if !matches!(minor, Some(Ok(_))) {
        let message = "`kubernetes` must be a Kubernetes version such as `1.36`";
        table.wrong_value(span, message);
    }
    Some(text)
}

impl FluxSettings {
    fn decode(table: &mut Table<'_>, source: &Arc<Source>) -> Self {
        let mut texts = |key| placed_texts(table, key, source).unwrap_or_default();
        Self {
            roots: texts("roots"),
            values: texts("values"),
            external: texts("external"),
            sources: flux_sources(table, source),
            strict: table.optional_flag("strict").unwrap_or(true),
        }
    }
}

fn flux_sources(table: &mut Table<'_>, source: &Arc<Source>) -> Vec<(String, String, Place)> {
    let entries = table.named("sources", "a table of sources with their folders");
    let mut found = Vec::new();
    for entry in entries {
        if entry.key.split('/').filter(|part| !part.is_empty()).count() == 3 {
            let folder = table.text_of(&entry.key, &entry.value);
            let place = Place::new(source, entry.key_span);
            found.extend(folder.map(|folder| (entry.key.clone(), folder, place)));
        } else {
            let message = format!("`{}` names no source", shown_key(&entry.key));
            table.note(
                DecodeProblem::new(DecodeProblemKind::WrongValue, message, entry.key_span)
                    .with_hint("write `\"GitRepository/NAMESPACE/NAME\" = \"FOLDER\"`"),
            );
        }
    }
    found
}

impl Exempt {
    fn decode(table: &mut Table<'_>, source: &Arc<Source>) -> Self {
        let mut needed = |key| {
            let text = table.text(key).unwrap_or_default();
            if text.trim().is_empty() {
                table.wrong_value(table.span(), format!("an exemption needs a `{key}`"));
            }
            text
        };
        Self {
            rule: needed("rule"),
            reason: needed("reason"),
            namespace: table.text("namespace"),
            name: table.text("name"),
            path: table.text("path"),
            place: Some(Place::new(source, table.span())),
        }
    }
}

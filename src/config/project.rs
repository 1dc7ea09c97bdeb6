//! `kiln.toml`: what makes a folder a project.

use std::sync::Arc;

use super::parse;
use crate::diagnostic::{Diagnostic, StageResult, Warned};
use crate::source::{Files, Place, Source, shown_key};
use crate::yaml::{Entry, Node, Resolver};

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
    pub resources: Option<Resources>,
    /// The namespaces that network policies close.
    pub network_policies: Closed,
    /// `[harden.tiers]`: the tier of what belongs to no app, by chart or namespace.
    pub tiers: Vec<(String, String)>,
}

/// `[harden.resources]`: requests and limits where no chart profile knows any.
#[derive(Clone, Debug, Default)]
pub struct Resources {
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
pub enum Closed {
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
                network_policies: Closed::Nothing,
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
const KEYS: [&str; 12] = [
    "data",
    "templates",
    "catalogue",
    "files",
    "output",
    "harden",
    "seal",
    "check",
    "diff",
    "flux",
    "exempt",
    "makejinja",
];

/// How important pods can be.
const TIERS: [&str; 4] = ["critical", "high", "standard", "low"];

/// The keys of an item of `[[exempt]]`.
const EXEMPT: [&str; 5] = ["rule", "namespace", "name", "path", "reason"];

/// Reads `kiln.toml`; unknown keys and wrong types are errors in it.
pub fn load(files: &dyn Files) -> StageResult<Project> {
    let text = match files.read(FILE) {
        Ok(Some(bytes)) => String::from_utf8(bytes).map_err(|_| {
            vec![Diagnostic::error(
                "not-utf8",
                format!("`{FILE}` is not UTF-8 text"),
            )]
        })?,
        Ok(None) => String::new(),
        Err(error) => {
            return Err(vec![Diagnostic::error(
                "unreadable-config",
                error.to_string(),
            )]);
        }
    };
    let source = Source::new(FILE, text);
    let root = parse::toml(&source)?;
    let mut reader = Reader {
        source,
        strange: false,
        problems: Vec::new(),
    };
    let mut project = reader.project(&root);
    if !is_typed(&root) && matches!(files.read(MAKEJINJA_FILE), Ok(Some(_))) {
        project.kind = ProjectKind::Makejinja;
    }
    if reader.strange {
        let shown = reader.source.keys_only();
        let problems = reader.problems.iter_mut();
        problems.for_each(|problem| problem.show_in(&shown));
    }
    Warned::unless_errors(project, reader.problems)
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

struct Reader {
    source: Arc<Source>,
    /// Whether there is something in it that nobody knows, so that it may be another file than it seems.
    strange: bool,
    problems: Vec<Diagnostic>,
}

impl Reader {
    fn project(&mut self, root: &Node) -> Project {
        let mut project = Project::default();
        for entry in self.known(root, &KEYS) {
            match entry.key.as_str() {
                "data" => project.data = Some(self.placed_texts(&entry.value)),
                "templates" => project.templates = self.texts(&entry.value),
                "catalogue" => project.catalogue = self.flag(&entry.value),
                "files" => project.files = self.texts(&entry.value),
                "output" => project.output = self.text(&entry.value),
                "harden" => self.harden(&entry.value, &mut project.harden),
                "seal" => {
                    for entry in self.known(&entry.value, &["identities"]) {
                        project.seal.identities = self.texts(&entry.value);
                    }
                }
                "diff" => {
                    for entry in self.known(&entry.value, &["ignore", "defaults"]) {
                        match entry.key.as_str() {
                            "ignore" => project.diff.ignore = self.texts(&entry.value),
                            _ => project.diff.defaults = self.flag(&entry.value),
                        }
                    }
                }
                "flux" => self.flux(&entry.value, &mut project.flux),
                "makejinja" => self.plugins(&entry.value, &mut project.plugins),
                "exempt" => project.exempt = self.exemptions(&entry.value),
                _ => self.check(&entry.value, &mut project.check),
            }
        }
        project
    }

    fn plugins(&mut self, node: &Node, settings: &mut PluginSettings) {
        for entry in self.known(node, &["python", "timeout"]) {
            if entry.key == "python" {
                settings.python = self.texts(&entry.value);
                if settings.python.is_empty() {
                    self.problem(&entry.value, "a command was expected here, word by word");
                }
                continue;
            }
            match entry.value.to_value(Resolver::Core).as_u64() {
                Some(seconds) if seconds > 0 => settings.timeout = seconds,
                _ => self.problem(&entry.value, "a number of seconds was expected here"),
            }
        }
    }

    fn harden(&mut self, node: &Node, settings: &mut HardenSettings) {
        let keys = ["enabled", "resources", "network-policies", "tiers"];
        for entry in self.known(node, &keys) {
            match entry.key.as_str() {
                "enabled" => settings.enabled = Some(self.flag(&entry.value)),
                "resources" => settings.resources = Some(self.resources(&entry.value)),
                "tiers" => settings.tiers = self.tiers(&entry.value),
                _ => settings.network_policies = self.closed(&entry.value),
            }
        }
    }

    fn tiers(&mut self, node: &Node) -> Vec<(String, String)> {
        let Some(entries) = node.entries() else {
            self.problem(
                node,
                "a table of tiers by chart or namespace was expected here",
            );
            return Vec::new();
        };
        let mut tiers = Vec::new();
        for entry in entries {
            let tier = self.text(&entry.value);
            if !TIERS.contains(&tier.as_str()) {
                let message = format!("a tier is one of {}", TIERS.join(", "));
                self.problem(&entry.value, &message);
            }
            tiers.push((entry.key.clone(), tier));
        }
        tiers
    }

    fn check(&mut self, node: &Node, settings: &mut CheckSettings) {
        let keys = ["kubernetes", "crds", "ignore", "fail-on", "baseline"];
        for entry in self.known(node, &keys) {
            match entry.key.as_str() {
                "kubernetes" => settings.kubernetes = self.version(&entry.value),
                "crds" => settings.crds = self.texts(&entry.value),
                "ignore" => settings.ignore = self.texts(&entry.value),
                "fail-on" => settings.fail_on = self.placed_texts(&entry.value),
                _ => settings.baseline = Some(self.text(&entry.value)),
            }
        }
    }

    fn flux(&mut self, node: &Node, settings: &mut FluxSettings) {
        let keys = ["roots", "values", "sources", "strict", "external"];
        for entry in self.known(node, &keys) {
            match entry.key.as_str() {
                "external" => settings.external = self.placed_texts(&entry.value),
                "roots" => settings.roots = self.placed_texts(&entry.value),
                "values" => settings.values = self.placed_texts(&entry.value),
                "strict" => settings.strict = self.flag(&entry.value),
                _ => settings.sources = self.sources(&entry.value),
            }
        }
    }

    fn sources(&mut self, node: &Node) -> Vec<(String, String, Place)> {
        let Some(entries) = node.entries() else {
            self.problem(
                node,
                "a table of sources with their folders was expected here",
            );
            return Vec::new();
        };
        let mut found = Vec::new();
        for entry in entries {
            if entry.key.split('/').filter(|part| !part.is_empty()).count() == 3 {
                let place = Place::new(&self.source, entry.key_span);
                found.push((entry.key.clone(), self.text(&entry.value), place));
            } else {
                let diagnostic = Diagnostic::error(
                    "kiln-toml",
                    format!("`{}` names no source", shown_key(&entry.key)),
                );
                self.problems.push(
                    diagnostic
                        .at(&self.source, entry.key_span, "")
                        .with_hint("write `\"GitRepository/NAMESPACE/NAME\" = \"FOLDER\"`"),
                );
            }
        }
        found
    }

    fn resources(&mut self, node: &Node) -> Resources {
        let mut resources = Resources {
            place: Some(Place::new(&self.source, node.first_line_span())),
            ..Resources::default()
        };
        for list in self.known(node, &["requests", "limits"]) {
            let is_limit = list.key == "limits";
            let keys: &[&str] = if is_limit {
                &["memory"]
            } else {
                &["cpu", "memory"]
            };
            for entry in self.known(&list.value, keys) {
                let amount = Some(self.text(&entry.value));
                match (is_limit, entry.key.as_str()) {
                    (true, _) => resources.memory_limit = amount,
                    (false, "cpu") => resources.cpu_request = amount,
                    (false, _) => resources.memory_request = amount,
                }
            }
        }
        resources
    }

    fn closed(&mut self, node: &Node) -> Closed {
        if node.items().is_some() {
            return Closed::Named(self.placed_texts(node));
        }
        match node.to_value(Resolver::Core).as_bool() {
            Some(true) => Closed::All,
            Some(false) => Closed::Nothing,
            None => {
                self.problem(
                    node,
                    "`true`, `false` or a list of namespaces was expected here",
                );
                Closed::Nothing
            }
        }
    }

    fn exemptions(&mut self, node: &Node) -> Vec<Exempt> {
        let Some(items) = node.items() else {
            self.problem(node, "a list of tables was expected here");
            return Vec::new();
        };
        items.iter().map(|item| self.exempt(item)).collect()
    }

    fn exempt(&mut self, node: &Node) -> Exempt {
        let mut exempt = Exempt {
            place: Some(Place::new(&self.source, node.first_line_span())),
            ..Exempt::default()
        };
        for entry in self.known(node, &EXEMPT) {
            let text = self.text(&entry.value);
            match entry.key.as_str() {
                "rule" => exempt.rule = text,
                "namespace" => exempt.namespace = Some(text),
                "name" => exempt.name = Some(text),
                "path" => exempt.path = Some(text),
                _ => exempt.reason = text,
            }
        }
        for (key, value) in [("rule", &exempt.rule), ("reason", &exempt.reason)] {
            if value.trim().is_empty() {
                self.problem(node, &format!("an exemption needs a `{key}`"));
            }
        }
        exempt
    }

    fn known<'n>(&mut self, node: &'n Node, keys: &[&str]) -> Vec<&'n Entry> {
        let Some(entries) = node.entries() else {
            self.strange = true;
            self.problem(node, "a table was expected here");
            return Vec::new();
        };
        let (known, unknown): (Vec<&Entry>, Vec<&Entry>) = entries
            .iter()
            .partition(|entry| keys.contains(&entry.key.as_str()));
        for entry in unknown {
            self.strange = true;
            self.problems.push(
                Diagnostic::error(
                    "unknown-key",
                    format!("`{FILE}` has no key `{}`", shown_key(&entry.key)),
                )
                .at(&self.source, entry.key_span, "")
                .with_suggestion(&entry.key, keys.iter().copied())
                .with_hint(format!("it knows {}", quoted(keys))),
            );
        }
        known
    }

    fn text(&mut self, node: &Node) -> String {
        let value = node.to_value(Resolver::Core);
        value.as_str().map_or_else(
            || {
                self.problem(node, "a string was expected here");
                String::new()
            },
            str::to_owned,
        )
    }

    /// Reads a Kubernetes version of the form `1.36`.
    fn version(&mut self, node: &Node) -> String {
        let text = self.text(node);
        let minor = text
            .strip_prefix("1.")
            .and_then(|minor| minor.parse::<u16>().ok());
        if minor.is_none() {
            self.problem(
                node,
                "a Kubernetes version such as `1.36` was expected here",
            );
        }
        text
    }

    fn flag(&mut self, node: &Node) -> bool {
        node.to_value(Resolver::Core).as_bool().unwrap_or_else(|| {
            self.problem(node, "`true` or `false` was expected here");
            false
        })
    }

    fn texts(&mut self, node: &Node) -> Vec<String> {
        self.placed_texts(node)
            .into_iter()
            .map(|(text, _)| text)
            .collect()
    }

    fn placed_texts(&mut self, node: &Node) -> Vec<(String, Place)> {
        let Some(items) = node.items() else {
            self.problem(node, "a list of strings was expected here");
            return Vec::new();
        };
        items
            .iter()
            .map(|item| (self.text(item), Place::new(&self.source, item.span)))
            .collect()
    }

    fn problem(&mut self, node: &Node, message: &str) {
        let diagnostic =
            Diagnostic::error("kiln-toml", message).at(&self.source, node.first_line_span(), "");
        self.problems.push(diagnostic);
    }
}

fn quoted(keys: &[&str]) -> String {
    keys.iter()
        .map(|key| format!("`{key}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

//! The plugins of a project: built in where every function of theirs is known, or in a Python of their own.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jinja::{Callable, Engine};
use makejinja::{FolderFilter, Settings};
use makejinja_plugins::{
    HostSpec, Offer, Offered, PluginError, PluginHost, PluginReads, PluginValue,
};

use super::family::{self, BuiltIn, FileDesk};
use super::keyed_files::KeyedFiles;
use super::plugin_object::{PluginFunction, PluginServer};
use super::values::to_template;
use crate::diagnostic::{self, Diagnostic};
use crate::makejinja::codes;
use crate::render;
use crate::source::{Files as _, Source, Span};

/// Starts the Python of plugins.
pub type PluginStarter<'s> =
    dyn Fn(&PluginRequest<'_>) -> Result<StartedPlugins, PluginError> + Sync + 's;

/// Reads a file of the project for a message that points into it.
pub type SourceReader = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// What the Python of plugins is started with.
pub struct PluginRequest<'r> {
    /// The command.
    pub command: &'r [String],
    /// How long one answer may take.
    pub timeout: Duration,
    /// The files whose content is other than in the project's folder.
    pub replaced: &'r BTreeMap<String, Vec<u8>>,
    settings: &'r Settings,
    data: &'r PluginValue,
    variables: &'r [(String, String)],
}

/// What plugins are started for: as long as it is the same, the same process can answer.
#[derive(Clone, PartialEq)]
pub struct PluginStart {
    command: Vec<String>,
    timeout: Duration,
    replaced: BTreeMap<String, Vec<u8>>,
    settings: Settings,
    data: PluginValue,
    variables: Vec<(String, String)>,
}

/// The Python of plugins, started.
#[derive(Clone)]
pub struct StartedPlugins {
    server: Arc<PluginServer>,
    offered: Arc<Offered>,
    /// What has to stay as long as it runs.
    _held: Option<Arc<dyn Any + Send + Sync>>,
}

impl StartedPlugins {
    /// Forgets what answers were about, so that plugins can be asked in another rendering.
    ///
    /// # Errors
    /// Python has ended.
    pub fn forget_answers(&self) -> Result<(), PluginError> {
        self.server.host().forget_answers()
    }

    /// Returns what Python has read so far; `None` where its answers come from elsewhere as well, or it has ended.
    pub fn reads(&self) -> Option<PluginReads> {
        let host = self.server.host();
        host.can_stay().then(|| host.reads().clone())
    }
}

impl PluginRequest<'_> {
    /// Returns what the answers depend on besides what plugins read.
    pub fn describe(&self) -> PluginStart {
        PluginStart {
            command: self.command.to_vec(),
            timeout: self.timeout,
            replaced: self.replaced.clone(),
            settings: self.settings.clone(),
            data: self.data.clone(),
            variables: self.variables.to_vec(),
        }
    }

    /// Starts Python in a folder that is the project's, or looks like it; `read` reads the project's files for messages,
    /// and `held` is what has to stay.
    ///
    /// # Errors
    /// It does not start, or a plugin fails.
    pub fn start(
        &self,
        folder: &Path,
        read: SourceReader,
        held: Option<Arc<dyn Any + Send + Sync>>,
    ) -> Result<StartedPlugins, PluginError> {
        let below = |paths: &[String]| paths.iter().map(|path| folder.join(path)).collect();
        let (host, offered) = PluginHost::start(&HostSpec {
            command: self.command.to_vec(),
            folder: folder.to_owned(),
            import_paths: below(&self.settings.import_paths),
            plugins: self.settings.plugins.clone(),
            config: config_value(self.settings, folder),
            data: self.data.clone(),
            environment: Some(self.variables.to_vec()),
            call_timeout: self.timeout,
            start_timeout: self.timeout,
        })?;
        Ok(StartedPlugins {
            server: PluginServer::new(host, folder, read),
            offered: Arc::new(offered),
            _held: held,
        })
    }
}

/// Returns the settings as plugins see them.
fn config_value(settings: &Settings, folder: &Path) -> PluginValue {
    let text = |text: &str| PluginValue::text(text);
    let texts = |all: &[String]| PluginValue::List(all.iter().map(|it| text(it)).collect());
    let path = |path: &String| PluginValue::Path(folder.join(path));
    let paths = |all: &[String]| PluginValue::List(all.iter().map(path).collect());
    let flag = PluginValue::Bool;
    let file_data = settings.file_data.iter();
    let file_data = file_data.map(|(name, all)| (name.as_str(), paths(all)));
    let variables = settings.data_vars.iter();
    let variables = variables.map(|(name, value)| (name.as_str(), text(value)));
    let undefined = match settings.undefined {
        makejinja::UndefinedMode::Default => "default",
        makejinja::UndefinedMode::Chainable => "chainable",
        makejinja::UndefinedMode::Debug => "debug",
        makejinja::UndefinedMode::Strict => "strict",
    };
    PluginValue::map([
        ("inputs", paths(&settings.inputs)),
        ("output", path(&settings.output)),
        ("include_patterns", texts(&settings.include_patterns)),
        ("exclude_patterns", texts(&settings.exclude_patterns)),
        ("jinja_suffix", text(&settings.jinja_suffix)),
        ("keep_jinja_suffix", flag(settings.keep_jinja_suffix)),
        ("keep_empty", flag(settings.keep_empty)),
        ("copy_metadata", flag(settings.copy_metadata)),
        ("data", paths(&settings.data)),
        ("data_vars", PluginValue::map(variables)),
        ("file_data", PluginValue::map(file_data)),
        ("plugins", texts(&settings.plugins)),
        ("loaders", PluginValue::List(Vec::new())),
        ("import_paths", paths(&settings.import_paths)),
        ("extensions", texts(&settings.extensions)),
        ("undefined", text(undefined)),
        ("exec_pre", texts(&settings.exec_pre)),
        ("exec_post", texts(&settings.exec_post)),
        ("clean", flag(settings.clean)),
        ("force", flag(settings.force)),
        ("quiet", flag(settings.quiet)),
        ("delimiter", delimiter_value(settings)),
        ("prefix", prefix_value(settings)),
        ("whitespace", whitespace_value(settings)),
        ("internal", internal_value(settings)),
    ])
}

fn delimiter_value(settings: &Settings) -> PluginValue {
    let of = &settings.delimiter;
    let pairs = [
        ("block_start", &of.block_start),
        ("block_end", &of.block_end),
        ("comment_start", &of.comment_start),
        ("comment_end", &of.comment_end),
        ("variable_start", &of.variable_start),
        ("variable_end", &of.variable_end),
    ];
    PluginValue::map(pairs.map(|(name, text)| (name, PluginValue::text(text.as_str()))))
}

fn prefix_value(settings: &Settings) -> PluginValue {
    let optional = |text: &Option<String>| match text {
        Some(text) => PluginValue::text(text.as_str()),
        None => PluginValue::Null,
    };
    PluginValue::map([
        ("line_statement", optional(&settings.prefix.line_statement)),
        ("line_comment", optional(&settings.prefix.line_comment)),
    ])
}

fn whitespace_value(settings: &Settings) -> PluginValue {
    let of = &settings.whitespace;
    let newline = PluginValue::text(of.newline_sequence.as_str());
    PluginValue::map([
        ("trim_blocks", PluginValue::Bool(of.trim_blocks)),
        ("lstrip_blocks", PluginValue::Bool(of.lstrip_blocks)),
        (
            "keep_trailing_newline",
            PluginValue::Bool(of.keep_trailing_newline),
        ),
        ("newline_sequence", newline),
    ])
}

fn internal_value(settings: &Settings) -> PluginValue {
    let of = &settings.internal;
    PluginValue::map([
        ("optimized", PluginValue::Bool(of.optimized)),
        ("autoescape", PluginValue::Bool(of.autoescape)),
        ("cache_size", PluginValue::integer(of.cache_size)),
        ("auto_reload", PluginValue::Bool(of.auto_reload)),
        ("enable_async", PluginValue::Bool(of.enable_async)),
    ])
}

/// What is needed to load plugins.
pub(super) struct PluginWishes<'w> {
    pub(super) settings: &'w Settings,
    pub(super) files: &'w KeyedFiles<'w>,
    pub(super) starter: Option<&'w PluginStarter<'w>>,
    pub(super) python: &'w [String],
    pub(super) timeout: Duration,
    pub(super) variables: &'w [(String, String)],
    /// The absolute path of the project's folder.
    pub(super) folder: &'w Path,
}

/// What plugins give to templates.
pub(super) struct LoadedPlugins {
    /// The data as templates see them.
    pub(super) data: PluginValue,
    /// What is said of it.
    pub(super) notices: Vec<Diagnostic>,
    pub(super) functions: Vec<(String, Arc<dyn Callable>)>,
    pub(super) filters: Vec<(String, Arc<dyn Callable>)>,
    tests: Vec<(String, Arc<dyn Callable>)>,
    globals: Vec<(String, PluginValue)>,
    /// The folders that their filters leave out.
    pub(super) left_out: Vec<FolderFilter>,
    /// Whether a plugin sets `env`, which is the environment otherwise.
    pub(super) sets_env: bool,
    /// The absolute path of the project's folder.
    folder: PathBuf,
    running: Option<RunningPlugins>,
}

/// The Python of plugins at work.
struct RunningPlugins {
    started: StartedPlugins,
    has_filters: bool,
}

impl LoadedPlugins {
    /// Loads the plugins that the settings name.
    pub(super) fn load(
        wishes: &PluginWishes<'_>,
        desk: &FileDesk,
        data: PluginValue,
    ) -> Result<Self, Vec<Diagnostic>> {
        let loaded = Self::without(data, wishes.folder);
        if wishes.settings.plugins.is_empty() {
            return Ok(loaded);
        }
        let mut built_in = Self::without(loaded.data.clone(), wishes.folder);
        match family::load(wishes, desk, &mut built_in)? {
            BuiltIn::Loaded => Ok(built_in),
            BuiltIn::Needs(reason) => loaded.run(wishes, &reason),
        }
    }

    fn without(data: PluginValue, folder: &Path) -> Self {
        Self {
            data,
            notices: Vec::new(),
            functions: Vec::new(),
            filters: Vec::new(),
            tests: Vec::new(),
            globals: Vec::new(),
            left_out: Vec::new(),
            sets_env: false,
            folder: folder.to_owned(),
            running: None,
        }
    }

    /// Runs the plugins in Python.
    fn run(mut self, wishes: &PluginWishes<'_>, reason: &str) -> Result<Self, Vec<Diagnostic>> {
        let Some(starter) = wishes.starter else {
            return Err(vec![not_run(wishes.settings, reason)]);
        };
        let request = PluginRequest {
            command: wishes.python,
            timeout: wishes.timeout,
            replaced: wishes.files.replaced(),
            settings: wishes.settings,
            data: &self.data,
            variables: wishes.variables,
        };
        let read = |path: &str| {
            let bytes = wishes.files.read(path).ok()??;
            String::from_utf8(bytes).ok()
        };
        let running = starter(&request)
            .map_err(|error| vec![plugin_failure(&error, wishes.folder, &read)])?;
        self.take_over(running)?;
        Ok(self)
    }

    fn take_over(&mut self, started: StartedPlugins) -> Result<(), Vec<Diagnostic>> {
        let offered = Offered::clone(&started.offered);
        if let Some(extension) = offered.extensions.first() {
            let message = format!(
                "a plugin asks for the extension `{extension}` of Jinja2, which is a Python program that Kiln cannot have"
            );
            return Err(vec![Diagnostic::error(
                &render::codes::TEMPLATE_CONSTRUCT,
                message,
            )]);
        }
        let server = &started.server;
        let callables = |offers: Vec<Offer>| {
            let offers = offers.into_iter();
            let callable = |offer: Offer| -> (String, Arc<dyn Callable>) {
                let function = PluginFunction {
                    server: Arc::clone(server),
                    callee: offer.callee,
                };
                (offer.name, Arc::new(function))
            };
            offers.map(callable).collect()
        };
        self.functions = callables(offered.functions);
        self.filters = callables(offered.filters);
        self.tests = callables(offered.tests);
        self.globals = offered.globals;
        self.sets_env = offered.data.get("env") != self.data.get("env");
        self.data = offered.data;
        let changes = offered.environment_changes.iter();
        self.notices.extend(changes.map(|name| {
            without_effect(&format!("`{name}` of Jinja2's environment"))
                .with_hint("set it in `makejinja.toml`")
        }));
        let policies = offered.policies.iter();
        self.notices.extend(policies.map(|(name, _)| {
            without_effect(&format!("the policy `{name}` of Jinja2"))
                .with_hint("give the arguments of the filters that it changes, in the templates")
        }));
        self.running = Some(RunningPlugins {
            has_filters: offered.has_path_filters,
            started,
        });
        Ok(())
    }

    /// Returns whether a path, absolute, becomes an output, by what plugins say.
    pub(super) fn keeps(&self, path: &str) -> Result<bool, Diagnostic> {
        let path = Path::new(path);
        let below = path.strip_prefix(&self.folder).unwrap_or(path);
        let Some(running) = &self.running else {
            let below = below.to_string_lossy();
            return Ok(!self.left_out.iter().any(|filter| filter.covers(&below)));
        };
        if !running.has_filters {
            return Ok(true);
        }
        // What is absolute after all leads where it says.
        let server = &running.started.server;
        let path = server.folder().join(below);
        let kept = server.host().keep_path(&path);
        kept.map_err(|error| server.failure(&error))
    }

    /// Gives all of it to an engine.
    pub(super) fn add_to(&self, engine: &mut Engine) {
        let server = self.running.as_ref().map(|running| &running.started.server);
        if let PluginValue::Map(entries) = &self.data {
            for (key, value) in entries {
                if let Some(name) = key.as_text() {
                    engine.add_global(name, to_template(value, server));
                }
            }
        }
        for (name, value) in &self.globals {
            engine.add_global(name, to_template(value, server));
        }
        for (name, function) in &self.functions {
            engine.add_function(name, Arc::clone(function));
        }
        for (name, filter) in &self.filters {
            engine.add_filter(name, Arc::clone(filter));
        }
        for (name, test) in &self.tests {
            engine.add_test(name, Arc::clone(test));
        }
    }

    /// Lists what Python has read of the project, by the paths of the project.
    pub(super) fn read_files(&self) -> BTreeSet<String> {
        let Some(running) = &self.running else {
            return BTreeSet::new();
        };
        let server = &running.started.server;
        let read = server.host().read_files().into_iter();
        let folder = server.folder();
        read.filter_map(|path| path_below(folder, &path)).collect()
    }
}

/// Says that what a plugin sets changes nothing.
fn without_effect(what: &str) -> Diagnostic {
    let message = format!("a plugin sets {what}, which has no effect");
    Diagnostic::warning(&diagnostic::codes::MAKEJINJA_NO_EFFECT, message)
}

fn not_run(settings: &Settings, reason: &str) -> Diagnostic {
    let names = settings.plugins.join("`, `");
    let message = format!("the plugin `{names}` is not run: {reason}");
    Diagnostic::error(&codes::PLUGIN_NOT_RUN, message)
        .with_hint("look through the plugin, and run it with `--with-plugins`")
}

/// Returns a path as the project in a folder names it; `None` where it is elsewhere.
fn path_below(folder: &Path, path: &Path) -> Option<String> {
    let path = path.strip_prefix(folder).ok()?.to_str()?;
    Some(path.replace('\\', "/"))
}

/// Puts the lines of a message one behind the other.
fn in_one_line(message: &str) -> String {
    let lines = message
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let mut told = String::new();
    for line in lines {
        told.push_str(match told.chars().next_back() {
            None => "",
            Some(':' | ',' | ';') => " ",
            Some(_) => "; ",
        });
        told.push_str(line);
    }
    told
}

/// Says what failed in a plugin, in the line of the project's own code that it went through last.
pub(super) fn plugin_failure(
    error: &PluginError,
    folder: &Path,
    read: &dyn Fn(&str) -> Option<String>,
) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(&codes::PLUGIN_FAILED, in_one_line(&error.message));
    if let Some(hint) = &error.hint {
        diagnostic = diagnostic.with_hint(hint.clone());
    }
    if let Some(line) = error.printed.lines().rfind(|line| !line.trim().is_empty()) {
        diagnostic = diagnostic.with_hint(format!("it printed before: {}", line.trim()));
    }
    let own = error
        .frames
        .iter()
        .rev()
        .find_map(|frame| Some((path_below(folder, &frame.file)?, frame.line)));
    let Some((path, line)) = own else {
        return diagnostic;
    };
    let text = read(&path).unwrap_or_default();
    let source = Source::new(path, text);
    let span = source.line_span(line);
    diagnostic.at(&source, Span::new(span.start, span.end), "")
}

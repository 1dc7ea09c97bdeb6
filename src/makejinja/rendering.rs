//! From settings, data and plugins to files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jinja::{Engine, Syntax, UndefinedMode, Value, value};
use makejinja::{
    LoadedData, Problem, ProblemKind, Selection, Settings, load_data, load_file_data, select,
};
use makejinja_plugins::PluginValue;
use zeroize::Zeroizing;

use super::family::FileDesk;
use super::keyed_files::{KeyedFiles, keys_at_hand, secrets_in};
use super::plugins::{LoadedPlugins, PluginStarter, PluginWishes};
use super::problem::ProblemSources;
use super::settings::{GivenFiles, MakejinjaOutside, settings};
use super::template_sources::{TemplateSources, unreadable};
use super::values::{of_data, to_json, to_template};
use crate::diagnostic::{Diagnostic, StageResult, Warned};
use crate::render::{
    JinjaOutput, JinjaProject, OtherRendering, PodAsks, Rendering, finish_problems,
};
use crate::secret::{KnownSecrets, Secrets, names_a_secret};
use crate::source::{Files, Source};
use crate::tree::{File, Tree, binary_description, is_secret_path};

/// What a makejinja project is rendered from.
pub struct MakejinjaInputs<'i> {
    /// The project.
    pub files: &'i dyn Files,
    /// The absolute path of its folder, as patterns and plugins see it.
    pub folder: &'i str,
    /// Its options and its environment.
    pub outside: MakejinjaOutside<'i>,
    /// What starts the Python of its plugins.
    pub plugins: Option<&'i PluginStarter<'i>>,
    /// The command of that Python.
    pub python: &'i [String],
    /// How long one answer of it may take.
    pub timeout: Duration,
    /// Whether keys are made up, and none may be read.
    pub makes_up_keys: bool,
    /// Who is told of secrets.
    pub known: &'i KnownSecrets,
}

/// A makejinja project that was rendered.
pub struct MakejinjaRendering {
    /// The files.
    pub rendering: Rendering,
    /// The data, as far as JSON has its values.
    pub values: serde_json::Value,
    /// Whether the project writes over files that are there.
    pub overwrites: bool,
}

/// Renders a project, and again with other secrets in the place of those in its key files.
///
/// # Errors
/// All problems of the stage that has any: settings, data, plugins, selection, templates.
pub fn render(inputs: &MakejinjaInputs<'_>) -> StageResult<MakejinjaRendering> {
    let Warned {
        value: mut settings,
        mut warnings,
    } = settings(inputs.files, inputs.outside)?;
    settings.set_project_folder(inputs.folder);
    let told = ProblemSources::new(
        inputs.files,
        inputs.outside.variables,
        inputs.outside.arguments,
    );
    refuse_unavailable(&settings, &told)?;
    let keys = match inputs.plugins {
        Some(_) => keys_at_hand(inputs.files),
        None => BTreeMap::new(),
    };
    let mut at_hand = secrets_in(keys.iter().map(|(path, bytes)| (path, bytes.as_slice())));
    // Python reads files by itself, and gets those that are made up where the real ones must not be read.
    let replaced = if inputs.makes_up_keys {
        keys
    } else {
        BTreeMap::new()
    };
    let files = KeyedFiles::new(inputs.files, replaced);
    let run = Run {
        inputs,
        settings: &settings,
        files: &files,
        told,
        compared: false,
    };
    let loaded = run.load_data(&mut warnings);
    let loaded = loaded.map_err(|problems| finish_problems(problems, &at_hand))?;
    at_hand.extend(secrets_of(&loaded));
    inputs.known.note(at_hand.clone());
    let made = run.make(loaded);
    let Made {
        files: made,
        problems,
        data,
        read,
        secrets: given,
    } = made.map_err(|problems| finish_problems(problems, &at_hand))?;
    warnings.extend(problems);
    files.note_reads(&read, &settings);
    let secret_files = files.secret_files();
    let mut secrets = at_hand;
    secrets.extend(secrets_of(&data));
    secrets.extend(given);
    secrets.extend(files.secrets());
    inputs.known.note(secrets.clone());
    let problems = finish_problems(warnings, &secrets);
    let is_broken = problems.iter().any(Diagnostic::is_error);
    let other = (!is_broken && !secret_files.is_empty())
        .then(|| render_with_stand_ins(inputs, &settings, &files));
    let rendering = Rendering {
        tree: Tree::rendered(made, Vec::new()),
        secrets,
        secret_files,
        pod_asks: PodAsks::default(),
        others: other.into_iter().collect(),
    };
    let made = MakejinjaRendering {
        rendering,
        values: to_json(&data),
        overwrites: settings.force,
    };
    Warned::unless_errors(made, problems)
}

/// The extensions of Jinja2 whose statements are always there.
const OWN_EXTENSIONS: [&str; 2] = ["jinja2.ext.do", "jinja2.ext.loopcontrols"];

/// Refuses what settings ask for and Kiln cannot have.
fn refuse_unavailable(
    settings: &Settings,
    told: &ProblemSources<'_>,
) -> Result<(), Vec<Diagnostic>> {
    let others = settings.extensions.iter();
    let others = others.filter(|name| !OWN_EXTENSIONS.contains(&name.as_str()));
    let extensions = others.map(|name| {
        let message =
            format!("the extension `{name}` of Jinja2 is a Python program that Kiln cannot have");
        (
            message,
            "extensions",
            "write what it does as a filter or function of a plugin",
        )
    });
    let escape = settings.internal.autoescape.then(|| {
        let message = "`internal.autoescape` is not supported: Kiln renders text and no HTML";
        (
            message.to_owned(),
            "internal.autoescape",
            "escape where it is needed: `{{ value | e }}`",
        )
    });
    let refused = extensions.chain(escape).map(|(message, option, hint)| {
        let problem = Problem::new(ProblemKind::InvalidValue, message);
        let problem = problem.with_hint(hint).at(settings.origin(option).cloned());
        told.error(problem)
    });
    let refused: Vec<Diagnostic> = refused.collect();
    if refused.is_empty() {
        Ok(())
    } else {
        Err(refused)
    }
}

/// Renders with other contents of the key files.
fn render_with_stand_ins(
    inputs: &MakejinjaInputs<'_>,
    settings: &Settings,
    files: &KeyedFiles<'_>,
) -> OtherRendering {
    let files = KeyedFiles::new(inputs.files, files.stand_ins());
    let run = Run {
        inputs,
        settings,
        files: &files,
        told: ProblemSources::new(inputs.files, &[], &[]),
        compared: true,
    };
    let loaded = run.load_data(&mut Vec::new());
    let (made, failures) = match loaded.and_then(|loaded| run.make(loaded)) {
        Ok(made) => (made.files, made.problems),
        Err(failures) => (Vec::new(), failures),
    };
    OtherRendering {
        tree: Tree::rendered(made, Vec::new()),
        failures: failures.into_iter().filter(Diagnostic::is_error).collect(),
    }
}

/// Lists the secrets in the data: the values of keys that say so.
fn secrets_of(data: &PluginValue) -> Secrets {
    let mut secrets = Secrets::default();
    note_secrets(data, "", false, &mut secrets);
    secrets
}

fn note_secrets(value: &PluginValue, route: &str, is_secret: bool, secrets: &mut Secrets) {
    match value {
        PluginValue::Map(entries) => {
            for (key, value) in entries {
                let key = key.as_text().unwrap_or_default();
                let below = format!("{route}{}{key}", if route.is_empty() { "" } else { "." });
                note_secrets(value, &below, is_secret || names_a_secret(key), secrets);
            }
        }
        PluginValue::List(items) => {
            for item in items {
                note_secrets(item, route, is_secret, secrets);
            }
        }
        PluginValue::Text(text) if is_secret => secrets.insert(text, route),
        _ => {}
    }
}

/// The text of a file that is copied, or a description of it, and the bytes of one that is no text.
type CopiedContent = (Arc<Source>, Option<Arc<[u8]>>);

/// One rendering.
struct Run<'r> {
    inputs: &'r MakejinjaInputs<'r>,
    settings: &'r Settings,
    files: &'r KeyedFiles<'r>,
    told: ProblemSources<'r>,
    /// Whether the files are only compared.
    compared: bool,
}

/// What one rendering made.
struct Made {
    files: Vec<File>,
    problems: Vec<Diagnostic>,
    /// The data after all plugins.
    data: PluginValue,
    /// What the Python of plugins read, from the project's folder.
    read: BTreeSet<String>,
    /// What functions gave to templates and is secret.
    secrets: Secrets,
}

impl Run<'_> {
    /// Reads a data file.
    fn read_data(&self, path: &str) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        let bytes = self.files.read(path).map_err(|error| error.reason)?;
        Ok(bytes.map(Zeroizing::new))
    }

    fn load_data(&self, problems: &mut Vec<Diagnostic>) -> Result<PluginValue, Vec<Diagnostic>> {
        let given = GivenFiles(self.files);
        let loaded = load_data(self.settings, &given, &|path| self.read_data(path));
        Ok(map_of(&self.keep(loaded, problems)?))
    }

    fn make(&self, data: PluginValue) -> Result<Made, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let given = GivenFiles(self.files);
        let wishes = PluginWishes {
            settings: self.settings,
            files: self.files,
            starter: self.inputs.plugins,
            python: self.inputs.python,
            timeout: self.inputs.timeout,
            variables: self.inputs.outside.variables,
            folder: Path::new(self.inputs.folder),
        };
        let (desk, clerk) = FileDesk::open();
        let mut plugins = LoadedPlugins::load(&wishes, &desk, data)?;
        problems.append(&mut plugins.notices);
        // A filter that fails is told as any plugin that does, with its place.
        let mut failed = None;
        let mut keep = |path: &str| {
            plugins.keeps(path).map_err(|failure| {
                failed = Some(failure);
                Problem::new(ProblemKind::Skipped, "a path filter failed")
            })
        };
        let selected = select(self.settings, &given, &mut keep);
        if let Some(failure) = failed {
            return Err(vec![failure]);
        }
        let selection = self.keep(selected, &mut problems)?;
        let sources = TemplateSources::read(self.files, &selection.searched)?;
        let sources = Arc::new(sources);
        let engine = self.engine(&plugins, Arc::clone(&sources));
        let outputs = self.outputs(&selection, &sources, &mut problems)?;
        let project = JinjaProject {
            engine: &engine,
            sources: &|name| sources.find(name),
            outputs: &outputs,
            keep_empty: self.settings.keep_empty,
        };
        let (files, found) = std::thread::scope(|scope| {
            let rendering = scope.spawn(|| {
                let _closing = desk.closing();
                project.render(self.compared)
            });
            clerk.serve(self.files);
            rendering.join()
        })
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        problems.extend(found);
        problems.extend(self.lost(&selection, &files));
        Ok(Made {
            files,
            problems,
            read: plugins.read_files(),
            secrets: desk.secrets(),
            data: plugins.data,
        })
    }

    /// Takes a result of the crate apart.
    fn keep<T>(
        &self,
        result: Result<makejinja::Loaded<T>, Vec<Problem>>,
        problems: &mut Vec<Diagnostic>,
    ) -> Result<T, Vec<Diagnostic>> {
        match result {
            Ok(loaded) => {
                let notices = loaded.notices.into_iter();
                problems.extend(notices.map(|notice| self.told.warning(notice)));
                Ok(loaded.value)
            }
            Err(found) => {
                let found = found.into_iter();
                Err(found.map(|problem| self.told.error(problem)).collect())
            }
        }
    }

    /// Names the outputs that makejinja cannot write where they belong.
    fn lost(&self, selection: &Selection, files: &[File]) -> Vec<Diagnostic> {
        let made: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
        let outputs = selection.outputs.iter();
        let lost = outputs.filter(|output| made.contains(output.path.as_str()));
        let lost = lost.filter_map(|output| output.unwritable.clone());
        lost.map(|problem| self.told.error(problem)).collect()
    }

    fn engine(&self, plugins: &LoadedPlugins, sources: Arc<TemplateSources>) -> Engine {
        let load = move |name: &str| Some(Arc::from(&*sources.find(name)?.text));
        let undefined = match self.settings.undefined {
            makejinja::UndefinedMode::Default => UndefinedMode::Default,
            makejinja::UndefinedMode::Chainable => UndefinedMode::Chainable,
            makejinja::UndefinedMode::Debug => UndefinedMode::Debug,
            makejinja::UndefinedMode::Strict => UndefinedMode::Strict,
        };
        let mut engine = Engine::new(syntax(self.settings), undefined, Arc::new(load));
        plugins.add_to(&mut engine);
        // It hides data of that name, and only a plugin gets past it.
        if !plugins.sets_env {
            engine.add_global("env", self.environment());
        }
        engine
    }

    /// The variables of the environment, as `env` of templates.
    fn environment(&self) -> Value {
        let variables = self.inputs.outside.variables.iter();
        value::dict(
            variables
                .map(|(name, value)| (Value::from(name.as_str()), Value::from(value.as_str())))
                .collect(),
        )
    }

    fn outputs(
        &self,
        selection: &Selection,
        sources: &TemplateSources,
        problems: &mut Vec<Diagnostic>,
    ) -> Result<Vec<JinjaOutput>, Vec<Diagnostic>> {
        let outputs = selection.outputs.iter();
        outputs
            .map(|output| {
                let keeps_mode = !output.is_template || self.settings.copy_metadata;
                let executable = keeps_mode && self.files.is_executable(&output.input);
                if output.is_template {
                    let source = sources.find(&output.name).ok_or_else(|| {
                        vec![unreadable(
                            &output.input,
                            "it is not UTF-8 text, as a template is",
                        )]
                    })?;
                    return Ok(JinjaOutput {
                        path: output.path.clone(),
                        template: Some(output.name.clone()),
                        source: Arc::clone(source),
                        executable,
                        binary: None,
                        variables: self.variables(&output.name, problems)?,
                    });
                }
                let (source, binary) = self.copied(&output.input)?;
                Ok(JinjaOutput {
                    path: output.path.clone(),
                    template: None,
                    source,
                    executable,
                    binary,
                    variables: Value::from(()),
                })
            })
            .collect()
    }

    fn copied(&self, path: &str) -> Result<CopiedContent, Vec<Diagnostic>> {
        let bytes = self.files.read(path);
        let bytes = bytes.map_err(|error| vec![unreadable(path, &error.reason)])?;
        Ok(match String::from_utf8(bytes.unwrap_or_default()) {
            Ok(text) => (Source::of(path, text.into(), is_secret_path(path)), None),
            Err(error) => {
                let bytes = error.into_bytes();
                let description = Source::new(path, binary_description(&bytes));
                (description, Some(bytes.into()))
            }
        })
    }

    /// What `file_data` gives one template.
    fn variables(
        &self,
        name: &str,
        problems: &mut Vec<Diagnostic>,
    ) -> Result<Value, Vec<Diagnostic>> {
        let given = GivenFiles(self.files);
        let loaded = load_file_data(self.settings, name, &given, &|path| self.read_data(path));
        Ok(to_template(&map_of(&self.keep(loaded, problems)?), None))
    }
}

fn map_of(data: &LoadedData) -> PluginValue {
    let entries = data.entries.iter();
    PluginValue::Map(
        entries
            .map(|entry| (of_data(&entry.key), of_data(&entry.value)))
            .collect(),
    )
}

fn syntax(settings: &Settings) -> Syntax {
    let delimiter = &settings.delimiter;
    let pair = |start: &String, end: &String| (start.clone(), end.clone());
    Syntax {
        block: pair(&delimiter.block_start, &delimiter.block_end),
        variable: pair(&delimiter.variable_start, &delimiter.variable_end),
        comment: pair(&delimiter.comment_start, &delimiter.comment_end),
        line_statement: settings.prefix.line_statement.clone(),
        line_comment: settings.prefix.line_comment.clone(),
        trim_blocks: settings.whitespace.trim_blocks,
        lstrip_blocks: settings.whitespace.lstrip_blocks,
        keep_trailing_newline: settings.whitespace.keep_trailing_newline,
        newline: settings.whitespace.newline_sequence.as_str().to_owned(),
    }
}

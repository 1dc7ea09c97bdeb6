//! Plugins of which every function is built in, so that no Python runs.

use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use jinja::{CallError, Callable, Value};
use makejinja::{FolderFilter, find_folder_filters};
use makejinja_plugins::family::{FamilyFunction, KeyFiles, defaults, folder_filter};
use makejinja_plugins::{KnownPlugin, known_plugin};
use zeroize::Zeroizing;

use super::keyed_files::KeyedFiles;
use super::plugins::{LoadedPlugins, PluginWishes};
use super::settings::GivenFiles;
use super::values::{of_template, to_template};
use crate::diagnostic::Diagnostic;
use crate::makejinja::codes;
use crate::render::CallFailure;
use crate::secret::Secrets;
use crate::source::Files as _;

/// What has become of plugins that need no Python.
pub(super) enum BuiltIn {
    /// They are loaded.
    Loaded,
    /// They need it all the same: what is not built in.
    Needs(String),
}

/// Takes over what plugins give to templates, where all of it is built in.
///
/// # Errors
/// What the plugins themselves would refuse.
pub(super) fn load(
    wishes: &PluginWishes<'_>,
    desk: &FileDesk,
    loaded: &mut LoadedPlugins,
) -> Result<BuiltIn, Vec<Diagnostic>> {
    let mut found = Vec::new();
    for name in &wishes.settings.plugins {
        match known(wishes, name) {
            Ok(plugin) => found.push(plugin),
            Err(needed) => return Ok(BuiltIn::Needs(needed)),
        }
    }
    for plugin in found {
        defaults(&plugin.defaults, &mut loaded.data)
            .map_err(|error| vec![Diagnostic::error(&codes::PLUGIN_FAILED, error.message)])?;
        let callable = |(name, function): (String, FamilyFunction)| {
            let function: Arc<dyn Callable> = Arc::new(BuiltInFunction {
                function,
                files: desk.clone(),
            });
            (name, function)
        };
        loaded
            .functions
            .extend(plugin.functions.into_iter().map(callable));
        loaded
            .filters
            .extend(plugin.filters.into_iter().map(callable));
        if plugin.has_folder_filters {
            let Some(folders) = folders_left_out(wishes, loaded)? else {
                let what = "a `.mjfilter.py` does more than look into the data";
                return Ok(BuiltIn::Needs(what.to_owned()));
            };
            loaded.left_out.extend(folders);
        }
    }
    Ok(BuiltIn::Loaded)
}

/// Reads a plugin, named as `module:Class`, without running it; else says what is not built in.
fn known(wishes: &PluginWishes<'_>, name: &str) -> Result<KnownPlugin, String> {
    let (module, class) = name.split_once(':').unwrap_or((name, ""));
    let module = module.replace('.', "/");
    let places = wishes.settings.import_paths.iter().flat_map(|folder| {
        let prefix = match folder.as_str() {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        [
            format!("{prefix}{module}.py"),
            format!("{prefix}{module}/__init__.py"),
        ]
    });
    let source = places.into_iter().find_map(|path| {
        let bytes = wishes.files.read(&path).ok()??;
        String::from_utf8(bytes).ok()
    });
    let Some(source) = source else {
        return Err(format!(
            "it is no file of the project, as `{name}` has to be to be known"
        ));
    };
    let plugin = known_plugin(&source);
    if let Some(part) = plugin.unknown.first() {
        return Err(format!("{} (line {}) is its own", part.name, part.line));
    }
    if plugin.class.as_deref() != Some(class) {
        return Err(format!("it has no class `{class}` that is known"));
    }
    Ok(plugin)
}

/// Lists the folders that their filters leave out; `None` where a filter has to be run.
fn folders_left_out(
    wishes: &PluginWishes<'_>,
    loaded: &LoadedPlugins,
) -> Result<Option<Vec<FolderFilter>>, Vec<Diagnostic>> {
    let found = find_folder_filters(wishes.settings, &GivenFiles(wishes.files));
    let found = found.map_err(|problems| {
        let problems = problems.into_iter();
        problems
            .map(|problem| Diagnostic::error(&codes::MAKEJINJA_MISSING, problem.message))
            .collect::<Vec<_>>()
    })?;
    let mut left_out = Vec::new();
    for filter in found {
        let bytes = wishes.files.read(&filter.path).ok().flatten();
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        match text.and_then(|text| folder_filter(&text, &loaded.data)) {
            Some(true) => {}
            Some(false) => left_out.push(filter),
            None => return Ok(None),
        }
    }
    Ok(Some(left_out))
}

/// A function that is built in.
struct BuiltInFunction {
    function: FamilyFunction,
    files: FileDesk,
}

impl Callable for BuiltInFunction {
    fn call(&self, args: &[Value], kwargs: &[(String, Value)]) -> Result<Value, CallError> {
        let args: Vec<_> = args.iter().map(of_template).collect();
        let named = kwargs.iter();
        let named = named.map(|(name, value)| (name.clone(), of_template(value)));
        let named: Vec<_> = named.collect();
        match self.function.call(&self.files, &args, &named) {
            Ok(value) => {
                if self.function.gives_secret(&args, &named)
                    && let Some(text) = value.as_text()
                {
                    self.files.note(text);
                }
                Ok(to_template(&value, None))
            }
            Err(error) => {
                let failure = Diagnostic::error(&codes::PLUGIN_FAILED, error.message.clone());
                Err(CallError {
                    message: error.message,
                    cause: Some(Box::new(CallFailure(failure))),
                })
            }
        }
    }
}

type Answer<T> = Result<Option<T>, String>;

/// What a function asks of the project's files.
enum FileQuestion {
    Read(String, Sender<Answer<Zeroizing<String>>>),
    List(String, Sender<Answer<Vec<String>>>),
    /// Nothing is asked any more.
    Done,
}

/// Where functions ask for the files of the project.
///
/// Functions outlive every borrow and the files of a project do not: so whoever has them serves the questions of the
/// thread that renders.
#[derive(Clone)]
pub(super) struct FileDesk {
    ask: Sender<FileQuestion>,
    secrets: Arc<Mutex<Secrets>>,
}

/// A desk that is closed when this is dropped.
pub(super) struct ClosingDesk<'d>(&'d FileDesk);

impl Drop for ClosingDesk<'_> {
    fn drop(&mut self) {
        // Without anybody to hear it, nobody waits either.
        self.0.ask.send(FileQuestion::Done).ok();
    }
}

/// The other side of a [`FileDesk`].
pub(super) struct FileClerk(Receiver<FileQuestion>);

impl FileDesk {
    pub(super) fn open() -> (Self, FileClerk) {
        let (ask, asked) = channel();
        let secrets = Arc::default();
        (Self { ask, secrets }, FileClerk(asked))
    }

    /// Says that nothing is asked any more once what is returned is dropped, by a panic as well.
    pub(super) fn closing(&self) -> ClosingDesk<'_> {
        ClosingDesk(self)
    }

    /// Returns the secrets that functions gave to templates.
    pub(super) fn secrets(&self) -> Secrets {
        let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.clone()
    }

    fn note(&self, secret: &str) {
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.insert(secret, "a key file");
    }

    fn answer<T>(&self, question: impl FnOnce(Sender<Answer<T>>) -> FileQuestion) -> Answer<T> {
        let (reply, replied) = channel();
        let closed = || "nobody reads files any more".to_owned();
        self.ask.send(question(reply)).map_err(|_| closed())?;
        replied.recv().map_err(|_| closed())?
    }
}

impl KeyFiles for FileDesk {
    fn read_secret(&self, path: &str) -> Answer<Zeroizing<String>> {
        self.answer(|reply| FileQuestion::Read(path.to_owned(), reply))
    }

    fn list_files(&self, folder: &str) -> Answer<Vec<String>> {
        self.answer(|reply| FileQuestion::List(folder.to_owned(), reply))
    }
}

impl FileClerk {
    /// Answers until nothing is asked any more.
    pub(super) fn serve(&self, files: &KeyedFiles<'_>) {
        for question in &self.0 {
            // Who has asked and gone away needs no answer.
            match question {
                FileQuestion::Done => return,
                FileQuestion::Read(path, reply) => reply.send(read(files, &path)).ok(),
                FileQuestion::List(folder, reply) => reply.send(list(files, &folder)).ok(),
            };
        }
    }
}

fn read(files: &KeyedFiles<'_>, path: &str) -> Answer<Zeroizing<String>> {
    let path = path.strip_prefix("./").unwrap_or(path);
    let bytes = files.read_secret(path).map_err(|error| error.reason)?;
    let text = bytes.map(|bytes| String::from_utf8(bytes).map(Zeroizing::new));
    let text = text.transpose();
    text.map_err(|_| "it is not UTF-8 text".to_owned())
}

fn list(files: &KeyedFiles<'_>, folder: &str) -> Answer<Vec<String>> {
    let folder = folder.trim_start_matches("./").trim_end_matches('/');
    let paths = files.list(folder).map_err(|error| error.reason)?;
    let prefix = format!("{folder}/");
    let names: BTreeSet<String> = paths
        .iter()
        .filter_map(|path| path.strip_prefix(&prefix))
        .filter(|name| !name.contains('/'))
        .map(str::to_owned)
        .collect();
    Ok((!paths.is_empty()).then(|| names.into_iter().collect()))
}

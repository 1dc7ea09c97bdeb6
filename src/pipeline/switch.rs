//! Switching apps on and off by their options in the config.

use std::collections::BTreeMap;

use rand_core::CryptoRngCore;
use serde_json::Value;

use super::sealed_config::{SealedConfig, readings};
use super::{CompileFailure, Warnings, World, configured, inputs};
use crate::config::cluster::Cluster;
use crate::config::edit::{self, EditError};
use crate::config::project::Project;
use crate::diagnostic::Diagnostic;
use crate::pipeline::codes;
use crate::render;
use crate::secret::Secret;
use crate::source::{Files as _, OverlaidFiles, ReadError};
use crate::tree::App;
use crate::yaml::{self, Resolver};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct ConfigChange {
    /// The names of the apps.
    pub names: Vec<String>,
    /// Whether they shall be on.
    pub on: bool,
    /// Options of the one app that is named, as `key=value` with a dotted key.
    pub options: Vec<Secret>,
}

/// What comes of it; nothing is written yet.
#[derive(Debug, Default)]
pub struct Switched {
    /// The new texts of the data files that change, by path.
    pub files: BTreeMap<String, String>,
    /// The apps that change, sorted by namespace and name; those that others need included.
    pub apps: Vec<App>,
    /// What the stages warned of.
    pub warnings: Vec<Diagnostic>,
}

/// Switches apps on, with what they need, or off, and proves that the config stays valid.
///
/// An app's switch is `apps.NAME.enabled`, or `NAME.enabled` for the few that the core has a key for. The edit
/// goes where the app's options stand already, else into the first data file that is not encrypted. An option that the
/// schema calls `writeOnly` goes into an encrypted data file, as by [`set_secret`](super::set_secret).
pub fn switch(
    world: &World<'_>,
    change: &ConfigChange,
    entropy: &mut dyn CryptoRngCore,
) -> Result<Switched, CompileFailure> {
    let mut warnings = Warnings::default();
    let (project, cluster) = configured(world, &mut warnings)?;
    let apps = listed(world, &project, &cluster, &mut warnings)?;
    let chosen = chosen(&apps, change).map_err(CompileFailure::Problems)?;
    let mut editor = DataFileEditor {
        world,
        cluster: &cluster,
        texts: BTreeMap::new(),
    };
    let mut problems = Vec::new();
    for app in &chosen {
        problems.extend(editor.switch(app, change.on)?);
    }
    let options = options(change).unwrap_or_else(|problem| {
        problems.push(problem);
        Vec::new()
    });
    if !problems.is_empty() {
        return Err(CompileFailure::Problems(problems));
    }
    let files = if options.is_empty() {
        prove(world, &editor.texts, &chosen, change.on)?;
        editor.texts
    } else {
        let options_editor = OptionEditor {
            editor,
            sealed: SealedConfig::open(world)?,
            prove: &|files| prove(world, files, &chosen, change.on),
        };
        options_editor.set(&options, entropy)?
    };
    Ok(Switched {
        files,
        apps: chosen,
        warnings: warnings.list,
    })
}

/// Sets a value of the config that is no secret, in the file that it belongs in, and returns the new texts of the data
/// files.
///
/// # Errors
/// Also when the config as it is does not load or is not valid; whether it is so afterwards is not proved.
pub fn set_value(
    world: &World<'_>,
    pointer: &str,
    value: &Value,
) -> Result<BTreeMap<String, String>, CompileFailure> {
    let (_, cluster) = configured(world, &mut Warnings::default())?;
    let mut editor = DataFileEditor {
        world,
        cluster: &cluster,
        texts: BTreeMap::new(),
    };
    match editor.set(pointer, value)? {
        Some(problem) => Err(CompileFailure::Problems(vec![problem])),
        None => Ok(editor.texts),
    }
}

/// An option that is to be set.
struct AppOption<'c> {
    pointer: String,
    text: &'c str,
}

/// Reads the options, of which none may be shown: a value may be a secret.
fn options(change: &ConfigChange) -> Result<Vec<AppOption<'_>>, Diagnostic> {
    let problem = |message: &str, hint: &str| {
        Err(Diagnostic::error(&codes::APP_OPTION, message).with_hint(hint))
    };
    let mut found = Vec::new();
    for (index, option) in change.options.iter().enumerate() {
        let [name] = change.names.as_slice() else {
            return problem(
                "options are for one app, and several are named",
                "enable one app at a time, each with its options",
            );
        };
        let Some((key, text)) = option.expose().split_once('=') else {
            // What is given may be the value alone, and that may be a secret.
            return problem(
                &format!("option {} has no `=` and sets nothing", index + 1),
                "write it as `key=value`, such as `replicas=2`; the key alone asks for the value of an option",
            );
        };
        let pointer = format!("/apps/{name}/{}", key.replace('.', "/"));
        found.push(AppOption { pointer, text });
    }
    Ok(found)
}

/// Loads and validates a project with new texts of its data files.
type Proof<'p> = dyn Fn(&BTreeMap<String, String>) -> Result<Cluster, CompileFailure> + 'p;

/// What options are set in: the data files, with the apps switched already.
struct OptionEditor<'e> {
    editor: DataFileEditor<'e>,
    sealed: SealedConfig<'e>,
    prove: &'e Proof<'e>,
}

impl OptionEditor<'_> {
    /// Sets options, the secret ones in an encrypted data file, the others in a plain one, and returns the texts.
    fn set(
        &self,
        options: &[AppOption<'_>],
        entropy: &mut dyn CryptoRngCore,
    ) -> Result<BTreeMap<String, String>, CompileFailure> {
        let schema = inputs::schema(self.editor.world)?;
        let is_secret = |option: &&AppOption<'_>| {
            self.sealed.holds(&option.pointer) || is_write_only(schema.json(), &option.pointer)
        };
        let (mut secret, mut plain): (Vec<&AppOption<'_>>, Vec<&AppOption<'_>>) =
            options.iter().partition(is_secret);
        if secret.is_empty() {
            // What else the schema says of a place shows in a config that has something there.
            let texts = self.with_plain(&plain)?;
            let pointers = (self.prove)(&texts)?.secret_pointers;
            let hidden = |option: &&AppOption<'_>| {
                let mut pointers = pointers.iter();
                pointers.any(|pointer| yaml::lies_in(&option.pointer, pointer))
            };
            (secret, plain) = plain.into_iter().partition(hidden);
            if secret.is_empty() {
                return Ok(texts);
            }
        }
        let texts = self.with_plain(&plain)?;
        let as_text = self.with_secret(&texts, &secret, false, entropy);
        let Err(failure) = as_text else {
            return as_text;
        };
        let typed = self.with_secret(&texts, &secret, true, entropy);
        typed.map_err(|_| failure)
    }

    fn with_plain(
        &self,
        options: &[&AppOption<'_>],
    ) -> Result<BTreeMap<String, String>, CompileFailure> {
        let mut editor = self.editor.clone();
        let mut problems = Vec::new();
        for option in options {
            problems.extend(editor.set(&option.pointer, &scalar(option.text))?);
        }
        if problems.is_empty() {
            Ok(editor.texts)
        } else {
            Err(CompileFailure::Problems(problems))
        }
    }

    fn with_secret(
        &self,
        texts: &BTreeMap<String, String>,
        options: &[&AppOption<'_>],
        typed: bool,
        entropy: &mut dyn CryptoRngCore,
    ) -> Result<BTreeMap<String, String>, CompileFailure> {
        let value = |option: &&AppOption<'_>| {
            let readings = readings(option.text);
            let reading = if typed {
                readings.last()
            } else {
                readings.first()
            };
            Some((option.pointer.clone(), reading?.clone()))
        };
        let values: Vec<(String, Value)> = options.iter().filter_map(value).collect();
        let (files, _) = self.sealed.with(&values, texts.clone(), entropy)?;
        (self.prove)(&files).map(|_| files)
    }
}

/// Returns whether the schema of the config says in so many words that a value is a secret.
fn is_write_only(schema: &Value, pointer: &str) -> bool {
    let way = pointer.replace('/', "/properties/");
    let place = schema.pointer(&way);
    place.is_some_and(|place| place["writeOnly"] == Value::Bool(true))
}

fn listed(
    world: &World<'_>,
    project: &Project,
    cluster: &Cluster,
    warnings: &mut Warnings,
) -> Result<Vec<App>, CompileFailure> {
    let listed = warnings.keep(render::apps(
        cluster.into(),
        &inputs::layers(world, project).read(),
    ))?;
    Ok(listed.into_iter().map(|(app, _)| app).collect())
}

/// Finds the apps that have to change: those that are named, and on the way up what they need.
fn chosen(apps: &[App], change: &ConfigChange) -> Result<Vec<App>, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut names: Vec<&str> = change.names.iter().map(String::as_str).collect();
    let mut at = 0;
    while let Some(name) = names.get(at).copied() {
        at += 1;
        match apps.iter().find(|app| app.name == name) {
            Some(app) if change.on => {
                let missing = app
                    .needs
                    .iter()
                    .map(String::as_str)
                    .filter(|need| apps.iter().any(|app| app.name == *need && !app.enabled));
                for need in missing {
                    if !names.contains(&need) {
                        names.push(need);
                    }
                }
            }
            Some(_) => {}
            None if name.contains('=') => {
                // An option without `--set`, and its value may be a secret.
                let key = name.split('=').next().unwrap_or_default();
                problems.push(
                    Diagnostic::error(
                        &codes::APP_UNKNOWN,
                        format!("`{key}=…` is no name of an app"),
                    )
                    .with_hint(format!("give an option with `--set {key}=…`")),
                );
            }
            None => problems.push(
                Diagnostic::error(&codes::APP_UNKNOWN, format!("there is no app `{name}`"))
                    .with_suggestion(name, apps.iter().map(|app| app.name.as_str()))
                    .with_hint("`kiln apps` lists them all"),
            ),
        }
    }
    if !change.on {
        problems.extend(still_needed(apps, &names));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let changes = |app: &&App| names.contains(&app.name.as_str()) && app.enabled != change.on;
    Ok(apps.iter().filter(changes).cloned().collect())
}

fn still_needed(apps: &[App], names: &[&str]) -> Vec<Diagnostic> {
    let stays = |app: &&App| app.enabled && !names.contains(&app.name.as_str());
    let mut problems = Vec::new();
    for app in apps.iter().filter(stays) {
        for need in app
            .needs
            .iter()
            .filter(|need| names.contains(&need.as_str()))
        {
            let message = format!("`{}` needs `{need}` and is on", app.name);
            problems.push(
                Diagnostic::error(&codes::APP_NEEDED, message)
                    .with_hint(format!("disable `{}` too, in the same command", app.name)),
            );
        }
    }
    problems
}

/// The data files while they are edited.
#[derive(Clone)]
struct DataFileEditor<'e> {
    world: &'e World<'e>,
    cluster: &'e Cluster,
    texts: BTreeMap<String, String>,
}

impl DataFileEditor<'_> {
    fn switch(&mut self, app: &App, on: bool) -> Result<Option<Diagnostic>, ReadError> {
        let own = format!("/apps/{}/enabled", app.name);
        let core = format!("/{}/enabled", app.name);
        let values = &self.cluster.values;
        let Some(pointer) = [own, core]
            .into_iter()
            .find(|pointer| values.pointer(pointer).is_some())
        else {
            let message = format!("`{}` has no switch of its own", app.name);
            let problem = Diagnostic::error(&codes::APP_WITHOUT_SWITCH, message);
            return Ok(Some(match &app.when {
                Some(when) => problem.with_hint(format!(
                    "it is on when `{when}` holds: change that in the config"
                )),
                None => problem.with_hint("it is part of every cluster"),
            }));
        };
        self.set(&pointer, &Value::Bool(on))
    }

    /// Sets a value in the file that it belongs in.
    fn set(&mut self, pointer: &str, value: &Value) -> Result<Option<Diagnostic>, ReadError> {
        let Some(path) = self.home(pointer) else {
            let message = "every data file is encrypted, and Kiln edits none of those";
            return Ok(Some(
                Diagnostic::error(&codes::CONFIG_ENCRYPTED, message).with_hint(format!(
                    "set `{}` with `kiln secrets edit`",
                    pointer[1..].replace('/', ".")
                )),
            ));
        };
        let text = if let Some(text) = self.texts.get(&path) {
            text.clone()
        } else {
            let bytes = self.world.files.read(&path)?.unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        match edit::set(&path, &text, pointer, value) {
            Ok(edited) => {
                if edited != text {
                    self.texts.insert(path, edited);
                }
                Ok(None)
            }
            Err(error @ (EditError::Syntax(_) | EditError::Occupied { .. })) => {
                let message = error.to_string();
                Ok(Some(
                    Diagnostic::error(&codes::CONFIG_EDIT, message)
                        .with_hint(format!("set `{}` by hand", pointer[1..].replace('/', "."))),
                ))
            }
        }
    }

    /// Says which file a value belongs in: where it stands, or the options around it, or the first.
    fn home(&self, pointer: &str) -> Option<String> {
        let editable = |path: &str| !path.contains(".sops.");
        let places = &self.cluster.places;
        let mut at = pointer;
        loop {
            if places.contains(at)
                && let Some(place) = places.value(at)
                && editable(&place.source.path)
            {
                return Some(place.source.path.clone());
            }
            match at.rfind('/') {
                Some(end) => at = &at[..end],
                None => break,
            }
        }
        places
            .paths()
            .find(|path| editable(path))
            .map(str::to_owned)
    }
}

/// Reads a value as YAML would: `true`, `2`, or a text.
fn scalar(text: &str) -> Value {
    let read = yaml::load(text).ok().and_then(|documents| {
        let value = documents.first()?.root.to_value(Resolver::Core);
        (!value.is_object() && !value.is_array() && !value.is_null()).then_some(value)
    });
    read.unwrap_or_else(|| Value::String(text.to_owned()))
}

/// Loads and validates the project with the new texts, and asks whether the apps changed as meant.
fn prove(
    world: &World<'_>,
    texts: &BTreeMap<String, String>,
    chosen: &[App],
    on: bool,
) -> Result<Cluster, CompileFailure> {
    let bytes = |(path, text): (&String, &String)| (path.clone(), text.clone().into_bytes());
    let files = OverlaidFiles::new(world.unguarded(), texts.iter().map(bytes));
    let world = world.with_files(&files);
    let mut warnings = Warnings::default();
    let (project, cluster) = configured(&world, &mut warnings)?;
    let apps = listed(&world, &project, &cluster, &mut warnings)?;
    let stuck = |app: &&App| {
        let same = |other: &&App| other.name == app.name && other.namespace == app.namespace;
        apps.iter().find(same).is_some_and(|app| app.enabled != on)
    };
    let state = if on { "off" } else { "on" };
    let problems: Vec<Diagnostic> = chosen
        .iter()
        .filter(stuck)
        .map(|app| {
            let message = format!("`{}` would stay {state}", app.name);
            let when = app.when.as_deref().unwrap_or("true");
            Diagnostic::error(&render::codes::APP_CONDITION, message)
                .with_hint(format!("it is on when `{when}` holds"))
        })
        .collect();
    if problems.is_empty() {
        Ok(cluster)
    } else {
        Err(CompileFailure::Problems(problems))
    }
}

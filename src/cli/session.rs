//! A project that is open: its folder, its keys, and the world that the pipeline is handed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rand_core::OsRng;
use sops_age::keys::{FoundKeys, KeySourceProblem, KeySources, Keyring};

use super::clock;
use super::error::CommandError;
use super::exposure;
use super::key_places::{KeyPlaces, KeyUse};
use super::makejinja_process::MakejinjaProcess;
use super::printer::Printer;
use super::progress::Progress;
use super::settings::Settings;
use super::staying_plugins::StayingPlugins;
use crate::diagnostic::Warned;
use crate::fs::{self, Disk};
use crate::pipeline::{
    self, CompileFailure, Compiled, FolderOpener, FoundIdentities, KeyHandling, Layout,
    MAKEJINJA_FILE, OccupiedPlaces, World,
};
use crate::secret::{AGE_KEY, KnownSecrets, Secret};
use crate::source::{Files, ReadError};
use crate::write::{TakeOver, Target};

/// The file that makes a folder a project of Kiln's own.
pub const PROJECT_FILE: &str = "kiln.toml";
/// The files of which any makes a folder a project.
pub const PROJECT_FILES: [&str; 2] = [PROJECT_FILE, MAKEJINJA_FILE];

type Lookup = dyn Fn(&str) -> Option<String> + Sync;

/// The environment, by name.
type VariableLookup<'e> = dyn Fn(&str) -> Option<String> + Sync + 'e;

/// A project that is open.
pub struct ProjectSession {
    /// The absolute folder of the project.
    pub root: PathBuf,
    /// The project's files.
    pub disk: Disk,
    /// Whether there is a project; else this is a tree as it is.
    pub is_project: bool,
    /// The files of the repository that the project is a folder of, and its path there.
    repository: Option<(Disk, String)>,
    catalogue: Box<dyn Files>,
    env: Box<Lookup>,
    folders: Box<FolderOpener>,
    identities: FoundIdentities,
    /// Files with private keys that others can read, beside the project's own.
    open_to_others: Vec<PathBuf>,
    known: KnownSecrets,
    makejinja: MakejinjaProcess,
    /// Whether every error that the rules find is one.
    strict: bool,
}

impl ProjectSession {
    /// Takes every error that the rules find for one, in a makejinja project as well.
    #[must_use]
    pub fn judging_strictly(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Opens the project that the folder of the settings is in, or the folder itself, where options of makejinja describe
    /// one.
    pub fn open_described(
        options: &[String],
        settings: &Settings,
        keys: KeyUse,
        printer: &mut Printer,
    ) -> Result<Self, CommandError> {
        let names = settings.environment.names();
        let root = match find_root(&settings.directory) {
            Err(_) if pipeline::describes(options, names) => settings.directory.clone(),
            root => root?,
        };
        printer.in_project(&root);
        let mut session = Self::open_root(&root, settings, keys)?;
        session.makejinja.options = options.to_vec();
        Ok(session)
    }

    /// Opens the project that the folder of the settings is in.
    pub fn open(
        settings: &Settings,
        keys: KeyUse,
        printer: &mut Printer,
    ) -> Result<Self, CommandError> {
        let root = find_root(&settings.directory)?;
        printer.in_project(&root);
        Self::open_root(&root, settings, keys)
    }

    /// Opens the project that the folder of the settings is in, or the whole repository, or the folder itself.
    pub fn open_any(
        settings: &Settings,
        keys: KeyUse,
        printer: &mut Printer,
    ) -> Result<Self, CommandError> {
        let start = &settings.directory;
        let project = Self::rendering_root(start, settings).map_err(CommandError::unanswered)?;
        if project.is_some() || !start.is_dir() {
            return Self::open(settings, keys, printer);
        }
        let root = match fs::repository_above(start) {
            Some((root, _)) => root,
            None => start.clone(),
        };
        printer.in_project(&root);
        let session = Self::open_root(&root, settings, keys)?;
        Ok(Self {
            is_project: false,
            ..session
        })
    }

    /// Finds the project that a folder is in, if it renders anything.
    pub fn rendering_root(
        start: &Path,
        settings: &Settings,
    ) -> Result<Option<PathBuf>, CommandError> {
        let Some(root) = fs::find_upwards(start, &PROJECT_FILES) else {
            return Ok(None);
        };
        let settled = Self::open_root(&root, settings, KeyUse::Never)?;
        Ok(pipeline::renders(&settled.world())?.then_some(root))
    }

    /// Opens the files of the project that the folder of the settings is in, and nothing more.
    pub fn find(settings: &Settings, printer: &mut Printer) -> Result<Disk, CommandError> {
        let root = find_root(&settings.directory)?;
        printer.in_project(&root);
        Ok(Disk::open(&root)?)
    }

    /// Opens a folder that is known to be a project.
    pub fn open_root(root: &Path, settings: &Settings, keys: KeyUse) -> Result<Self, CommandError> {
        let environment = settings.environment.clone();
        let project = root.to_owned();
        let mut session = Self {
            root: root.to_owned(),
            disk: Disk::open(root)?,
            is_project: true,
            repository: fs::repository_above(root)
                .and_then(|(above, path)| Some((Disk::open(&above).ok()?, path))),
            catalogue: Box::new(pipeline::catalogue()),
            env: Box::new(move |name| environment.get(name).map(str::to_owned)),
            folders: Box::new(move |folder| Ok(Box::new(Disk::open(&project.join(folder))?))),
            identities: FoundIdentities::default(),
            open_to_others: Vec::new(),
            known: settings.known.clone(),
            makejinja: MakejinjaProcess::of(root, settings),
            strict: false,
        };
        if keys != KeyUse::Never {
            session.find_identities(settings, keys)?;
        }
        Ok(session)
    }

    /// Gathers the age identities: the project's own, then those that SOPS would use.
    fn find_identities(&mut self, settings: &Settings, keys: KeyUse) -> Result<(), CommandError> {
        let places = KeyPlaces(settings);
        let own = self.root.join(AGE_KEY);
        let own_text = identity_text(&own, AGE_KEY)?;
        let mut sources = KeySources::find(&places);
        // `SOPS_AGE_KEY_FILE` may name the project's own file.
        let is_own = |path: &PathBuf| own_text.is_some() && places.resolve(path) == own;
        sources
            .found
            .retain(|found| !found.path.as_ref().is_some_and(is_own));
        self.open_to_others = open_to_others(&sources, &places);
        let found = self.named(&sources.found, &places);
        let own_text = own_text.map(|text| (AGE_KEY.to_owned(), text));
        self.identities.texts = own_text.into_iter().chain(found).collect();
        self.identities.plugins = keys.plugins();
        if keys.runs_commands() && !sources.commands.is_empty() {
            let closed = pipeline::closed_files(&self.world());
            let before = sources.found.len();
            sources.run_commands(&places, &closed, &Keyring::default());
            let printed = self.named(&sources.found[before..], &places);
            self.identities.texts.extend(printed);
        }
        let nowhere = self.identities.texts.is_empty().then(|| AGE_KEY.to_owned());
        self.identities.empty = nowhere.into_iter().chain(sources.empty).collect();
        self.identities.note(&sources.problems);
        Ok(())
    }

    /// Names what was found as messages show it.
    fn named(&self, found: &[FoundKeys], places: &KeyPlaces<'_>) -> Vec<(String, Secret)> {
        let name = |found: &FoundKeys| {
            let path = found.path.as_ref().map(|path| places.resolve(path));
            let inside = path
                .as_ref()
                .and_then(|path| path.strip_prefix(&self.root).ok());
            let inside = inside.and_then(Path::to_str);
            inside.unwrap_or(&found.origin).to_owned()
        };
        let found = found.iter();
        found
            .map(|found| (name(found), found.text.clone()))
            .collect()
    }

    /// Lists the files with private keys that others than the user can read, beside the project's own.
    pub fn open_to_others(&self) -> &[PathBuf] {
        &self.open_to_others
    }

    /// Adds the age identities of a file that the user names, and returns what it is called in messages.
    pub fn add_identity(&mut self, path: &Path) -> Result<String, CommandError> {
        let shown = shown(&self.root, path);
        let text = identity_text(path, &shown)?;
        let text =
            text.ok_or_else(|| CommandError::failed(format!("there is no key file `{shown}`")))?;
        self.identities.texts.push((shown.clone(), text));
        Ok(shown)
    }

    /// Puts a text in the place of the identities of the project's own key file.
    pub fn replace_own_identity(&mut self, text: &Secret) {
        let texts = &mut self.identities.texts;
        texts.retain(|(origin, _)| origin != AGE_KEY);
        texts.insert(0, (AGE_KEY.to_owned(), text.clone()));
    }

    /// Returns what the pipeline may see of the world, with the time of this moment.
    pub fn world(&self) -> World<'_> {
        self.world_around(&self.disk)
            .around_makejinja(self.makejinja.with_plugins())
    }

    /// Returns the same with other files in the place of the project's, but in the repository as it is on disk.
    pub fn world_around<'w>(&'w self, files: &'w dyn Files) -> World<'w> {
        let world = self.world_of(files);
        match &self.repository {
            Some((files, folder)) => world.in_repository(folder, Some(files)),
            None => world,
        }
    }

    /// Returns the root of the repository that the project is a folder of, and its path there; `None` where it is the
    /// root itself, or in none.
    pub fn repository(&self) -> Option<(&Path, &str)> {
        let (files, path) = self.repository.as_ref()?;
        Some((files.root(), path))
    }

    /// Returns the same with other files in the place of the project's.
    pub fn world_of<'w>(&'w self, files: &'w dyn Files) -> World<'w> {
        self.world_in(files, self.env.as_ref())
    }

    /// Returns the same in another environment as well.
    pub fn world_in<'w>(&'w self, files: &'w dyn Files, env: &'w VariableLookup<'w>) -> World<'w> {
        let identities = self.identities.clone();
        World::new(
            files,
            self.catalogue.as_ref(),
            env,
            identities,
            clock::now(),
        )
        .opening_folders(self.folders.as_ref())
        .around_makejinja(self.makejinja.surroundings())
        .judging_strictly(self.strict)
        .in_repository(self.repository.as_ref().map_or("", |(_, path)| path), None)
        .telling(&self.known)
    }

    /// Returns a variable of the environment.
    pub fn variable(&self, name: &str) -> Option<String> {
        (self.env)(name)
    }

    /// Returns which folders the project uses.
    pub fn layout(&self) -> Result<Layout, CommandError> {
        Ok(pipeline::layout(&self.world())?)
    }

    /// Returns where the outputs go, on behalf of a command.
    pub fn target<'s>(&'s self, layout: &'s Layout, command: &str) -> Target<'s> {
        Target::new(&self.disk, &layout.output)
            .reserving(&layout.reserved)
            .held_by(command, clock::now())
    }

    /// Returns a target in which files that are there are treated as the project says.
    pub fn target_of<'s>(&self, target: &Target<'s>, compiled: &Compiled) -> Target<'s> {
        let outputs = compiled.tree.outputs().map(|(path, _)| path.to_owned());
        match compiled.occupied {
            OccupiedPlaces::Refused => target.clone(),
            OccupiedPlaces::Left => target.clone().leaving(outputs),
            OccupiedPlaces::Replaced => target.clone().taking_over(&TakeOver {
                outputs: outputs.collect(),
                ..TakeOver::default()
            }),
        }
    }

    /// Compiles the project, and reports nothing.
    pub fn compile_silently(
        &self,
        keys: KeyHandling,
        settings: &Settings,
    ) -> Result<Compiled, CommandError> {
        let progress = Progress::start(settings, "rendering");
        let compiled = pipeline::compile(&self.world().with_keys(keys), &mut OsRng);
        drop(progress);
        compiled.map_err(CommandError::from)
    }

    /// Compiles the project, reports the warnings, and says what was made up.
    pub fn compile(
        &self,
        keys: KeyHandling,
        settings: &Settings,
        printer: &mut Printer,
    ) -> Result<Compiled, CommandError> {
        let compiled = self.compile_silently(keys, settings)?;
        printer.report(&compiled.warnings)?;
        if let Some(told) = stand_ins(&compiled.stand_ins) {
            printer.status(told);
        }
        Ok(compiled)
    }

    /// Compiles the project and, beside that, looks whether others can get at its keys; reports the warnings of
    /// both.
    ///
    /// # Errors
    /// Those of [`compile`](Self::compile), and keys that git tracks.
    pub fn compile_guarded(
        &self,
        keys: KeyHandling,
        settings: &Settings,
        printer: &mut Printer,
    ) -> Result<Compiled, CommandError> {
        let (compiled, exposed) = std::thread::scope(|scope| {
            let exposed = scope.spawn(|| exposure::inspect(self, settings));
            (self.compile(keys, settings, printer), exposed.join())
        });
        let exposed = exposed.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let exposed = Warned::unless_errors((), exposed).map_err(CommandError::Problems);
        // What does not compile is told first, and a key in the open all the same.
        let compiled = match (compiled, exposed) {
            (Err(CommandError::Problems(mut all)), Err(CommandError::Problems(more))) => {
                all.extend(more);
                return Err(CommandError::Problems(all));
            }
            (compiled, exposed) => {
                let mut compiled = compiled?;
                let mut warnings = exposed?.warnings;
                warnings.extend(exposure::tracked_secrets(self, &compiled.plain_secrets));
                printer.report(&warnings)?;
                compiled.warnings.extend(warnings);
                compiled
            }
        };
        Ok(compiled)
    }

    /// Takes plugins that stayed from an earlier session, and lets those of this one stay.
    pub fn keep_plugins(&mut self, staying: &StayingPlugins) {
        self.makejinja.keep_plugins(&self.root, staying);
    }

    /// Returns what of the process a makejinja project may see.
    pub fn makejinja(&self) -> &MakejinjaProcess {
        &self.makejinja
    }

    /// Returns the files of the embedded catalogue.
    pub fn catalogue(&self) -> &dyn Files {
        self.catalogue.as_ref()
    }
}

/// Says what is not at hand and was made up, as a sentence.
pub fn stand_ins(names: &BTreeSet<String>) -> Option<String> {
    let list: Vec<&str> = names.iter().map(String::as_str).collect();
    match list.as_slice() {
        [] => None,
        [one] => Some(format!(
            "{one} is not at hand: a stand-in takes its place, and what depends on it is not compared"
        )),
        all => Some(format!(
            "{} are not at hand: stand-ins take their places, and what depends on them is not compared",
            all.join(", ")
        )),
    }
}

/// Finds the nearest folder upwards that is a project.
fn find_root(start: &Path) -> Result<PathBuf, CommandError> {
    if !start.is_dir() {
        return Err(CommandError::failed(format!(
            "there is no folder `{}`",
            start.display()
        )));
    }
    fs::find_upwards(start, &PROJECT_FILES).ok_or_else(|| {
        let message = format!(
            "no project here: neither `{PROJECT_FILE}` nor `{MAKEJINJA_FILE}` in `{}` or above",
            start.display()
        );
        CommandError::failed(message)
            .hint("start one with `kiln init`, or name its folder with `-C DIR`")
    })
}

/// Returns whether a revision of a folder has one of the files that make it a project.
pub fn has_project(files: &dyn Files) -> Result<bool, ReadError> {
    for name in PROJECT_FILES {
        if files.read(name)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Lists the files among key sources that others than the user can read.
fn open_to_others(sources: &KeySources, places: &KeyPlaces<'_>) -> Vec<PathBuf> {
    let problems = sources.problems.iter();
    let open = problems.filter_map(|problem| match problem {
        KeySourceProblem::OpenToOthers { path } => Some(places.resolve(Path::new(path))),
        _ => None,
    });
    open.collect()
}

fn shown(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    inside.display().to_string()
}

/// Reads a key file that the user named, or the project's own.
fn identity_text(path: &Path, shown: &str) -> Result<Option<Secret>, CommandError> {
    let found = fs::read_keys_anywhere(path).map_err(|cause| {
        CommandError::failed(format!("cannot read the key file `{shown}`")).because(&cause)
    })?;
    let Some(bytes) = found else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        CommandError::failed(format!("`{shown}` is no age key file: it is not UTF-8"))
    })?;
    Ok(Some(Secret::new(text)))
}

impl From<CompileFailure> for CommandError {
    fn from(failure: CompileFailure) -> Self {
        match failure {
            CompileFailure::Problems(problems) => Self::Problems(problems),
            CompileFailure::Read(error) => error.into(),
        }
    }
}

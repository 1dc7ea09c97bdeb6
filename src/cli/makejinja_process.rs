//! What a makejinja project is given besides its files: options, the environment, and a Python for its plugins.

use std::path::{Path, PathBuf};

use std::sync::Arc;

use makejinja_plugins::{PluginError, PluginErrorKind};

use super::error::CommandError;
use super::settings::Settings;
use super::staying_plugins::StayingPlugins;
use crate::fs::{self, MirroredFolder, Revision};
use crate::pipeline::{
    MakejinjaSurroundings, PluginRequest, PluginStarter, SourceReader, StartedPlugins,
};
use crate::source::Files as _;
use crate::watch;

/// What of the process a makejinja project may see.
pub struct MakejinjaProcess {
    /// The options of makejinja that the command line has.
    pub options: Vec<String>,
    folder: String,
    variables: Vec<(String, String)>,
    starter: Box<PluginStarter<'static>>,
}

impl MakejinjaProcess {
    /// Prepares what a project in a folder may be given.
    pub fn of(root: &Path, settings: &Settings) -> Self {
        let root: PathBuf = root.to_owned();
        Self {
            options: Vec::new(),
            folder: root.to_string_lossy().into_owned(),
            variables: settings.environment.pairs().collect(),
            starter: Box::new(move |request| start(request, &root)),
        }
    }

    /// Takes plugins that stayed from an earlier compile of the project in a folder, and lets those of this one stay.
    pub fn keep_plugins(&mut self, root: &Path, staying: &StayingPlugins) {
        let (root, staying) = (root.to_owned(), staying.clone());
        self.starter = Box::new(move |request| staying.take(request, || start(request, &root)));
    }

    /// Returns what a project sees of which the files are not those of the folder: no Python.
    pub fn surroundings(&self) -> MakejinjaSurroundings<'_> {
        MakejinjaSurroundings {
            folder: &self.folder,
            arguments: &self.options,
            variables: &self.variables,
            plugins: None,
        }
    }

    /// Returns what a project sees whose plugins are started by `starter`.
    pub fn started_by<'p>(&'p self, starter: &'p PluginStarter<'p>) -> MakejinjaSurroundings<'p> {
        MakejinjaSurroundings {
            plugins: Some(starter),
            ..self.surroundings()
        }
    }

    /// Returns what the project in the folder sees.
    pub fn with_plugins(&self) -> MakejinjaSurroundings<'_> {
        self.started_by(self.starter.as_ref())
    }
}

/// Starts the Python of plugins in the folder of the project, or in one that looks like it but for some files.
fn start(request: &PluginRequest<'_>, root: &Path) -> Result<StartedPlugins, PluginError> {
    if request.replaced.is_empty() {
        return request.start(root, reading(root), None);
    }
    let mirrored = MirroredFolder::make(root, request.replaced);
    start_in(request, mirrored.map_err(|error| error.to_string()))
}

/// Starts the Python of plugins in a folder with the files of a commit; what git ignores is that of the disk.
pub fn start_for_revision(
    request: &PluginRequest<'_>,
    revision: &Revision,
    root: &Path,
) -> Result<StartedPlugins, PluginError> {
    let mirrored = || -> Result<MirroredFolder, String> {
        let paths = revision.list("").map_err(|error| error.to_string())?;
        let mut files = request.replaced.clone();
        for path in paths {
            if !files.contains_key(&path)
                && let Some(bytes) = revision.read(&path).map_err(|error| error.to_string())?
            {
                files.insert(path, bytes);
            }
        }
        let ignored = revision.ignored_files().unwrap_or_default();
        let linked = ignored.into_iter().filter(|path| !files.contains_key(path));
        let mirrored = MirroredFolder::of_files(&files, root, linked);
        mirrored.map_err(|error| error.to_string())
    };
    start_in(request, mirrored())
}

fn start_in(
    request: &PluginRequest<'_>,
    mirrored: Result<MirroredFolder, String>,
) -> Result<StartedPlugins, PluginError> {
    match mirrored {
        Ok(mirrored) => {
            let folder = mirrored.path().to_owned();
            request.start(&folder, reading(&folder), Some(Arc::new(mirrored)))
        }
        Err(message) => Err(PluginError {
            kind: PluginErrorKind::Protocol,
            message,
            frames: Vec::new(),
            hint: None,
            printed: String::new(),
        }),
    }
}

/// Returns what reads the files of a folder for messages.
fn reading(folder: &Path) -> SourceReader {
    let folder = folder.to_owned();
    Arc::new(move |path| {
        let bytes = fs::read_anywhere(&folder.join(path)).ok()??;
        String::from_utf8(bytes).ok()
    })
}

/// Runs a command line of the project by the shell, in its folder; what it prints goes to stderr.
///
/// # Errors
/// There is no shell, or the command fails.
pub fn run_command(line: &str, root: &Path) -> Result<(), CommandError> {
    let failed = |reason: &str| CommandError::failed(format!("`{line}` {reason}"));
    match watch::run_line(line, root)? {
        Some(0) => Ok(()),
        Some(code) => Err(failed(&format!("ended with exit code {code}"))),
        None => Err(failed("was killed")),
    }
}

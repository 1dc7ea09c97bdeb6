//! The settings of a project.

use makejinja::{Loaded, PathKind, ProjectFiles, Settings, SettingsSource, select, settings_files};

use super::problem::ProblemSources;
use crate::diagnostic::{Diagnostic, StageResult, Warned};
use crate::makejinja::codes;
use crate::source::Files;

/// What settings depend on besides files.
#[derive(Clone, Copy)]
pub struct MakejinjaOutside<'o> {
    /// The options that the command line gives.
    pub arguments: &'o [String],
    /// The variables of the environment.
    pub variables: &'o [(String, String)],
}

/// What the settings say of the folders and files of a project.
pub struct MakejinjaLayout {
    /// The data files.
    pub data: Vec<String>,
    /// The folders of templates and of data.
    pub templates: Vec<String>,
    /// The output folder.
    pub output: String,
}

/// Reads the settings from `makejinja.toml`, the environment and the command line.
///
/// # Errors
/// All problems of all of them.
pub fn settings(files: &dyn Files, outside: MakejinjaOutside<'_>) -> StageResult<Settings> {
    let sources = ProblemSources::new(files, outside.variables, outside.arguments);
    let mut texts = Vec::new();
    let mut problems = Vec::new();
    for file in settings_files(outside.variables) {
        match files.read(&file.path) {
            Ok(Some(bytes)) => texts.push(SettingsSource {
                path: file.path,
                text: String::from_utf8_lossy(&bytes).into_owned(),
            }),
            Ok(None) if !file.required => {}
            Ok(None) => problems.push(Diagnostic::error(
                &codes::MAKEJINJA_MISSING,
                format!("there is no file `{}` with settings", file.path),
            )),
            Err(error) => {
                problems.push(Diagnostic::error(
                    &codes::MAKEJINJA_MISSING,
                    error.to_string(),
                ));
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    match Settings::read(&texts, outside.variables, outside.arguments) {
        Ok(Loaded { value, notices }) => Ok(Warned {
            value,
            warnings: notices
                .into_iter()
                .map(|notice| sources.warning(notice))
                .collect(),
        }),
        Err(problems) => Err(problems
            .into_iter()
            .map(|problem| sources.error(problem))
            .collect()),
    }
}

/// Returns what settings say of the folders and files of a project.
pub fn layout(settings: &Settings, files: &dyn Files) -> MakejinjaLayout {
    let given = GivenFiles(files);
    let is_folder = |path: &&String| matches!(given.kind(path), Ok(Some(PathKind::Folder)));
    let (folders, data): (Vec<&String>, Vec<&String>) = settings.data.iter().partition(is_folder);
    let templates = settings.inputs.iter().chain(folders);
    // With one template and no folder, `output` can be a file; what is wrong with the selection is told when the project
    // is rendered.
    let may_be_file =
        settings.inputs.len() == 1 && !settings.inputs.iter().any(|it| is_folder(&it));
    let selected = may_be_file.then(|| select(settings, &given, &mut |_| Ok(true)).ok());
    let selected = selected.flatten().map(|selected| selected.value.folder);
    let output = selected.unwrap_or_else(|| settings.output.clone());
    let output = if output.is_empty() { "." } else { &output };
    MakejinjaLayout {
        data: data.into_iter().cloned().collect(),
        templates: templates.cloned().collect(),
        output: output.to_owned(),
    }
}

/// The files of a project as the crate asks for them: lists end at linked folders, as Python's walks do.
pub(super) struct GivenFiles<'f>(pub(super) &'f dyn Files);

impl GivenFiles<'_> {
    /// Returns whether a file is in a folder that a symlink below `folder` leads to.
    fn is_below_link(&self, folder: &str, path: &str) -> bool {
        let above = path.rsplit_once('/').map_or("", |(above, _)| above);
        let Some(rest) = above.strip_prefix(folder) else {
            return false;
        };
        match (self.0.real_path(folder), self.0.real_path(above)) {
            (Ok(folder), Ok(above)) => above.strip_prefix(&*folder) != Some(rest),
            _ => false,
        }
    }
}

impl ProjectFiles for GivenFiles<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        self.0.read(path).map_err(|error| error.reason)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        let mut paths = self.0.list(folder).map_err(|error| error.reason)?;
        paths.retain(|path| !self.is_below_link(folder, path));
        Ok(paths)
    }

    fn kind(&self, path: &str) -> Result<Option<PathKind>, String> {
        // A folder cannot be read, and a file not be listed.
        if let Ok(Some(_)) = self.0.read(path) {
            return Ok(Some(PathKind::File));
        }
        let is_folder = self.0.list(path).is_ok_and(|paths| !paths.is_empty());
        Ok(is_folder.then_some(PathKind::Folder))
    }
}

/// The files that a name can mean: a template of a linked folder is found by its name, though no list has it.
pub(super) struct NamedFiles<'f>(pub(super) &'f dyn Files);

impl ProjectFiles for NamedFiles<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        GivenFiles(self.0).read(path)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        self.0.list(folder).map_err(|error| error.reason)
    }

    fn kind(&self, path: &str) -> Result<Option<PathKind>, String> {
        GivenFiles(self.0).kind(path)
    }
}

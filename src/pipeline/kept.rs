//! The files that people keep beside the rendered ones, and that Flux applies with them.

use std::collections::BTreeSet;

use super::World;
use super::inputs::{self, InputPaths};
use super::world::{KeyHandling, is_among};
use crate::config::project::Project;
use crate::flux::{TreeFiles, find_output_base};
use crate::secret::KEY_FILES;
use crate::source::{Files, ReadError};
use crate::tree::File;
use crate::tree::output_path::{LOCK_FILE, listed_outputs, split};

/// The files that are kept beside the rendered ones: what git does not ignore, but for inputs and old outputs.
pub(super) struct KeptFiles<'w> {
    files: RebasedFiles<'w>,
    /// The paths, counted from where those of Flux count.
    paths: Vec<String>,
    /// The files beside them that git ignores.
    ignored: Vec<String>,
    /// The folder of the outputs, counted from there.
    output: String,
}

impl<'w> KeptFiles<'w> {
    /// Looks for the files around a tree that was rendered.
    pub(super) fn around<'t>(
        world: &'w World<'_>,
        project: &Project,
        rendered: impl Iterator<Item = &'t File> + Clone,
    ) -> Self {
        let output = inputs::output_folder(project);
        let repository = world.repository.as_ref();
        let place = repository.map(|found| inputs::in_project(&found.folder, &output));
        let mut candidates = vec!["", output.as_str()];
        candidates.extend(place.as_deref());
        let base = find_output_base(rendered.clone(), &candidates);
        let files = if base.is_empty() {
            RebasedFiles::of(world, &output, "")
        } else if base == output {
            RebasedFiles::of(world, "", "")
        } else {
            let folder = repository.map_or("", |found| found.folder.as_str());
            RebasedFiles {
                around: repository.and_then(|found| found.files),
                ..RebasedFiles::of(world, "", folder)
            }
        };
        let mut kept = Self {
            files,
            paths: Vec::new(),
            ignored: Vec::new(),
            output: base.to_owned(),
        };
        (kept.paths, kept.ignored) = kept.list(project, rendered);
        kept
    }

    /// Returns the files as Flux' paths see them.
    pub(super) fn tree(&self) -> TreeFiles<'_> {
        TreeFiles::kept(&self.files, self.paths.iter().cloned(), &self.output)
            .beside_ignored(self.ignored.iter().cloned())
    }

    /// Lists the files that are kept, and those that git ignores.
    fn list<'t>(
        &self,
        project: &Project,
        rendered: impl Iterator<Item = &'t File>,
    ) -> (Vec<String>, Vec<String>) {
        let Ok(mut paths) = self.files.list_outputs("") else {
            return (Vec::new(), Vec::new());
        };
        let own: BTreeSet<String> = rendered
            .map(|file| inputs::in_project(&self.output, &file.path))
            .chain(self.old_outputs())
            .collect();
        let inputs = KnownInputs::of(project, &self.files.world.files);
        paths.retain(|path| {
            let in_project = self.files.in_project(path);
            !own.contains(path) && in_project.is_none_or(|path| !inputs.has(&path))
        });
        if paths.is_empty() {
            return (paths, Vec::new());
        }
        let Some(ignored) = self.files.ignored_files() else {
            return (Vec::new(), Vec::new());
        };
        paths
            .into_iter()
            .partition(|path| !is_among(path, &ignored))
    }

    /// Lists the outputs of the last run: those that are not rendered now will be gone.
    fn old_outputs(&self) -> Vec<String> {
        let list = inputs::in_project(&self.output, LOCK_FILE);
        let bytes = self.files.read_output(&list).ok().flatten();
        let text = String::from_utf8(bytes.unwrap_or_default()).unwrap_or_default();
        let outputs = listed_outputs(&text).map(|path| inputs::in_project(&self.output, &path));
        outputs.chain([list.clone()]).collect()
    }
}

/// The inputs of a project, to be held against paths.
struct KnownInputs {
    files: BTreeSet<String>,
    /// The folders, each with a slash at its end.
    folders: Vec<String>,
}

impl KnownInputs {
    fn of(project: &Project, files: &dyn Files) -> Self {
        let InputPaths { files, folders } = InputPaths::of(project, files);
        let tidy = |path: String| kustomize::join("", &path);
        let folders = folders.into_iter().filter_map(tidy);
        Self {
            files: files.into_iter().filter_map(tidy).collect(),
            folders: folders.map(|folder| format!("{folder}/")).collect(),
        }
    }

    fn has(&self, path: &str) -> bool {
        self.files.contains(path) || self.folders.iter().any(|folder| path.starts_with(folder))
    }
}

/// The files of a project, or of the repository that it is in, with paths that count from another folder.
struct RebasedFiles<'w> {
    world: &'w World<'w>,
    /// The folder of the project from which paths count; empty for the project itself.
    inside: String,
    /// The folder of the project, where paths count from outside of it.
    project: String,
    /// The files outside of the project.
    around: Option<&'w dyn Files>,
}

impl<'w> RebasedFiles<'w> {
    fn of(world: &'w World<'_>, inside: &str, project: &str) -> Self {
        Self {
            world,
            inside: inside.to_owned(),
            project: project.to_owned(),
            around: None,
        }
    }

    /// Returns how the project names a path, if it is one of its own.
    fn in_project(&self, path: &str) -> Option<String> {
        match self.project.as_str() {
            "" => Some(inputs::in_project(&self.inside, path)),
            project => Some(path.strip_prefix(project)?.strip_prefix('/')?.to_owned()),
        }
    }

    /// Returns what the project names so, counted from here.
    fn rebased(&self, path: &str) -> Option<String> {
        match self.inside.as_str() {
            "" => Some(inputs::in_project(&self.project, path)),
            inside => Some(path.strip_prefix(inside)?.strip_prefix('/')?.to_owned()),
        }
    }
}

impl Files for RebasedFiles<'_> {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        self.read_output(path)
    }

    fn read_output(&self, path: &str) -> Result<Option<Vec<u8>>, ReadError> {
        if let Some(path) = self.in_project(path) {
            self.world.files.guard(&path)?;
            return self.world.files.read_output(&path);
        }
        let Some(around) = self.around else {
            return Ok(None);
        };
        let real = around.real_path(path)?;
        if KEY_FILES.contains(&split(&real).1) {
            return Err(ReadError {
                path: path.to_owned(),
                reason: "it is a key".to_owned(),
            });
        }
        around.read_output(path)
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        self.list_outputs(folder)
    }

    fn list_outputs(&self, folder: &str) -> Result<Vec<String>, ReadError> {
        if let Some(around) = self.around {
            return around.list_outputs(folder);
        }
        let listed = self.world.files.list_outputs(&self.inside)?;
        Ok(listed
            .iter()
            .filter_map(|path| self.rebased(path))
            .collect())
    }

    fn ignored_files(&self) -> Option<BTreeSet<String>> {
        if let Some(around) = self.around {
            return around.ignored_files();
        }
        let ignored = self.world.files.ignored_files();
        if ignored.is_none() && self.world.keys() == KeyHandling::Needed {
            // Nobody can tell, and whoever renders has these files.
            return Some(BTreeSet::new());
        }
        Some(
            ignored?
                .iter()
                .filter_map(|path| self.rebased(path))
                .collect(),
        )
    }
}

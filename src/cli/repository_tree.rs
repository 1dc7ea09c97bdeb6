//! The tree that a command reads: the repository that Flux' paths count from.

use std::path::{Path, PathBuf};

use super::error::CommandError;
use super::printer::Printer;
use super::session::PROJECT_FILE;
use super::settings::Settings;
use crate::flux::TreeFiles;
use crate::fs::{self, Disk, GitError, Repository};

/// A folder of which Flux applies something: with or without git, with or without a Kiln project.
///
/// Its root is that of the git repository that the run starts in, else the nearest folder upwards that is a Kiln
/// project, else the folder itself.
pub struct RepositoryTree {
    /// The root, absolute and without symlinks.
    pub root: PathBuf,
    /// The folder that the run starts from, below the root; empty for the root.
    pub start: String,
    /// Whether git keeps it.
    pub is_repository: bool,
    disk: Disk,
    /// The nearest folder upwards that is a Kiln project.
    project: Option<PathBuf>,
}

impl RepositoryTree {
    /// Finds the tree that the folder of the settings is in, and tells reports where its paths start.
    pub fn open(settings: &Settings, printer: &mut Printer) -> Result<Self, CommandError> {
        let tree = Self::find(&settings.directory)?;
        printer.in_project(&tree.root);
        Ok(tree)
    }

    /// Finds the tree that a folder is in.
    pub fn find(start: &Path) -> Result<Self, CommandError> {
        if !start.is_dir() {
            let message = format!("there is no folder `{}`", start.display());
            return Err(CommandError::failed(message));
        }
        let here = Disk::open(start)?.root().to_owned();
        let repository = repository_root(&here)?;
        let project = fs::find_upwards(&here, &[PROJECT_FILE]).filter(|project| {
            let within = |root: &PathBuf| project.starts_with(root);
            repository.as_ref().is_none_or(within)
        });
        let is_repository = repository.is_some();
        let root = repository
            .or_else(|| project.clone())
            .unwrap_or_else(|| here.clone());
        let below = here.strip_prefix(&root).ok().and_then(Path::to_str);
        Ok(Self {
            start: below.unwrap_or_default().replace('\\', "/"),
            disk: Disk::open(&root)?,
            root,
            is_repository,
            project,
        })
    }

    /// Returns the nearest folder upwards that is a Kiln project, within the tree.
    pub fn project(&self) -> Option<&Path> {
        self.project.as_deref()
    }

    /// Opens the files to be written.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Lists the files that Flux gets of the tree; none of them is read before somebody asks for it.
    pub fn files(&self) -> Result<TreeFiles<'_>, CommandError> {
        Ok(TreeFiles::of_repository(&self.disk, "")?)
    }

    /// Opens a folder as a tree of its own, whatever lies around it.
    pub fn of_folder(folder: &Path) -> Result<Self, CommandError> {
        let disk = Disk::open(folder)?;
        Ok(Self {
            root: disk.root().to_owned(),
            start: String::new(),
            is_repository: false,
            disk,
            project: None,
        })
    }
}

/// Returns the root of the git repository that a folder is part of.
///
/// A folder that git ignores is none of the repository around it.
fn repository_root(folder: &Path) -> Result<Option<PathBuf>, CommandError> {
    match Repository::of(folder) {
        Ok(repository) if repository.ignores_folder() => Ok(None),
        Ok(repository) => {
            let root = repository.root();
            root.map(Some).map_err(|error| CommandError::of(&error))
        }
        Err(GitError::NoRepository { .. } | GitError::Missing { .. }) => Ok(None),
        Err(error) => Err(CommandError::of(&error)),
    }
}

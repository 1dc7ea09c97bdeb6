//! What is below a folder of a project, symlinks to other folders of it included.

use std::fs;
use std::path::{Path, PathBuf};

use super::clutter::is_clutter;
use super::folder::BOOKKEEPING;
use super::{DiskError, path};

/// How many symlinks to folders one listing walks into: a few that lead to one another could make it endless.
pub(super) const LINKED_FOLDERS: usize = 1_000;

/// What is below a folder.
#[derive(Debug, Default)]
pub(super) struct FolderWalk {
    /// All that is no folder, as the project names it; not sorted.
    pub(super) files: Vec<String>,
    /// The folders, itself included, without symlinks on the way.
    pub(super) folders: Vec<PathBuf>,
    /// Where symlinks lead, as the project names it without symlinks on the way; a folder with a slash at its end.
    pub(super) linked: Vec<String>,
    /// What could not be read first; the rest was walked all the same.
    pub(super) error: Option<DiskError>,
}

/// A folder that is still to be walked.
struct WaitingFolder {
    real: PathBuf,
    name: String,
    /// The folders in which the symlinks stand that led here.
    links: Vec<PathBuf>,
}

/// Returns whether a symlink in `folder` may be walked into when it leads to `target`: not where that leads back.
pub(super) fn leads_on<P: AsRef<Path>>(folder: &Path, target: &Path, links: &[P]) -> bool {
    let back = |from: &Path| from.starts_with(target);
    !back(folder) && !links.iter().any(|link| back(link.as_ref()))
}

/// Returns whether a name is no input wherever it is.
pub(super) fn is_left_out(name: &str) -> bool {
    // A submodule and a linked worktree have a file `.git`.
    BOOKKEEPING.contains(&name) || is_clutter(name)
}

/// Says that symlinks lead to ever more folders.
pub(super) fn too_many_links(path: &str) -> DiskError {
    DiskError::TooManyLinks {
        path: path.to_owned(),
        limit: LINKED_FOLDERS,
    }
}

impl FolderWalk {
    /// Walks a folder without symlinks on the way, named `name` in the project at `root`.
    pub(super) fn of(root: &Path, real: PathBuf, name: &str) -> Self {
        let mut walk = Self::default();
        let mut linked = 0;
        let mut waiting = vec![WaitingFolder {
            real,
            name: name.to_owned(),
            links: Vec::new(),
        }];
        while let Some(here) = waiting.pop() {
            match walk.folder(root, &here) {
                Ok(more) => {
                    linked += more
                        .iter()
                        .filter(|it| it.links.len() > here.links.len())
                        .count();
                    if linked > LINKED_FOLDERS {
                        walk.error = Some(too_many_links(name));
                        return walk;
                    }
                    waiting.extend(more);
                }
                Err(error) => walk.error = walk.error.or(Some(error)),
            }
            walk.folders.push(here.real);
        }
        walk
    }

    /// Takes what is directly in a folder, and returns the folders in it.
    fn folder(
        &mut self,
        root: &Path,
        here: &WaitingFolder,
    ) -> Result<Vec<WaitingFolder>, DiskError> {
        let name = &here.name;
        let unreadable =
            |cause| DiskError::reading(if name.is_empty() { "." } else { name }, cause);
        let mut more = Vec::new();
        for entry in fs::read_dir(&here.real).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            if is_left_out(&entry.file_name().to_string_lossy()) {
                continue;
            }
            let child = child_name(name, &entry)?;
            let kind = entry
                .file_type()
                .map_err(|cause| DiskError::reading(&child, cause))?;
            if kind.is_dir() {
                more.push(WaitingFolder {
                    real: entry.path(),
                    name: child,
                    links: here.links.clone(),
                });
            } else if let Some(real) = kind
                .is_symlink()
                .then(|| linked_folder(root, here, &entry.path()))
                .flatten()
            {
                self.linked
                    .extend(below(root, &real).map(|path| format!("{path}/")));
                let mut links = here.links.clone();
                links.push(here.real.clone());
                more.push(WaitingFolder {
                    real,
                    name: child,
                    links,
                });
            } else {
                if kind.is_symlink() {
                    self.linked.extend(linked_file(root, &entry.path()));
                }
                self.files.push(child);
            }
        }
        Ok(more)
    }
}

/// Returns the folder that a symlink leads to, if it is another one of the project.
fn linked_folder(root: &Path, here: &WaitingFolder, link: &Path) -> Option<PathBuf> {
    let real = fs::canonicalize(link).ok()?;
    let below = real.strip_prefix(root).ok()?;
    let left_out = below
        .components()
        .any(|part| is_left_out(&part.as_os_str().to_string_lossy()));
    let walks = !left_out && real.is_dir() && leads_on(&here.real, &real, &here.links);
    walks.then_some(real)
}

/// Returns the file of the project that a symlink leads to, if it does.
fn linked_file(root: &Path, link: &Path) -> Option<String> {
    let real = fs::canonicalize(link).ok()?;
    below(root, &real).filter(|_| real.is_file())
}

fn below(root: &Path, real: &Path) -> Option<String> {
    let below = real.strip_prefix(root).ok()?;
    below.to_str().map(str::to_owned)
}

fn child_name(folder: &str, entry: &fs::DirEntry) -> Result<String, DiskError> {
    let name = entry.file_name();
    let join = |name: &str| path::join(folder, name);
    name.to_str()
        .map(join)
        .ok_or_else(|| DiskError::NotUnicode {
            path: join(&name.to_string_lossy()),
        })
}

//! The tree of a command that works on sealed files one by one, and how it writes them.

use std::path::{Component, Path, PathBuf};

use sops_age::RULE_FILE;

use crate::cli::commands::replacement::Replacement;
use crate::cli::error::CommandError;
use crate::cli::key_places::KeyUse;
use crate::cli::printer::Printer;
use crate::cli::repository_tree::RepositoryTree;
use crate::cli::session::ProjectSession;
use crate::cli::settings::Settings;
use crate::cli::turn::Turn;
use crate::fs::{self, Disk};
use crate::pipeline::{self, KeyHandling, SealedTree, World};
use crate::source::Files as _;
use crate::write::{self, ClaimedFolder};

/// A tree with its keys: a repository, a Kiln project, or a folder.
pub(super) struct SealedFiles {
    tree: RepositoryTree,
    session: ProjectSession,
}

impl SealedFiles {
    /// Opens the tree that the run starts in, and the keys of the project in it.
    pub(super) fn open(
        settings: &Settings,
        keys: KeyUse,
        printer: &mut Printer,
    ) -> Result<Self, CommandError> {
        let mut tree = RepositoryTree::open(settings, printer)?;
        if !tree.is_repository
            && tree.project().is_none()
            && let Some(above) = fs::find_upwards(&tree.root, &[RULE_FILE])
            && let Some(below) = tree.root.strip_prefix(&above).ok().and_then(Path::to_str)
        {
            // Without a repository, the rules say how far the tree goes, as they do to SOPS.
            let start = below.replace('\\', "/");
            tree = RepositoryTree::of_folder(&above)?;
            tree.start = start;
            printer.in_project(&tree.root);
        }
        let root = tree.project().unwrap_or(&tree.root).to_owned();
        let session = ProjectSession::open_root(&root, settings, keys)?;
        Ok(Self { tree, session })
    }

    /// Returns the files to be written, below the root of the tree.
    pub(super) fn disk(&self) -> &Disk {
        self.tree.disk()
    }

    /// Returns what the pipeline may see.
    pub(super) fn world(&self) -> World<'_> {
        self.session.world()
    }

    /// Claims the output folder of the project, if there is one, as long as what is returned is held.
    pub(super) fn claim(
        &self,
        settings: &Settings,
        command: &str,
    ) -> Result<Option<ClaimedFolder>, CommandError> {
        if self.tree.project().is_none() {
            return Ok(None);
        }
        let layout = self.session.layout()?;
        let target = self.session.target(&layout, command);
        Turn::new(settings).wait(|| write::claim(&target)).map(Some)
    }

    /// Reads the rules for some files, with the keys.
    pub(super) fn with_keys(&self, paths: &[String]) -> Result<SealedTree<'_>, CommandError> {
        self.opened(&self.world(), paths)
    }

    /// Reads the rules for some files, with those keys that are there.
    pub(super) fn at_hand(&self, paths: &[String]) -> Result<SealedTree<'_>, CommandError> {
        self.opened(&self.world().with_keys(KeyHandling::AtHand), paths)
    }

    fn opened(&self, world: &World<'_>, paths: &[String]) -> Result<SealedTree<'_>, CommandError> {
        let paths = paths.iter().map(String::as_str);
        Ok(SealedTree::open(world, self.disk(), paths)?)
    }

    /// Returns the paths in the tree of files that the user names.
    pub(super) fn paths(&self, named: &[PathBuf]) -> Result<Vec<String>, CommandError> {
        named.iter().map(|file| self.path(file)).collect()
    }

    /// Returns the path in the tree of a file that the user names.
    pub(super) fn path(&self, named: &Path) -> Result<String, CommandError> {
        let outside = || {
            let message = format!(
                "`{}` is outside of `{}`",
                named.display(),
                self.tree.root.display()
            );
            CommandError::failed(message).hint("name the folder of that tree with `-C DIR`")
        };
        let below = named.strip_prefix(&self.tree.root);
        let mut steps: Vec<&str> = Vec::new();
        if below.is_err() && !named.is_absolute() {
            steps.extend(self.tree.start.split('/').filter(|step| !step.is_empty()));
        }
        for component in below.unwrap_or(named).components() {
            match component {
                Component::Normal(step) => steps.push(step.to_str().ok_or_else(outside)?),
                Component::CurDir => {}
                Component::ParentDir => drop(steps.pop().ok_or_else(outside)?),
                Component::RootDir | Component::Prefix(_) => return Err(outside()),
            }
        }
        Ok(steps.join("/"))
    }

    /// Lists the files of the tree, or of the folder in it that the run starts from, but for the templates of a project.
    pub(super) fn list(&self) -> Result<Vec<String>, CommandError> {
        let mut files = self.disk().listing()?.files;
        let start = &self.tree.start;
        files.retain(|path| start.is_empty() || path.starts_with(&format!("{start}/")));
        if let Some(project) = self.tree.project() {
            let folder = project
                .strip_prefix(&self.tree.root)
                .ok()
                .and_then(Path::to_str);
            let folder = folder.unwrap_or_default();
            for templates in pipeline::template_folders(&self.world())? {
                let below = format!("{}/", templates.trim_matches('/'));
                let below = if folder.is_empty() {
                    below
                } else {
                    format!("{folder}/{below}")
                };
                files.retain(|path| !path.starts_with(&below));
            }
        }
        Ok(files)
    }

    /// Returns the rules and keys for some files, or for all sealed ones where none is named, and the paths of these.
    pub(super) fn chosen(
        &self,
        named: &[PathBuf],
    ) -> Result<(SealedTree<'_>, Vec<String>), CommandError> {
        if !named.is_empty() {
            let paths = self.paths(named)?;
            return Ok((self.with_keys(&paths)?, paths));
        }
        let all = self.list()?;
        let tree = self.with_keys(&all)?;
        let sealed = tree.sealed_among(all.iter().map(String::as_str))?;
        Ok((tree, sealed))
    }

    /// Writes files, all of them or none, and says so.
    pub(super) fn write(
        &self,
        files: Vec<(String, String)>,
        verb: &str,
        printer: &mut Printer,
    ) -> Result<(), CommandError> {
        let paths: Vec<String> = files.iter().map(|(path, _)| path.clone()).collect();
        drop(Replacement::make(self.disk(), files)?);
        for path in &paths {
            printer.status(format_args!("{verb} {path}"));
        }
        if paths.iter().any(|path| self.is_output(path)) {
            printer.status("some are outputs of Kiln: `kiln render` writes kiln.lock anew");
        }
        Ok(())
    }

    /// Returns whether Kiln renders a file of the tree, as far as a `kiln.lock` tells.
    pub(super) fn is_output(&self, path: &str) -> bool {
        let outputs = || {
            let project = self.tree.project()?.strip_prefix(&self.tree.root).ok()?;
            let layout = self.session.layout().ok()?;
            let list = write::list(&self.session.target(&layout, "")).ok()??;
            let output = Path::new(&layout.output).components();
            let folder = project.join(
                output
                    .filter(|step| *step != Component::CurDir)
                    .collect::<PathBuf>(),
            );
            let below = Path::new(path).strip_prefix(folder).ok()?.to_str()?;
            Some(list.outputs.contains_key(below))
        };
        outputs().unwrap_or(false)
    }
}

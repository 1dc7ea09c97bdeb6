//! What `check`, `audit` and `harden` look at: a project that renders its tree, or a tree as it is.

use std::path::PathBuf;

use super::error::CommandError;
use super::flux_inputs::{FluxChoices, FluxInputs, require_start};
use super::key_places::KeyUse;
use super::printer::Printer;
use super::repository_tree::RepositoryTree;
use super::session::ProjectSession;
use super::settings::Settings;
use crate::pipeline::{CompileFailure, PlainTree};

/// Which tree to look at, and how to follow Flux through it.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct TreeChoices {
    /// The folder of the project or of the repository [default: the current one]
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    flux: FluxChoices,
}

/// What there is to look at.
pub enum JudgedTree {
    /// A project that renders its tree.
    Project(Box<ProjectSession>),
    /// A tree that nothing renders.
    Plain(Box<OpenTree>),
}

/// A tree that nothing renders, and what else there is to know of it.
pub struct OpenTree {
    /// Where the settings and the chart profiles are.
    pub session: ProjectSession,
    /// The files.
    pub tree: RepositoryTree,
    /// What the user adds to them.
    inputs: FluxInputs,
}

impl OpenTree {
    /// Hands the tree to `ask`; fails where it cannot be read, or nothing in it tells where Flux starts.
    pub fn ask<R>(
        &self,
        ask: impl FnOnce(PlainTree<'_>) -> Result<R, CompileFailure>,
    ) -> Result<Result<R, CompileFailure>, CommandError> {
        let files = self.tree.files()?;
        let options = self.inputs.options(&self.tree, &files)?;
        require_start(&files, &options, &self.tree)?;
        Ok(PlainTree::open(&self.session.world(), &files, &options).and_then(ask))
    }
}

impl TreeChoices {
    /// Finds what there is to look at, and tells reports where its paths start.
    pub fn open(
        &self,
        settings: &Settings,
        printer: &mut Printer,
    ) -> Result<JudgedTree, CommandError> {
        let start = match &self.folder {
            Some(folder) => settings.directory.join(folder),
            None => settings.directory.clone(),
        };
        if let Some(session) = self.rendered(&start, settings)? {
            printer.in_project(&session.root);
            return Ok(JudgedTree::Project(Box::new(session)));
        }
        let tree = RepositoryTree::find(&start)?;
        printer.in_project(&tree.root);
        let inputs = FluxInputs::gather(&tree, &self.flux, false, settings)?;
        let settings_folder = tree.project().unwrap_or(&tree.root).to_owned();
        Ok(JudgedTree::Plain(Box::new(OpenTree {
            session: ProjectSession::open_root(&settings_folder, settings, KeyUse::Never)?,
            tree,
            inputs,
        })))
    }

    /// Opens the project around a folder, if there is one that renders anything.
    fn rendered(
        &self,
        start: &std::path::Path,
        settings: &Settings,
    ) -> Result<Option<ProjectSession>, CommandError> {
        let Some(root) = ProjectSession::rendering_root(start, settings)? else {
            return Ok(None);
        };
        if self.flux.is_given() {
            let message = "`--root`, `--source`, `--values` and `--lenient` are for a tree that nothing renders";
            return Err(CommandError::failed(message).hint(
                "say it in `[flux]` of `kiln.toml`, which every command of a project follows",
            ));
        }
        ProjectSession::open_root(&root, settings, KeyUse::AtHand).map(Some)
    }
}

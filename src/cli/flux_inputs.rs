//! What a user adds to a tree so that Flux can be followed through it.

use std::path::{Path, PathBuf};

use kustomize::join;

use super::error::CommandError;
use super::key_places::KeyUse;
use super::repository_tree::RepositoryTree;
use super::session::ProjectSession;
use super::settings::Settings;
use crate::diagnostic::closest;
use crate::flux::{
    AppliedObjects, FluxSurroundings, FollowOptions, SourceReference, TreeFiles, find_roots, follow,
};
use crate::fs::{self, Disk};
use crate::pipeline;

/// The options of every command that follows Flux.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct FluxChoices {
    /// Start from FOLDER, counted from the root of the repository [default: the roots that the tree tells of]
    #[arg(long = "root", value_name = "FOLDER")]
    roots: Vec<String>,
    /// Take the files of another source from DIR
    #[arg(long = "source", value_name = "KIND/NAMESPACE/NAME=DIR", value_parser = source_choice)]
    sources: Vec<SourceChoice>,
    /// Take ConfigMaps and Secrets that lie outside of git from FILE
    #[arg(long = "values", value_name = "FILE")]
    values: Vec<PathBuf>,
    /// Take a variable that nothing gives for empty, as Flux did before 2.9
    #[arg(long)]
    lenient: bool,
}

impl FluxChoices {
    /// Returns whether anything is chosen.
    pub fn is_given(&self) -> bool {
        let lists = self.roots.len() + self.sources.len() + self.values.len();
        lists > 0 || self.lenient
    }
}

/// A source, and the folder that has its files.
#[derive(Clone, Debug)]
struct SourceChoice {
    reference: SourceReference,
    folder: PathBuf,
}

fn source_choice(text: &str) -> Result<SourceChoice, String> {
    let (reference, folder) = text.split_once('=').ok_or("there is no `=` in it")?;
    let reference = SourceReference::parse(reference)
        .ok_or("the part before `=` is no `KIND/NAMESPACE/NAME`")?;
    Ok(SourceChoice {
        reference,
        folder: PathBuf::from(folder),
    })
}

/// What is told of the surroundings of a tree, by the arguments and by `kiln.toml`.
pub struct FluxInputs {
    surroundings: FluxSurroundings,
}

impl FluxInputs {
    /// Gathers what the arguments and the project tell; arguments take the place of what the project says, source by
    /// source.
    ///
    /// Values of Secrets are filled in only with `fills_in_secrets`, as they stand in objects then.
    pub fn gather(
        tree: &RepositoryTree,
        choices: &FluxChoices,
        fills_in_secrets: bool,
        settings: &Settings,
    ) -> Result<Self, CommandError> {
        let mut surroundings = FluxSurroundings::default();
        if let Some(project) = tree.project() {
            let session = ProjectSession::open_root(project, settings, KeyUse::Never)?;
            surroundings = pipeline::surroundings(&session.world())?;
        }
        surroundings.fills_in_secrets = fills_in_secrets;
        surroundings.lenient |= choices.lenient;
        if !choices.roots.is_empty() {
            surroundings.roots.clone_from(&choices.roots);
        }
        for path in &choices.values {
            add_values(&mut surroundings, &settings.directory.join(path), path)?;
        }
        for choice in &choices.sources {
            let files = Disk::open(&settings.directory.join(&choice.folder))?;
            let shown = choice.folder.display().to_string();
            surroundings.add_source(choice.reference.clone(), Box::new(files), &shown);
        }
        Ok(Self { surroundings })
    }

    /// Returns how to follow Flux through the files of a tree.
    pub fn options(
        &self,
        tree: &RepositoryTree,
        files: &TreeFiles<'_>,
    ) -> Result<FollowOptions<'_>, CommandError> {
        let mut options = self.surroundings.options()?;
        for root in &mut options.roots {
            *root = root_in(files, root, &tree.start)?;
        }
        Ok(options)
    }
}

/// Adds the ConfigMaps and Secrets of a file.
fn add_values(
    surroundings: &mut FluxSurroundings,
    full: &Path,
    written: &Path,
) -> Result<(), CommandError> {
    let shown = written.display().to_string();
    let bytes = fs::read_anywhere(full)?
        .ok_or_else(|| CommandError::failed(format!("there is no file `{shown}` with values")))?;
    surroundings.add_values(&shown, bytes).map_err(|error| {
        let failed = CommandError::failed(error.to_string());
        error.hint().into_iter().fold(failed, CommandError::hint)
    })
}

/// Follows Flux through a tree.
///
/// # Errors
/// Nothing in the tree tells where Flux starts.
pub fn applied(
    files: &TreeFiles<'_>,
    options: &FollowOptions<'_>,
    tree: &RepositoryTree,
) -> Result<AppliedObjects, CommandError> {
    let applied = follow(files, options);
    if applied.roots.is_empty() {
        return Err(no_start(tree)
            .hint("for a single folder with a `kustomization.yaml`, name it: `kiln build DIR`"));
    }
    Ok(applied)
}

/// Makes sure that something tells where Flux starts: nothing can be said of what it applies otherwise.
///
/// # Errors
/// Nothing does.
pub fn require_start(
    files: &TreeFiles<'_>,
    options: &FollowOptions<'_>,
    tree: &RepositoryTree,
) -> Result<(), CommandError> {
    if find_roots(files, &options.roots).is_empty() {
        return Err(no_start(tree).hint("start a Kiln project with `kiln init`"));
    }
    Ok(())
}

fn no_start(tree: &RepositoryTree) -> CommandError {
    let message = format!(
        "nothing in `{}` tells where Flux starts: there is no `FluxInstance`, no `gotk-sync.yaml` of `flux bootstrap`, and no Flux Kustomization",
        tree.root.display()
    );
    CommandError::failed(message).hint(
        "name the folder that Flux is to apply with `--root FOLDER`, or `[flux] roots` in `kiln.toml`",
    )
}

/// Returns a root that somebody names as a folder of the tree: counted from its root, else from where the run starts.
fn root_in(files: &TreeFiles<'_>, written: &str, start: &str) -> Result<String, CommandError> {
    let found = ["", start]
        .into_iter()
        .filter_map(|folder| join(folder, written))
        .find(|folder| files.has_folder(folder));
    found.ok_or_else(|| {
        let error = CommandError::failed(match files.left_out(written.trim_end_matches('/')) {
            Some(why) => format!("the root `{written}` is no part of what Flux gets: {why}"),
            None => format!("there is no folder `{written}` in the tree"),
        });
        match closest(written, files.folders()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("roots count from the root of the repository"),
        }
    })
}

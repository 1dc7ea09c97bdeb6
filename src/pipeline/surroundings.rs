//! What `[flux]` of `kiln.toml` tells of the surroundings of a tree.

use kustomize::join;

use super::World;
use super::failure::{CompileFailure, Warnings};
use super::world::KeyHandling;
use crate::config;
use crate::config::project::Project;
use crate::diagnostic::Diagnostic;
use crate::flux::{FluxSurroundings, SourceReference};
use crate::source::{Files as _, Place};

/// Gathers what the project of `world` tells of the surroundings of its tree.
///
/// # Errors
/// `kiln.toml` is broken, or names what is not there.
pub fn surroundings(world: &World<'_>) -> Result<FluxSurroundings, CompileFailure> {
    let project = Warnings::default().keep(config::project::load(&world.files))?;
    surroundings_of(world, &project)
}

/// Gathers what a project tells of the surroundings of its tree.
///
/// Where keys may be made up, what is not at hand is not seen, and no error. Where all of them are, in a change that
/// nobody has read yet, nothing outside of the project is read.
pub(super) fn surroundings_of(
    world: &World<'_>,
    project: &Project,
) -> Result<FluxSurroundings, CompileFailure> {
    let settings = &project.flux;
    let mut found = FluxSurroundings::default();
    found.lenient = !settings.strict;
    let mut problems = Vec::new();
    for (root, place) in &settings.roots {
        match join("", root) {
            Some(root) => found.roots.push(root),
            None => problems.push(refused(
                format!("the root `{root}` is outside of the repository"),
                place,
            )),
        }
    }
    for (path, place) in &settings.values {
        let problem = match read_values(world, path) {
            Some(bytes) => {
                let added = found.add_values(path, bytes).err();
                added.map(|error| {
                    let problem = refused(error.to_string(), place);
                    error
                        .hint()
                        .into_iter()
                        .fold(problem, Diagnostic::with_hint)
                })
            }
            None => missing(
                world,
                format!("there is no file `{path}` with values"),
                place,
            ),
        };
        problems.extend(problem);
    }
    for (name, folder, place) in &settings.sources {
        let Some(reference) = SourceReference::parse(name) else {
            continue;
        };
        match world.open_folder(folder) {
            Some(files) => found.add_source(reference, files, folder),
            None => problems.extend(missing(
                world,
                format!("there is no folder `{folder}` with the files of `{name}`"),
                place,
            )),
        }
    }
    if problems.is_empty() {
        Ok(found)
    } else {
        Err(CompileFailure::Problems(problems))
    }
}

fn refused(message: String, place: &Place) -> Diagnostic {
    Diagnostic::error(&config::codes::KILN_TOML, message).at_place(place.clone(), "")
}

/// Says that something is not there; nobody expects a clone without keys to have all that lies beside it.
fn missing(world: &World<'_>, message: String, place: &Place) -> Option<Diagnostic> {
    let is_needed = world.keys() == KeyHandling::Needed;
    is_needed.then(|| refused(message, place))
}

/// Reads a file of the project, or of a folder around it.
fn read_values(world: &World<'_>, path: &str) -> Option<Vec<u8>> {
    if let Ok(Some(bytes)) = world.files.read(path) {
        return Some(bytes);
    }
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_outside = join("", path).is_none();
    let files = is_outside.then(|| world.open_folder(folder))??;
    files.read(name).ok()?
}

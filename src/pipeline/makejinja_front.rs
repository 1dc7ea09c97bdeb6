//! The front of a makejinja project: rendered as its settings say, for the stages behind.

use std::time::Duration;

use serde_json::Value;

use super::exposure::Exposure;
use super::failure::{CompileFailure, Warnings};
use super::project_measures::ProjectMeasures;
use super::{Front, OccupiedPlaces, Sealing, World, inputs, name_secrets};
use crate::config;
use crate::config::project::{Project, ProjectKind};
use crate::diagnostic::{Diagnostic, StageResult, Warned};
use crate::makejinja::{self, MakejinjaInputs, MakejinjaOutside, MakejinjaRendering};
use crate::pipeline::codes;
use crate::source::{Files as _, Place, Source, Span};

/// Takes over what the settings of makejinja say of the folders and files of a project.
pub(super) fn settle(world: &World<'_>, project: Project) -> StageResult<Project> {
    let Warned {
        value: settings,
        warnings,
    } = makejinja::settings(&world.files, outside(world))?;
    let layout = makejinja::layout(&settings, &world.files);
    let place = |path: &String| Place::new(&Source::new(path.as_str(), ""), Span::default());
    let named = |path: String| {
        let place = place(&path);
        (path, place)
    };
    let project = Project {
        data: Some(layout.data.into_iter().map(named).collect()),
        templates: layout.templates,
        output: layout.output,
        catalogue: false,
        ..project
    };
    Ok(Warned {
        value: project,
        warnings,
    })
}

/// Returns whether a folder without settings files is described by options of makejinja all the same.
pub(super) fn is_described(world: &World<'_>) -> bool {
    let around = world.makejinja();
    let has_settings = || matches!(world.files.read(config::project::FILE), Ok(Some(_)));
    describes(
        around.arguments,
        around.variables.iter().map(|(name, _)| name.as_str()),
    ) && !has_settings()
}

/// Returns whether options of the command line or variables of the environment describe a project of makejinja.
pub fn describes<'n>(arguments: &[String], mut variables: impl Iterator<Item = &'n str>) -> bool {
    !arguments.is_empty()
        || variables.any(|name| matches!(name, "MAKEJINJA_SETTINGS" | "MAKEJINJA_INPUTS"))
}

fn outside<'o>(world: &'o World<'_>) -> MakejinjaOutside<'o> {
    let around = world.makejinja();
    MakejinjaOutside {
        arguments: around.arguments,
        variables: around.variables,
    }
}

/// Renders a project, and takes over what it says of the other stages.
pub(super) fn rendered(
    world: &World<'_>,
    project: Project,
    sealing: Sealing,
    warnings: &mut Warnings,
) -> Result<(Front, Value), CompileFailure> {
    let keyring = warnings.keep(inputs::keyring(world, &project))?;
    let made = warnings.keep(makejinja::render(&MakejinjaInputs {
        files: &world.files,
        folder: world.makejinja().folder,
        outside: outside(world),
        plugins: world.makejinja().plugins,
        python: &project.plugins.python,
        timeout: Duration::from_secs(project.plugins.timeout),
        makes_up_keys: !world.reads_keys(),
        known: world.known(),
    }))?;
    let MakejinjaRendering {
        mut rendering,
        values,
        overwrites,
    } = made;
    let occupied = if overwrites {
        OccupiedPlaces::Replaced
    } else {
        OccupiedPlaces::Left
    };
    if !world.files.made_up().is_empty() {
        // What is made up is in key files, which are others in the other rendering.
        rendering.others.extend(rendering.others.first().cloned());
    }
    let (mut rendering, rules, named) = name_secrets(world, &project, rendering, warnings)?;
    let exposure = Exposure::of(&mut rendering, &rules, &named);
    let secret = rendering.tree.files().filter(|file| file.is_secret());
    let paths = secret.map(|file| file.path.as_str());
    let (earlier, elsewhere) = inputs::sealed_files(world, &project, paths, &keyring, sealing);
    let front = Front {
        measures: ProjectMeasures {
            policy: inputs::policy_of(&project),
            exemptions: inputs::exemptions(&project),
            profiles: inputs::profiles(world)?,
            project,
            exposure,
        },
        rendering,
        rules,
        public: Vec::new(),
        stand_ins: world.files.made_up(),
        plain_secrets: Vec::new(),
        occupied,
        keyring,
        earlier,
        elsewhere,
    };
    Ok((front, values))
}

/// The commands that a makejinja project wants to run.
#[derive(Default)]
pub struct ProjectCommands {
    /// Before it is rendered.
    pub before: Vec<String>,
    /// After its outputs are written.
    pub after: Vec<String>,
}

/// Returns the commands that the project wants to run: none, unless makejinja's settings describe it.
///
/// # Errors
/// `kiln.toml` or the settings are broken.
pub fn project_commands(world: &World<'_>) -> Result<ProjectCommands, CompileFailure> {
    let mut warnings = Warnings::default();
    let project = warnings.keep(config::project::load(&world.files))?;
    if project.kind == ProjectKind::Typed && !is_described(world) {
        return Ok(ProjectCommands::default());
    }
    let settings = warnings.keep(makejinja::settings(&world.files, outside(world)))?;
    Ok(ProjectCommands {
        before: settings.exec_pre,
        after: settings.exec_post,
    })
}

/// Says that a question is about the typed config, which a makejinja project has not.
pub(super) fn no_typed_config() -> CompileFailure {
    let message = "this project is rendered by the settings of makejinja and has no typed config";
    CompileFailure::Problems(vec![
        Diagnostic::error(&codes::NO_TYPED_CONFIG, message).with_hint(
            "`kiln adopt` shows what the project is with Kiln's own config and catalogue",
        ),
    ])
}

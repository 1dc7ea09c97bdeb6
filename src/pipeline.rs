//! The one place where stages meet: from a project's files to a sealed tree.
//!
//! [`compile`] is the whole of Kiln in the order of its stages. Nothing here touches the disk: files,
//! environment, keys and time are handed in as a [`World`], and what comes back is a tree that only
//! `write` can put on disk.

mod catalogue;
mod explanation;
mod failure;
mod inputs;

pub use catalogue::{Catalogue, catalogue};
pub use explanation::{Explanation, explanations, findings};
pub use failure::Failure;
pub use inputs::{Layout, World};

use rand_core::CryptoRngCore;
use serde_json::Value;

use crate::diagnostic::Diagnostic;
use crate::tree::{App, Sealed, Tree};
use crate::{check, config, harden, render, schema, seal};
use failure::Warnings;

/// A project that compiled.
#[derive(Debug)]
pub struct Compiled {
    /// What goes to disk.
    pub tree: Tree<Sealed>,
    /// What the stages warned of, in their order.
    pub warnings: Vec<Diagnostic>,
    /// How many files the templates rendered to.
    pub templates: usize,
}

/// Compiles a project: load, validate, render, harden, check, seal.
///
/// Each stage reports all its problems; the first stage with an error ends the run.
pub fn compile(world: &World<'_>, entropy: &mut dyn CryptoRngCore) -> Result<Compiled, Failure> {
    let mut warnings = Warnings::default();
    let project = warnings.keep(config::project::load(world.files))?;
    let keyring = warnings.keep(inputs::keyring(world, &project))?;
    let schema = inputs::schema(world)?;
    let profiles = inputs::profiles(world)?;
    let decrypt = |source: &_| seal::decrypt(source, &keyring);

    let merged = warnings.keep(config::load(world.files, &project, world.env, &decrypt))?;
    let cluster = warnings.keep(schema::validate(merged, &schema))?;
    let rendering = warnings.keep(render::render(
        (&cluster).into(),
        &inputs::layers(world, &project),
        world.files,
    ))?;
    let templates = rendering.tree.files().len();
    let policy = inputs::policy(&project, &cluster);
    let hardened = warnings.keep(harden::harden(rendering.tree, &profiles, &policy))?;
    let measures = check::Measures {
        secrets: &rendering.secrets,
        profiles: &profiles,
        kubernetes: policy.kubernetes,
    };
    let checked = warnings.keep(check::check(hardened, measures))?;
    let rules = warnings.keep(inputs::creation_rules(&checked, world))?;
    let existing = inputs::existing(world, &project);
    let inputs = inputs::sealing(world, &rules, &keyring, &existing);
    let tree = warnings.keep(seal::seal(checked, &inputs, entropy))?;

    Ok(Compiled {
        tree,
        warnings: warnings.list,
        templates,
    })
}

/// Returns the JSON Schema of the config: the core's, with each app's under `apps`.
pub fn schema(world: &World<'_>) -> Result<Value, Failure> {
    Ok(inputs::schema(world)?.json().clone())
}

/// Lists the apps that the project knows, enabled or not, sorted by namespace and name.
pub fn apps(world: &World<'_>) -> Result<Vec<App>, Failure> {
    let mut warnings = Warnings::default();
    let project = warnings.keep(config::project::load(world.files))?;
    let keyring = warnings.keep(inputs::keyring(world, &project))?;
    let decrypt = |source: &_| seal::decrypt(source, &keyring);
    let merged = warnings.keep(config::load(world.files, &project, world.env, &decrypt))?;
    let cluster = warnings.keep(schema::validate(merged, &inputs::schema(world)?))?;
    warnings.keep(render::apps(
        (&cluster).into(),
        &inputs::layers(world, &project),
    ))
}

/// Returns where the project keeps its templates and its outputs.
pub fn layout(world: &World<'_>) -> Result<Layout, Failure> {
    let project = Warnings::default().keep(config::project::load(world.files))?;
    Ok(Layout {
        templates: project.templates,
        output: project.output,
    })
}

//! A tree to look at and not to write: everything but sealing.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::failure::{Failure, Warnings};
use super::{Front, Sealing, World, inputs, rendered_from};
use crate::diagnostic::Diagnostic;
use crate::seal;
use crate::secret::Secrets;
use crate::source::Source;
use crate::tree::{Checked, Tree, is_secret_path};
use crate::{check, harden};

/// A project that compiled up to sealing, for comparison in memory.
pub struct Draft {
    /// The tree, its secrets in plain text.
    pub tree: Tree<Checked>,
    /// The secrets that the run met.
    pub secrets: Secrets,
    /// The config with its defaults; some of its values are secret.
    pub values: Value,
    /// What the stages warned of, in their order.
    pub warnings: Vec<Diagnostic>,
    /// What was made up: key files, variables and encrypted data files.
    pub stand_ins: BTreeSet<String>,
    /// The outputs that depend on it.
    pub unseen: BTreeSet<String>,
}

/// Loads, validates, renders, hardens and checks; nothing is sealed, so that no key is needed for that.
///
/// `data` takes the place of the project's own data files, if given.
pub fn draft(world: &World<'_>, data: Option<&[String]>) -> Result<Draft, Failure> {
    let mut warnings = Warnings::default();
    let (front, values) = rendered_from(world, data, Sealing::Never, &mut warnings)?;
    let Front {
        project,
        profiles,
        policy,
        rendering,
        exposure,
        stand_ins,
        ..
    } = front;
    let unseen = inputs::unseen_files(&rendering.tree, exposure.unseen.as_ref());
    let hardened = warnings.keep(harden::harden(rendering.tree, &profiles, &policy))?;
    let exempt = inputs::check_exemptions(&project);
    let measures = inputs::measures(&exposure, &profiles, &policy, &exempt);
    let tree = warnings.keep(check::check(hardened, measures))?;
    Ok(Draft {
        tree,
        secrets: rendering.secrets,
        values,
        warnings: warnings.list,
        stand_ins,
        unseen,
    })
}

/// What a file of an output folder turned out to be.
pub enum Opened {
    /// A file that holds no secret.
    Plain,
    /// A secret file, with its plain text.
    Secret(String),
    /// A sealed file that no identity at hand opens.
    Sealed,
}

/// Tells the secret files of an output folder from the others, and opens them with the identities at
/// hand.
///
/// # Errors
/// A file that was changed since it was sealed, or that is broken.
pub fn opened(world: &World<'_>, files: &[Arc<Source>]) -> Result<Vec<Opened>, Failure> {
    let mut warnings = Warnings::default();
    let project = warnings.keep(crate::config::project::load(&world.files))?;
    let keyring = warnings.keep(inputs::keyring(world, &project))?;
    let mut problems = Vec::new();
    let mut found = Vec::new();
    for source in files {
        if !seal::is_sealed(&source.text) {
            found.push(if is_secret_path(&source.path) {
                Opened::Secret(source.text.to_string())
            } else {
                Opened::Plain
            });
            continue;
        }
        match seal::decrypt(source, &keyring) {
            Ok(text) => found.push(Opened::Secret(text)),
            Err(problem) if inputs::CLOSED.contains(&problem.code) => found.push(Opened::Sealed),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(found)
    } else {
        Err(Failure::Problems(problems))
    }
}

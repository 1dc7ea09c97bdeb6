//! The exchange of the project's age key.

use std::collections::{BTreeMap, BTreeSet};

use rand_core::CryptoRngCore;

use super::failure::Warnings;
use super::inputs::{self, in_project};
use super::{CompileFailure, Compiled, Sealer, World, compile_here, opened_project};
use crate::config::project::Project;
use crate::diagnostic::Diagnostic;
use crate::seal::{DataKeys, Renewal, Rules};
use crate::secret::AGE_KEY;
use crate::source::{Files as _, OverlaidFiles, Source};

/// A project that compiled for its new key, and that can seal its other files for it.
pub struct Rekeyed {
    /// The outputs, sealed for the new key.
    pub compiled: Compiled,
    sealer: Sealer,
    old: Vec<String>,
    /// The templates that were sealed already, as they are for the new key, by path.
    templates: BTreeMap<String, String>,
}

/// Compiles a project whose `age.key` starts with a new key; the identities with the origins `old` hold the one
/// that it replaces.
///
/// # Errors
/// Those of [`compile`](super::compile), and a key that cannot replace the old one.
pub fn rekey(
    world: &World<'_>,
    old: &[String],
    entropy: &mut (dyn CryptoRngCore + Send),
) -> Result<Rekeyed, CompileFailure> {
    // Before anything else is found wrong because of the same mistake.
    let mut warnings = Warnings::default();
    let project = opened_project(world, None, &mut warnings)?;
    let keyring = warnings.keep(inputs::keyring(world, &project))?;
    let rules = Rules::none();
    let renewal = Renewal::prepare(&rules, &keyring, AGE_KEY, old)
        .map_err(|problem| CompileFailure::Problems(vec![problem]))?;
    let templates = renewed_templates(world, &project, &renewal, entropy)?;
    let bytes = |(path, text): (&String, &String)| (path.clone(), text.clone().into_bytes());
    let files = OverlaidFiles::new(world.unguarded(), templates.iter().map(bytes));
    let with_templates = world.with_files(&files);
    let (compiled, sealer) =
        rayon::scope(|_| compile_here(&with_templates, DataKeys::Replaced, entropy))?;
    let rekeyed = Rekeyed {
        compiled,
        sealer,
        old: old.to_vec(),
        templates,
    };
    let problems = rekeyed.stale_rules()?;
    if problems.is_empty() {
        Ok(rekeyed)
    } else {
        Err(CompileFailure::Problems(problems))
    }
}

/// Seals the templates for the new key that are sealed already, and so are carried as they are.
fn renewed_templates(
    world: &World<'_>,
    project: &Project,
    renewal: &Renewal<'_>,
    entropy: &mut (dyn CryptoRngCore + Send),
) -> Result<BTreeMap<String, String>, CompileFailure> {
    let mut renewed = BTreeMap::new();
    let mut problems = Vec::new();
    for folder in &project.templates {
        for path in world.files.list(folder)? {
            let bytes = world.files.read(&path)?.unwrap_or_default();
            let Ok(text) = String::from_utf8(bytes) else {
                continue;
            };
            let source = Source::new(path.clone(), text);
            match renewal.seal(&source, &world.now, entropy) {
                Ok(text) => renewed.extend(text.map(|text| (path, text))),
                Err(problem) => problems.push(problem),
            }
        }
    }
    if problems.is_empty() {
        Ok(renewed)
    } else {
        Err(CompileFailure::Problems(problems))
    }
}

impl Rekeyed {
    /// Returns the public key that everything is sealed for from now on.
    pub fn recipient(&self) -> Result<String, CompileFailure> {
        Ok(self.renewal()?.recipient().to_owned())
    }

    /// Seals files that are no outputs anew, in memory, and returns those that change, by path.
    ///
    /// Each is read as the project has it; what is no sealed file, or is in order, is passed over.
    pub fn seal(
        &self,
        world: &World<'_>,
        paths: &BTreeSet<String>,
        entropy: &mut dyn CryptoRngCore,
    ) -> Result<Vec<(String, String)>, CompileFailure> {
        let renewal = self.renewal()?;
        let mut problems = Vec::new();
        let templates = self.templates.iter();
        let mut sealed: Vec<(String, String)> = templates
            .map(|(path, text)| (path.clone(), text.clone()))
            .collect();
        let rest = paths
            .iter()
            .filter(|path| !self.templates.contains_key(*path));
        for path in rest {
            let Some(bytes) = world.files.read_output(path)? else {
                continue;
            };
            let Ok(text) = String::from_utf8(bytes) else {
                continue;
            };
            let source = Source::new(path.clone(), text);
            match renewal.seal(&source, &world.now, entropy) {
                Ok(text) => sealed.extend(text.map(|text| (path.clone(), text))),
                Err(problem) if problems.contains(&problem) => {}
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            Ok(sealed)
        } else {
            Err(CompileFailure::Problems(problems))
        }
    }

    /// Lists the outputs by their paths in the project.
    pub fn outputs(&self) -> BTreeSet<String> {
        let outputs = self.compiled.tree.outputs();
        outputs
            .map(|(path, _)| in_project(&self.sealer.output, path))
            .collect()
    }

    /// Names each rule that still seals outputs for the old key, once.
    fn stale_rules(&self) -> Result<Vec<Diagnostic>, CompileFailure> {
        let renewal = self.renewal()?;
        let outputs = self.compiled.tree.outputs();
        let sealed = outputs.filter(|(_, file)| file.sealed);
        let mut problems: Vec<Diagnostic> = Vec::new();
        for problem in sealed.filter_map(|(path, _)| renewal.stale_rule(path)) {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        Ok(problems)
    }

    fn renewal(&self) -> Result<Renewal<'_>, CompileFailure> {
        let Sealer { rules, keyring, .. } = &self.sealer;
        Renewal::prepare(rules, keyring, AGE_KEY, &self.old)
            .map_err(|problem| CompileFailure::Problems(vec![problem]))
    }
}

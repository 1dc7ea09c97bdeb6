//! A tree to look at and not to write: everything but sealing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use sops_age::RULE_FILE;

use super::failure::{CompileFailure, Warnings};
use super::kept::KeptFiles;
use super::project_measures::ProjectMeasures;
use super::surroundings::surroundings_of;
use super::{Front, Sealing, World, inputs, rendered_from};
use crate::check;
use crate::config::PublicReference;
use crate::flux::{FollowedTree, TreeFiles};
use crate::harden;
use crate::seal;
use crate::secret::{SealTerms, Secrets};
use crate::source::Source;
use crate::tree::{File, Hardened, Tree, is_secret_path};
use crate::workload::Exemption;

/// A project that compiled up to sealing, for comparison in memory.
pub struct Draft {
    /// The tree, its secrets in plain text.
    pub tree: Tree<Hardened>,
    /// The secrets that the run met.
    pub secrets: Secrets,
    /// The config with its defaults, and the `versions`; some of its values are secret.
    pub values: Value,
    /// What was made up: key files, variables and encrypted data files.
    pub stand_ins: BTreeSet<String>,
    /// The outputs that depend on it.
    pub unseen: BTreeSet<String>,
    /// What the project says of checks, comparisons and sealing.
    pub policies: DraftPolicies,
}

/// What a project says of how it is judged and sealed, which a change of it must not hide.
pub struct DraftPolicies {
    /// What a comparison leaves out, besides the usual noise.
    pub ignore: Vec<String>,
    /// Whether a comparison leaves out the usual noise.
    pub noise: bool,
    /// The exemptions.
    pub exemptions: Vec<Exemption>,
    /// What the config takes from elsewhere and calls public.
    pub public: Vec<PublicReference>,
    /// Whether the creation rules are rendered, rather than the project's own.
    pub rules_rendered: bool,
    /// The creation rules.
    pub rules: Vec<SealTerms>,
    /// For whom each file is sealed of which a rule knows.
    pub sealed: BTreeMap<String, SealTerms>,
}

/// Loads, validates, renders and hardens; nothing is sealed, so that no key is needed for that.
///
/// What rules find wrong does not stop it, as what is wrong is compared as well; but for secrets in plain text, which
/// nobody is to see. `data` takes the place of the project's own data files, if given.
pub fn draft(world: &World<'_>, data: Option<&[String]>) -> Result<Draft, CompileFailure> {
    let mut warnings = Warnings::default();
    let (front, values) = rendered_from(world, data, Sealing::Never, &mut warnings)?;
    let Front {
        measures,
        rendering,
        rules,
        public,
        stand_ins,
        ..
    } = front;
    let rules_rendered = rendering.tree.get(RULE_FILE).is_some();
    let unseen = measures.exposure.unseen.as_ref();
    let unseen = inputs::unseen_files(&rendering.tree, unseen);
    let tree = measures.of(world, rendering.tree, |tree, by| {
        let hardened = warnings.keep(harden::harden(tree, by))?;
        match check::find_plain_text(hardened.files(), by) {
            found if found.is_empty() => Ok(hardened),
            found => Err(CompileFailure::Problems(found)),
        }
    })?;
    let secret = tree.files().filter(|file| file.is_secret());
    let sealed =
        secret.filter_map(|file| Some((file.path.clone(), rules.terms(&file.path)?.clone())));
    let ProjectMeasures {
        project,
        exemptions,
        ..
    } = measures;
    let policies = DraftPolicies {
        ignore: project.diff.ignore.clone(),
        noise: project.diff.defaults,
        exemptions: exemptions.list().to_vec(),
        public,
        rules_rendered,
        rules: rules.all_terms(),
        sealed: sealed.collect(),
    };
    Ok(Draft {
        policies,
        tree,
        secrets: rendering.secrets,
        values,
        stand_ins,
        unseen,
    })
}

/// Reads what a tree that nothing renders says of how it is judged.
///
/// # Errors
/// `kiln.toml` is broken.
pub fn tree_policies(world: &World<'_>) -> Result<DraftPolicies, CompileFailure> {
    let project = Warnings::default().keep(crate::config::project::load(&world.files))?;
    Ok(DraftPolicies {
        exemptions: inputs::exemptions(&project).list().to_vec(),
        ignore: project.diff.ignore,
        noise: project.diff.defaults,
        public: Vec::new(),
        // The creation rules are a file of the tree like any other.
        rules_rendered: true,
        rules: Vec::new(),
        sealed: BTreeMap::new(),
    })
}

/// Follows Flux through rendered files and what is kept beside them.
///
/// # Errors
/// `kiln.toml` is broken, or `[flux]` names what is not there.
pub fn follow_outputs<'t>(
    world: &World<'_>,
    files: impl Iterator<Item = &'t File> + Clone,
) -> Result<FollowedTree, CompileFailure> {
    let project = Warnings::default().keep(inputs::project(world))?;
    let around = KeptFiles::around(world, &project, files.clone());
    let kept = around.tree();
    let files = files.map(|file| -> &File { file });
    let tree = TreeFiles::over(&kept, files);
    let surroundings = surroundings_of(world, &project)?;
    Ok(FollowedTree::of(&tree, &surroundings.options()?))
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
pub fn opened(world: &World<'_>, files: &[Arc<Source>]) -> Result<Vec<Opened>, CompileFailure> {
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
            // What is no text once it is open can be compared as it is only.
            Err(problem)
                if inputs::CLOSED.contains(&problem.meaning)
                    || *problem.meaning == seal::codes::UNSUPPORTED_SECRET_FORMAT =>
            {
                found.push(Opened::Sealed);
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() {
        Ok(found)
    } else {
        Err(CompileFailure::Problems(problems))
    }
}

/// Returns for whom the sealed ones among files of an output folder are sealed.
pub fn sealed_terms(files: &[Arc<Source>]) -> BTreeMap<String, SealTerms> {
    let known = |source: &Arc<Source>| Some((source.path.clone(), seal::sealed_terms(source)?));
    files.iter().filter_map(known).collect()
}

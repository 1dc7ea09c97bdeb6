//! The one place where stages meet: from a project's files to a sealed tree.
//!
//! [`compile`] is the whole of Kiln in the order of its stages. Nothing here touches the disk: files,
//! environment, keys and time are handed in as a [`World`], and what comes back is a tree that only
//! `write` can put on disk.

mod app_asks;
mod catalogue;
pub mod codes;
mod draft;
mod explanation;
mod exposure;
mod failure;
mod found_identities;
mod inputs;
mod kept;
mod makejinja_front;
mod plain_tree;
mod project_measures;
mod rekey;
mod sealed_config;
mod sealed_tree;
mod surroundings;
mod switch;
mod versions;
mod world;

pub use catalogue::{Catalogue, catalogue};
pub use draft::{
    Draft, DraftPolicies, Opened, draft, follow_outputs, opened, sealed_terms, tree_policies,
};
pub use explanation::{findings, remedy_explanations, rule_explanations, undecidable_explanations};
pub use failure::CompileFailure;
pub use found_identities::FoundIdentities;
pub use inputs::Layout;
pub use makejinja_front::{ProjectCommands, describes, project_commands};
pub use plain_tree::{HardenedTree, PlainTree, baseline_file, remedy_codes, renders};
pub use rekey::{Rekeyed, rekey};
pub use sealed_config::{PlainSecret, SecretSet, config_value, set_secret};
pub use sealed_tree::{ReviewedFile, SealedTree, template_folders, value_route};
pub use surroundings::surroundings;
pub use switch::{ConfigChange, Switched, set_value, switch};
pub use versions::{ReadVersions, VersionReport, compare_versions, versions_behind};
pub use world::{FolderOpener, KeyHandling, MakejinjaSurroundings, World};

pub use crate::config::PublicReference;
pub use crate::config::cluster::versions::{VersionEntry, VersionKey};
pub use crate::config::project::MAKEJINJA_FILE;
pub use crate::config::versions::FILE as VERSIONS_FILE;
pub use crate::makejinja::{
    PluginRequest, PluginStart, PluginStarter, SourceReader, StartedPlugins,
};
pub use crate::render::{InstalledChart, is_evaluating, threads};
pub use crate::seal::{NewKeys, SealReview};
pub use crate::workload::Exemption;
pub use crate::yaml::Route;

use std::collections::BTreeSet;

use rand_core::CryptoRngCore;
use serde_json::Value;
use sops_age::RULE_FILE;

use crate::audit::Scorecard;
use crate::check::{Baseline, Findings, Gate};
use crate::config::cluster::{Cluster, Merged};
use crate::config::project::{Project, ProjectKind};
use crate::diagnostic::{Diagnostic, Warned};
use crate::render::Rendering;
use crate::rules::Measures;
use crate::seal::{DataKeys, Earlier, Keyring, Rules};
use crate::secret::{AGE_KEY, Secrets};
use crate::tree::{App, Checked, Rendered, Sealed, Tree, is_secret_path};
use crate::validate::Schema;
use crate::{audit, check, config, harden, render, seal, validate};
use exposure::Renderer;
use failure::Warnings;
use project_measures::ProjectMeasures;

/// A project that compiled.
#[derive(Debug)]
pub struct Compiled {
    /// What goes to disk.
    pub tree: Tree<Sealed>,
    /// What the stages warned of, in their order.
    pub warnings: Vec<Diagnostic>,
    /// What the checks found besides: what is not seen, known or left out.
    pub findings: Findings,
    /// How many files the templates rendered to.
    pub templates: usize,
    /// What the project exempts from hardening and from checks, and why.
    pub exemptions: Vec<Exemption>,
    /// The config, defaults filled in, and the `versions`.
    pub values: Value,
    /// The secrets that were met.
    pub secrets: Secrets,
    /// The outputs that depend on what is made up, so that nothing here knows how they are.
    pub unseen: BTreeSet<String>,
    /// What was made up: key files, variables and encrypted data files.
    pub stand_ins: BTreeSet<String>,
    /// The secrets that are written out in plain data files.
    pub plain_secrets: Vec<PlainSecret>,
    /// What becomes of files that are there in the places of outputs.
    pub occupied: OccupiedPlaces,
}

/// Compiles a project: load, validate, render, harden, check, seal.
///
/// Each stage reports all its problems; the first stage with an error ends the run. Stages work on the
/// threads of the rayon pool that the caller is in, or else of the global one; [`threads`] builds one that
/// suits.
pub fn compile(
    world: &World<'_>,
    entropy: &mut (dyn CryptoRngCore + Send),
) -> Result<Compiled, CompileFailure> {
    // From inside of the pool: from outside, each stage would have to wake it up.
    rayon::scope(|_| compile_here(world, DataKeys::Kept, entropy)).map(|(compiled, _)| compiled)
}

/// What becomes of files that Kiln did not write, in the places of outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OccupiedPlaces {
    /// They stop the run.
    #[default]
    Refused,
    /// They stay, and the outputs are left out.
    Left,
    /// The outputs take their places.
    Replaced,
}

/// What sealing went by.
struct Sealer {
    keyring: Keyring,
    rules: Rules,
    /// The output folder, empty for the project itself.
    output: String,
}

fn compile_here(
    world: &World<'_>,
    data_keys: DataKeys,
    entropy: &mut (dyn CryptoRngCore + Send),
) -> Result<(Compiled, Sealer), CompileFailure> {
    let mut warnings = Warnings::default();
    let (front, values) = rendered_from(world, None, Sealing::Ahead, &mut warnings)?;
    let Front {
        measures,
        rendering,
        rules,
        keyring,
        earlier,
        elsewhere,
        stand_ins,
        plain_secrets,
        occupied,
        ..
    } = front;
    let templates = rendering.tree.files().len();
    let unseen = measures.exposure.unseen.as_ref();
    let hidden = inputs::unseen_files(&rendering.tree, unseen);
    let (checked, findings) =
        hardened_and_checked(world, &measures, rendering.tree, &mut warnings)?;
    let wrong_key = earlier.wrong_key(&elsewhere, &keyring, AGE_KEY);
    warnings.keep(Warned::unless_errors((), Vec::from_iter(wrong_key)))?;
    let is_rule_file = |path: &String| path.ends_with(RULE_FILE);
    let knows_recipients = !hidden.iter().any(is_rule_file);
    let inputs = seal::Inputs {
        rules: &rules,
        keyring: &keyring,
        knows_recipients,
        earlier: &earlier,
        unseen,
        data_keys,
        now: &world.now,
    };
    let mut tree = warnings.keep(seal::seal(checked, &inputs, entropy))?;
    inputs::keep_unseen(world, &measures.project, &hidden, &mut tree);
    if knows_recipients && data_keys == DataKeys::Kept {
        let kept = inputs::sealed_beside(world, &measures.project, &tree);
        let told = kept
            .iter()
            .filter_map(|source| seal::kept_problem(source, &rules));
        warnings.list.extend(told);
    }

    let compiled = Compiled {
        tree,
        warnings: warnings.list,
        findings,
        templates,
        exemptions: measures.exemptions.list().to_vec(),
        values,
        secrets: rendering.secrets,
        unseen: hidden,
        stand_ins,
        plain_secrets,
        occupied,
    };
    let sealer = Sealer {
        keyring,
        rules,
        output: inputs::output_folder(&measures.project),
    };
    Ok((compiled, sealer))
}

/// A project that was audited.
pub struct Audited {
    /// Its scorecard.
    pub scorecard: Scorecard,
    /// The version of Kubernetes that it was measured against: `v1.36`.
    pub kubernetes: String,
    /// How many things hardening added.
    pub injections: usize,
    /// What the stages warned of, in their order.
    pub warnings: Vec<Diagnostic>,
    /// What was made up: key files, variables and encrypted data files.
    pub stand_ins: BTreeSet<String>,
}

/// Audits a project as its templates make it and as hardening leaves it; nothing is sealed.
pub fn audit(world: &World<'_>) -> Result<Audited, CompileFailure> {
    let mut warnings = Warnings::default();
    let Front {
        measures,
        rendering,
        stand_ins,
        ..
    } = rendered(world, &mut warnings)?;
    measures.of(world, rendering.tree, |tree, by| {
        let before = audit::score(tree.files(), by);
        let hardened = warnings.keep(harden::harden(tree, by))?;
        let gate = warnings.keep(inputs::gate(world, &measures.project))?;
        let (checked, _) = warnings.keep(check::check(hardened, by, &gate))?;
        let gaps = checked.gaps();
        let after = audit::score(checked.files(), Measures { gaps, ..by });
        Ok(Audited {
            scorecard: Scorecard { before, after },
            kubernetes: measures.policy.kubernetes.to_string(),
            injections: checked.injections().len(),
            warnings: warnings.list,
            stand_ins,
        })
    })
}

/// Lists all that the rules find in what a project renders, whatever its baseline knows.
pub fn all_findings(world: &World<'_>) -> Result<Vec<Diagnostic>, CompileFailure> {
    let mut warnings = Warnings::default();
    let Front {
        measures,
        rendering,
        ..
    } = rendered(world, &mut warnings)?;
    measures.of(world, rendering.tree, |tree, by| {
        let hardened = warnings.keep(harden::harden(tree, by))?;
        let gate = Gate {
            baseline: Baseline::default(),
            ..warnings.keep(inputs::gate(world, &measures.project))?
        };
        Ok(check::judge(hardened.files(), by, &gate).diagnostics)
    })
}

/// Hardens what a project renders, and checks it.
fn hardened_and_checked(
    world: &World<'_>,
    measures: &ProjectMeasures,
    tree: Tree<Rendered>,
    warnings: &mut Warnings,
) -> Result<(Tree<Checked>, Findings), CompileFailure> {
    measures.of(world, tree, |tree, by| {
        let hardened = warnings.keep(harden::harden(tree, by))?;
        let gate = warnings.keep(inputs::gate(world, &measures.project))?;
        warnings.keep(check::check(hardened, by, &gate))
    })
}

/// A project whose templates are rendered, with what the next stages are handed.
struct Front {
    measures: ProjectMeasures,
    /// The files of its tree that will be sealed are known.
    rendering: Rendering,
    /// The creation rules.
    rules: Rules,
    /// What comes from the environment and is said to be no secret.
    public: Vec<PublicReference>,
    /// What was made up.
    stand_ins: BTreeSet<String>,
    /// The secrets that are written out in plain data files.
    plain_secrets: Vec<PlainSecret>,
    /// What becomes of files that are there in the places of outputs.
    occupied: OccupiedPlaces,
    keyring: Keyring,
    /// The sealed files that are there, opened if the run is going to seal.
    earlier: Earlier,
    /// The same of those that no template makes.
    elsewhere: Earlier,
}

/// Whether a run goes on to seal what it renders.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sealing {
    Ahead,
    Never,
}

/// Loads, validates and renders.
fn rendered(world: &World<'_>, warnings: &mut Warnings) -> Result<Front, CompileFailure> {
    rendered_from(world, None, Sealing::Never, warnings).map(|(front, _)| front)
}

/// Loads, validates and renders, from other data files if any are given; also returns the config.
fn rendered_from(
    world: &World<'_>,
    data: Option<&[String]>,
    sealing: Sealing,
    warnings: &mut Warnings,
) -> Result<(Front, Value), CompileFailure> {
    let project = opened_project(world, data, warnings)?;
    match project.kind {
        ProjectKind::Typed => typed_front(world, project, sealing, warnings),
        ProjectKind::Makejinja => makejinja_front::rendered(world, project, sealing, warnings),
    }
}

/// Loads, validates and renders a project with a typed config.
fn typed_front(
    world: &World<'_>,
    project: Project,
    sealing: Sealing,
    warnings: &mut Warnings,
) -> Result<(Front, Value), CompileFailure> {
    let keyring = warnings.keep(inputs::keyring(world, &project))?;
    // What does not depend on the config is read while the config is validated.
    let (configured, (library, profiles, mut earlier, elsewhere)) = rayon::join(
        || configured_by(world, &project, &keyring, warnings),
        || {
            validate::warm_up();
            let library = inputs::layers(world, &project).read();
            let paths = library.secret_outputs();
            let (earlier, elsewhere) =
                inputs::sealed_files(world, &project, paths, &keyring, sealing);
            (library, inputs::profiles(world), earlier, elsewhere)
        },
    );
    let (configured, mut profiles) = (configured?, profiles?);
    let (cluster, schema) = app_asks::with_asked_options(configured, &library, warnings)?;
    let renderer = Renderer {
        world,
        schema: &schema,
        cluster: &cluster,
        library: &library,
    };
    let rendering = warnings.keep(renderer.render())?;
    let mut policy = inputs::policy(&project, &cluster);
    let problems = app_asks::take_over(&rendering.pod_asks, &mut policy, &mut profiles);
    warnings.keep(Warned::unless_errors((), problems))?;
    let (mut rendering, rules, named) = name_secrets(world, &project, rendering, warnings)?;
    if sealing == Sealing::Ahead {
        let paths = named.iter().map(String::as_str);
        let more = paths.filter(|path| !is_secret_path(path));
        earlier.extend(inputs::earlier(world, &project, more, &keyring));
    }
    let exposure = renderer.expose(&mut rendering, &rules, &named);
    let front = Front {
        measures: ProjectMeasures {
            policy,
            exemptions: inputs::exemptions(&project),
            project,
            profiles,
            exposure,
        },
        rendering,
        rules,
        stand_ins: inputs::stand_ins(world, &cluster),
        plain_secrets: sealed_config::plain_secrets(&cluster),
        occupied: OccupiedPlaces::default(),
        public: cluster.public,
        keyring,
        earlier,
        elsewhere,
    };
    let mut values = cluster.values;
    if let Some(values) = values.as_object_mut() {
        values.insert("versions".to_owned(), cluster.versions.numbers());
    }
    Ok((front, values))
}

/// Reads the creation rules for what is rendered, and marks the files that they name as secret.
fn name_secrets(
    world: &World<'_>,
    project: &Project,
    rendering: Rendering,
    warnings: &mut Warnings,
) -> Result<(Rendering, Rules, BTreeSet<String>), CompileFailure> {
    let rules = warnings.keep(inputs::rules(world, project, &rendering.tree))?;
    let named = rules.named(rendering.tree.files());
    let rendering = Rendering {
        tree: rendering.tree.with_secrets(&named),
        ..rendering
    };
    Ok((rendering, rules, named))
}

/// Loads and validates.
fn configured(
    world: &World<'_>,
    warnings: &mut Warnings,
) -> Result<(Project, Cluster), CompileFailure> {
    let project = opened_project(world, None, warnings)?;
    let keyring = warnings.keep(inputs::keyring(world, &project))?;
    let configured = configured_by(world, &project, &keyring, warnings)?;
    Ok((project, configured.cluster))
}

/// Reads how the project wants to be compiled, from other data files if any are given.
fn opened_project(
    world: &World<'_>,
    data: Option<&[String]>,
    warnings: &mut Warnings,
) -> Result<Project, CompileFailure> {
    let mut project = warnings.keep(inputs::project(world))?;
    world.files.heed(&project);
    if let Some(data) = data {
        project.data = Some(inputs::named_data(data));
    }
    Ok(project)
}

/// A config that was loaded and validated.
struct Configured {
    cluster: Cluster,
    schema: Schema,
    /// What was loaded.
    merged: Merged,
}

/// Loads the config of a project and validates it.
fn configured_by(
    world: &World<'_>,
    project: &Project,
    keyring: &Keyring,
    warnings: &mut Warnings,
) -> Result<Configured, CompileFailure> {
    if project.kind == ProjectKind::Makejinja {
        return Err(makejinja_front::no_typed_config());
    }
    let schema = inputs::schema(world)?;
    let outside = config::Outside {
        env: &|name| world.variable(name),
        decrypt: &|source| inputs::opened_data(source, keyring, world),
        make_up: world.makes_up(),
    };
    let versions = inputs::versions(world, project);
    let merged = warnings.keep(inputs::both(
        config::load(&world.files, project, &outside),
        versions,
    ))?;
    let (merged, versions) = merged;
    world.known().note(merged.secrets.clone());
    let mut cluster = warnings.keep(validate::validate(merged.clone(), &schema))?;
    cluster.versions = versions;
    world.known().note(cluster.secrets.clone());
    Ok(Configured {
        cluster,
        schema,
        merged,
    })
}

/// Lists for whom the sealed files of a project are that no key at hand opens; empty where nothing can be told.
pub fn closed_files(world: &World<'_>) -> Vec<Vec<String>> {
    let project = opened_project(world, None, &mut Warnings::default());
    let found = project.ok().and_then(|project| {
        let keyring = inputs::keyring(world, &project).ok()?.value;
        Some(inputs::closed_files(world, &project, &keyring))
    });
    found.unwrap_or_default()
}

/// Returns the JSON Schema of the config: the core's, with each app's under `apps`.
pub fn schema(world: &World<'_>) -> Result<Value, CompileFailure> {
    Ok(inputs::schema(world)?.json().clone())
}

/// Returns the JSON Schema of the config as editors need it: see [`Schema::for_editors`](validate::Schema::for_editors).
pub fn schema_for_editors(world: &World<'_>) -> Result<Value, CompileFailure> {
    Ok(inputs::schema(world)?.for_editors())
}

/// Lists the apps that the project knows and their charts, enabled or not, sorted by namespace and name.
pub fn apps(world: &World<'_>) -> Result<Vec<(App, Vec<InstalledChart>)>, CompileFailure> {
    let mut warnings = Warnings::default();
    let (project, cluster) = configured(world, &mut warnings)?;
    warnings.keep(render::apps(
        (&cluster).into(),
        &inputs::layers(world, &project).read(),
    ))
}

/// Returns where the project keeps its templates and its outputs.
pub fn layout(world: &World<'_>) -> Result<Layout, CompileFailure> {
    let project = Warnings::default().keep(inputs::project(world))?;
    Ok(Layout::of(&project, &world.files))
}

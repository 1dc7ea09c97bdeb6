//! What the stages are handed: read from the world, and nothing decided here.

use crate::config::model::Cluster;
use crate::config::project::{self, Project};
use crate::diagnostic::{Diagnostic, StageResult, Warned};
use crate::harden::{Closed, Policy, Resources};
use crate::render::{Layer, Layers, Library};
use crate::schema::Schema;
use crate::seal::{Earlier, Keyring, Rules};
use crate::secret::{Secret, Secrets};
use crate::source::{Files, Place, ReadError, Source, Span};
use crate::tree::Tree;
use crate::workload::pod_security::{Level, Version};
use crate::workload::{Exemption, Profiles};
use crate::{check, config, schema};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::failure::Failure;

/// What a compile may see.
pub struct World<'w> {
    /// The project: on disk, in a git revision, or in memory.
    pub files: &'w dyn Files,
    /// The built-in templates, schemas and chart profiles.
    pub catalogue: &'w dyn Files,
    /// The environment, for `{ fromEnv: NAME }` in the config.
    pub env: &'w (dyn Fn(&str) -> Option<String> + Sync),
    /// The age identities at hand, each with where it came from.
    pub identities: Vec<(String, Secret)>,
    /// The time to write into sealed files: RFC 3339, UTC, whole seconds.
    pub now: String,
}

/// Where a project keeps its templates and its outputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The folders of templates, the one that wins first.
    pub templates: Vec<String>,
    /// The folder that outputs go to.
    pub output: String,
    /// What a comparison leaves out, besides the usual noise.
    pub ignore: Vec<String>,
    /// Whether a comparison leaves out the usual noise.
    pub noise: bool,
    /// The files of age identities that the project names.
    pub identities: Vec<String>,
}

const CONFIG_SCHEMA: &str = "schemas/cluster.schema.json";
const APP_SCHEMAS: &str = "schemas/apps";
const CHART_PROFILES: &str = "schemas/charts";
const PROJECT_CHARTS: &str = "charts";
/// The file of the project's own age identity, whose first key outputs are sealed for.
pub const OWN_IDENTITY: &str = "age.key";
/// The secrets bundle of Talos, which a recipe makes below the outputs and seals with `sops`.
const TALOS_SECRETS: &str = "talos/secrets.sops.yaml";
/// Where identities are looked for, to be named when there is none.
const IDENTITY_PLACES: [&str; 3] = [OWN_IDENTITY, "SOPS_AGE_KEY_FILE", "SOPS_AGE_KEY"];
/// SOPS' rule file: rendered into the tree, or kept in the project.
const CREATION_RULES: &str = ".sops.yaml";

/// Names data files that the command line gave, and that `kiln.toml` does not know of.
pub(super) fn named_data(data: &[String]) -> Vec<(String, Place)> {
    let place = |path: &String| {
        Place::new(
            &Source::new("--config", path.clone()),
            Span::new(0, path.len()),
        )
    };
    data.iter()
        .map(|path| (path.clone(), place(path)))
        .collect()
}

/// Composes the config's schema: the core's, then each app's, a project's over the catalogue's.
pub(super) fn schema(world: &World<'_>) -> Result<Schema, Failure> {
    let read = |files: &dyn Files, path: &str| -> Result<Option<schema::Text>, ReadError> {
        let packed = files.packed(path);
        Ok(text(files, path)?.map(|text| schema::Text { text, packed }))
    };
    let base = read(world.catalogue, CONFIG_SCHEMA)?;
    let base = base.unwrap_or_else(|| String::new().into());
    let mut apps = BTreeMap::new();
    for (files, own) in [(world.catalogue, false), (world.files, true)] {
        for path in files.list(APP_SCHEMAS)? {
            let Some(name) = path
                .strip_prefix("schemas/apps/")
                .and_then(|name| name.strip_suffix(".schema.json"))
            else {
                continue;
            };
            if let Some(text) = read(files, &path)? {
                apps.insert(name.to_owned(), (text, own));
            }
        }
    }
    let catalogue: BTreeSet<String> = apps
        .iter()
        .filter(|(_, (_, own))| !own)
        .map(|(name, _)| name.clone())
        .collect();
    let apps = apps.into_iter().map(|(name, (text, _))| (name, text));
    let schema = schema::compose(base, apps.collect()).map_err(Failure::Problems)?;
    // `tests/config.rs` proves them.
    Ok(schema.proved(&catalogue))
}

/// Loads the chart profiles: the catalogue's, then the project's own in `charts/`.
pub(super) fn profiles(world: &World<'_>) -> Result<Profiles, Failure> {
    let texts = |files: &dyn Files,
                 folder: &str|
     -> Result<Vec<(String, Cow<'static, str>)>, ReadError> {
        let mut texts = Vec::new();
        for path in files.list(folder)? {
            if let (true, Some(text)) = (crate::tree::is_yaml_path(&path), text(files, &path)?) {
                texts.push((path, text));
            }
        }
        Ok(texts)
    };
    let built_in = texts(world.catalogue, CHART_PROFILES)?;
    let own = texts(world.files, PROJECT_CHARTS)?.into_iter();
    let own: Vec<_> = own.map(|(path, text)| (path, text.into_owned())).collect();
    let profiles = Profiles::load(built_in, &own).map_err(Failure::Problems)?;
    Ok(profiles.packed(|path| world.catalogue.packed(path)))
}

/// Reads the identities: those the world has, and the files that `[seal] identities` names.
pub(super) fn keyring(world: &World<'_>, project: &Project) -> StageResult<Keyring> {
    let mut problems = Vec::new();
    let mut texts = world.identities.clone();
    for path in &project.seal.identities {
        match text(world.files, path) {
            Ok(Some(text)) => texts.push((path.clone(), Secret::new(text.into_owned()))),
            Ok(None) => problems.push(
                Diagnostic::error(
                    "missing-identity",
                    format!("there is no identity file `{path}`"),
                )
                .with_hint("name files of age identities in `[seal] identities` of `kiln.toml`"),
            ),
            Err(error) => problems.push(Diagnostic::error("missing-identity", error.to_string())),
        }
    }
    let (keyring, found) = Keyring::parse(&texts);
    problems.extend(found);
    let keyring = if keyring.is_empty() {
        keyring.looked_in(IDENTITY_PLACES.map(str::to_owned))
    } else {
        keyring
    };
    Warned::unless_errors(keyring, problems)
}

/// Lays the project's templates over the catalogue's.
pub(super) fn layers<'w>(world: &World<'w>, project: &Project) -> Layers<'w> {
    let mut layers: Vec<Layer<'w>> = project
        .templates
        .iter()
        .map(|folder| Layer {
            label: folder.clone(),
            files: world.files,
            folder: folder.clone(),
        })
        .collect();
    if project.catalogue {
        layers.push(Layer {
            label: "catalogue:templates".to_owned(),
            files: world.catalogue,
            folder: "templates".to_owned(),
        });
    }
    Layers { layers }
}

/// Finds the creation rules among the outputs.
pub(super) fn creation_rules<S>(tree: &Tree<S>) -> Option<Arc<Source>> {
    Some(Arc::clone(&tree.get(CREATION_RULES)?.source))
}

/// Reads the creation rules: those among the outputs, or else the project's own.
pub(super) fn read_rules(rendered: Option<Arc<Source>>, world: &World<'_>) -> StageResult<Rules> {
    if let Some(source) = rendered {
        return Rules::parse(&source);
    }
    match text(world.files, CREATION_RULES) {
        Ok(Some(found)) => Rules::parse(&Source::new(CREATION_RULES, found)),
        Ok(None) => Ok(Warned {
            value: Rules::none(),
            warnings: Vec::new(),
        }),
        Err(error) => Err(vec![Diagnostic::error(
            "unreadable-rules",
            error.to_string(),
        )]),
    }
}

/// Opens the sealed files at the paths of the secret outputs that the templates may make.
pub(super) fn earlier(
    world: &World<'_>,
    project: &Project,
    library: &Library,
    keyring: &Keyring,
) -> Earlier {
    let existing = |path: &str| {
        let path = shown(&project.output, path);
        world.files.read_output(&path).ok().flatten()
    };
    Earlier::open(library.secret_outputs(), &existing, keyring)
}

/// Opens the sealed files of the project that no template makes: the Talos bundle and the data files.
pub(super) fn sealed_elsewhere(world: &World<'_>, project: &Project, keyring: &Keyring) -> Earlier {
    let mut paths = config::sealed_names(project);
    paths.push(shown(&project.output, TALOS_SECRETS));
    let existing = |path: &str| world.files.read_output(path).ok().flatten();
    Earlier::open(paths.iter().map(String::as_str), &existing, keyring)
}

/// Returns the path of an output in the project.
pub(super) fn shown(output: &str, path: &str) -> String {
    match output.trim_start_matches("./").trim_end_matches('/') {
        "" | "." => path.to_owned(),
        folder => format!("{folder}/{path}"),
    }
}

fn text(files: &dyn Files, path: &str) -> Result<Option<Cow<'static, str>>, ReadError> {
    if let Some(text) = files.embedded(path) {
        return Ok(Some(Cow::Borrowed(text)));
    }
    let Some(bytes) = files.read(path)? else {
        return Ok(None);
    };
    let text = String::from_utf8(bytes).map_err(|_| ReadError {
        path: path.to_owned(),
        reason: "it is not UTF-8 text".to_owned(),
    })?;
    Ok(Some(Cow::Owned(text)))
}

/// Returns the hardening policy of the project and its config.
pub(super) fn policy(project: &Project, cluster: &Cluster) -> Policy {
    let wishes = cluster
        .model
        .security
        .pod_security
        .iter()
        .filter_map(|(namespace, level)| {
            let place = cluster
                .places
                .value(&format!("/security/pod_security/{namespace}"));
            Some((namespace.clone(), (Level::parse(level)?, place)))
        });
    Policy {
        enabled: project.harden.enabled,
        exempt: project.harden.exempt.iter().map(exemption).collect(),
        pod_security: wishes.collect(),
        resources: project.harden.resources.as_ref().map(|own| Resources {
            cpu_request: own.cpu_request.clone(),
            memory_request: own.memory_request.clone(),
            memory_limit: own.memory_limit.clone(),
            place: own.place.clone(),
        }),
        network_policies: closed(&project.harden.network_policies),
        kubernetes: Version::parse(&project.check.kubernetes)
            .unwrap_or(Policy::default().kubernetes),
    }
}

fn closed(setting: &project::Closed) -> Closed {
    match setting {
        project::Closed::Nothing => Closed::Nothing,
        project::Closed::All => Closed::All,
        project::Closed::Named(names) => {
            let all = names.iter();
            Closed::Named(
                all.map(|(name, place)| (name.clone(), Some(place.clone())))
                    .collect(),
            )
        }
    }
}

/// Lists what the audit leaves out: its own exemptions, and those from the hardening rules.
pub(super) fn exemptions(project: &Project) -> Vec<Exemption> {
    let all = project.audit.exempt.iter().chain(&project.harden.exempt);
    all.map(exemption).collect()
}

fn exemption(written: &project::Exempt) -> Exemption {
    let every = || "*".to_owned();
    Exemption {
        code: written.rule.clone(),
        namespace: written.namespace.clone().unwrap_or_else(every),
        name: written.name.clone().unwrap_or_else(every),
        reason: written.reason.clone(),
        place: written.place.clone(),
    }
}

/// Returns what the checks measure against.
pub(super) fn measures<'m>(
    secrets: &'m Secrets,
    profiles: &'m Profiles,
    policy: &Policy,
) -> check::Measures<'m> {
    check::Measures {
        secrets,
        profiles,
        kubernetes: policy.kubernetes,
    }
}

//! What the stages are handed: read from the world, and nothing decided here.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use sops_age::RULE_FILE;

use super::catalogue::CATALOGUE_VERSIONS;
use super::failure::CompileFailure;
use super::{Sealing, World, makejinja_front};
use crate::charts::Profiles;
use crate::check::{self, Baseline, FailOn, Gate};
use crate::config::cluster::Cluster;
use crate::config::cluster::versions::VersionTable;
use crate::config::project::{self, Project, ProjectKind};
use crate::diagnostic::{self, Diagnostic, Meaning, StageResult, Warned};
use crate::pod_security::{Level, Version};
use crate::render::{Layer, Layers};
use crate::rules::{self, ClosedNamespaces, DefaultResources, Exemptions, Policy};
use crate::seal::{self, Earlier, Keyring, Rules, read_identities};
use crate::secret::{KEY_FILES, Secret};
use crate::source::{Files, Place, ReadError, Source, Span};
use crate::tree::output_path::{LOCK_FILE, ReservedPaths, listed_outputs};
use crate::tree::{File, Rendered, Sealed, Tree, is_secret_path};
use crate::validate::Schema;
use crate::workload::Exemption;
use crate::yaml::unpack;
use crate::{config, validate};

/// Reads how a project wants to be compiled: `kiln.toml`, and the settings of makejinja where these describe it.
pub(super) fn project(world: &World<'_>) -> StageResult<Project> {
    let Warned {
        mut value,
        warnings,
    } = project::load(&world.files)?;
    if value.kind == ProjectKind::Typed && !makejinja_front::is_described(world) {
        return Ok(Warned { value, warnings });
    }
    value.kind = ProjectKind::Makejinja;
    let mut settled = makejinja_front::settle(world, value)?;
    settled.warnings.extend(warnings);
    Ok(settled)
}

/// Where a project keeps its templates and its outputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The folders of templates, the one that wins first.
    pub templates: Vec<String>,
    /// The folder that outputs go to.
    pub output: String,
    /// The files that the config may be in, of which some are there.
    pub data: Vec<String>,
    /// The identity files that the project names.
    pub identities: Vec<String>,
    /// What a comparison leaves out, besides the usual noise.
    pub ignore: Vec<String>,
    /// Whether a comparison leaves out the usual noise.
    pub noise: bool,
    /// What the project reads, where no output may go.
    pub reserved: ReservedPaths,
}

impl Layout {
    pub(super) fn of(project: &Project, files: &dyn Files) -> Self {
        Self {
            reserved: reserved(project, files),
            templates: project.templates.clone(),
            output: project.output.clone(),
            data: config::data_files(project),
            identities: project.seal.identities.clone(),
            ignore: project.diff.ignore.clone(),
            noise: project.diff.defaults,
        }
    }

    /// Lists the folders of which every file is an input.
    pub fn input_folders(&self) -> impl Iterator<Item = &str> {
        input_folders(&self.templates)
    }
}

pub(super) fn input_folders(templates: &[String]) -> impl Iterator<Item = &str> {
    let own = templates.iter().map(String::as_str);
    own.chain([APP_SCHEMAS, PROJECT_CHARTS])
}

/// The paths of a project that it reads, by its names and by where symlinks lead, and its keys.
pub(super) struct InputPaths {
    pub(super) files: Vec<String>,
    /// The folders of which every file is an input.
    pub(super) folders: Vec<String>,
}

impl InputPaths {
    pub(super) fn of(project: &Project, files: &dyn Files) -> Self {
        let real = |path: &str| {
            let real = files.real_path(path);
            let real = real.unwrap_or_else(|_| path.to_owned());
            [path.to_owned(), real]
        };
        let data = config::data_files(project);
        let inputs = data.iter().chain(&project.files);
        let keys = project.seal.identities.iter().map(String::as_str);
        let keys = keys.chain(KEY_FILES).chain(["kiln.toml"]);
        let keys = keys.chain([config::versions::FILE]);
        let inputs = inputs.map(String::as_str).chain(keys);
        let mut found = Self {
            files: inputs.flat_map(real).collect(),
            folders: input_folders(&project.templates).flat_map(real).collect(),
        };
        for path in input_folders(&project.templates).flat_map(|folder| files.linked(folder)) {
            match path.strip_suffix('/') {
                Some(folder) => found.folders.push(folder.to_owned()),
                None => found.files.push(path),
            }
        }
        found
    }
}

/// Names where no output may go.
pub(super) fn reserved(project: &Project, files: &dyn Files) -> ReservedPaths {
    let InputPaths { files, folders } = InputPaths::of(project, files);
    let [inputs, folders] = [&files, &folders].map(|paths| paths.iter().map(String::as_str));
    ReservedPaths::new(&project.output, inputs, folders)
}

const CONFIG_SCHEMA: &str = "schemas/cluster.schema.json";
const APP_SCHEMAS: &str = "schemas/apps";
const CHART_PROFILES: &str = "schemas/charts";
const PROJECT_CHARTS: &str = "charts";
/// The secrets bundle of Talos, which a recipe makes below the outputs and seals with `sops`.
const TALOS_SECRETS: &str = "talos/secrets.sops.yaml";

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
pub(super) fn schema(world: &World<'_>) -> Result<Schema, CompileFailure> {
    let read = |files: &dyn Files, path: &str| -> Result<Option<validate::SchemaText>, ReadError> {
        let packed = files.packed(path);
        Ok(text(files, path)?.map(|text| validate::SchemaText { text, packed }))
    };
    let base = read(world.catalogue, CONFIG_SCHEMA)?;
    let base = base.unwrap_or_else(|| String::new().into());
    let mut apps = BTreeMap::new();
    for files in [world.catalogue, &world.files as &dyn Files] {
        for path in files.list(APP_SCHEMAS)? {
            let Some(name) = path
                .strip_prefix("schemas/apps/")
                .and_then(|name| name.strip_suffix(".schema.json"))
            else {
                continue;
            };
            if let Some(text) = read(files, &path)? {
                apps.insert(name.to_owned(), text);
            }
        }
    }
    validate::compose(base, apps.into_iter().collect()).map_err(CompileFailure::Problems)
}

/// Loads the versions: the catalogue's, where the project has it, and the project's own over them.
pub(super) fn versions(world: &World<'_>, project: &Project) -> StageResult<VersionTable> {
    let built_in = world.catalogue.packed(CATALOGUE_VERSIONS).and_then(unpack);
    let built_in = built_in.filter(|_| project.catalogue);
    config::versions::load(&world.files, built_in.as_ref())
}

/// Joins what two parts of a stage return: both, or every problem of both.
pub(super) fn both<A, B>(first: StageResult<A>, second: StageResult<B>) -> StageResult<(A, B)> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok(Warned {
            value: (first.value, second.value),
            warnings: [first.warnings, second.warnings].concat(),
        }),
        (first, second) => {
            let problems = [problems_of(first), problems_of(second)];
            Err(problems.concat())
        }
    }
}

fn problems_of<T>(result: StageResult<T>) -> Vec<Diagnostic> {
    match result {
        Ok(warned) => warned.warnings,
        Err(problems) => problems,
    }
}

/// Loads the chart profiles: the catalogue's, then the project's own in `charts/`.
pub(super) fn profiles(world: &World<'_>) -> Result<Profiles, CompileFailure> {
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
    let own = texts(&world.files, PROJECT_CHARTS)?.into_iter();
    let own: Vec<_> = own.map(|(path, text)| (path, text.into_owned())).collect();
    let profiles = Profiles::load(built_in, &own).map_err(CompileFailure::Problems)?;
    Ok(profiles.packed(|path| world.catalogue.packed(path)))
}

/// Reads the identities: those the world has, and the files that `[seal] identities` names.
pub(super) fn keyring(world: &World<'_>, project: &Project) -> StageResult<Keyring> {
    let found = world.identities().cloned().unwrap_or_default();
    let mut problems: Vec<Diagnostic> = found.problems(!world.makes_up()).cloned().collect();
    let mut texts = found.texts;
    for path in project
        .seal
        .identities
        .iter()
        .filter(|_| world.reads_keys())
    {
        match secret_text(&world.files, path) {
            Ok(Some(text)) => texts.push((path.clone(), text)),
            Ok(None) if world.makes_up() => {}
            Ok(None) => problems.push(
                Diagnostic::error(
                    &diagnostic::codes::MISSING_IDENTITY,
                    format!("there is no identity file `{path}`"),
                )
                .with_hint("name files of age identities in `[seal] identities` of `kiln.toml`"),
            ),
            Err(error) => problems.push(Diagnostic::error(
                &diagnostic::codes::MISSING_IDENTITY,
                error.to_string(),
            )),
        }
    }
    let (keyring, told) = read_identities(&texts);
    problems.extend(told);
    let keyring = if keyring.is_empty() {
        keyring.looked_in(found.empty)
    } else {
        keyring.with_plugins(&found.plugins)
    };
    Warned::unless_errors(keyring, problems)
}

/// Lists for whom the files of a project are sealed that no key at hand opens: by what its creation rules say of those
/// that they are for, and by what the others say themselves.
pub(super) fn closed_files(
    world: &World<'_>,
    project: &Project,
    keyring: &Keyring,
) -> Vec<Vec<String>> {
    let own = in_project(&output_folder(project), RULE_FILE);
    let mut closed = Vec::new();
    for path in BTreeSet::from([own.as_str(), RULE_FILE]) {
        let found = world.files.read_output(path).ok().flatten();
        let text = found.and_then(|bytes| String::from_utf8(bytes).ok());
        let rules = text.and_then(|text| Rules::parse(&Source::new(path, text)).ok());
        closed.extend(rules.iter().flat_map(|rules| rules.value.recipients()));
    }
    closed.retain(|recipients| !recipients.iter().any(|it| keyring.holds(it)));
    closed.extend(sealed_elsewhere(world, project, keyring).closed());
    closed
}

/// Lays the project's templates over the catalogue's.
pub(super) fn layers<'w>(world: &'w World<'_>, project: &Project) -> Layers<'w> {
    let mut layers: Vec<Layer<'w>> = project
        .templates
        .iter()
        .map(|folder| Layer {
            label: folder.clone(),
            files: &world.files,
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
    Layers {
        layers,
        reserved: reserved(project, &world.files),
    }
}

/// Opens an encrypted data file; `None` where no identity does and its values are to be made up.
pub(super) fn opened_data(
    source: &Arc<Source>,
    keyring: &Keyring,
    world: &World<'_>,
) -> Result<Option<String>, Diagnostic> {
    match seal::decrypt(source, keyring) {
        Ok(text) => Ok(Some(text)),
        Err(problem) if world.makes_up() && CLOSED.contains(&problem.meaning) => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// The codes that say that there is no key, and not that something is wrong.
pub(super) static CLOSED: [&Meaning; 2] = [
    &diagnostic::codes::MISSING_IDENTITY,
    &seal::codes::WRONG_IDENTITY,
];

/// Lists what was made up.
pub(super) fn stand_ins(world: &World<'_>, cluster: &Cluster) -> BTreeSet<String> {
    // A seed starts with the file or the variable that holds the value.
    let origin = |seed: &String| seed.split(' ').next().unwrap_or_default().to_owned();
    let mut all: BTreeSet<String> = cluster.made_up.values().map(origin).collect();
    all.extend(world.files.made_up());
    all
}

/// Leaves open outputs as they are on disk where nothing here knows how they should be.
pub(super) fn keep_unseen(
    world: &World<'_>,
    project: &Project,
    unseen: &BTreeSet<String>,
    tree: &mut Tree<Sealed>,
) {
    let output = output_folder(project);
    for path in unseen {
        let found = world.files.read_output(&in_project(&output, path));
        if let Ok(Some(bytes)) = found {
            tree.keep(path, bytes);
        }
    }
}

/// Lists the outputs that depend on what is made up.
pub(super) fn unseen_files(
    tree: &Tree<Rendered>,
    unseen: Option<&Tree<Rendered>>,
) -> BTreeSet<String> {
    let Some(unseen) = unseen else {
        return BTreeSet::new();
    };
    let differs = |file: &&File| {
        let [own, other] = [tree, unseen].map(|tree| tree.get(&file.path));
        own.map(|file| &file.source.text) != other.map(|file| &file.source.text)
    };
    let files = tree.files().chain(unseen.files());
    files
        .filter(differs)
        .map(|file| file.path.clone())
        .collect()
}

/// Reads the creation rules that `sops` would find for the outputs: of each `.sops.yaml` in a folder of theirs
/// or above, rendered or kept in the project.
pub(super) fn rules<S>(world: &World<'_>, project: &Project, tree: &Tree<S>) -> StageResult<Rules> {
    let output = output_folder(project);
    let mut folders = BTreeSet::from([String::new()]);
    for path in tree.files().map(|file| in_project(&output, &file.path)) {
        let above = path.match_indices('/').map(|(at, _)| path[..at].to_owned());
        folders.extend(above);
    }
    let rendered: BTreeMap<String, &Arc<Source>> = tree
        .files()
        .filter(|file| file.path.ends_with(RULE_FILE))
        .map(|file| (in_project(&output, &file.path), &file.source))
        .collect();
    let mut sources = Vec::new();
    let mut problems = Vec::new();
    for folder in folders {
        let path = in_project(&folder, RULE_FILE);
        if let Some(source) = rendered.get(&path) {
            sources.push((folder, Arc::clone(source)));
            continue;
        }
        match text(&world.files, &path) {
            Ok(Some(found)) => sources.push((folder, Source::new(path, found))),
            Ok(None) => {}
            Err(error) => {
                problems.push(Diagnostic::error(
                    &seal::codes::UNREADABLE_RULES,
                    error.to_string(),
                ));
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let Warned { value, warnings } = Rules::read(sources, &output)?;
    let value = value.with_plugins(&world.plugins());
    Ok(Warned { value, warnings })
}

/// Returns the output folder as seen from the project: empty for the project itself.
pub(super) fn output_folder(project: &Project) -> String {
    kustomize::join("", &project.output)
        .filter(|_| !project.output.starts_with('/'))
        .unwrap_or_else(|| project.output.trim_end_matches('/').to_owned())
}

/// Returns the path of an output in the project; of the empty path, the folder itself.
pub(super) fn in_project(folder: &str, path: &str) -> String {
    match (folder, path) {
        ("", path) => path.to_owned(),
        (folder, "") => folder.to_owned(),
        (folder, path) => format!("{folder}/{path}"),
    }
}

/// Opens the sealed files at the paths of some outputs.
pub(super) fn earlier<'p>(
    world: &World<'_>,
    project: &Project,
    paths: impl IntoIterator<Item = &'p str>,
    keyring: &Keyring,
) -> Earlier {
    let output = output_folder(project);
    let existing = |path: &str| {
        let found = world.files.read_output(&in_project(&output, path));
        found.ok().flatten()
    };
    Earlier::open(paths, &existing, keyring)
}

/// Opens what is sealed already, if the run is going to seal: the files at the paths of some outputs, and those that no
/// template makes.
pub(super) fn sealed_files<'p>(
    world: &World<'_>,
    project: &Project,
    paths: impl IntoIterator<Item = &'p str>,
    keyring: &Keyring,
    sealing: Sealing,
) -> (Earlier, Earlier) {
    match sealing {
        Sealing::Ahead => (
            earlier(world, project, paths, keyring),
            sealed_elsewhere(world, project, keyring),
        ),
        Sealing::Never => (Earlier::default(), Earlier::default()),
    }
}

/// Opens the sealed files of the project that no template makes: the Talos bundle and the data files.
pub(super) fn sealed_elsewhere(world: &World<'_>, project: &Project, keyring: &Keyring) -> Earlier {
    let mut paths = config::sealed_names(project);
    paths.push(in_project(&output_folder(project), TALOS_SECRETS));
    let existing = |path: &str| world.files.read_output(path).ok().flatten();
    Earlier::open(paths.iter().map(String::as_str), &existing, keyring)
}

/// Reads the sealed files of a project that no template makes: the data files, the Talos bundle, and those beside the
/// outputs where these have a folder for themselves.
pub(super) fn sealed_beside(
    world: &World<'_>,
    project: &Project,
    tree: &Tree<Sealed>,
) -> Vec<Arc<Source>> {
    let output = output_folder(project);
    let list = in_project(&output, LOCK_FILE);
    let list = world.files.read_output(&list).ok().flatten();
    let list = list.unwrap_or_default();
    let list = String::from_utf8_lossy(&list);
    let now = tree.outputs().map(|(path, _)| path.to_owned());
    let own = now.chain(listed_outputs(&list));
    let own: BTreeSet<String> = own.map(|path| in_project(&output, &path)).collect();
    let mut paths = BTreeSet::from_iter(config::sealed_names(project));
    paths.insert(in_project(&output, TALOS_SECRETS));
    if !output.is_empty() {
        let beside = world.files.list_outputs(&output).unwrap_or_default();
        paths.extend(beside.into_iter().filter(|path| is_secret_path(path)));
    }
    let texts = paths.difference(&own).filter_map(|path| {
        let bytes = world.files.read_output(path).ok()??;
        Some(Source::new(path.clone(), String::from_utf8(bytes).ok()?))
    });
    texts.collect()
}

fn text(files: &dyn Files, path: &str) -> Result<Option<Cow<'static, str>>, ReadError> {
    if let Some(text) = files.embedded(path) {
        return Ok(Some(Cow::Borrowed(text)));
    }
    let Some(bytes) = files.read(path)? else {
        return Ok(None);
    };
    Ok(Some(Cow::Owned(utf8(path, bytes)?)))
}

fn utf8(path: &str, bytes: Vec<u8>) -> Result<String, ReadError> {
    String::from_utf8(bytes).map_err(|_| ReadError {
        path: path.to_owned(),
        reason: "it is not UTF-8 text".to_owned(),
    })
}

fn secret_text(files: &dyn Files, path: &str) -> Result<Option<Secret>, ReadError> {
    let Some(bytes) = files.read_secret(path)? else {
        return Ok(None);
    };
    Ok(Some(Secret::new(utf8(path, bytes)?)))
}

/// Returns the hardening policy of the project and its config.
pub(super) fn policy(project: &Project, cluster: &Cluster) -> Policy {
    const LEVELS: &str = "/security/pod_security";
    let levels = cluster.values.pointer(LEVELS).and_then(Value::as_object);
    let wishes = levels.into_iter().flatten();
    let wishes = wishes.filter_map(|(namespace, level)| {
        let place = cluster.places.value(&format!("{LEVELS}/{namespace}"));
        Some((namespace.clone(), (Level::parse(level.as_str()?)?, place)))
    });
    Policy {
        pod_security: wishes.collect(),
        ..policy_of(project)
    }
}

/// Returns what a project says of the rules without its config.
pub(super) fn policy_of(project: &Project) -> Policy {
    let external = project.flux.external.iter();
    Policy {
        enabled: project.hardens(),
        pod_security: BTreeMap::new(),
        resources: project
            .harden
            .resources
            .as_ref()
            .map(|own| DefaultResources {
                cpu_request: own.cpu_request.clone(),
                memory_request: own.memory_request.clone(),
                memory_limit: own.memory_limit.clone(),
                place: own.place.clone(),
            }),
        tiers: project.harden.tiers.iter().cloned().collect(),
        network_policies: closed(&project.harden.network_policies),
        kubernetes: Version::parse(&project.check.kubernetes)
            .unwrap_or(Policy::default().kubernetes),
        external: external.map(|(name, _)| name.clone()).collect(),
    }
}

fn closed(setting: &project::ClosedNamespacesSetting) -> ClosedNamespaces {
    match setting {
        project::ClosedNamespacesSetting::Nothing => ClosedNamespaces::Nothing,
        project::ClosedNamespacesSetting::All => ClosedNamespaces::All,
        project::ClosedNamespacesSetting::Named(names) => {
            let all = names.iter();
            ClosedNamespaces::Named(
                all.map(|(name, place)| (name.clone(), Some(place.clone())))
                    .collect(),
            )
        }
    }
}

/// Returns what the project exempts.
pub(super) fn exemptions(project: &Project) -> Exemptions {
    Exemptions::new(project.exempt.iter().map(exemption).collect())
}

fn exemption(written: &project::Exempt) -> Exemption {
    let every = || "*".to_owned();
    Exemption {
        code: written.rule.clone(),
        namespace: written.namespace.clone().unwrap_or_else(every),
        name: written.name.clone().unwrap_or_else(every),
        path: written.path.clone(),
        reason: written.reason.clone(),
        place: written.place.clone(),
    }
}

/// Returns what of the findings counts for a project.
pub(super) fn gate(world: &World<'_>, project: &Project) -> StageResult<Gate> {
    let settings = &project.check;
    let mut problems = Vec::new();
    let baseline = match &settings.baseline {
        None => Baseline::default(),
        Some(path) => match text(&world.files, path) {
            // The first run writes it.
            Ok(None) => Baseline::default(),
            Ok(Some(text)) => Baseline::parse(&text).unwrap_or_else(|| {
                let message = format!("`{path}` is no list of findings");
                problems.push(
                    Diagnostic::error(&check::codes::BASELINE_INVALID, message)
                        .with_hint("name another file, or remove this one and let `kiln check --write-baseline` write it"),
                );
                Baseline::default()
            }),
            Err(error) => {
                problems.push(Diagnostic::error(&check::codes::BASELINE_INVALID, error.to_string()));
                Baseline::default()
            }
        },
    };
    let words = settings.fail_on.iter();
    problems.extend(words.clone().filter_map(|(word, place)| {
        let is_known = ["warning", "not-seen"].contains(&word.as_str())
            || rules::find(word).is_some_and(rules::Rule::is_checked);
        (!is_known).then(|| {
            let message = format!("`fail-on` knows no rule `{word}`");
            let codes = rules::all().filter(|rule| rule.is_checked());
            let known = ["warning", "not-seen"].into_iter();
            Diagnostic::error(&config::codes::KILN_TOML, message)
                .with_suggestion(word, known.chain(codes.map(|rule| rule.meaning.code)))
                .at_place(place.clone(), "")
        })
    }));
    let gate = Gate {
        ignore: settings.ignore.clone(),
        fail_on: words.map(|(word, _)| FailOn::parse(word)).collect(),
        baseline,
        // What makejinja has rendered until today is rendered on, with what is wrong with it told.
        only_tells: project.kind == ProjectKind::Makejinja && !world.is_strict(),
    };
    Warned::unless_errors(gate, problems)
}

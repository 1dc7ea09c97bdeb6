//! Renders templates: from the config and folders of templates to a tree of files.
//!
//! Knows Tera and its dialect of ours, apps and their conditions, and nothing of what is done with the
//! files afterwards. A template sees the config's top-level keys as variables, and in the folder of an
//! app also `app`.

mod apps;
mod asks;
mod charts;
pub mod codes;
mod condition;
mod engine;
mod jinja_files;
mod layers;
mod library;
mod outputs;
mod stack;
mod version_reads;

pub use crate::cel::is_at_work as is_evaluating;
pub use asks::{AskedOption, NeededLevel, OperatorPods, PodAsks};
pub use charts::InstalledChart;
pub use engine::jinja::{CallFailure, FindSource};
pub use engine::tera::{
    CALL_STEPS, FILTERS, FUNCTIONS, Filter, Flow, Function, MAX_DEPTH, MAX_OUTPUT, MAX_STEPS,
    MAX_WEIGHT, MAX_WORK,
};
pub use jinja_files::{JinjaOutput, JinjaProject};
pub use layers::{Layer, Layers};
pub use library::Library;
pub use stack::threads;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;

use crate::config::cluster::Cluster;
use crate::config::cluster::versions::{VersionKey, VersionTable};
use crate::diagnostic::{Diagnostic, StageResult, Warned};
use crate::secret::Secrets;
use crate::source::Files;
use crate::tree::{App, File, Rendered, Tree};
use asks::GatheredAsks;
use engine::TemplateEngine as _;
use engine::tera::{
    Other, PreparedTemplate, Surroundings, TemplateEnvironment, TemplateVariables, TeraEngine,
    TeraTemplates, TeraView, sealed_text,
};
use layers::LayerEntry;
use outputs::Output;

/// What templates see of a project.
#[derive(Clone, Copy)]
pub struct Context<'c> {
    /// The config with its defaults; each top-level key is a variable.
    pub values: &'c Value,
    /// The versions of what the cluster consists of; the variable `versions`.
    pub versions: &'c VersionTable,
    /// The secrets in the config.
    pub secrets: &'c Secrets,
    /// What the other renderings are made from, by their number from 0; each is asked for once the ones before it are
    /// made.
    pub others: &'c (dyn Fn(usize) -> Option<OtherInputs<'c>> + Sync),
}

/// What another rendering is made from: what it prints otherwise depends on what was replaced.
#[derive(Clone)]
pub struct OtherInputs<'c> {
    /// The config with other values in some places.
    pub values: &'c Value,
    /// The files that have another content of the same shape.
    pub files: ReplacedFiles,
}

/// Which files have another content.
#[derive(Clone, Debug)]
pub enum ReplacedFiles {
    /// These, and whatever a template reads as a secret; what functions declassify is the same.
    AllSecret(BTreeSet<String>),
    /// These alone; what functions declassify is the same.
    Secret(BTreeSet<String>),
    /// These alone, and what functions declassify of them is other as well.
    MadeUp(BTreeSet<String>),
}

impl<'c> From<&'c Cluster> for Context<'c> {
    fn from(cluster: &'c Cluster) -> Self {
        Self {
            values: &cluster.values,
            versions: &cluster.versions,
            secrets: &cluster.secrets,
            others: &|_| None,
        }
    }
}

/// What the templates made.
#[derive(Clone, Debug)]
pub struct Rendering {
    /// The files, with the apps of the project.
    pub tree: Tree<Rendered>,
    /// The secrets of the config and those that functions read.
    pub secrets: Secrets,
    /// The files that functions read as secrets.
    pub secret_files: Vec<String>,
    /// What apps say of pods.
    pub pod_asks: PodAsks,
    /// The other renderings, in the order in which they were asked for.
    pub others: Vec<OtherRendering>,
}

/// What the templates make with something replaced.
#[derive(Clone, Debug)]
pub struct OtherRendering {
    /// The files, which are not parsed: their texts are compared.
    pub tree: Tree<Rendered>,
    /// What failed, and did not in the rendering that counts.
    pub failures: Vec<Diagnostic>,
}

/// Lists the apps of the project and their charts, enabled or not, sorted by namespace and name.
pub fn apps(
    context: Context<'_>,
    library: &Library,
) -> StageResult<Vec<(App, Vec<InstalledChart>)>> {
    let mut problems = library.problems.clone();
    let entries = &library.entries;
    let apps = apps::discover(&library.manifests, context.values, &mut problems);
    let apps = apps
        .into_iter()
        .map(|app| {
            let charts = charts::of(&app, entries, context.versions);
            (app, charts)
        })
        .collect();
    Warned::unless_errors(apps, problems)
}

/// Lists the options of other apps that the apps that are on ask for.
pub fn asked_options(
    context: Context<'_>,
    library: &Library,
) -> Result<Vec<AskedOption>, Vec<Diagnostic>> {
    // What is wrong with conditions is told where the templates are rendered.
    let apps = apps::discover(&library.manifests, context.values, &mut Vec::new());
    asks::options(library, &apps, context.values)
}

/// Lists the versions that the templates read of which something is rendered, and those that they include.
pub fn versions_in_use(
    context: Context<'_>,
    library: &Library,
) -> StageResult<BTreeSet<VersionKey>> {
    let mut problems = library.problems.clone();
    let apps = apps::discover(&library.manifests, context.values, &mut problems);
    let entries = library.entries.iter();
    let used = entries.filter(|entry| entry.is_partial() || is_output(entry, &apps));
    let read = used.flat_map(|entry| version_reads::in_text(&entry.source.text));
    Warned::unless_errors(read.collect(), problems)
}

/// Renders every template whose app is on, and copies the other files.
///
/// Functions read the files they are asked for from `files`, the project. The result depends on the
/// arguments alone, and not on the number of threads. On errors all templates have been tried, and
/// every problem is reported once, sorted by the file it is in.
pub fn render(
    context: Context<'_>,
    library: &Library,
    files: &dyn Files,
) -> StageResult<Rendering> {
    stack::deep(|| render_all(context, library, files))
}

fn render_all(
    context: Context<'_>,
    library: &Library,
    files: &dyn Files,
) -> StageResult<Rendering> {
    let mut problems = library.problems.clone();
    let apps = apps::discover(&library.manifests, context.values, &mut problems);
    let asked = GatheredAsks::of(library, &apps, context.values, &mut problems);
    let is_on = |entry: &&LayerEntry| is_output(entry, &apps);
    let outputs: Vec<&LayerEntry> = library.entries.iter().filter(is_on).collect();
    outputs::check_paths(&outputs, &library.reserved, &mut problems);
    let mut templates: Vec<PreparedTemplate> = library
        .entries
        .par_iter()
        .filter(|entry| entry.is_template() && (entry.is_partial() || is_output(entry, &apps)))
        .map(|entry| PreparedTemplate::new(&entry.path, &entry.source))
        .collect();
    sealed_text::veil_included(&mut templates);
    let paths = library.entries.iter().filter(|entry| !entry.is_partial());
    let paths = paths.map(|entry| entry.output().to_owned()).collect();
    let environment = Arc::new(TemplateEnvironment::new(
        apps.clone(),
        paths,
        context.values,
    ));
    let templates = TeraTemplates {
        all: &templates,
        environment: &environment,
    };
    let engine = TeraEngine::load(templates, &mut problems);
    let run = TemplateRun {
        engine: &engine,
        versions: context.versions,
        surroundings: Surroundings {
            environment: &environment,
            files,
            other: None,
        },
    };
    let variables = TemplateVariables::of(context.values, context.versions, &apps, &asked);
    let (made, found) = run.render(&outputs, &variables);
    problems.extend(found);
    problems.extend(asked.unmet(&made));
    let mut secrets = context.secrets.clone();
    secrets.extend(environment.secrets());
    let problems = finish_problems(problems, &secrets);
    let secret_files = environment.secret_files();
    let broken = problems.iter().any(Diagnostic::is_error);
    let others = (0..).map_while(|number| (context.others)(number).filter(|_| !broken));
    let others = others.map(|other| run.render_other(&other, library, &secret_files));
    let rendering = Rendering {
        others: others.collect(),
        pod_asks: PodAsks::of(library, &apps, &asked),
        tree: Tree::rendered(made, apps),
        secrets,
        secret_files,
    };
    Warned::unless_errors(rendering, problems)
}

/// Templates that are ready to be rendered, once or several times.
#[derive(Clone, Copy)]
struct TemplateRun<'r> {
    engine: &'r TeraEngine<'r>,
    versions: &'r VersionTable,
    surroundings: Surroundings<'r>,
}

impl TemplateRun<'_> {
    /// Renders what becomes an output, side by side.
    fn render(
        self,
        outputs: &[&LayerEntry],
        variables: &TemplateVariables<'_>,
    ) -> (Vec<File>, Vec<Diagnostic>) {
        let render_one = |entry: &&LayerEntry| {
            let mut problems = Vec::new();
            let compared = self.surroundings.other.is_some();
            let output = Output::from(*entry);
            if !entry.is_template() {
                let file = if compared {
                    outputs::compared(output, entry.source.text.clone())
                } else {
                    outputs::copied(output, &mut problems)
                };
                return (Some(file), problems);
            }
            let view = TeraView {
                variables,
                from: self.surroundings,
            };
            let file = match self.engine.render(&entry.path, view) {
                // White space only is no output.
                Some(Ok(printed)) if printed.text.trim().is_empty() => None,
                Some(Ok(printed)) if compared => {
                    Some(outputs::compared(output, Cow::Owned(printed.text)))
                }
                Some(Ok(printed)) => Some(outputs::rendered(output, printed, &mut problems)),
                Some(Err(problem)) => {
                    problems.push(*problem);
                    None
                }
                None => None,
            };
            (file, problems)
        };
        let (made, found): (Vec<Option<File>>, Vec<Vec<Diagnostic>>) =
            outputs.par_iter().map(render_one).unzip();
        (
            made.into_iter().flatten().collect(),
            found.into_iter().flatten().collect(),
        )
    }

    /// Renders with something replaced. An app that is on only then has no templates here, and none are needed to
    /// see that it is.
    fn render_other(
        self,
        other: &OtherInputs<'_>,
        library: &Library,
        secret_files: &[String],
    ) -> OtherRendering {
        let mut failures = Vec::new();
        let apps = apps::discover(&library.manifests, other.values, &mut failures);
        let entries = library.entries.iter();
        let outputs: Vec<&LayerEntry> = entries.filter(|entry| is_output(entry, &apps)).collect();
        let (replaced, declassified) = match &other.files {
            ReplacedFiles::AllSecret(files) => {
                let all = files.iter().chain(secret_files).cloned();
                (all.collect(), false)
            }
            ReplacedFiles::Secret(files) => (files.clone(), false),
            ReplacedFiles::MadeUp(files) => (files.clone(), true),
        };
        let asked = GatheredAsks::of(library, &apps, other.values, &mut failures);
        let variables = TemplateVariables::of(other.values, self.versions, &apps, &asked);
        let other = Arc::new(Other {
            apps: apps.clone(),
            replaced,
            declassified,
        });
        let surroundings = Surroundings {
            other: Some(&other),
            ..self.surroundings
        };
        let (made, found) = TemplateRun {
            surroundings,
            ..self
        }
        .render(&outputs, &variables);
        failures.extend(found.into_iter().filter(Diagnostic::is_error));
        OtherRendering {
            tree: Tree::rendered(made, apps),
            failures,
        }
    }
}

/// Sorts the problems, drops repeated ones, and makes sure that none quotes a secret.
///
/// Only when all templates are rendered is every secret known, whichever came first.
pub fn finish_problems(mut problems: Vec<Diagnostic>, secrets: &Secrets) -> Vec<Diagnostic> {
    let quotes = |text: &str| secrets.are_quoted_in(text);
    for problem in &mut problems {
        outputs::conceal(problem, &quotes);
        if quotes(&problem.message) {
            "this fails; the reason quotes a secret and is not shown"
                .clone_into(&mut problem.message);
        }
        problem.hints.retain(|hint| !quotes(hint));
    }
    problems.sort_by_cached_key(|problem| {
        let place = problem
            .primary
            .as_ref()
            .map(|label| (label.place.source.path.clone(), label.place.span));
        (place, problem.code(), problem.message.clone())
    });
    problems
        .dedup_by(|b, a| (a.code(), &a.message, &a.primary) == (b.code(), &b.message, &b.primary));
    problems
}

/// Returns whether a file of the folder of templates becomes an output in this project.
fn is_output(entry: &LayerEntry, apps: &[App]) -> bool {
    !entry.is_partial() && apps::is_on(&entry.path, apps)
}

//! Makes chart profiles by rendering charts.
//!
//! Every fact is proved by `helm template`: a path is listed only if a value set there arrives in the
//! manifest. The values that a chart knows are read from its templates, and then proved by rendering
//! where that can be done. Facts that no rendering can tell, such as whether an image runs as root, are
//! for people to add; an update keeps them.

mod archive;
mod budgets;
mod chart;
mod closed;
mod document;
pub mod evidence;
mod field;
mod helm;
mod known;
mod measure;
mod names;
mod paths;
mod pod;
pub mod proof;
mod pruned;
mod reads;
pub mod record;
mod rendering;
mod switches;
mod template;
mod trial;

use std::io;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::charts::Profiles;
use crate::charts::naming::ReleaseNaming;
use crate::diagnostic::Diagnostic;
use crate::fs::{self, Disk};
use crate::source::{MemoryFiles, ReadError, Source};
use crate::yaml;
use chart::LoadedChart;
use evidence::Evidence;
use helm::Helm;
pub use helm::Tick;
use measure::Measure;
use names::Names;
use rendering::ChartRendering;

/// What to make a profile of, and how.
#[derive(Debug)]
pub struct Request<'r> {
    /// The `helm` program.
    pub helm: &'r Path,
    /// The chart: a folder, or an archive that Helm packed.
    pub chart: &'r Path,
    /// Values without which the chart does not render, in the order that Helm merges them.
    pub values: &'r [Arc<Source>],
    /// More arguments for `helm template`, such as `--api-versions`.
    pub helm_arguments: &'r [String],
    /// Where the chart is published.
    pub sources: &'r [String],
    /// An earlier profile, of which all that people wrote is kept.
    pub earlier: Option<&'r Source>,
    /// What editors find the schema of profiles by.
    pub schema: Option<&'r str>,
}

/// A profile that was made.
#[derive(Clone, Debug)]
pub struct MadeProfile {
    /// The chart's name.
    pub chart: String,
    /// The profile's text.
    pub text: String,
    /// How many workloads it has.
    pub workloads: usize,
    /// How often Helm was run for it.
    pub renderings: usize,
    /// The workloads and containers of the earlier profile that were not found.
    pub gone: Vec<String>,
    /// What it was measured from.
    pub evidence: Evidence,
    /// Where it says something else than what the chart rendered.
    pub contradictions: Vec<String>,
}

/// Why no profile was made.
#[derive(Debug, thiserror::Error)]
pub enum ProfilerError {
    /// `helm` cannot be run.
    #[error("cannot run `{program}`")]
    NoHelm {
        /// The program as it was named.
        program: String,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// There is no chart.
    #[error("there is no chart here: no `{path}`")]
    NoChart {
        /// The file that every chart has.
        path: String,
    },
    /// A chart that the chart depends on is not there.
    #[error("the chart `{chart}` needs `{name}`, which is not in its `charts` folder")]
    MissingDependency {
        /// The chart.
        chart: String,
        /// The one that it needs.
        name: String,
    },
    /// Helm does not render the chart.
    #[error("helm does not render `{chart}`: {reason}")]
    NoRendering {
        /// The chart.
        chart: String,
        /// What Helm said.
        reason: String,
    },
    /// A file of the chart is not what it should be.
    #[error("cannot read `{path}` of the chart: {reason}")]
    BadFile {
        /// The path in the chart.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// Nobody said where the chart is published.
    #[error("where the chart `{chart}` is published is not known")]
    NoSource {
        /// The chart.
        chart: String,
    },
    /// The profile is not one that hardening reads: what people wrote into the earlier one is wrong.
    #[error("the profile of `{chart}` has {} problems", problems.len())]
    NoProfile {
        /// The chart.
        chart: String,
        /// What is wrong.
        problems: Vec<Diagnostic>,
    },
    /// The disk did not do its part.
    #[error(transparent)]
    Disk(#[from] fs::DiskError),
    /// A file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Returns the name of a chart without rendering it.
pub fn name(path: &Path) -> Result<String, ProfilerError> {
    Ok(LoadedChart::load(&files(path)?)?.name)
}

/// Returns the SHA-256 of a chart in hexadecimal digits; a folder and the archive packed of it have the same one.
pub fn chart_digest(path: &Path) -> Result<String, ProfilerError> {
    Ok(record::digest_of_files(&files(path)?))
}

/// Makes a profile of a chart; `tick` hears of each rendering.
pub fn profile(request: &Request<'_>, tick: &dyn Tick) -> Result<MadeProfile, ProfilerError> {
    let files = files(request.chart)?;
    let chart = LoadedChart::load(&files)?;
    let earlier = request.earlier.map(read_values).transpose()?;
    let has_source = earlier
        .as_ref()
        .is_some_and(|old| old.get("sources").is_some());
    if request.sources.is_empty() && !has_source {
        return Err(ProfilerError::NoSource { chart: chart.name });
    }
    let mut helm = Helm::new(request, tick);
    let mut base = json!({});
    for source in request.values {
        chart::merge(&mut base, &read_values(source)?);
    }
    let defaults = chart.defaults();
    let baseline = ChartRendering::read(helm.template(trial::RELEASE, &base)?);
    let mut reads = reads::reads(&chart);
    let now = trial::effective(&defaults, &base);
    closed::find_living(&helm, &base, &now, &baseline, &mut reads.known);
    closed::open_leaks(&helm, &base, &now, &mut reads.known);

    let copy = fs::Scratch::new(&pruned::pruned(&files, &chart, &reads))?;
    let whole = std::mem::replace(&mut helm, Helm::new(request, tick));
    helm.change_to(copy.path().to_owned());
    let same = helm.template(trial::RELEASE, &base).is_ok_and(|text| {
        let quick = ChartRendering::read(text);
        quick.is_like(&baseline)
    });
    if !same {
        helm.change_to(request.chart.to_owned());
    }
    let measure = Measure {
        helm: &helm,
        whole: &whole,
        chart: &chart,
        defaults: &defaults,
        base: &base,
        reads: &reads,
        baseline: &baseline,
    };
    let measured = measure.run();
    closed::close_by_schema(&chart, &mut reads.known);

    let facts = MeasuredFacts {
        workloads: measured.workloads,
        fullname: measured.fullname,
        overrides: measured.overrides,
        values: reads.known.to_value(),
        names: measured.names,
        evidence: measured.evidence,
    };
    let renderings = helm.renderings() + whole.renderings();
    written(request, &chart, earlier.as_ref(), facts, renderings)
}

/// What a profile holds that was measured.
struct MeasuredFacts {
    workloads: Vec<Value>,
    fullname: Option<Value>,
    overrides: Option<Value>,
    values: Value,
    names: Names,
    evidence: Evidence,
}

/// Writes a profile of facts, with what people wrote into an earlier one.
fn written(
    request: &Request<'_>,
    chart: &LoadedChart,
    earlier: Option<&Value>,
    facts: MeasuredFacts,
    renderings: usize,
) -> Result<MadeProfile, ProfilerError> {
    let mut profile = Map::new();
    profile.insert("chart".to_owned(), json!(chart.name));
    profile.insert("versions".to_owned(), versions(&chart.version));
    profile.insert("verified".to_owned(), json!(chart.version));
    if let Some(fullname) = facts.fullname {
        profile.insert("fullname".to_owned(), fullname);
    }
    if let Some(overrides) = facts.overrides {
        profile.insert("overrides".to_owned(), overrides);
    }
    let workloads = facts.workloads.len();
    profile.insert("workloads".to_owned(), Value::Array(facts.workloads));
    if !facts.values.is_null() {
        profile.insert("values".to_owned(), facts.values);
    }
    let mut gone = Vec::new();
    if let Some(earlier) = earlier {
        let known = request.earlier.map(|source| {
            let own = [("earlier.yaml".to_owned(), source.text.to_string())];
            Profiles::load(Vec::new(), &own)
        });
        let known = known.and_then(Result::ok);
        let old = |pattern: &str, release: &str| match &known {
            Some(known) => known.iter().next().map_or(String::new(), |profile| {
                ReleaseNaming::of(profile, release, &Map::new())
                    .fill(pattern)
                    .text
            }),
            None => pattern.to_owned(),
        };
        let new = |pattern: &str, release: &str| facts.names.filled(pattern, release, &Map::new());
        let naming = document::ProfileNaming {
            releases: [&names::short(&chart.name), trial::RELEASE],
            old: &old,
            new: &new,
        };
        gone = document::keep(&mut profile, earlier, &naming);
    }
    add_sources(&mut profile, request.sources);
    let text = document::text(profile, request.schema);
    let path = format!("{}.yaml", chart.name);
    let read = Profiles::load(Vec::new(), &[(path, text.clone())]);
    let read = read.map_err(|problems| ProfilerError::NoProfile {
        chart: chart.name.clone(),
        problems,
    })?;
    let contradictions = read
        .iter()
        .flat_map(|profile| proof::contradictions(&read, profile, &facts.evidence));
    let contradictions = contradictions.collect();
    Ok(MadeProfile {
        evidence: facts.evidence,
        contradictions,
        chart: chart.name.clone(),
        text,
        workloads,
        renderings,
        gone,
    })
}

fn add_sources(profile: &mut Map<String, Value>, more: &[String]) {
    if more.is_empty() {
        return;
    }
    let sources = profile.entry("sources").or_insert_with(|| json!([]));
    if let Value::Array(sources) = sources {
        for source in more.iter().map(|source| json!(source)) {
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
    }
}

/// Reads the files of a chart, be it a folder or an archive.
fn files(path: &Path) -> Result<MemoryFiles, ProfilerError> {
    if path.is_dir() {
        return chart::unpacked(&Disk::open(path)?);
    }
    let shown = path.display().to_string();
    match fs::read_anywhere(path)? {
        Some(bytes) => chart::unpacked(&archive::unpack(&shown, &bytes)?),
        None => Err(ProfilerError::NoChart { path: shown }),
    }
}

fn read_values(source: &Source) -> Result<Value, ProfilerError> {
    let documents = yaml::load(&source.text).map_err(|error| ProfilerError::BadFile {
        path: source.path.clone(),
        reason: error.message,
    })?;
    let value = documents
        .first()
        .map(|document| document.root.to_kubernetes());
    Ok(value.filter(Value::is_object).unwrap_or_else(|| json!({})))
}

/// Returns the versions that the facts are taken to hold for: up to the next major one.
fn versions(version: &str) -> Value {
    let plain = version.trim_start_matches('v');
    let release = plain.split(['-', '+']).next().unwrap_or(plain);
    let major: u64 = release
        .split('.')
        .next()
        .and_then(|major| major.parse().ok())
        .unwrap_or_default();
    json!({"from": release, "below": format!("{}.0.0", major + 1)})
}

//! `kiln profile`: what is known of a chart, measured.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;

use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::printer::Printer;
use crate::cli::progress::Counter;
use crate::cli::report::counted::counted;
use crate::cli::report::shown::Shown;
use crate::cli::session::ProjectSession;
use crate::cli::settings::Settings;
use crate::fs;
use crate::profiler::evidence::pack;
use crate::profiler::{self, MadeProfile, Request};
use crate::source::Source;

/// The folder of a project that holds its own profiles.
const CHARTS: &str = "charts";
/// The folder beside the profiles with what they were measured from.
const MEASURED: &str = "measured";
/// Where the schema is, as seen from the profiles of Kiln itself.
const SCHEMA: &str = "../chart-profile.schema.json";

const MORE: &str = "\
Hardening knows from a profile which workloads a chart makes, which values reach which of their
fields, and which values the chart knows at all. This renders the chart some hundred times with
`helm template`, with values that are easy to find again, and looks where they arrive.

Names and selectors are told by rendering under other names: of the release, and by every value that
names something. What came out is kept in `measured/` beside the profile. Where the finished profile
says something else than the chart renders, that is listed, and the exit code is 1.

What no rendering can tell stays for you to add: which containers do not run as root, which health
endpoints work, what talks to the Kubernetes API. `--update` keeps all that.

Examples:
  kiln profile new ./charts/podinfo --source oci://ghcr.io/stefanprodan/charts/podinfo
  kiln profile new podinfo-6.9.0.tgz --update
  kiln profile new ./charts/podinfo --values needed.yaml --api-versions policy/v1 -o -";

/// Measure what hardening knows of a chart
#[derive(Debug, clap::Args)]
pub struct ProfileArgs {
    #[command(subcommand)]
    verb: ProfileVerb,
}

#[derive(Debug, Subcommand)]
enum ProfileVerb {
    /// Make the profile of a chart by rendering it
    New(NewArgs),
}

#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
struct NewArgs {
    /// The chart: its folder, or the archive that `helm package` or `helm pull` made
    chart: PathBuf,
    /// Values without which the chart does not render
    #[arg(long, value_name = "FILE")]
    values: Vec<PathBuf>,
    /// Where the chart is published: `oci://…`, or the URL of a Helm repository with the chart's
    /// name behind it
    #[arg(long, value_name = "URL")]
    source: Vec<String>,
    /// An API that the cluster has, as `helm template` takes it
    #[arg(long, value_name = "API")]
    api_versions: Vec<String>,
    /// A further argument for `helm template`
    #[arg(long, value_name = "ARG", allow_hyphen_values = true)]
    helm_arg: Vec<String>,
    /// The helm program
    #[arg(long, value_name = "PATH", default_value = "helm", env = "KILN_HELM")]
    helm: PathBuf,
    /// Where the profile goes, `-` for stdout; by default `charts/<chart>.yaml` of the project
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Measure anew, but keep what people wrote into the profile
    #[arg(long, conflicts_with = "force")]
    update: bool,
    /// Replace a profile that is there
    #[arg(long)]
    force: bool,
}

/// Makes a profile.
pub fn run(
    args: &ProfileArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    match &args.verb {
        ProfileVerb::New(args) => new(args, settings, printer),
    }
}

fn new(
    args: &NewArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let chart = settings.directory.join(&args.chart);
    let name = profiler::name(&chart)?;
    let target = target(args, &name, settings, printer)?;
    let earlier = match &target {
        Some(path) => read(path)?,
        None => None,
    };
    if let (Some(path), Some(_)) = (&target, &earlier)
        && !args.update
        && !args.force
    {
        let message = format!("`{}` is there already", path.display());
        return Err(CommandError::failed(message)
            .hint("measure it anew and keep what people wrote with `--update`")
            .hint("replace it with `--force`"));
    }
    let values: Result<Vec<Arc<Source>>, CommandError> = args
        .values
        .iter()
        .map(|path| {
            let missing = || CommandError::failed(format!("there is no file `{}`", path.display()));
            read(&settings.directory.join(path))?.ok_or_else(missing)
        })
        .collect();
    let apis = args
        .api_versions
        .iter()
        .map(|api| format!("--api-versions={api}"));
    let helm_arguments: Vec<String> = args.helm_arg.iter().cloned().chain(apis).collect();
    let counter = Counter::start(settings, "measuring");
    let made = profiler::profile(
        &Request {
            helm: &args.helm,
            chart: &chart,
            values: &values?,
            helm_arguments: &helm_arguments,
            sources: &args.source,
            earlier: earlier.as_deref().filter(|_| args.update),
            schema: schema_of(target.as_deref()),
        },
        &counter,
    );
    drop(counter);
    let made = made?;
    put(&made, target.as_deref(), printer)?;
    if made.contradictions.is_empty() {
        return Ok(CommandOutcome::Clean);
    }
    let count = made.contradictions.len();
    printer.status(format!(
        "the profile is not what the chart renders, in {count} cases; mend it by hand, or say so with `doubt`:"
    ));
    for contradiction in &made.contradictions {
        printer.status(format!("  {contradiction}"));
    }
    Ok(CommandOutcome::Findings)
}

/// Returns the file that the profile goes to; `None` for stdout.
fn target(
    args: &NewArgs,
    chart: &str,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<Option<PathBuf>, CommandError> {
    match &args.output {
        Some(path) if path.as_os_str() == "-" => Ok(None),
        Some(path) => Ok(Some(settings.directory.join(path))),
        None => {
            let project = ProjectSession::find(settings, printer)?;
            Ok(Some(
                project.root().join(CHARTS).join(format!("{chart}.yaml")),
            ))
        }
    }
}

fn read(path: &Path) -> Result<Option<Arc<Source>>, CommandError> {
    let shown = path.display().to_string();
    let Some(bytes) = fs::read_anywhere(path)? else {
        return Ok(None);
    };
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(Source::new(shown, text))),
        Err(_) => Err(CommandError::failed(format!("`{shown}` is not UTF-8"))),
    }
}

fn schema_of(target: Option<&Path>) -> Option<&'static str> {
    let folder = target?.parent()?;
    folder.ends_with("schemas/charts").then_some(SCHEMA)
}

fn put(
    made: &MadeProfile,
    target: Option<&Path>,
    printer: &mut Printer,
) -> Result<(), CommandError> {
    for gone in &made.gone {
        printer.status(format!("left out {gone}: no rendering has it"));
    }
    let Some(target) = target else {
        return printer.data(&Shown::file(made.text.as_str()));
    };
    fs::replace_anywhere(target, made.text.as_bytes())?;
    let evidence = target.with_file_name(MEASURED);
    let evidence = evidence.join(format!("{}.json.gz", made.chart));
    fs::replace_anywhere(&evidence, &pack(&made.evidence))?;
    printer.status(format!(
        "wrote {}: {}, {}",
        target.display(),
        counted(made.workloads, "workload"),
        counted(made.renderings, "rendering")
    ));
    Ok(())
}

impl From<profiler::ProfilerError> for CommandError {
    fn from(error: profiler::ProfilerError) -> Self {
        if let profiler::ProfilerError::NoProfile { problems, .. } = error {
            return Self::Problems(problems);
        }
        let failed = Self::of(&error);
        match error {
            profiler::ProfilerError::NoHelm { .. } => {
                failed.hint("install helm 3, or name it with `--helm PATH`")
            }
            profiler::ProfilerError::MissingDependency { .. } => {
                failed.hint("run `helm dependency build` in the chart first")
            }
            profiler::ProfilerError::NoRendering { .. } => {
                failed.hint("pass the values that it needs with `--values FILE`")
            }
            profiler::ProfilerError::NoSource { .. } => {
                failed.hint("say where with `--source URL`")
            }
            profiler::ProfilerError::NoChart { .. } => {
                failed.hint("name the folder that holds `Chart.yaml`, or a packed chart")
            }
            profiler::ProfilerError::BadFile { .. }
            | profiler::ProfilerError::NoProfile { .. }
            | profiler::ProfilerError::Disk(_)
            | profiler::ProfilerError::Read(_) => failed,
        }
    }
}

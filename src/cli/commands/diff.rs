//! `kiln diff`: what a change does to the cluster.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::key_places::KeyUse;
use crate::cli::printer::Printer;
use crate::cli::progress::Progress;
use crate::cli::report::diff::terminal::{self, View};
use crate::cli::report::diff::{github, html, json, markdown};
use crate::cli::report::shown;
use crate::cli::session::ProjectSession;
use crate::cli::settings::Settings;
use crate::cli::sides::{self, Given, SideOrigin, Sides};
use crate::diff::{self, DiffOptions, DiffReport, NOISE, Side};
use crate::fs;
use crate::pipeline::{KeyHandling, Layout};

const MORE: &str = "\
Both sides are compiled in memory, followed as Flux follows them, and compared object by object as
they reach the cluster: moving a manifest, or writing it otherwise, is no difference. Without a
`kiln.toml` the whole repository is compared as it is. Secrets are compared by key; no value and no length is shown. Labels and
annotations that move with every release are left out; `kiln.toml` can name more:

  [diff]
  ignore = [\"checksum/*\", \"/spec/interval\"]

Exit codes: 0 no difference, 1 differences, 2 could not tell, as when a side does not compile, or
Flux refuses a part of it.

Examples:
  kiln diff                            This branch against where it left the default branch
  kiln diff --base HEAD                What is not committed yet
  kiln diff --disk                     What `kiln render` would change
  kiln diff --config next.yaml         What another config would change
  kiln diff --format markdown --max-size 65000 > comment.md";

/// Compare what two revisions, configs or folders deploy, object by object
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct DiffArgs {
    /// Old side: a git revision [default: where this branch left the default branch]
    #[arg(long, value_name = "REV", conflicts_with_all = ["disk", "tree"])]
    base: Option<String>,
    /// Old side: the rendered files as they are on disk
    #[arg(long, conflicts_with = "tree")]
    disk: bool,
    /// Old side: another folder with rendered files
    #[arg(long, value_name = "DIR")]
    tree: Option<PathBuf>,
    /// New side: a git revision [default: the working tree]
    #[arg(long, value_name = "REV", conflicts_with_all = ["config", "output_dir"])]
    head: Option<String>,
    /// New side: the working tree with FILE instead of its data files; the old side is then the working
    /// tree as it is; can be given more than once
    #[arg(long, value_name = "FILE", conflicts_with = "output_dir")]
    config: Vec<PathBuf>,
    /// New side: another folder with rendered files
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
    /// Use the keys and variables at hand; without, stand-ins take the place of every secret on both sides, as a branch
    /// that nobody has read yet must get none
    #[arg(long)]
    with_keys: bool,
    /// Run the Python plugins of a makejinja project, on both sides; a branch that nobody has read yet must run none
    #[arg(long)]
    with_plugins: bool,
    /// The form of the diff
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    format: DiffFormat,
    /// How many bytes Markdown may have; what does not fit is left out object by object, and counted
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1000..))]
    max_size: Option<u64>,
    /// Leave out no noise
    #[arg(long)]
    no_strip: bool,
    /// Leave out a label or annotation, or a value by its way (`/spec/interval`), as well
    #[arg(long, value_name = "PATTERN", conflicts_with = "no_strip")]
    ignore: Vec<String>,
}

/// The form of a diff.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum DiffFormat {
    /// For people.
    #[default]
    #[value(help = None)]
    Terminal,
    /// For a comment on a pull request.
    #[value(help = None)]
    Markdown,
    /// Annotations on stdout, and Markdown into the file that `GITHUB_STEP_SUMMARY` names.
    #[value(help = None)]
    Github,
    /// For programs, by `schemas/diff.schema.json`.
    #[value(help = None)]
    Json,
    /// One file for a browser.
    #[value(help = None)]
    Html,
}

/// Compares and prints.
pub fn run(
    args: &DiffArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let max_size = max_size(args)?;
    let key_use = if args.with_keys {
        KeyUse::WithCommands
    } else {
        KeyUse::Never
    };
    let session = ProjectSession::open_any(settings, key_use, printer)?;
    let layout = session.layout().map_err(CommandError::unanswered)?;
    let (before, after) = origins(args, &session, settings)?;
    let compiled = before.is_compiled() && after.is_compiled();
    let from_before_project =
        session.is_project && matches!(before, SideOrigin::Commit { .. } | SideOrigin::Project);
    let progress = Progress::start(settings, "comparing");
    let keys = if args.with_keys {
        KeyHandling::AtHand
    } else {
        KeyHandling::MadeUp
    };
    let given = Given {
        keys,
        plugins: args.with_plugins,
    };
    let loaded = sides::load(&session, settings, given, &before, &after);
    drop(progress);
    let Sides {
        before,
        after,
        told,
    } = loaded?;
    for sentence in told {
        printer.status(sentence);
    }
    if let Some(told) = unseen(&before, &after, compiled) {
        let hint = if args.with_keys {
            ""
        } else {
            "; `--with-keys` uses what is at hand"
        };
        printer.status(format_args!("{told}{hint}"));
    }
    let mut options = DiffOptions { ignore: Vec::new() };
    if !args.no_strip {
        options = left_out(&before, &layout, from_before_project);
        options.ignore.extend(args.ignore.iter().cloned());
    }
    let mut report = diff::compare(&before, &after, &options);
    // What is in another folder is not below the project's output folder.
    if args.output_dir.is_none() {
        report.put_below(&prefix(&layout));
    }
    show(args.format, max_size, &report, &session, settings, printer)?;
    Ok(if report.is_incomplete() {
        CommandOutcome::Incomplete
    } else if report.is_empty() {
        CommandOutcome::Clean
    } else {
        CommandOutcome::Findings
    })
}

/// Says what of secrets the comparison does not see.
fn unseen(before: &Side, after: &Side, compiled: bool) -> Option<String> {
    if compiled {
        let names: BTreeSet<&str> = before.stand_ins().chain(after.stand_ins()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        return match names.as_slice() {
            [] => None,
            [one] => Some(format!("a stand-in takes the place of {one} on both sides")),
            all => Some(format!(
                "stand-ins take the places of {} on both sides",
                all.join(", ")
            )),
        };
    }
    match before.unseen().max(after.unseen()) {
        0 => None,
        1 => Some("the values of the secrets in one file are not seen".to_owned()),
        count => Some(format!(
            "the values of the secrets in {count} files are not seen"
        )),
    }
}

/// Returns what a comparison leaves out where nothing else is asked for.
pub(super) fn usual(layout: &Layout) -> DiffOptions {
    let noise = NOISE.iter().filter(|_| layout.noise);
    let mut ignore = layout.ignore.clone();
    ignore.extend(noise.map(|name| (*name).to_owned()));
    DiffOptions { ignore }
}

/// Returns what a comparison leaves out by the word of the old side, or of the project where the old side has none: what
/// is judged must not say how.
fn left_out(before: &Side, layout: &Layout, from_before_project: bool) -> DiffOptions {
    match before.guards() {
        Some(guards) => usual(&Layout {
            ignore: guards.ignore.clone(),
            noise: guards.noise,
            ..layout.clone()
        }),
        // From before the project: nothing is left out yet.
        None if from_before_project => DiffOptions::default(),
        None => usual(layout),
    }
}

/// Returns what stands before the paths of a project's outputs.
pub fn prefix(layout: &Layout) -> String {
    match layout.output.trim_matches('/') {
        "" | "." => String::new(),
        folder => format!("{folder}/"),
    }
}

/// Returns how large Markdown may be.
fn max_size(args: &DiffArgs) -> Result<Option<usize>, CommandError> {
    let Some(size) = args.max_size else {
        return Ok(None);
    };
    if !matches!(args.format, DiffFormat::Markdown | DiffFormat::Github) {
        return Err(CommandError::failed("only Markdown has a `--max-size`")
            .hint("add `--format markdown` or `--format github`, or leave it out"));
    }
    Ok(Some(usize::try_from(size).unwrap_or(usize::MAX)))
}

fn origins(
    args: &DiffArgs,
    session: &ProjectSession,
    settings: &Settings,
) -> Result<(SideOrigin, SideOrigin), CommandError> {
    let root = &session.root;
    let before = match (&args.base, &args.tree) {
        (Some(base), _) => sides::revision(root, base)?,
        (_, Some(tree)) => SideOrigin::Folder(tree.clone()),
        _ if args.disk => SideOrigin::Output,
        _ if !args.config.is_empty() => SideOrigin::Project,
        _ => sides::merge_base(root, settings)?,
    };
    let after = match (&args.head, &args.output_dir) {
        (Some(head), _) => sides::revision(root, head)?,
        (_, Some(folder)) => SideOrigin::Folder(folder.clone()),
        _ if !args.config.is_empty() => SideOrigin::Config(args.config.clone()),
        _ => SideOrigin::Project,
    };
    Ok((before, after))
}

fn show(
    format: DiffFormat,
    max_size: Option<usize>,
    report: &DiffReport,
    session: &ProjectSession,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<(), CommandError> {
    let text = match format {
        DiffFormat::Terminal => {
            let view = View {
                color: settings.stdout_color,
                body_lines: (!printer.is_verbose()).then_some(View::BODY_LINES),
            };
            terminal::render(report, view)
        }
        DiffFormat::Markdown => markdown::render(report, max_size),
        DiffFormat::Github => {
            if let Some(path) = settings.environment.filled("GITHUB_STEP_SUMMARY") {
                let size = max_size.unwrap_or(STEP_SUMMARY);
                let summary = markdown::render(report, Some(size));
                fs::append_anywhere(&settings.directory.join(path), summary.as_str().as_bytes())?;
            }
            github::render(report, &checkout_prefix(session, settings))
        }
        DiffFormat::Json => shown::json::page(&json::render(report)),
        DiffFormat::Html => html::render(report),
    };
    printer.data(&text)
}

/// What GitHub takes of a step summary at most, and a little less.
const STEP_SUMMARY: usize = 1_000_000;

/// Returns the way from the root of the checkout to the project, with a slash at the end.
fn checkout_prefix(session: &ProjectSession, settings: &Settings) -> String {
    let workspace = settings.environment.filled("GITHUB_WORKSPACE");
    let below = workspace.and_then(|workspace| session.root.strip_prefix(workspace).ok());
    let below = below
        .and_then(Path::to_str)
        .filter(|below| !below.is_empty());
    below.map_or_else(String::new, |below| format!("{below}/"))
}

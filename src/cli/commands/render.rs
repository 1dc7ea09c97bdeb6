//! `kiln render`: the tree on disk.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use crate::cli::clock::Stopwatch;
use crate::cli::codes;
use crate::cli::commands::init;
use crate::cli::deadline::Deadline;
use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::key_places::KeyUse;
use crate::cli::makejinja_process::run_command;
use crate::cli::printer::Printer;
use crate::cli::report::counted::counted;
use crate::cli::report::{occupied, record, unseen};
use crate::cli::session::ProjectSession;
use crate::cli::settings::Settings;
use crate::cli::sides;
use crate::cli::turn::Turn;
use crate::diagnostic::{self, Diagnostic};
use crate::fs::{GitError, Repository};
use crate::pipeline::{self, Compiled, KeyHandling};
use crate::write::{self, PlanOptions, Recovery, Target, WriteReport};

const MORE: &str = "\
Only files that differ are written, all of them or none. Files that an earlier run wrote and no
template makes any more are removed. Files that Kiln did not write stop the run; those that were
edited since it wrote them are kept and named, which counts as a finding.

Examples:
  kiln render               Write what differs
  kiln render -v            Name each file and each default that was added, with the reason
  kiln render --dry-run     List what differs
  kiln render --check       List what differs, and fail if anything does: for CI
  kiln render --stage       Write what differs and stage it with git: for a hook before a commit
  kiln render --keygen      Make missing keys first, as after cloning an example
  kiln render -- -D a=b     Give options of makejinja, in a project of makejinja";

/// Compile the project and write the tree
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct RenderArgs {
    /// Write nothing; list what differs, and exit with 1 if anything does
    #[arg(long, conflicts_with_all = ["dry_run", "force", "keygen"])]
    check: bool,
    /// Write nothing; list what differs
    #[arg(long, conflicts_with = "keygen")]
    dry_run: bool,
    /// Overwrite or remove files of Kiln's that were edited by hand
    #[arg(long)]
    force: bool,
    /// Make the keys that are missing first, and have git ignore them
    #[arg(long)]
    keygen: bool,
    /// The type of an age key that --keygen makes, as for `kiln init`
    #[arg(long, value_enum, value_name = "TYPE", requires = "keygen")]
    key_type: Option<init::KeyType>,
    /// Run the commands that `exec_pre` and `exec_post` of `makejinja.toml` name
    #[arg(long, conflicts_with_all = ["check", "dry_run"])]
    yes: bool,
    /// Stage all files of Kiln's with git, new and removed ones too, but for those edited by hand
    #[arg(long, conflicts_with_all = ["check", "dry_run"])]
    stage: bool,
    /// Options of makejinja, in a project of makejinja
    #[arg(last = true, value_name = "OPTION")]
    makejinja: Vec<String>,
}

impl RenderArgs {
    /// What only looks may be a job on a pull request.
    fn key_use(&self) -> KeyUse {
        if self.check {
            KeyUse::WithCommands
        } else {
            KeyUse::WithPlugins
        }
    }

    fn options(&self) -> PlanOptions {
        PlanOptions {
            force: self.force,
            dry_run: self.check || self.dry_run,
        }
    }
}

/// Compiles, compares and writes.
pub fn run(
    args: &RenderArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let time = Stopwatch::start();
    if args.keygen {
        let disk = ProjectSession::find(settings, printer)?;
        init::make_missing_keys(&disk, args.key_type, settings, printer)?;
    }
    let clock = Deadline::start(settings);
    let session =
        ProjectSession::open_described(&args.makejinja, settings, args.key_use(), printer)?;
    let layout = session.layout()?;
    drop(clock);
    let commands = pipeline::project_commands(&session.world())?;
    run_commands(&commands.before, args, &session, printer)?;
    let target = session.target(&layout, "kiln render");
    let mut turn = Turn::new(settings);
    let (mut compiled, mut clock) = compile(args, &session, &target, &mut turn, settings, printer)?;
    let planned = loop {
        let target = session.target_of(&target, &compiled);
        match write::plan(&compiled.tree, &target, args.options()) {
            Err(error) if turn.comes_again(&error) => {}
            planned => break planned?,
        }
        // Another Kiln came first, so that what is there is not what this one has compiled.
        drop(clock);
        (compiled, clock) = compile(args, &session, &target, &mut turn, settings, printer)?;
    };
    let planned = planned.map_err(CommandError::Problems)?;
    printer.report(&planned.warnings)?;
    drop(clock);
    let report = planned.value.apply()?;
    printer.report(&occupied::describe(&report))?;
    run_commands(&commands.after, args, &session, printer)?;
    if args.stage {
        stage(&session, &target, &layout.output, &report, settings)?;
    }
    list(&report, args, printer)?;
    record::show(&compiled, printer)?;
    unseen::show(&compiled.findings.parts, printer);
    let result = RenderSummary {
        compiled: &compiled,
        report: &report,
        dry: args.options().dry_run,
        took: time.elapsed(),
    };
    printer.summary(&result.sentence(), &result.object())?;
    Ok(match (args.dry_run, args.check) {
        (true, _) => CommandOutcome::Clean,
        (_, true) if !report.is_clean() => CommandOutcome::Findings,
        _ if !report.edited.is_empty() => CommandOutcome::Findings,
        _ => CommandOutcome::Clean,
    })
}

/// Runs commands of the project, if the user has agreed to it, or says that they are not run.
fn run_commands(
    lines: &[String],
    args: &RenderArgs,
    session: &ProjectSession,
    printer: &mut Printer,
) -> Result<(), CommandError> {
    for line in lines {
        if args.yes {
            printer.detail(format_args!("running `{line}`"));
            run_command(line, &session.root)?;
        } else if !args.options().dry_run {
            let message = format!("`{line}` is not run, which the settings of makejinja ask for");
            let told = Diagnostic::warning(&diagnostic::codes::MAKEJINJA_NO_EFFECT, message);
            printer.report(&[told.with_hint("`kiln render --yes` runs it")])?;
        }
    }
    Ok(())
}

/// Waits for another Kiln and completes what a killed run left, unless nothing may be written; then compiles,
/// against a clock that goes on.
fn compile(
    args: &RenderArgs,
    session: &ProjectSession,
    target: &Target<'_>,
    turn: &mut Turn<'_>,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<(Compiled, Deadline), CommandError> {
    if !args.options().dry_run {
        turn.wait(|| write::recover(target))?;
    }
    let clock = Deadline::start(settings);
    let keys = if args.check {
        KeyHandling::AtHand
    } else {
        KeyHandling::Needed
    };
    let compiled = session.compile_guarded(keys, settings, printer)?;
    Ok((compiled, clock))
}

/// Stages the outputs as they are now, and those that the staged list has and that are gone.
fn stage(
    session: &ProjectSession,
    target: &Target<'_>,
    output: &str,
    report: &WriteReport,
    settings: &Settings,
) -> Result<(), CommandError> {
    let folder = session.disk.folder(output)?;
    let lock = folder.shown(write::LOCK_FILE);
    let index = settings.environment.filled("GIT_INDEX_FILE");
    let stage = || -> Result<Vec<Diagnostic>, GitError> {
        let repository = Repository::of(&session.root)?;
        let now = write::list(target);
        let staged = repository.staged(&lock, index)?;
        // A staged list with a conflict in it says nothing of what is to be removed.
        let staged = staged.and_then(|text| write::list_of(target, &text).ok());
        let now = match now {
            Ok(now) => now,
            Err(problems) => return Ok(problems),
        };
        let lists = now.into_iter().chain(staged);
        let mut paths: BTreeSet<String> = lists
            .flat_map(|list| list.outputs.into_keys())
            .map(|path| folder.shown(&path))
            .filter(|path| !report.edited.contains(path))
            .collect();
        paths.insert(lock.clone());
        repository.stage(&paths, index)?;
        Ok(Vec::new())
    };
    let problems = stage().map_err(|error| sides::git_error(&error))?;
    if problems.is_empty() {
        Ok(())
    } else {
        Err(CommandError::Problems(problems))
    }
}

/// Names each file that differs: as data where that was asked for, as findings for machines, or as
/// talk.
fn list(
    report: &WriteReport,
    args: &RenderArgs,
    printer: &mut Printer,
) -> Result<(), CommandError> {
    let lock = [write::LOCK_FILE.to_owned()];
    let only_lock = report.lock_changed
        && [&report.created, &report.changed, &report.removed]
            .iter()
            .all(|paths| paths.is_empty());
    let kinds = [
        ("created", report.created.as_slice()),
        ("changed", report.changed.as_slice()),
        ("changed", if only_lock { &lock } else { &[] }),
        ("removed", report.removed.as_slice()),
        ("edited", report.edited.as_slice()),
    ];
    for (kind, path) in kinds
        .iter()
        .flat_map(|(kind, paths)| paths.iter().map(move |path| (kind, path)))
    {
        if args.check && printer.is_machine() {
            printer.report(&[difference(kind, path)])?;
        } else if (args.check || args.dry_run) && !printer.is_machine() {
            printer.line(format_args!("{kind} {path}"))?;
        } else {
            printer.detail(format_args!("{kind} {path}"));
        }
    }
    Ok(())
}

fn difference(kind: &str, path: &str) -> Diagnostic {
    let message = match kind {
        "created" => format!("`{path}` is missing"),
        "removed" => format!("`{path}` is not made by any template any more"),
        _ => format!("`{path}` is not what would be rendered"),
    };
    Diagnostic::error(&codes::STALE_OUTPUT, message)
        .with_hint("run `kiln render` and commit the result")
}

/// What a run came to.
struct RenderSummary<'r> {
    compiled: &'r Compiled,
    report: &'r WriteReport,
    dry: bool,
    took: Duration,
}

impl RenderSummary<'_> {
    /// Counts the sealed files, and those of which the ciphertext was kept.
    fn sealed(&self) -> (usize, usize) {
        let sealed = || self.compiled.tree.outputs().filter(|(_, file)| file.sealed);
        (
            sealed().count(),
            sealed().filter(|(_, file)| file.kept).count(),
        )
    }

    fn sentence(&self) -> String {
        let WriteReport {
            created,
            changed,
            unchanged,
            removed,
            edited,
            ..
        } = self.report;
        let (sealed, kept) = self.sealed();
        let edited = match edited.len() {
            0 => String::new(),
            count => format!(", {count} edited by hand"),
        };
        let recovery = match self.report.recovery {
            Recovery::Nothing => "",
            _ => "; an earlier run that was killed is put right",
        };
        format!(
            "{} {}: {} created, {} changed, {} unchanged, {} removed{edited}; \
             {sealed} sealed ({kept} kept); {}{} in {} ms{recovery}",
            if self.dry { "would render" } else { "rendered" },
            counted(self.compiled.templates, "template"),
            created.len(),
            changed.len(),
            unchanged.len(),
            removed.len(),
            counted(self.compiled.tree.injections().len(), "injection"),
            match self.compiled.tree.gaps().len() {
                0 => String::new(),
                gaps => format!(" ({})", counted(gaps, "gap")),
            },
            self.took.as_millis(),
        )
    }

    fn object(&self) -> serde_json::Value {
        let (sealed, kept) = self.sealed();
        json!({
            "templates": self.compiled.templates,
            "dryRun": self.dry,
            "created": self.report.created,
            "changed": self.report.changed,
            "unchanged": self.report.unchanged.len(),
            "removed": self.report.removed,
            "edited": self.report.edited,
            "sealed": sealed,
            "sealedKept": kept,
            "injections": self.compiled.tree.injections().len(),
            "gaps": self.compiled.tree.gaps().len(),
            "notSeen": self.compiled.findings.parts.len(),
            "milliseconds": u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
        })
    }
}

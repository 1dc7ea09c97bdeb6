//! `kiln watch`: the tree on disk, kept up to date while the project is edited.

mod cycle;

use std::cell::RefCell;
use std::time::Duration;

use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::exposure;
use crate::cli::key_places::KeyUse;
use crate::cli::printer::Printer;
use crate::cli::progress::StatusLine;
use crate::cli::report::watch::{self as report, Event};
use crate::cli::session::ProjectSession;
use crate::cli::settings::Settings;
use crate::diagnostic::Warned;
use crate::watch::{Changes, Difference, Ended, Mode, UserCommand, Wake, Watch};

pub use cycle::CycleResult;
use cycle::Cycles;

const MORE: &str = "\
Compiles and writes at once, and again whenever a file changes that the last compile read or looked
for: config, templates, schemas, profiles, keys. An output that is removed is written again. Only
content counts, so that saving a file as it is does nothing. After a mistake the last good tree stays
until it is mended. Shows by object what each change does, as `kiln diff` does.

The command of --on-change runs by the shell in the project's folder, with the paths of what was
written, one a line, in KILN_CREATED, KILN_UPDATED, KILN_REMOVED and, all together, KILN_CHANGED,
their number in KILN_COUNT and the folder in KILN_ROOT. Its output goes to stderr.

Ctrl-C ends it with exit code 0, and never in the middle of a write. With --once the exit code is
that of `kiln render` for the compile after the change, or 2 if it was stopped before.

Examples:
  kiln watch
  kiln watch --no-write                         Only check, and show what would change
  kiln watch --on-change 'git diff --stat'      Run a command after each write
  kiln watch --once && kubectl diff -k .        Wait for one change, then go on
  kiln watch --poll 2s                          Where the system tells nothing, as on some network disks";

/// Compile and write again on each save, and show what it changes
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct WatchArgs {
    /// Run a command after each write that changed something; its failure is shown and stops nothing
    #[arg(long, value_name = "CMD", conflicts_with = "no_write")]
    on_change: Option<String>,
    /// Write nothing; show what would change
    #[arg(long)]
    no_write: bool,
    /// Bring the tree up to date, wait for one change, compile it, and exit
    #[arg(long)]
    once: bool,
    /// Look at the files every INTERVAL (`500ms`, `2s`) instead of asking the system [default: 1s]
    #[arg(long, value_name = "INTERVAL", num_args = 0..=1, default_missing_value = "1s", value_parser = interval)]
    poll: Option<Duration>,
}

/// Reads `500ms` or `2s`.
fn interval(text: &str) -> Result<Duration, String> {
    let number = |digits: &str| digits.parse::<u64>().ok().filter(|number| *number > 0);
    let found = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(digits), _) => number(digits).map(Duration::from_millis),
        (None, Some(digits)) => number(digits).map(Duration::from_secs),
        (None, None) => None,
    };
    found
        .ok_or_else(|| "an interval is a whole number with `ms` or `s`, such as `500ms`".to_owned())
}

/// Compiles, waits, and compiles again until the user stops it.
pub fn run(
    args: &WatchArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let root = ProjectSession::find(settings, printer)?.root().to_owned();
    // What cannot be opened now is told by the first cycle, and waited for.
    if let Ok(session) = ProjectSession::open_root(&root, settings, KeyUse::WithPlugins) {
        let exposed = Warned::unless_errors((), exposure::inspect(&session, settings)?);
        printer.report(&exposed.map_err(CommandError::Problems)?.warnings)?;
    }
    let mut watch = Watch::open(&root, args.poll)?;
    watch.stop_on_signals()?;
    let mut cycles = Cycles::new(&root, settings, args.no_write);
    let mut run = WatchRun {
        args,
        settings,
        printer,
        mode: None,
        last: String::new(),
    };
    run.cycle(&mut cycles, &mut watch, None)?;
    loop {
        let trigger = match run.wait(&mut watch, &mut cycles) {
            Wake::Stopped => break,
            Wake::Changed(difference) => difference,
        };
        let outcome = run.cycle(&mut cycles, &mut watch, Some(&trigger))?;
        if let (true, Some(outcome)) = (args.once, outcome) {
            return outcome;
        }
    }
    report::show(&Event::Stopped, run.printer)?;
    if args.once {
        return Err(CommandError::failed("stopped before anything changed"));
    }
    Ok(CommandOutcome::Clean)
}

/// What a whole run carries along.
struct WatchRun<'r> {
    args: &'r WatchArgs,
    settings: &'r Settings,
    printer: &'r mut Printer,
    /// How changes are noticed, once that is told.
    mode: Option<Mode>,
    /// What the last compile came to, for the status line.
    last: String,
}

impl WatchRun<'_> {
    /// Compiles and writes once, and shows how it went; `None` when the user stopped it.
    fn cycle(
        &mut self,
        cycles: &mut Cycles<'_>,
        watch: &mut Watch,
        trigger: Option<&Difference>,
    ) -> Result<Option<Result<CommandOutcome, CommandError>>, CommandError> {
        let was_failing = cycles.is_failing();
        let (result, expected) = cycles.run(watch, self.printer)?;
        watch.expect(expected);
        match result {
            Ok(None) => Ok(None),
            Ok(Some(written)) => {
                self.last = report::counts(&written.report, self.args.no_write);
                let event = Event::Written {
                    written: &written,
                    trigger,
                    mended: was_failing,
                    dry: self.args.no_write,
                };
                report::show(&event, self.printer)?;
                self.show_diff(&written)?;
                self.run_command(watch, &written)?;
                Ok(Some(Ok(written.outcome())))
            }
            // The last error of a run is shown as that of any command.
            Err(error) if self.args.once && trigger.is_some() => Ok(Some(Err(error))),
            Err(error) => {
                "the last good tree stays until this is mended".clone_into(&mut self.last);
                let errors = report::problems(&error, self.printer)?;
                let event = Event::Failed { errors, trigger };
                report::show(&event, self.printer)?;
                Ok(Some(Err(error)))
            }
        }
    }

    /// Shows what the change does to the cluster; programs get it with the event.
    fn show_diff(&mut self, written: &CycleResult) -> Result<(), CommandError> {
        match &written.diff {
            Some(diff) if !diff.is_empty() && !self.printer.is_machine() => {
                report::diff(diff, self.settings, self.printer)
            }
            _ => Ok(()),
        }
    }

    fn run_command(&mut self, watch: &Watch, written: &CycleResult) -> Result<(), CommandError> {
        let Some(line) = &self.args.on_change else {
            return Ok(());
        };
        let written = &written.report;
        let changes = Changes {
            created: &written.created,
            changed: &written.changed,
            removed: &written.removed,
        };
        if changes.is_empty() {
            return Ok(());
        }
        let command = UserCommand { line: line.clone() };
        match command.run(watch, changes) {
            Ok(Ended::Stopped) => Ok(()),
            Ok(Ended::Code(code)) => {
                let event = Event::Command { line, code };
                report::show(&event, self.printer)
            }
            Err(error) => {
                let error = CommandError::from(error);
                report::problems(&error, self.printer).map(drop)
            }
        }
    }

    /// Waits for a change, with a status line on a terminal, and compiles while one comes to rest.
    fn wait(&mut self, watch: &mut Watch, cycles: &mut Cycles<'_>) -> Wake {
        let line = RefCell::new(None);
        let mut ready = |watch: &Watch| {
            let told = self.mode.as_ref() == Some(watch.mode());
            self.mode = Some(watch.mode().clone());
            let event = Event::Ready { watch, told };
            let sentence = report::ready(watch, &self.last);
            let drawn = StatusLine::draw(self.settings, sentence);
            if drawn.is_none() || self.printer.is_json() {
                // A reader that has gone away is noticed at the next event.
                report::show(&event, self.printer).ok();
            }
            line.replace(drawn);
        };
        watch.wait(&mut ready, &mut |watch| {
            line.replace(None);
            cycles.compile_ahead(watch);
        })
    }
}

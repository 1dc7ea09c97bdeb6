//! What `kiln watch` says: a line for people, an object for programs.

use serde_json::{Value, json};

use super::SCHEMA_VERSION;
use super::diff::json as diff_json;
use super::diff::terminal::{self, View};
use crate::cli::commands::watch::CycleResult;
use crate::cli::error::CommandError;
use crate::cli::printer::Printer;
use crate::cli::report::counted::counted;
use crate::cli::settings::{Settings, Verbosity};
use crate::diff;
use crate::watch::{Difference, Mode, Watch};
use crate::write::WriteReport;

/// How many paths are named in a line.
const NAMED: usize = 3;

/// Something that happened.
pub enum Event<'e> {
    /// All is in place to notice the next change.
    Ready {
        /// What is watched.
        watch: &'e Watch,
        /// Whether that was told before.
        told: bool,
    },
    /// A compile went well, and its tree is on disk.
    Written {
        /// What was written.
        written: &'e CycleResult,
        /// Why; `None` at the start.
        trigger: Option<&'e Difference>,
        /// Whether the compile before had failed.
        mended: bool,
        /// Whether nothing was really written.
        dry: bool,
    },
    /// A compile failed, and the last good tree stays.
    Failed {
        /// How many errors there are.
        errors: usize,
        /// Why it was tried; `None` at the start.
        trigger: Option<&'e Difference>,
    },
    /// The command of `--on-change` ended.
    Command {
        /// The command.
        line: &'e str,
        /// Its exit code, unless a signal ended it.
        code: Option<i32>,
    },
    /// The user stopped it.
    Stopped,
}

/// Shows an event.
pub fn show(event: &Event<'_>, printer: &mut Printer) -> Result<(), CommandError> {
    if printer.is_json() {
        return printer.json(&object(event));
    }
    match event {
        Event::Ready { told: true, .. } | Event::Command { code: Some(0), .. } => {}
        Event::Ready { watch, .. } => printer.status(ready(watch, "")),
        Event::Written {
            written,
            trigger,
            mended,
            dry,
        } => {
            let CycleResult { report, took, .. } = written;
            let (why, counts) = (why(*trigger), counts(report, *dry));
            let mended = if *mended { "mended; " } else { "" };
            printer.status(format_args!(
                "{why}: {mended}{counts} in {} ms",
                took.as_millis()
            ));
            files(report, printer);
        }
        Event::Failed { errors, trigger } => {
            let (why, errors) = (why(*trigger), counted(*errors, "error"));
            printer.status(format_args!(
                "{why}: {errors}, nothing written, the last good tree stays"
            ));
        }
        Event::Command { line, code } => {
            let how = match code {
                Some(code) => format!("failed with exit code {code}"),
                None => "was ended by a signal".to_owned(),
            };
            printer.status(format_args!("warning: `{line}` {how}"));
        }
        Event::Stopped => printer.status("stopped"),
    }
    Ok(())
}

/// Shows what stopped a compile, and returns the number of errors.
pub fn problems(error: &CommandError, printer: &mut Printer) -> Result<usize, CommandError> {
    match error {
        CommandError::Problems(problems) | CommandError::Unanswered(problems) => {
            printer.report(problems)?;
            Ok(problems.iter().filter(|problem| problem.is_error()).count())
        }
        CommandError::Failed(failed) => {
            printer.failure(failed)?;
            Ok(1)
        }
    }
}

/// Shows what a change does to the cluster.
pub fn diff(
    diff: &diff::DiffReport,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<(), CommandError> {
    if settings.verbosity == Verbosity::Quiet {
        return Ok(());
    }
    let view = View {
        color: settings.stdout_color,
        body_lines: (!printer.is_verbose()).then_some(View::BODY_LINES),
    };
    printer.data(&terminal::render(diff, view))
}

/// Returns the sentence of the status line.
pub fn ready(watch: &Watch, last: &str) -> String {
    let how = match watch.mode() {
        Mode::Events => String::new(),
        Mode::Polling { interval, reason } => {
            let reason = reason
                .as_ref()
                .map_or_else(String::new, |reason| format!(", as {reason}"));
            format!(" every {} ms{reason}", interval.as_millis())
        }
    };
    let last = if last.is_empty() {
        String::new()
    } else {
        format!("; {last}")
    };
    format!("watching {}{how}{last}", counted(watch.inputs(), "input"))
}

/// Counts what was written.
pub fn counts(report: &WriteReport, dry: bool) -> String {
    let kinds = [
        (&report.created, "created"),
        (&report.changed, "changed"),
        (&report.removed, "removed"),
        (&report.edited, "edited by hand and kept"),
    ];
    let parts: Vec<String> = kinds
        .iter()
        .filter(|(paths, _)| !paths.is_empty())
        .map(|(paths, word)| format!("{} {word}", paths.len()))
        .collect();
    match (parts.is_empty(), dry) {
        (true, true) => "nothing would change".to_owned(),
        (true, false) => "nothing to write".to_owned(),
        (false, true) => format!("{} if written", parts.join(", ")),
        (false, false) => parts.join(", "),
    }
}

fn files(report: &WriteReport, printer: &mut Printer) {
    let kinds = [
        ("created", &report.created),
        ("changed", &report.changed),
        ("removed", &report.removed),
        ("edited", &report.edited),
    ];
    for (kind, paths) in kinds {
        for path in paths {
            printer.detail(format_args!("{kind} {path}"));
        }
    }
}

/// Says what a compile was for.
fn why(trigger: Option<&Difference>) -> String {
    let Some(Difference { inputs, outputs }) = trigger else {
        return "start".to_owned();
    };
    let paths = if inputs.is_empty() { outputs } else { inputs };
    let shown = paths[..paths.len().min(NAMED)].join(", ");
    let more = match paths.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let what = if inputs.is_empty() { "outputs " } else { "" };
    format!("{what}{shown}{more}")
}

fn object(event: &Event<'_>) -> Value {
    let trigger = |trigger: Option<&Difference>| {
        trigger
            .map(|difference| json!({"inputs": difference.inputs, "outputs": difference.outputs}))
    };
    let mut object = json!({"schemaVersion": SCHEMA_VERSION, "type": "watch"});
    let body = match event {
        Event::Ready { watch, .. } => {
            let (mode, interval, reason) = match watch.mode() {
                Mode::Events => ("events", None, None),
                Mode::Polling { interval, reason } => ("polling", Some(interval), reason.as_ref()),
            };
            json!({
                "event": "ready",
                "mode": mode,
                "intervalMilliseconds": interval.map(|interval| millis(*interval)),
                "reason": reason,
                "inputs": watch.inputs(),
                "folders": watch.folders(),
            })
        }
        Event::Written {
            written,
            trigger: why,
            mended,
            dry,
        } => json!({
            "event": "written",
            "trigger": trigger(*why),
            "mended": mended,
            "dryRun": dry,
            "created": written.report.created,
            "changed": written.report.changed,
            "removed": written.report.removed,
            "edited": written.report.edited,
            "unchanged": written.report.unchanged.len(),
            "milliseconds": millis(written.took),
            "diff": written.diff.as_ref().map(diff_json::render),
        }),
        Event::Failed {
            errors,
            trigger: why,
        } => json!({"event": "failed", "trigger": trigger(*why), "errors": errors}),
        Event::Command { line, code } => json!({"event": "command", "command": line, "code": code}),
        Event::Stopped => json!({"event": "stopped"}),
    };
    if let (Some(object), Value::Object(body)) = (object.as_object_mut(), body) {
        object.extend(body);
    }
    object
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

//! The command line: what a user types, sees and gets back as an exit code.
//!
//! [`settings`] resolves arguments and environment, [`session`] opens the project, one module in
//! [`commands`] does the work of each verb, [`printer`] is the only way out. Data goes to stdout,
//! talk to stderr. No decision about manifests is made here.

pub mod adoption;
pub mod args;
pub mod clock;
pub mod codes;
pub mod credentials;
pub mod deadline;
pub mod editor;
pub mod settings;
pub mod error;
pub mod exposure;
pub mod flux_inputs;
pub mod folder_files;
pub mod found_in_tree;
pub mod judged_tree;
pub mod key_places;
pub mod makejinja_process;
mod memory;
pub mod report;
pub mod printer;
pub mod progress;
pub mod repository_tree;
pub mod secret_input;
pub mod session;
pub mod sides;
pub mod staying_plugins;
pub mod turn;
pub mod commands;

use std::any::Any;
use std::ffi::OsString;
use std::panic::{self, PanicHookInfo};
use std::process::ExitCode;

use clap::Parser as _;

use args::{Args, Color, Global};
use error::{CommandError, CommandOutcome};
use printer::Printer;
use report::shown::terminal;
use settings::{ProcessEnvironment, ProcessSurroundings, Settings};

/// Runs the program with the arguments of this process.
pub fn main() -> ExitCode {
    memory::keep_out_of_dumps();
    panic::set_hook(Box::new(ask_for_report));
    let environment = ProcessEnvironment::of_process();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    panic::catch_unwind(|| run(&arguments, environment)).unwrap_or(ExitCode::from(2))
}

fn run(arguments: &[OsString], environment: ProcessEnvironment) -> ExitCode {
    let parsed = Args::try_parse_from(arguments);
    let global = match &parsed {
        Ok(args) => args.global.clone(),
        Err(_) => Global {
            color: typed_color(arguments),
            ..Global::default()
        },
    };
    let settings = ProcessSurroundings::of_process()
        .and_then(|standing| Settings::resolve(&global, environment, &standing));
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => return finish(Err(error), &mut Printer::new(&Settings::default())),
    };
    let mut printer = Printer::new(&settings);
    let result = match parsed {
        Ok(args) => commands::run(&args.command, &settings, &mut printer),
        Err(message) => return show_usage(&message, &settings, &mut printer),
    };
    finish(result, &mut printer)
}

fn finish(result: Result<CommandOutcome, CommandError>, printer: &mut Printer) -> ExitCode {
    let error = match result {
        Ok(outcome) => return outcome.into(),
        Err(error) => error,
    };
    let shown = match &error {
        CommandError::Problems(problems) | CommandError::Unanswered(problems) => {
            printer.problems(problems)
        }
        CommandError::Failed(failed) => printer.failure(failed),
    };
    match shown {
        Ok(()) => error.exit_code(),
        Err(_) => ExitCode::from(2),
    }
}

/// Prints help to stdout, and what is wrong with the arguments to stderr.
fn show_usage(message: &clap::Error, settings: &Settings, printer: &mut Printer) -> ExitCode {
    let wanted = !message.use_stderr();
    let colored = if wanted {
        settings.stdout_color
    } else {
        settings.stderr_color
    };
    let styled = message.render();
    let text = terminal::drawn(&if colored {
        styled.ansi().to_string()
    } else {
        styled.to_string()
    });
    if !wanted {
        printer.talk(&text);
        return ExitCode::from(2);
    }
    match printer.data(&text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(2),
    }
}

/// Finds `--color` in arguments that do not parse, so that the complaint has the right colour.
fn typed_color(arguments: &[OsString]) -> Option<Color> {
    let texts: Vec<&str> = arguments
        .iter()
        .filter_map(|argument| argument.to_str())
        .collect();
    let joined = texts.iter().find_map(|text| text.strip_prefix("--color="));
    let split = || {
        texts
            .windows(2)
            .find_map(|pair| (pair[0] == "--color").then_some(pair[1]))
    };
    joined
        .or_else(split)
        .and_then(|text| <Color as clap::ValueEnum>::from_str(text, false).ok())
}

/// Says that the fault is ours.
#[expect(
    clippy::print_stderr,
    reason = "a panic may have hit the printer itself"
)]
fn ask_for_report(panic: &PanicHookInfo<'_>) {
    if crate::pipeline::is_evaluating() {
        return;
    }
    let place = panic
        .location()
        .map_or_else(String::new, |place| format!(" at {place}"));
    eprintln!("error: kiln failed{place}: {}", reason(panic.payload()));
    eprintln!(
        "help: this is a bug in kiln {}; please report it with these lines",
        env!("CARGO_PKG_VERSION")
    );
}

/// Returns the message of a panic if it stands in the code like that; a composed one may hold values.
fn reason(payload: &dyn Any) -> &'static str {
    let composed = "the message may hold values of yours and is not shown";
    payload
        .downcast_ref::<&'static str>()
        .copied()
        .unwrap_or(composed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_shows_no_value() {
        let canary = std::hint::black_box("hunter2");
        for (text, shown) in [
            (format!("cannot take {canary}"), "is not shown"),
            (String::new(), "cannot be"),
        ] {
            let caught = panic::catch_unwind(|| match text.as_str() {
                "" => panic!("cannot be"),
                text => panic!("{text}"),
            });
            let said = reason(caught.unwrap_err().as_ref());
            assert!(said.contains(shown) && !said.contains(canary), "{said}");
        }
    }
}

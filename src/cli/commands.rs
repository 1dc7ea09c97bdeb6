//! The commands, one module a verb: its arguments, whose comments are the help text, and its work.

pub mod adopt;
pub mod apps;
pub mod audit;
pub mod build;
pub mod catalogue;
pub mod check;
pub mod completions;
pub mod diff;
pub mod explain;
pub mod harden;
pub mod init;
pub mod list;
pub mod profile;
pub mod render;
mod replacement;
pub mod schema;
pub mod secrets;
pub mod watch;

use clap::Subcommand;

use super::deadline::Deadline;
use super::error::{CommandError, Outcome};
use super::printer::Printer;
use super::settings::Settings;
use crate::pipeline;

/// What to do.
#[derive(Debug, Subcommand)]
#[expect(
    missing_docs,
    reason = "a comment here would hide that of the arguments, which is the help text"
)]
pub enum Command {
    Init(init::InitArgs),
    Adopt(adopt::AdoptArgs),
    Render(render::RenderArgs),
    Watch(watch::WatchArgs),
    Check(check::CheckArgs),
    Audit(audit::AuditArgs),
    Harden(harden::HardenArgs),
    Diff(diff::DiffArgs),
    Build(build::BuildArgs),
    List(list::ListArgs),
    Schema(schema::SchemaArgs),
    Apps(apps::AppsArgs),
    Secrets(secrets::SecretsArgs),
    Explain(explain::ExplainArgs),
    Catalogue(catalogue::CatalogueArgs),
    Profile(profile::ProfileArgs),
    Completions(completions::CompletionsArgs),
}

/// Runs a command.
pub fn run(
    command: &Command,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<Outcome, CommandError> {
    let mut pool = pipeline::threads();
    if let Some(threads) = settings.threads {
        pool = pool.num_threads(threads);
    }
    pool.build_global().map_err(|error| {
        CommandError::failed("cannot start all threads")
            .because(&error)
            .hint("ask for fewer with `--threads N`; each takes 32 MiB of address space")
    })?;
    // What writes, waits or runs a program of the user has no clock, or one of its own that stops before.
    let clock = match command {
        Command::Check(_)
        | Command::Audit(_)
        | Command::Diff(_)
        | Command::Build(_)
        | Command::List(_)
        | Command::Schema(_)
        | Command::Explain(_)
        | Command::Completions(_) => Some(Deadline::start(settings)),
        _ => None,
    };
    let outcome = match command {
        Command::Init(args) => init::run(args, settings, printer),
        Command::Adopt(args) => adopt::run(args, settings, printer),
        Command::Render(args) => render::run(args, settings, printer),
        Command::Watch(args) => watch::run(args, settings, printer),
        Command::Check(args) => check::run(args, settings, printer),
        Command::Audit(args) => audit::run(args, settings, printer),
        Command::Harden(args) => harden::run(args, settings, printer),
        Command::Diff(args) => diff::run(args, settings, printer),
        Command::Build(args) => build::run(args, settings, printer),
        Command::List(args) => list::run(args, settings, printer),
        Command::Schema(args) => schema::run(args, settings, printer),
        Command::Apps(args) => apps::run(args, settings, printer),
        Command::Secrets(args) => secrets::run(args, settings, printer),
        Command::Explain(args) => explain::run(args, settings, printer),
        Command::Catalogue(args) => catalogue::run(args, settings, printer),
        Command::Profile(args) => profile::run(args, settings, printer),
        Command::Completions(args) => completions::run(args, printer),
    };
    drop(clock);
    outcome
}

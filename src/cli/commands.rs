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
use super::error::{CommandError, CommandOutcome};
use super::printer::Printer;
use super::settings::Settings;
use crate::pipeline;

/// What to do.
#[derive(Debug, Subcommand)]
#[expect(
    missing_docs,
    reason = "a comment here would hide that of the arguments, which is the help text"
)]
pub enum CliCommand {
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
    command: &CliCommand,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
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
        CliCommand::Check(_)
        | CliCommand::Audit(_)
        | CliCommand::Diff(_)
        | CliCommand::Build(_)
        | CliCommand::List(_)
        | CliCommand::Schema(_)
        | CliCommand::Explain(_)
        | CliCommand::Completions(_) => Some(Deadline::start(settings)),
        _ => None,
    };
    let outcome = match command {
        CliCommand::Init(args) => init::run(args, settings, printer),
        CliCommand::Adopt(args) => adopt::run(args, settings, printer),
        CliCommand::Render(args) => render::run(args, settings, printer),
        CliCommand::Watch(args) => watch::run(args, settings, printer),
        CliCommand::Check(args) => check::run(args, settings, printer),
        CliCommand::Audit(args) => audit::run(args, settings, printer),
        CliCommand::Harden(args) => harden::run(args, settings, printer),
        CliCommand::Diff(args) => diff::run(args, settings, printer),
        CliCommand::Build(args) => build::run(args, settings, printer),
        CliCommand::List(args) => list::run(args, settings, printer),
        CliCommand::Schema(args) => schema::run(args, settings, printer),
        CliCommand::Apps(args) => apps::run(args, settings, printer),
        CliCommand::Secrets(args) => secrets::run(args, settings, printer),
        CliCommand::Explain(args) => explain::run(args, settings, printer),
        CliCommand::Catalogue(args) => catalogue::run(args, settings, printer),
        CliCommand::Profile(args) => profile::run(args, settings, printer),
        CliCommand::Completions(args) => completions::run(args, printer),
    };
    drop(clock);
    outcome
}

//! `kiln schema`: what the config may hold.

use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::key_places::KeyUse;
use crate::cli::printer::Printer;
use crate::cli::report::shown;
use crate::cli::session::ProjectSession;
use crate::cli::settings::Settings;
use crate::pipeline;

const MORE: &str = "\
Editors that know the YAML language server complete and check the config by it.

Examples:
  kiln schema > cluster.schema.json";

/// Print the JSON Schema of the config, the options of all apps included
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct SchemaArgs;

/// Prints the schema of the project.
pub fn run(
    _: &SchemaArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let session = ProjectSession::open(settings, KeyUse::Never, printer)?;
    printer.data(&shown::json::document(&text(&session)?))?;
    Ok(CommandOutcome::Clean)
}

/// Returns the schema of a project as indented JSON with a final line break.
pub fn text(session: &ProjectSession) -> Result<String, CommandError> {
    Ok(format!(
        "{:#}\n",
        pipeline::schema_for_editors(&session.world())?
    ))
}

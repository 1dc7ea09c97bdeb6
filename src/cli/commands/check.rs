//! `kiln check`: everything but the writing.

use serde_json::json;

use crate::cli::error::{CommandError, Outcome};
use crate::cli::printer::Printer;
use crate::cli::report::unseen;
use crate::cli::session::Session;
use crate::cli::settings::Settings;
use crate::pipeline::Keys;

const MORE: &str = "\
Loads and validates the config, renders, hardens, checks and seals in memory, and reports all that
is wrong. To compare the result with the disk as well, use `kiln render --check`.

Examples:
  kiln check
  kiln check --message-format github";

/// Compile the project without writing anything
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct CheckArgs;

/// Compiles and reports.
pub fn run(
    _: &CheckArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<Outcome, CommandError> {
    let session = Session::open(settings, printer)?;
    let compiled = session.compile_guarded(Keys::AtHand, settings, printer)?;
    let files = compiled.tree.files().len();
    let warnings = compiled.warnings.len();
    let sentence = format!(
        "checked {files} files from {} templates: no errors, {warnings} warning{}",
        compiled.templates,
        if warnings == 1 { "" } else { "s" },
    );
    let object = json!({"errors": 0, "warnings": warnings, "files": files, "templates": compiled.templates, "notSeen": compiled.not_seen.len()});
    unseen::show(&compiled, printer);
    printer.summary(&sentence, &object)?;
    Ok(Outcome::Clean)
}

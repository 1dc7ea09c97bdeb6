//! `kiln secrets decrypt`: the plain text of a sealed file, to stdout.

use std::path::PathBuf;

use super::sealed_files::SealedFiles;
use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::key_places::KeyUse;
use crate::cli::printer::Printer;
use crate::cli::settings::Settings;

const MORE: &str = "\
Kiln writes no plain text to a disk, and so has no way to decrypt in place: `kiln secrets edit` changes
a file, and `kiln secrets get` prints one value.

Examples:
  kiln secrets decrypt kubernetes/apps/default/demo/app/secret.sops.yaml
  kiln secrets decrypt secret.sops.yaml | kubectl apply -f -";

/// Print the plain text of a sealed file
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(super) struct DecryptArgs {
    /// The file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Opens, and prints.
pub(super) fn run(
    args: &DecryptArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let files = SealedFiles::open(settings, KeyUse::WithPlugins, printer)?;
    let path = files.path(&args.file)?;
    let tree = files.with_keys(std::slice::from_ref(&path))?;
    printer.report(&tree.warnings)?;
    printer.plain_text(&tree.decrypt(&path)?)?;
    Ok(CommandOutcome::Clean)
}

//! `kiln secrets rotate`: new data keys.

use std::path::PathBuf;

use rand_core::OsRng;

use super::sealed_files::SealedFiles;
use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::key_places::KeyUse;
use crate::cli::printer::Printer;
use crate::cli::settings::Settings;

const COMMAND: &str = "kiln secrets rotate";
const MORE: &str = "\
Each file gets a new data key and every ciphertext anew, for the recipients of its creation rule and by
its selector; a file without a rule keeps both. Without FILE, these are all sealed files below the
current folder. If one cannot be opened, none is written.

Who could open a file before can read it in the history of the repository: change the secrets at their
source. To replace the key of the project itself, there is `kiln secrets rekey`.

Examples:
  kiln secrets rotate                        After someone was taken out of .sops.yaml
  kiln secrets rotate app/secret.sops.yaml   One file";

/// Seal files with new data keys
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(super) struct RotateArgs {
    /// The files [default: all that are sealed]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Opens, seals, and writes.
pub(super) fn run(
    args: &RotateArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let files = SealedFiles::open(settings, KeyUse::WithPlugins, printer)?;
    let claimed = files.claim(settings, COMMAND)?;
    let (tree, paths) = files.chosen(&args.files)?;
    printer.report(&tree.warnings)?;
    let mut sealed = Vec::new();
    for path in paths {
        let text = tree.rotate(&path, &mut OsRng)?;
        sealed.push((path, text));
    }
    if sealed.is_empty() {
        printer.status("nothing to do: no file is sealed here");
    }
    files.write(sealed, "sealed", printer)?;
    drop(claimed);
    Ok(CommandOutcome::Clean)
}

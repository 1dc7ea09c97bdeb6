//! `kiln secrets encrypt`: plain files, sealed in place.

use std::path::PathBuf;

use rand_core::OsRng;
use zeroize::Zeroizing;

use super::sealed_files::SealedFiles;
use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::key_places::KeyUse;
use crate::cli::printer::Printer;
use crate::cli::settings::Settings;

const COMMAND: &str = "kiln secrets encrypt";
const MORE: &str = "\
The first creation rule that matches a file says for whom it is sealed and how far. A file that is
sealed already is left alone. If one file cannot be sealed, none is.

The plain text that was on the disk may still be found there, and in git, if it was committed: the
sure way is never to write it, with `kiln secrets edit FILE`.

Examples:
  kiln secrets encrypt secret.sops.yaml             Seal it in place
  kiln secrets encrypt secret.sops.yaml --stdout    Print it sealed, and leave the file";

/// Seal plain files in place, by their creation rules
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(super) struct EncryptArgs {
    /// The files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Print the sealed text of one file, and write nothing
    #[arg(long)]
    stdout: bool,
}

/// Reads, seals, and writes.
pub(super) fn run(
    args: &EncryptArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    if args.stdout && args.files.len() > 1 {
        return Err(CommandError::failed(
            "`--stdout` is for one file, and several are named",
        ));
    }
    let files = SealedFiles::open(settings, KeyUse::WithPlugins, printer)?;
    let claimed = if args.stdout {
        None
    } else {
        files.claim(settings, COMMAND)?
    };
    let paths = files.paths(&args.files)?;
    let tree = files.with_keys(&paths)?;
    printer.report(&tree.warnings)?;
    let mut sealed = Vec::new();
    for path in &paths {
        match tree.encrypt(path, &mut OsRng)? {
            Some(text) => sealed.push((path.clone(), text)),
            None => printer.status(format_args!("sealed already: {path}")),
        }
    }
    if args.stdout {
        for (_, text) in sealed {
            printer.plain_text(&Zeroizing::new(text.into_bytes()))?;
        }
        return Ok(CommandOutcome::Clean);
    }
    files.write(sealed, "sealed", printer)?;
    drop(claimed);
    Ok(CommandOutcome::Clean)
}

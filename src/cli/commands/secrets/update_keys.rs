//! `kiln secrets update-keys`: data keys for other recipients.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::sealed_files::SealedFiles;
use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::key_places::KeyUse;
use crate::cli::printer::Printer;
use crate::cli::settings::Settings;

const COMMAND: &str = "kiln secrets update-keys";
const MORE: &str = "\
The data key of each file is wrapped anew for the recipients of its creation rule, so that whoever is
new there can open it; values, MAC and time stay as they are. Without FILE, these are all sealed files
below the current folder that a rule matches. If one cannot be opened, none is written.

Who is no longer in the rule may have kept the data key: `kiln secrets rotate` makes new ones.

Examples:
  kiln secrets update-keys                        After someone was added to .sops.yaml
  kiln secrets update-keys app/secret.sops.yaml   One file";

/// Seal files for the recipients that their creation rules name now
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(super) struct UpdateKeysArgs {
    /// The files [default: all that are sealed]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Opens, wraps, and writes.
pub(super) fn run(
    args: &UpdateKeysArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let files = SealedFiles::open(settings, KeyUse::WithPlugins, printer)?;
    let claimed = files.claim(settings, COMMAND)?;
    let (tree, mut paths) = files.chosen(&args.files)?;
    printer.report(&tree.warnings)?;
    if args.files.is_empty() {
        paths.retain(|path| tree.has_rule(path));
    }
    let mut sealed = Vec::new();
    let mut removed = BTreeSet::new();
    for path in paths {
        if let Some(keys) = tree.update_keys(&path)? {
            removed.extend(keys.removed);
            sealed.push((path, keys.text));
        }
    }
    if sealed.is_empty() {
        printer.status("nothing to do: all are sealed for the recipients of their rules");
    }
    files.write(sealed, "sealed", printer)?;
    drop(claimed);
    if !removed.is_empty() {
        printer.status("who is no longer a recipient may have kept the data keys: `kiln secrets rotate` makes new ones");
    }
    Ok(CommandOutcome::Clean)
}

//! `kiln secrets`: what is sealed, and for whom.

mod rekey;

use clap::Subcommand;

use crate::cli::error::{CommandError, Outcome};
use crate::cli::printer::Printer;
use crate::cli::settings::Settings;

const MORE: &str = "\
Examples:
  kiln secrets rekey --keygen               Make a new age key, and seal everything for it
  kiln secrets rekey --old-key old.key      Seal everything for the key in age.key";

/// Work on what is sealed
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct SecretsArgs {
    #[command(subcommand)]
    verb: SecretsVerb,
}

#[derive(Debug, Subcommand)]
enum SecretsVerb {
    Rekey(rekey::RekeyArgs),
}

/// Runs the command of the group.
pub fn run(
    args: &SecretsArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<Outcome, CommandError> {
    match &args.verb {
        SecretsVerb::Rekey(args) => rekey::run(args, settings, printer),
    }
}

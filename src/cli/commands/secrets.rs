//! `kiln secrets`: what is sealed, and for whom.

mod decrypt;
mod edit;
mod encrypt;
mod get;
mod keygen;
mod rekey;
mod rotate;
mod sealed_files;
mod set;
mod status;
mod update_keys;

use clap::Subcommand;

use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::printer::Printer;
use crate::cli::settings::Settings;

const MORE: &str = "\
Examples:
  kiln secrets set dns.token                Ask for a secret, and keep it in cluster.sops.yaml
  kiln secrets edit app/secret.sops.yaml    Edit a sealed file; no plain text is on the disk
  kiln secrets status                       Look for what is sealed for others, or not at all
  kiln secrets rekey --keygen               Make a new age key, and seal everything for it";

/// Set, edit and print secrets, and seal for other keys
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct SecretsArgs {
    #[command(subcommand)]
    verb: SecretsVerb,
}

#[derive(Debug, Subcommand)]
enum SecretsVerb {
    Set(set::SetArgs),
    Get(get::GetArgs),
    Edit(edit::EditArgs),
    Encrypt(encrypt::EncryptArgs),
    Decrypt(decrypt::DecryptArgs),
    Status(status::StatusArgs),
    UpdateKeys(update_keys::UpdateKeysArgs),
    Rotate(rotate::RotateArgs),
    Rekey(rekey::RekeyArgs),
    Keygen(keygen::KeygenArgs),
}

/// Runs the command of the group.
pub fn run(
    args: &SecretsArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    match &args.verb {
        SecretsVerb::Set(args) => set::run(args, settings, printer),
        SecretsVerb::Get(args) => get::run(args, settings, printer),
        SecretsVerb::Edit(args) => edit::run(args, settings, printer),
        SecretsVerb::Encrypt(args) => encrypt::run(args, settings, printer),
        SecretsVerb::Decrypt(args) => decrypt::run(args, settings, printer),
        SecretsVerb::Status(args) => status::run(args, settings, printer),
        SecretsVerb::UpdateKeys(args) => update_keys::run(args, settings, printer),
        SecretsVerb::Rotate(args) => rotate::run(args, settings, printer),
        SecretsVerb::Rekey(args) => rekey::run(args, settings, printer),
        SecretsVerb::Keygen(args) => keygen::run(args, settings, printer),
    }
}

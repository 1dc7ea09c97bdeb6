//! `kiln secrets keygen`: a new private key.

use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::cli::commands::init::KeyType;
use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::printer::Printer;
use crate::cli::settings::Settings;
use crate::fs;

const MORE: &str = "\
The file is the one that `age-keygen` writes. A file that is there is never replaced. With -o, only the
public key goes to stdout, to be put into `.sops.yaml`; without it, the private one does.

A key of another type than the default is for tools that are older: post-quantum keys need sops 3.12,
age 1.3 and Flux 2.9.

Examples:
  kiln secrets keygen -o laptop.key          Make a key for another person or machine
  kiln secrets keygen --type x25519 -o old.key
  kiln secrets keygen | ssh host 'umask 077; cat > age.key'";

/// Make a new age key
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(super) struct KeygenArgs {
    /// The type of the key
    #[arg(long = "type", value_enum, value_name = "TYPE", default_value_t)]
    kind: KeyType,
    /// Write the private key to a new file that only you can read
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Makes a key, and writes it.
pub(super) fn run(
    args: &KeygenArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let made = args.kind.generate();
    let text = made.text.expose().as_bytes();
    if let Some(file) = &args.output {
        fs::create_private_anywhere(&settings.directory.join(file), text)?;
        printer.line(&made.recipient)?;
        printer.status(format_args!(
            "created {}; keep a copy in a safe place",
            file.display()
        ));
    } else {
        printer.plain_text(&Zeroizing::new(text.to_vec()))?;
        printer.status(format_args!("public key: {}", made.recipient));
    }
    Ok(CommandOutcome::Clean)
}

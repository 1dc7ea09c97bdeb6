//! `kiln secrets set`: one secret of the config, into its encrypted file.

use std::path::PathBuf;

use rand_core::OsRng;
use serde_json::json;

use crate::cli::commands::replacement::{Replacement, open_claimed};
use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::printer::Printer;
use crate::cli::secret_input;
use crate::cli::settings::Settings;
use crate::pipeline;

const COMMAND: &str = "kiln secrets set";
const MORE: &str = "\
Asks for the value without an echo; from a pipe, the value is what comes in, without the line break at
its end. It goes into the encrypted data file, `cluster.sops.yaml`, which is made if it is not there, by
the creation rule for it or else for the key in age.key. A plain data file that holds the value loses
it. Nothing is written where the config would become invalid by it.

What stood in a plain file that git has is in its history: change that secret at its source.

Examples:
  kiln secrets set dns.token                              Ask for the value
  pass show dns | kiln secrets set dns.token              Take it from another program
  kiln secrets set apps.demo.key --file demo.pem          Take a value of several lines";

/// Set a secret of the config in `cluster.sops.yaml`, and take it out of plain files
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(super) struct SetArgs {
    /// The way to the value, with dots between the keys
    #[arg(value_name = "PATH")]
    path: String,
    /// Read the value from stdin, also from a terminal
    #[arg(long)]
    stdin: bool,
    /// Take the value from a file, byte for byte
    #[arg(long, value_name = "FILE", conflicts_with = "stdin")]
    file: Option<PathBuf>,
}

/// Asks, seals, proves, and writes.
pub(super) fn run(
    args: &SetArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let route = pipeline::value_route(&args.path);
    if route.0.is_empty() {
        return Err(CommandError::failed("the path names no value")
            .hint("write the keys with dots between them, such as `dns.token`"));
    }
    let value = match &args.file {
        Some(file) => secret_input::read_file(settings, file)?,
        None => secret_input::read(settings, &format!("value of {route}"), args.stdin)?,
    };
    let (session, claimed) = open_claimed(settings, printer, COMMAND)?;
    let set = pipeline::set_secret(&session.world(), &route, &value, &mut OsRng)?;
    printer.report(&set.warnings)?;
    let is_new = !session.disk.root().join(&set.sealed).exists();
    let changed = !set.files.is_empty();
    // First, so that the value is at one place at least whatever happens.
    let (sealed, plain): (Vec<_>, Vec<_>) = set
        .files
        .into_iter()
        .partition(|(path, _)| *path == set.sealed);
    let written = sealed.into_iter().chain(plain);
    drop(Replacement::make(&session.disk, written)?);
    drop(claimed);
    for path in &set.cleared {
        printer.status(format_args!("took {route} out of {path}"));
    }
    let sentence = if changed {
        let verb = if is_new { "made" } else { "changed" };
        format!("{verb} {}: `kiln render` writes the tree", set.sealed)
    } else {
        format!("nothing to do: {} has this value", set.sealed)
    };
    let object = json!({
        "path": route.to_string(),
        "file": set.sealed,
        "changed": changed,
        "cleared": set.cleared,
        "problems": set.open_problems,
    });
    printer.summary(&sentence, &object)?;
    if set.open_problems > 0 {
        printer.status("the config is not valid yet, as it was before: `kiln check` says why");
    }
    Ok(CommandOutcome::Clean)
}

//! `kiln secrets get`: one value in plain text.

use std::path::PathBuf;

use serde_json::Value;
use zeroize::Zeroizing;

use super::sealed_files::SealedFiles;
use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::key_places::KeyUse;
use crate::cli::printer::Printer;
use crate::cli::session::ProjectSession;
use crate::cli::settings::Settings;
use crate::pipeline;

const MORE: &str = "\
Without FILE, the value is one of the config, wherever it comes from. A line break is added where the
value does not end in one.

Examples:
  kiln secrets get dns.token                       A value of the config
  kiln secrets get app.sops.yaml stringData.key    A value of a sealed file
  kiln secrets get app.sops.yaml data --json       A group of values";

/// Print a secret value of the config, or of a sealed file
#[derive(Debug, clap::Args)]
#[command(after_help = MORE, allow_missing_positional = true)]
pub(super) struct GetArgs {
    /// A sealed file
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The way to the value, with dots between the keys
    #[arg(value_name = "PATH", required = true)]
    path: String,
    /// Print JSON: for groups and lists, and to tell texts from numbers
    #[arg(long)]
    json: bool,
}

/// Opens, and prints.
pub(super) fn run(
    args: &GetArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let route = pipeline::value_route(&args.path);
    let value = match &args.file {
        None => {
            let session = ProjectSession::open(settings, KeyUse::WithPlugins, printer)?;
            pipeline::config_value(&session.world(), &route)?
        }
        Some(file) => {
            let files = SealedFiles::open(settings, KeyUse::WithPlugins, printer)?;
            let path = files.path(file)?;
            let tree = files.with_keys(std::slice::from_ref(&path))?;
            printer.report(&tree.warnings)?;
            tree.value(&path, &route)?
        }
    };
    let mut text = Zeroizing::new(match &value {
        Value::String(text) if !args.json => text.clone(),
        Value::Array(_) | Value::Object(_) if !args.json => {
            let message = format!("`{route}` is no single value");
            return Err(CommandError::failed(message)
                .hint("print it with `--json`, or name one of its values"));
        }
        _ => value.to_string(),
    });
    if !text.ends_with('\n') {
        text.push('\n');
    }
    printer.plain_text(&Zeroizing::new(text.as_bytes().to_vec()))?;
    Ok(CommandOutcome::Clean)
}

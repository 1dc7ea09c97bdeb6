//! `kiln catalogue`: the embedded templates, to read and to replace.

use clap::Subcommand;

use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::key_places::KeyUse;
use crate::cli::printer::Printer;
use crate::cli::session::ProjectSession;
use crate::cli::settings::Settings;
use crate::diagnostic::closest;
use crate::fs::{self, Access};
use crate::pipeline;
use crate::source::Files as _;

/// The folder of the catalogue that templates live in.
const TEMPLATES: &str = "templates";

const MORE: &str = "\
A file below the project's templates folder replaces the embedded one of the same path.

Examples:
  kiln catalogue list kubernetes/apps/network
  kiln catalogue eject kubernetes/apps/default/echo/app/helmrelease.yaml.tera";

/// Look into the embedded templates, and copy one out to change it
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct CatalogueArgs {
    #[command(subcommand)]
    verb: CatalogueVerb,
}

#[derive(Debug, Subcommand)]
enum CatalogueVerb {
    /// List the embedded templates
    List {
        /// Only those below a folder
        #[arg(value_name = "FOLDER", default_value = "", hide_default_value = true)]
        folder: String,
    },
    /// Copy an embedded template into the project, where it takes the place of the original
    Eject {
        /// The path of the template, as `kiln catalogue list` prints it
        path: String,
    },
}

/// Lists or copies.
pub fn run(
    args: &CatalogueArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    match &args.verb {
        CatalogueVerb::List { folder } => list(folder, printer),
        CatalogueVerb::Eject { path } => eject(path, settings, printer),
    }
}

fn list(folder: &str, printer: &mut Printer) -> Result<CommandOutcome, CommandError> {
    let below = format!("{TEMPLATES}/{}", relative(folder));
    let paths = pipeline::catalogue().list(below.trim_end_matches('/'));
    for path in paths? {
        printer.line(relative(&path))?;
    }
    Ok(CommandOutcome::Clean)
}

fn eject(
    path: &str,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let session = ProjectSession::open(settings, KeyUse::Never, printer)?;
    let path = relative(path);
    let original = session.catalogue().read(&format!("{TEMPLATES}/{path}"));
    let Some(original) = original? else {
        return Err(unknown(path, &session));
    };
    let folders = session.layout()?.templates;
    let folder = folders.first().map_or(TEMPLATES, String::as_str);
    let shown = format!("{folder}/{path}");
    session
        .disk
        .create(&shown, &original, Access::Usual)
        .map_err(|error| match error {
            fs::DiskError::Exists { .. } => {
                CommandError::failed(format!("`{shown}` is there already"))
                    .hint("remove it first to start from the embedded file again")
            }
            other => other.into(),
        })?;
    printer.status(format!(
        "created {shown}; it replaces the embedded file from now on"
    ));
    Ok(CommandOutcome::Clean)
}

/// Takes a path with or without `templates/` before it.
fn relative(path: &str) -> &str {
    let path = path.trim_start_matches("./");
    path.strip_prefix(TEMPLATES)
        .and_then(|rest| rest.strip_prefix('/'))
        .unwrap_or(path)
}

fn unknown(path: &str, session: &ProjectSession) -> CommandError {
    let error = CommandError::failed(format!("the catalogue has no template `{path}`"));
    let known = session.catalogue().list(TEMPLATES).unwrap_or_default();
    let twin = format!("{path}.tera");
    match closest(path, known.iter().map(|known| relative(known))) {
        _ if known.iter().any(|known| relative(known) == twin) => {
            error.hint(format!("did you mean `{twin}`?"))
        }
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("list the templates with `kiln catalogue list`"),
    }
}

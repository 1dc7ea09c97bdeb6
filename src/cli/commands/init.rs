//! `kiln init`: a project that renders, from nothing.

mod keys;
mod starter;

use std::path::{Path, PathBuf};

use crate::cli::commands::schema;
use crate::cli::error::{CommandError, Outcome};
use crate::cli::printer::Printer;
use crate::cli::session::{PROJECT_FILE, Session};
use crate::cli::settings::Settings;
use crate::fs::single::{self, Access};

pub use keys::make_missing as make_missing_keys;

const MORE: &str = "\
Writes a config that renders as it is, its JSON Schema for the editor, a .gitignore and the keys.
What is there already is never overwritten.

Examples:
  kiln init my-cluster && kiln -C my-cluster render
  kiln init                 In a project: make the missing keys only";

/// Start a project, or make the keys that one lacks
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct InitArgs {
    /// The folder of the project [default: the current one]
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Writes what is missing.
pub fn run(
    args: &InitArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<Outcome, CommandError> {
    let root = match &args.folder {
        Some(folder) => settings.directory.join(folder),
        None => settings.directory.clone(),
    };
    let existing = root.join(PROJECT_FILE).is_file();
    if !existing {
        write_starter(&root, settings, printer)?;
    }
    let keys = make_missing_keys(&root, printer)?;
    if existing && keys == 0 {
        printer.status("nothing to do: this is a project with all its keys");
    }
    if !existing {
        let enter = args
            .folder
            .as_ref()
            .map_or_else(String::new, |folder| format!(" -C {}", folder.display()));
        printer.status(format!(
            "ready: edit {}, then run `kiln{enter} render`",
            starter::CONFIG
        ));
    }
    Ok(Outcome::Clean)
}

fn write_starter(
    root: &Path,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<(), CommandError> {
    single::create_folder(root).map_err(|error| CommandError::of(&error))?;
    ignore_keys(root, printer)?;
    if !starter::CONFIG_NAMES
        .iter()
        .any(|name| root.join(name).exists())
    {
        create(root, starter::CONFIG, starter::CONFIG_TEXT, printer)?;
    }
    create(root, PROJECT_FILE, starter::PROJECT_TEXT, printer)?;
    let session = Session::open_root(root, settings)?;
    create(root, starter::SCHEMA, &schema::text(&session)?, printer)
}

fn create(root: &Path, name: &str, text: &str, printer: &mut Printer) -> Result<(), CommandError> {
    let made = single::create_new(&root.join(name), text.as_bytes(), Access::Shared);
    if made.map_err(|error| CommandError::of(&error))? {
        printer.status(format!("created {name}"));
    }
    Ok(())
}

/// Makes sure that git ignores the keys, before there are any: a new `.gitignore`, or the missing
/// lines at the end of the one that is there.
fn ignore_keys(root: &Path, printer: &mut Printer) -> Result<(), CommandError> {
    let path = root.join(starter::IGNORE);
    let Some(text) = single::read_text(&path).map_err(|error| CommandError::of(&error))? else {
        return create(root, starter::IGNORE, &starter::ignore_text(), printer);
    };
    let missing = starter::lines_to_ignore(&text);
    if missing.is_empty() {
        return Ok(());
    }
    let addition = format!("{}\n{}\n", starter::IGNORE_COMMENT, missing.join("\n"));
    single::append(&path, &addition).map_err(|error| CommandError::of(&error))?;
    printer.status(format!(
        "added {} lines to {}",
        missing.len() + 1,
        starter::IGNORE
    ));
    Ok(())
}

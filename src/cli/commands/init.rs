//! `kiln init`: a project that renders, from nothing.

mod keys;
mod starter;

use std::path::{Path, PathBuf};

use crate::cli::commands::schema;
use crate::cli::credentials;
use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::key_places::KeyUse;
use crate::cli::printer::Printer;
use crate::cli::session::{PROJECT_FILE, ProjectSession};
use crate::cli::settings::Settings;
use crate::fs::{self, Access, Disk};
use crate::pipeline::{MAKEJINJA_FILE, VERSIONS_FILE, compare_versions};

pub use keys::{KeyType, make_missing as make_missing_keys, new_age_key, write_age_key};

const MORE: &str = "\
Writes a config that renders as it is, its JSON Schema for the editor, the versions that
Renovate keeps, a .gitignore and the keys.
What is there already is never overwritten.

Examples:
  kiln init my-cluster && kiln -C my-cluster render
  kiln init                 In a project: make the missing keys, and complete .gitignore";

/// Start a project, or make the keys that one lacks
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct InitArgs {
    /// The folder of the project [default: the current one]
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// The type of a new age key [default: post-quantum, or x25519 with an app that knows no other]
    #[arg(long, value_enum, value_name = "TYPE")]
    key_type: Option<KeyType>,
}

/// Writes what is missing.
pub fn run(
    args: &InitArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let root = match &args.folder {
        Some(folder) => settings.directory.join(folder),
        None => settings.directory.clone(),
    };
    let disk = open_or_make(&root)?;
    if disk.root().join(MAKEJINJA_FILE).is_file() && !disk.root().join(PROJECT_FILE).is_file() {
        printer.status(format!(
            "nothing is written: this is a project already, of makejinja, which `kiln render` renders as `{MAKEJINJA_FILE}` says"
        ));
        printer.status(
            "a `kiln.toml` beside it sets what Kiln adds; `kiln adopt` shows what the project is with Kiln's own catalogue",
        );
        return Ok(CommandOutcome::Clean);
    }
    let existing = disk.root().join(PROJECT_FILE).is_file();
    let config = config_name(&disk);
    if !existing {
        write_starter(&disk, config, settings, printer)?;
    }
    let keys = make_missing_keys(&disk, args.key_type, settings, printer)?;
    let ignores = credentials::ignore(&disk, printer)?;
    if !existing {
        let enter = args
            .folder
            .as_ref()
            .map_or_else(String::new, |folder| format!(" -C {}", folder.display()));
        let config = config.unwrap_or(starter::CONFIG);
        printer.status(format!(
            "ready: look through {config}, then run `kiln{enter} render`"
        ));
    } else if keys == 0 && !ignores {
        printer.status("nothing to do: this is a project with all its keys");
    }
    Ok(CommandOutcome::Clean)
}

/// Opens a folder, made if it is missing.
fn open_or_make(root: &Path) -> Result<Disk, CommandError> {
    let parent = root
        .ancestors()
        .find(|folder| folder.is_dir())
        .unwrap_or(root);
    if let Some(missing) = root.strip_prefix(parent).ok().and_then(Path::to_str)
        && !missing.is_empty()
    {
        Disk::open(parent)?.folder(missing)?.make("")?;
    }
    Ok(Disk::open(root)?)
}

/// Finds a config that is there already.
fn config_name(disk: &Disk) -> Option<&'static str> {
    starter::CONFIG_NAMES
        .into_iter()
        .find(|name| disk.root().join(name).exists())
}

/// Writes the files of a new project; the project file comes last but for the schema, which needs
/// it, so that a crash before it leaves a folder that `init` completes.
fn write_starter(
    disk: &Disk,
    config: Option<&str>,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<(), CommandError> {
    credentials::ignore(disk, printer)?;
    if config.is_none() {
        create(disk, starter::CONFIG, starter::CONFIG_TEXT, printer)?;
    }
    create(disk, PROJECT_FILE, starter::PROJECT_TEXT, printer)?;
    let session = ProjectSession::open_root(disk.root(), settings, KeyUse::Never)?;
    create(disk, starter::SCHEMA, &schema::text(&session)?, printer)?;
    // A config that was there already may be one that is not valid yet.
    if let Ok(report) = compare_versions(&session.world()) {
        create(disk, VERSIONS_FILE, &report.raised()?, printer)?;
    }
    Ok(())
}

fn create(disk: &Disk, name: &str, text: &str, printer: &mut Printer) -> Result<(), CommandError> {
    match disk.create(name, text.as_bytes(), Access::Usual) {
        Ok(()) => printer.status(format!("created {name}")),
        Err(fs::DiskError::Exists { .. }) => printer.status(format!("kept {name}")),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

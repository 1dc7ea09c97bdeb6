//! `kiln apps outdated`: where the catalogue has newer versions than the project.

use clap::ValueEnum;
use serde_json::{Value, json};

use super::COMMAND;
use crate::cli::commands::replacement::{Replacement, open_claimed};
use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::printer::Printer;
use crate::cli::report::shown::{self, Shown};
use crate::cli::report::table::table;
use crate::cli::session::ProjectSession;
use crate::cli::settings::Settings;
use crate::pipeline::{VERSIONS_FILE, VersionReport, compare_versions};

/// The version of the JSON; raised when a field goes or changes its meaning.
const VERSION: u32 = 1;
const HEAD: [&str; 3] = ["NAME", "YOURS", "BUILT IN"];

/// What to do about versions that are held back.
#[derive(Debug, clap::Args)]
pub(super) struct OutdatedArgs {
    /// Take the newer versions over into `versions.yaml`, and add those that the apps in use need; comments stay
    #[arg(long)]
    write: bool,
    /// The form of the list
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value_t,
        conflicts_with = "write"
    )]
    format: OutdatedFormat,
}

/// The form of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum OutdatedFormat {
    /// Columns with a head.
    #[default]
    #[value(help = None)]
    Table,
    /// For programs: `version`, and `outdated` with `name`, `yours` and `builtIn` of each.
    #[value(help = None)]
    Json,
}

/// Lists what is held back.
pub(super) fn list(
    args: &OutdatedArgs,
    session: &ProjectSession,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let report = compare_versions(&session.world())?;
    if args.format == OutdatedFormat::Json {
        printer.data(&shown::json::page(&page(&report)))?;
        return Ok(CommandOutcome::Clean);
    }
    if report.outdated.is_empty() {
        printer.status("nothing is older than what this Kiln has");
    } else {
        printer.data(&rows(&report))?;
        printer.status(format!(
            "`kiln apps outdated --write` takes them over into {VERSIONS_FILE}"
        ));
    }
    if !report.is_written() {
        printer.status(format!(
            "there is no {VERSIONS_FILE}, so that Renovate sees no version; `--write` writes it"
        ));
    } else if !report.missing.is_empty() {
        let missing: Vec<String> = report.missing.iter().map(|(key, _)| key.route()).collect();
        printer.status(format!(
            "not in {}, so that Renovate does not see it: {}; `--write` adds it",
            VERSIONS_FILE,
            missing.join(", ")
        ));
    }
    Ok(CommandOutcome::Clean)
}

impl OutdatedArgs {
    /// Returns whether the project's file shall be written.
    pub(super) fn writes(&self) -> bool {
        self.write
    }
}

/// Takes the versions of the catalogue over.
pub(super) fn write(
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let (session, claimed) = open_claimed(settings, printer, COMMAND)?;
    let report = compare_versions(&session.world())?;
    if report.outdated.is_empty() && report.missing.is_empty() {
        printer.status("nothing to do: nothing is older than what this Kiln has");
        return Ok(CommandOutcome::Clean);
    }
    let file = [(VERSIONS_FILE.to_owned(), report.raised()?)];
    drop(Replacement::make(&session.disk, file)?);
    drop(claimed);
    for (key, entry) in &report.outdated {
        let (name, own) = (key.route(), &entry.version);
        let built_in = entry.built_in.as_deref().unwrap_or_default();
        printer.status(format!("raised {name} from {own} to {built_in}"));
    }
    for (key, entry) in &report.missing {
        printer.status(format!("added {} {}", key.route(), entry.version));
    }
    printer.status(format!(
        "changed {VERSIONS_FILE}; `kiln render` writes the tree"
    ));
    Ok(CommandOutcome::Clean)
}

fn rows(report: &VersionReport) -> Shown {
    let rows = report.outdated.iter().map(|(key, entry)| {
        let built_in = entry.built_in.clone().unwrap_or_default();
        vec![key.route(), entry.version.clone(), built_in]
    });
    table(&HEAD, &rows.collect::<Vec<_>>())
}

fn page(report: &VersionReport) -> Value {
    let items = report.outdated.iter().map(|(key, entry)| {
        json!({ "name": key.route(), "yours": entry.version, "builtIn": entry.built_in })
    });
    json!({ "version": VERSION, "outdated": items.collect::<Vec<_>>() })
}

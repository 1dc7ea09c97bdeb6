//! `kiln secrets rekey`: another age key for all that is sealed.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rand_core::OsRng;
use serde_json::json;
use sops_age::keys::shown_recipient;

use crate::cli::commands::init;
use crate::cli::commands::replacement::{Replacement, open_claimed};
use crate::cli::deadline::Deadline;
use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::key_places::KeyUse;
use crate::cli::printer::Printer;
use crate::cli::report::counted::counted;
use crate::cli::session::{PROJECT_FILE, ProjectSession};
use crate::cli::settings::Settings;
use crate::pipeline::{self, Rekeyed};
use crate::secret::{AGE_KEY, Secret};
use crate::source::{Files as _, OverlaidFiles};
use crate::write::{self, PlanOptions, WriteReport};

const COMMAND: &str = "kiln secrets rekey";
const MORE: &str = "\
Renders the project for the first key in age.key, and seals every other sealed file of the project
for it as well: the Talos secrets, encrypted data files, what you sealed by hand. Each gets a new
data key, so that the old key opens none of them. Nothing is written in plain text, and nothing at
all if one file cannot be opened. A project below this one, with a kiln.toml or a .sops.yaml of its
own, is left alone.

The old key is needed once more, to open what is there. It stands below the new one in age.key, in
a file that --old-key names, or where SOPS looks (SOPS_AGE_KEY and so on).

Who has the old key can still read the secrets in the history of the repository: change them at
their source. docs/restore.md of a rendered project has all the steps.

Examples:
  kiln secrets rekey --keygen             Make a new key above the old one, and seal for it
  kiln secrets rekey --old-key old.key    Seal for the key that you put into age.key
  kiln secrets rekey --dry-run            List what would change";

/// Seal all secrets of the project for a new age key
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub(super) struct RekeyArgs {
    /// A file with the key that is replaced
    #[arg(long, value_name = "FILE")]
    old_key: Vec<PathBuf>,
    /// Make a new key above the one in age.key first
    #[arg(long)]
    keygen: bool,
    /// The type of the key that --keygen makes, as for `kiln init`
    #[arg(long, value_enum, value_name = "TYPE", requires = "keygen")]
    key_type: Option<init::KeyType>,
    /// Write nothing; list what would change, and exit with 1 if anything does
    #[arg(long, conflicts_with = "dry_run")]
    check: bool,
    /// Write nothing; list what would change
    #[arg(long)]
    dry_run: bool,
}

/// Opens, seals and writes.
pub(super) fn run(
    args: &RekeyArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<CommandOutcome, CommandError> {
    let dry = args.check || args.dry_run;
    let (mut session, claimed) = if dry {
        (
            ProjectSession::open(settings, KeyUse::WithPlugins, printer)?,
            None,
        )
    } else {
        let (session, claimed) = open_claimed(settings, printer, COMMAND)?;
        (session, Some(claimed))
    };
    let new = args
        .keygen
        .then(|| init::new_age_key(&session.disk, args.key_type, settings))
        .transpose()?;
    if let Some(text) = &new {
        session.replace_own_identity(text);
    }
    let mut old = Vec::new();
    for file in &args.old_key {
        old.push(session.add_identity(&settings.directory.join(file))?);
    }
    let layout = session.layout()?;
    let clock = Deadline::start(settings);
    // The new key is in memory only, until all is sealed for it.
    let key = |text: &Secret| (AGE_KEY.to_owned(), text.expose().as_bytes().to_vec());
    let files = OverlaidFiles::new(&session.disk, new.iter().map(key));
    let world = session.world_of(&files);
    let rekeyed = pipeline::rekey(&world, &old, &mut OsRng)?;
    printer.report(&rekeyed.compiled.warnings)?;
    let options = PlanOptions {
        force: false,
        dry_run: dry,
    };
    let tree = &rekeyed.compiled.tree;
    let target = session.target(&layout, COMMAND);
    let plan = match claimed {
        Some(claimed) => claimed.plan(tree, &target, options)?,
        None => write::plan(tree, &target, options)?,
    };
    let plan = plan.map_err(CommandError::Problems)?;
    printer.report(&plan.warnings)?;
    let others = others(
        &session,
        &layout.output,
        &rekeyed,
        &plan.value.report().edited,
    )?;
    let sealed = rekeyed.seal(&world, &others, &mut OsRng)?;
    drop(clock);
    let mut before = None;
    if !dry {
        // First: with both keys in it, every step after this one can be taken again.
        if let Some(text) = &new {
            init::write_age_key(&session.disk, text, printer)?;
        }
        before = Some(Replacement::make(&session.disk, sealed.iter().cloned())?);
    }
    let report = match plan.value.apply() {
        Ok(report) => report,
        Err(error) => {
            before.map_or(Ok(()), Replacement::undo)?;
            return Err(error.into());
        }
    };
    let sealed: Vec<String> = sealed.into_iter().map(|(path, _)| path).collect();
    list(&sealed, &report, dry, printer)?;
    summarize(&rekeyed, &sealed, &report, dry, printer)?;
    let clean = sealed.is_empty() && report.created.is_empty() && report.changed.is_empty();
    Ok(if args.check && !(clean && report.removed.is_empty()) {
        CommandOutcome::Findings
    } else {
        CommandOutcome::Clean
    })
}

/// Lists the files of the project that may be sealed by others than this run: all but the outputs, and the
/// outputs that were edited by hand and so keep their content.
fn others(
    session: &ProjectSession,
    output: &str,
    rekeyed: &Rekeyed,
    edited: &[String],
) -> Result<BTreeSet<String>, CommandError> {
    let mut all = session.disk.list(".")?;
    let output = output.trim_start_matches("./").trim_end_matches('/');
    let nested: Vec<String> = all
        .iter()
        .filter_map(|path| path.rsplit_once('/'))
        .filter(|(folder, name)| [PROJECT_FILE, ".sops.yaml"].contains(name) && *folder != output)
        .map(|(folder, _)| format!("{folder}/"))
        .collect();
    let outputs = rekeyed.outputs();
    all.retain(|path| {
        let own = !nested.iter().any(|folder| path.starts_with(folder));
        own && (!outputs.contains(path) || edited.contains(path))
    });
    Ok(all.into_iter().collect())
}

fn list(
    sealed: &[String],
    report: &WriteReport,
    dry: bool,
    printer: &mut Printer,
) -> Result<(), CommandError> {
    let kinds = [
        ("sealed", sealed),
        ("created", report.created.as_slice()),
        ("changed", report.changed.as_slice()),
        ("removed", report.removed.as_slice()),
    ];
    for (kind, path) in kinds
        .iter()
        .flat_map(|(kind, paths)| paths.iter().map(move |path| (kind, path)))
    {
        if dry && !printer.is_machine() {
            printer.line(format_args!("{kind} {path}"))?;
        } else {
            printer.status(format_args!("{kind} {path}"));
        }
    }
    Ok(())
}

fn summarize(
    rekeyed: &Rekeyed,
    sealed: &[String],
    report: &WriteReport,
    dry: bool,
    printer: &mut Printer,
) -> Result<(), CommandError> {
    let recipient = rekeyed.recipient()?;
    let shown = shown_recipient(&recipient);
    let outputs = report.created.len() + report.changed.len() + report.removed.len();
    let sentence = if outputs + sealed.len() == 0 {
        format!("nothing to do: all that is sealed here is sealed for {shown}")
    } else {
        let verb = if dry { "would seal" } else { "sealed" };
        format!(
            "{verb} for {shown}: {} and {}",
            counted(outputs, "output"),
            counted(sealed.len(), "other file"),
        )
    };
    let object = json!({
        "recipient": recipient,
        "dryRun": dry,
        "sealed": sealed,
        "created": report.created,
        "changed": report.changed,
        "removed": report.removed,
        "edited": report.edited,
    });
    printer.summary(&sentence, &object)?;
    if outputs + sealed.len() > 0 && !dry {
        printer.status(format!(
            "next: push, hand the key to the cluster (`just bootstrap keys`), then take the old one out of {AGE_KEY}"
        ));
    }
    Ok(())
}

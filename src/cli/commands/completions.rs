//! `kiln completions`: a script that teaches a shell Kiln's arguments.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::cli::args::Args;
use crate::cli::error::{CommandError, CommandOutcome};
use crate::cli::printer::Printer;
use crate::cli::report::shown::Shown;

const MORE: &str = "\
Examples:
  kiln completions bash > ~/.local/share/bash-completion/completions/kiln
  kiln completions fish > ~/.config/fish/completions/kiln.fish";

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct CompletionsArgs {
    /// The shell to write for
    shell: Shell,
}

/// Prints the script.
pub fn run(args: &CompletionsArgs, printer: &mut Printer) -> Result<CommandOutcome, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "kiln", &mut script);
    printer.data(&Shown::file(String::from_utf8_lossy(&script)))?;
    Ok(CommandOutcome::Clean)
}

//! What a user types: the global options and the list of commands.

use std::path::PathBuf;

use clap::{ArgAction, Parser, ValueEnum};

use super::commands::CliCommand;

/// How many threads `--threads` takes; each has 32 MiB of address space.
pub const MAX_THREADS: i64 = 256;

const EXIT_CODES: &str = "\
Exit codes:
  0  clean: nothing wrong, nothing differs
  1  findings: your input is wrong, or `render --check` or `diff` found differences
  2  could not tell: wrong usage, no project, a file or a key that cannot be read";

const VARIABLES: &str = "\
Variables:
  KILN_COLOR, KILN_MESSAGE_FORMAT  What `--color` and `--message-format` are by default
  KILN_TIME_LIMIT                  Seconds until a run that still reads gives up [default: 60]";

const EXAMPLES: &str = "\
Examples:
  kiln init my-cluster           Start a project in a new folder
  kiln adopt                     Look what Kiln would make of a live repository
  kiln -C my-cluster render      Write the tree that the project describes
  kiln render --check            Fail if the tree on disk is not what would be rendered
  kiln watch                     Write the tree again on each save, and show what it changes
  kiln diff                      Show what a change does to the cluster, object by object
  kiln explain pod-security      Tell what a code in a message means";

/// Compile a typed cluster config and templates into a hardened, checked and sealed Flux tree
#[derive(Debug, Parser)]
#[command(
    name = "kiln",
    version,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = after_help(),
)]
pub struct Args {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: CliCommand,
}

fn after_help() -> String {
    format!("{EXAMPLES}\n\n{VARIABLES}\n\n{EXIT_CODES}")
}

/// The options that every command takes.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Run as if started in DIR
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub directory: Option<PathBuf>,
    /// When to use colour [default: auto, or what `KILN_COLOR` says]
    #[arg(long, value_name = "WHEN", value_enum, global = true)]
    pub color: Option<Color>,
    /// The form of messages; all but `human` go to stdout [default: human, or what
    /// `KILN_MESSAGE_FORMAT` says]
    #[arg(long, value_name = "FORMAT", value_enum, global = true)]
    pub message_format: Option<MessageFormat>,
    /// How many threads may work, at most 256 [default: one per processor]
    #[arg(long, value_name = "N", global = true, value_parser = clap::value_parser!(u16).range(1..=MAX_THREADS))]
    pub threads: Option<u16>,
    /// Say more: list each file
    #[arg(short, long, action = ArgAction::SetTrue, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Say nothing but what is wrong
    #[arg(short, long, action = ArgAction::SetTrue, global = true)]
    pub quiet: bool,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    #[default]
    #[value(help = None)]
    Auto,
    /// Always.
    #[value(help = None)]
    Always,
    /// Never.
    #[value(help = None)]
    Never,
}

/// The form of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum MessageFormat {
    /// Snippets for people, as rustc prints them, to stderr.
    #[default]
    #[value(help = None)]
    Human,
    /// One JSON object a line, to stdout.
    #[value(help = None)]
    Json,
    /// GitHub workflow commands, to stdout.
    #[value(help = None)]
    Github,
}

use clap::CommandFactory as _;
use kiln::cli::args::Args;

/// Names the commands that no run of a test's tables starts, out of all that a user can type.
///
/// A new command has to go into every such table.
pub(crate) fn commands_without_a_run(runs: &[&[&str]]) -> Vec<String> {
    let mut missing = Vec::new();
    collect(&Args::command(), &[], runs, &mut missing);
    missing
}

fn collect(command: &clap::Command, path: &[&str], runs: &[&[&str]], missing: &mut Vec<String>) {
    let mut below = command.get_subcommands().peekable();
    let is_leaf = below.peek().is_none();
    if is_leaf && !runs.iter().any(|run| run.starts_with(path)) {
        missing.push(path.join(" "));
    }
    for inner in below {
        collect(inner, &[path, &[inner.get_name()]].concat(), runs, missing);
    }
}

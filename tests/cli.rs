//! The real binary, as a user runs it: what it prints and how it ends.

/// `kiln apps`.
mod apps;
/// `kiln audit`, and what `kiln render -v` says of hardening.
mod audit;
/// `kiln check` and `schema`.
mod inspect;
/// `kiln build`.
mod build;
/// A small repository that Flux applies.
mod cluster;
/// `kiln diff` without a project.
mod compare;
/// What lies around a project.
mod kept;
/// `kiln list`.
mod list;
/// `kiln catalogue`.
mod catalogue;
/// Keys that git has, or others can read.
mod exposure;
/// `kiln explain`.
mod explain;
/// Programs, binaries, names that some disks mix up, and another Kiln at work.
mod files;
/// What counts of the findings of `kiln check`.
mod findings;
/// `kiln harden`.
mod harden;
/// The help text of every command.
mod help;
/// `kiln init`.
mod init;
/// `kiln render`.
mod render;
/// Keys of age, of SSH and of plugins.
mod keys;
/// Templates that are sealed already.
mod carry;
/// Diagnostics in every form.
mod report;
/// What is sealed, and what may be in plain text.
mod seal;
/// `kiln render --stage`.
mod stage;
/// `kiln secrets`, and keys that do not fit.
mod secrets;
/// What `[flux]` tells of the surroundings of a tree.
mod surroundings;
/// Colour, quiet, closed pipes, wrong arguments.
mod streams;

use crate::support::{Run, Sandbox};

/// Runs a command that ends with a code.
fn run(sandbox: &Sandbox, arguments: &[&str], code: i32) -> Run {
    let run = sandbox.kiln(arguments);
    assert_eq!(run.code, Some(code), "{arguments:?}: {run}");
    run
}

/// A new project with two templates of its own instead of the catalogue, and its output in `out`.
fn small() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.kiln(&["init"]).success();
    sandbox.write("kiln.toml", "catalogue = false\noutput = \"out\"\n");
    sandbox.write("templates/cluster.txt.tera", "#{ domain.name }#\n");
    sandbox.write("templates/notes.txt", "notes\n");
    sandbox
}
